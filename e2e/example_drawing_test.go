package e2e_test

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"
)

// artist is somebody with the page of the drawing.
type artist struct{ *tab }

// draws opens the page for somebody of that name.
func draws(b *browser, name, url string) artist {
	b.t.Helper()
	a := artist{b.Person(name, "about:blank")}
	a.look(1000, 700, "light")
	a.Go(url)
	a.ready()
	a.call(name)
	return a
}

func (a artist) ready() {
	a.t.Helper()
	a.Until("the page is connected", `document.body.dataset.state === "open" && !document.querySelector("#empty").hidden || document.querySelectorAll("#people li, #cursors div").length > 0`)
}

// call gives them a name.
func (a artist) call(name string) {
	a.t.Helper()
	eval[bool](a.tab, `(() => {
		const field = document.querySelector("#name");
		field.value = %s;
		return field.dispatchEvent(new Event("change"));
	})()`, name)
}

// click clicks what can be clicked.
func (a artist) click(what string) {
	a.t.Helper()
	a.Until(what+" can be clicked", `(e => e && !e.disabled && (e.click(), true))(document.querySelector(%s))`, what)
}

// mouse sends a real event of the mouse, whose left button is down or not.
func (p *tab) mouse(kind input.DispatchMouseEventType, x, y float64, down bool) {
	p.t.Helper()
	e := input.DispatchMouseEventParams{Type: kind, X: x, Y: y, PointerType: input.DispatchMouseEventPointerTypeMouse}
	if down {
		e.Buttons = 1
	}
	if kind != input.DispatchMouseEventTypeMouseMoved {
		e.Button, e.ClickCount = input.MouseButtonLeft, 1
	}
	ctx, cancel := context.WithTimeout(p.ctx, patience)
	defer cancel()
	if _, err := chromedp.Call(ctx, input.DispatchMouseEvent, e); err != nil {
		p.t.Fatalf("%s: mouse: %v", p.name, err)
	}
}

// press puts the pen down.
func (a artist) down(x, y float64) {
	a.t.Helper()
	a.mouse(input.DispatchMouseEventTypeMouseMoved, x, y, false)
	a.mouse(input.DispatchMouseEventTypeMousePressed, x, y, true)
}

// drag moves the pen that is down, in steps.
func (a artist) drag(x, y, toX, toY float64) {
	a.t.Helper()
	const steps = 12
	for n := 1; n <= steps; n++ {
		k := float64(n) / steps
		a.mouse(input.DispatchMouseEventTypeMouseMoved, x+(toX-x)*k, y+(toY-y)*k, true)
	}
}

func (a artist) up(x, y float64) {
	a.t.Helper()
	a.mouse(input.DispatchMouseEventTypeMouseReleased, x, y, false)
}

// line draws one.
func (a artist) line(x, y, toX, toY float64) {
	a.t.Helper()
	a.down(x, y)
	a.drag(x, y, toX, toY)
	a.up(toX, toY)
}

// inked is an expression that is true where a canvas has something other than paper around a point.
const inked = `((id, x, y) => {
	const canvas = document.getElementById(id), c = canvas.getContext("2d");
	const [r, g, b, a] = c.getImageData(x, y, 1, 1).data;
	return a > 0 && (r < 200 || g < 200 || b < 200);
})`

// picture is all that is painted and kept.
func (a artist) picture() string {
	a.t.Helper()
	return eval[string](a.tab, `document.querySelector("#picture").toDataURL()`)
}

// shows waits until the picture of one page is that of another.
func (a artist) shows(what string, other artist) {
	a.t.Helper()
	want := ""
	a.t.Logf("%s: %s", a.name, what)
	for range 200 {
		if want = other.picture(); a.picture() == want {
			return
		}
		eval[bool](a.tab, "new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => done(true))))")
	}
	a.t.Fatalf("%s: %s: another picture than %s has", a.name, what, other.name)
}

// looks waits until two pages look alike, as far as a picture of 50 by 35 can tell: what is seen is
// told in tenths of the board's units.
func (a artist) looks(what string, other artist) {
	a.t.Helper()
	for range 200 {
		if alike(a.small(), other.small()) {
			return
		}
		eval[bool](a.tab, "new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => done(true))))")
	}
	a.t.Fatalf("%s: %s: it doesn't look as with %s", a.name, what, other.name)
}

// small is the picture, made small.
func (a artist) small() []int {
	a.t.Helper()
	return eval[[]int](a.tab, `(() => {
		const c = document.createElement("canvas").getContext("2d");
		c.imageSmoothingQuality = "high";
		c.drawImage(document.querySelector("#picture"), 0, 0, 50, 35);
		return [...c.getImageData(0, 0, 50, 35).data];
	})()`)
}

// alike holds where no part of two pictures differs much.
func alike(a, b []int) bool {
	return slices.EqualFunc(a, b, func(x, y int) bool { return max(x-y, y-x) < 32 })
}

// What one draws, the other sees while it is drawn, and then has; a page that is loaded again has the
// picture, and so has one that comes later. Undo, redo and clear are of one's own strokes.
func TestDrawingIsShared(t *testing.T) {
	t.Parallel()
	server := startExample(t, "drawing", "127.0.0.1:0")
	b := newBrowser(t)
	ada, bob := draws(b, "Ada", server.URL), draws(b, "Bob", server.URL)
	ada.Until("Bob is there", `document.querySelector("#people").innerText.includes("Bob")`)
	bob.Until("Ada is there", `document.querySelector("#people").innerText.includes("Ada")`)
	blank := ada.picture()

	// While it is drawn.
	ada.down(300, 300)
	ada.drag(300, 300, 500, 400)
	bob.Until("the line is seen while it is drawn", inked+`("ink", 400, 350) && `+inked+`("ink", 490, 395)`)
	if eval[bool](bob.tab, inked+`("picture", 400, 350)`) {
		t.Error("a line that is being drawn is kept already")
	}
	bob.Until("her pointer is where it is", `(() => {
		const e = document.querySelector("#cursors [data-user]"), box = e?.getBoundingClientRect();
		return e?.innerText === "Ada" && Math.hypot(box.x - 500, box.y - 400) < 8;
	})()`)
	ada.drag(500, 400, 600, 300)
	ada.up(600, 300)
	bob.Until("the line is kept", inked+`("picture", 400, 350) && !`+inked+`("ink", 400, 350)`)
	bob.shows("after her line", ada)

	// Both, at a time.
	bob.down(350, 450)
	ada.line(320, 500, 640, 520)
	bob.drag(350, 450, 650, 250)
	bob.up(650, 250)
	ada.Until("his line is kept", inked+`("picture", 500, 350)`)
	bob.shows("after both drew", ada)
	all := ada.picture()

	// Undo takes one's own.
	bob.click("#undo")
	ada.Until("his line is gone", `!`+inked+`("picture", 500, 350)`)
	bob.shows("after undo", ada)
	if eval[bool](ada.tab, inked+`("picture", 400, 350)`) == false {
		t.Error("his undo took her line away")
	}
	bob.click("#redo")
	ada.Until("his line is back", inked+`("picture", 500, 350)`)
	bob.shows("after redo", ada)
	if ada.picture() != all {
		t.Error("redo doesn't bring back what was there")
	}

	// Again, and later.
	ada.Go(server.URL)
	ada.Until("the picture is there after a reload", inked+`("picture", 400, 350) && `+inked+`("picture", 500, 350)`)
	ada.shows("after a reload", bob)
	late := draws(b, "Late", server.URL)
	late.shows("who comes later", bob)
	ada.click("#clear")
	bob.Until("what she drew is gone, also what she drew before the reload", `!`+inked+`("picture", 400, 350) && `+inked+`("picture", 500, 350)`)
	bob.click("#clear")
	for _, a := range []artist{ada, bob, late} {
		a.Until("all is gone", `!`+inked+`("picture", 500, 350)`)
		if a.picture() != blank {
			t.Errorf("%s: something is left", a.name)
		}
	}
	elsewhere := draws(b, "Elsewhere", server.URL+"/?room=attic")
	bob.line(300, 300, 400, 400)
	late.Until("he draws again", inked+`("picture", 350, 350)`)
	if elsewhere.picture() != blank {
		t.Error("another room has his line")
	}
}

// The server is killed and starts anew, with nothing: those who are still there put back what they drew.
func TestDrawingOutlivesTheServer(t *testing.T) {
	t.Parallel()
	server := startExample(t, "drawing", "127.0.0.1:0")
	b := newBrowser(t)
	ada, bob := draws(b, "Ada", server.URL), draws(b, "Bob", server.URL)
	ada.line(300, 300, 500, 400)
	bob.line(350, 450, 650, 250)
	ada.Until("both lines are there", inked+`("picture", 400, 350) && `+inked+`("picture", 500, 350)`)
	bob.shows("before", ada)
	server.Kill(t)
	ada.Until("the loss is told", `document.body.dataset.state === "connecting"`)
	ada.line(300, 500, 640, 520) // nobody to tell, yet
	again := startExample(t, "drawing", server.Addr)
	late := draws(b, "Late", again.URL)
	for _, a := range []artist{late, bob, ada} {
		a.Until("all lines are there again", inked+`("picture", 400, 350) && `+inked+`("picture", 500, 350) && `+inked+`("picture", 470, 510)`)
	}
	bob.shows("after", ada)
	late.shows("after", ada)
}

// Who watches somebody sees what they see, and both know.
func TestDrawingIsWatched(t *testing.T) {
	t.Parallel()
	server := startExample(t, "drawing", "127.0.0.1:0")
	b := newBrowser(t)
	ada, bob := draws(b, "Ada", server.URL), draws(b, "Bob", server.URL)
	bob.line(350, 450, 650, 250)
	ada.line(300, 300, 500, 400)
	bob.Until("both lines are there", inked+`("picture", 400, 350) && `+inked+`("picture", 500, 350)`)
	bob.Until("Ada is there", `document.querySelector("#people").innerText.includes("Ada")`)
	for range 3 {
		ada.click("#in")
	}
	whole := bob.small()
	bob.click("#people button")
	bob.Until("the list stays as it is while she draws", `(globalThis.entry = document.querySelector("#people button"))`)
	ada.line(420, 480, 460, 500)
	if !eval[bool](bob.tab, `entry === document.querySelector("#people button") && entry.isConnected`) {
		t.Error("who is listed is another element when they draw: a click may be lost")
	}
	bob.Until("he is told whom he watches", `!document.querySelector("#banner").hidden && document.querySelector("#watched").innerText === "Ada"`)
	ada.Until("she is told that he does", `document.querySelector("#people").innerText.includes("watches you")`)
	bob.looks("what she sees", ada)
	if alike(bob.small(), whole) {
		t.Error("he sees what he saw before")
	}
	eval[bool](ada.tab, `(document.querySelector("#out").click(), document.querySelector("[name=colour][value='1']").click(), true)`)
	ada.line(400, 200, 600, 250)
	bob.Until("he sees her draw", inked+`("picture", 500, 225)`)
	bob.looks("what she draws", ada)
	bob.Until("her colour is told", `document.querySelector("#banner").className === "c1"`)
	bob.press("Escape")
	bob.Until("he has stopped", `document.querySelector("#banner").hidden`)
	ada.Until("she is told", `!document.querySelector("#people").innerText.includes("watches you")`)
	seen := bob.picture()
	ada.click("#in")
	ada.line(450, 300, 640, 350)
	bob.Until("her line comes still", `(globalThis.before ??= %s) !== document.querySelector("#picture").toDataURL()`, seen)
	if alike(bob.small(), ada.small()) {
		t.Error("he still sees what she sees")
	}

	bob.click("#people button")
	ada.Until("she is watched again", `document.querySelector("#people").innerText.includes("watches you")`)
	bob.line(350, 450, 380, 480)
	bob.Until("who draws watches no longer", `document.querySelector("#banner").hidden`)

	// Each other, in windows of different shapes.
	ada.look(1000, 700, "light")
	bob.look(390, 844, "light")
	for _, a := range []artist{ada, bob} {
		a.click("#people button")
		a.Until("the other is watched", `!document.querySelector("#banner").hidden`)
	}
	ada.Until("both know", `document.querySelector("#people button").ariaLabel.includes("watching")`)
	for _, a := range []artist{ada, bob} {
		a.still("watching each other")
		if share := eval[float64](a.tab, `(() => {
			const c = document.querySelector("#picture"), all = new Uint32Array(c.getContext("2d").getImageData(0, 0, c.width, c.height).data.buffer);
			return all.filter(pixel => pixel === 0xffffffff).length / all.length;
		})()`); share < 0.1 {
			t.Errorf("%s: %.3f of the window is paper", a.name, share)
		}
	}
}

// still waits until the picture stands still for some while.
func (a artist) still(what string) {
	a.t.Helper()
	for range 50 {
		before := a.picture()
		eval[bool](a.tab, "new Promise(done => setTimeout(() => done(true), 500))")
		if a.picture() == before {
			return
		}
	}
	a.t.Errorf("%s: %s: the picture moves all the time", a.name, what)
}

// Some thirty messages a second at most, whatever the pen does, and none of its points is lost; what is to be kept
// goes first, in order, until the server has it.
func TestDrawingIsPaced(t *testing.T) {
	t.Parallel()
	server := startExample(t, "drawing", "127.0.0.1:0")
	b := newBrowser(t)
	p := b.Person("page", server.URL)
	told := eval[[]string](p, `import("/sender.js").then(async ({ Sender }) => {
		const told = [], times = [], points = [];
		let failures = 2, done;
		const end = new Promise(resolve => (done = resolve));
		const sender = new Sender(async m => {
			times.push(performance.now());
			if (m.type === "live") {
				if (m.data.stroke) {
					if (m.data.stroke.from !== points.length) told.push("a piece from " + m.data.stroke.from + " after " + points.length);
					points.push(...m.data.stroke.points);
				}
				if (m.data.at[0] === 2000) done();
				return;
			}
			if (failures-- > 0) throw Object.assign(new Error("away"), failures ? {} : { status: 429 });
			told.push(m.type + " " + m.data.id);
			if (m.data.id === "bad") throw Object.assign(new Error("refused"), { status: 400 });
		}, error => told.push(error.message));
		for (let n = 0; n < 1000; n++) {
			sender.live({ at: [n, n], stroke: { id: "s", points: [n, n], from: 2 * n } });
			if (n % 50 === 0) await new Promise(requestAnimationFrame);
		}
		while (points.length < 2000) await new Promise(requestAnimationFrame);
		sender.keep("stroke", { id: "s" });
		sender.keep("undo", { id: "bad" });
		sender.keep("undo", { id: "s" });
		sender.live({ at: [2000, 0] });
		await end;
		if (!points.every((v, i) => v === i >> 1)) told.push("points are lost");
		for (let i = 1; i < times.length; i++) if (times[i] - times[i - 1] < 32) told.push("two within " + (times[i] - times[i - 1]) + " ms");
		if (times.length > 200) told.push(times.length + " messages");
		return told;
	})`)
	equal(t, "what was told", told, []string{"stroke s", "undo bad", "refused", "undo s"})
}

// With keys alone.
func TestDrawingByKeys(t *testing.T) {
	t.Parallel()
	server := startExample(t, "drawing", "127.0.0.1:0")
	b := newBrowser(t)
	ada, bob := draws(b, "Ada", server.URL), draws(b, "Bob", server.URL)
	blank := bob.picture()
	bob.Until("Ada is there", `document.querySelector("#people").innerText.includes("Ada")`)
	ada.press("Tab")
	if got := eval[string](ada.tab, "document.activeElement.id"); got != "stage" {
		t.Fatalf("the first Tab goes to %q, want the drawing", got)
	}
	ada.press(" ")
	for range 10 {
		ada.press("ArrowRight")
	}
	bob.Until("the line is seen while it is drawn", `document.querySelector("#cursors [data-user] bdi") && document.querySelector("#ink").toDataURL() !== (globalThis.clean ??= (() => {
		const c = document.createElement("canvas");
		[c.width, c.height] = [1000, 700];
		return c.toDataURL();
	})())`)
	ada.press("ArrowDown", " ")
	bob.Until("the line is kept", `document.querySelector("#picture").toDataURL() !== %s`, blank)
	bob.shows("after the line", ada)
	ada.chord("z")
	bob.Until("it is undone", `document.querySelector("#picture").toDataURL() === %s`, blank)
}

// chord presses a key with Ctrl.
func (p *tab) chord(key string) {
	p.t.Helper()
	code := int64(strings.ToUpper(key)[0])
	for _, kind := range []input.DispatchKeyEventType{input.DispatchKeyEventTypeRawKeyDown, input.DispatchKeyEventTypeKeyUp} {
		ctx, cancel := context.WithTimeout(p.ctx, patience)
		_, err := chromedp.Call(ctx, input.DispatchKeyEvent, input.DispatchKeyEventParams{Type: kind, Key: key, Modifiers: 2, WindowsVirtualKeyCode: code})
		cancel()
		if err != nil {
			p.t.Fatalf("%s: Ctrl %s: %v", p.name, key, err)
		}
	}
}

// A finger draws, and two of them move the view.
func TestDrawingByTouch(t *testing.T) {
	t.Parallel()
	server := startExample(t, "drawing", "127.0.0.1:0")
	b := newBrowser(t)
	ada := artist{b.Person("Ada", "about:blank")}
	ada.look(390, 844, "dark")
	ada.Go(server.URL)
	ada.ready()
	bob := draws(b, "Bob", server.URL)
	ada.Until("Bob is there", `document.querySelector("#people").innerText.includes("Bob")`)
	blank := bob.picture()
	touch := func(kind input.DispatchTouchEventType, points ...[2]float64) {
		t.Helper()
		at := []*input.TouchPoint{}
		for n, p := range points {
			at = append(at, &input.TouchPoint{X: p[0], Y: p[1], ID: new(float64(n))})
		}
		ctx, cancel := context.WithTimeout(ada.ctx, patience)
		defer cancel()
		if _, err := chromedp.Call(ctx, input.DispatchTouchEvent, input.DispatchTouchEventParams{Type: kind, TouchPoints: at}); err != nil {
			t.Fatal(err)
		}
	}
	touch(input.DispatchTouchEventTypeTouchStart, [2]float64{150, 350})
	for n := range 10 {
		touch(input.DispatchTouchEventTypeTouchMove, [2]float64{150 + 10*float64(n), 350})
	}
	touch(input.DispatchTouchEventTypeTouchEnd)
	bob.Until("her line is there", `document.querySelector("#picture").toDataURL() !== %s`, blank)
	drawn, whole := bob.picture(), ada.picture()
	touch(input.DispatchTouchEventTypeTouchStart, [2]float64{150, 350})
	touch(input.DispatchTouchEventTypeTouchStart, [2]float64{150, 350}, [2]float64{200, 350})
	for n := range 10 {
		touch(input.DispatchTouchEventTypeTouchMove, [2]float64{150, 350}, [2]float64{200 + 10*float64(n), 350})
	}
	touch(input.DispatchTouchEventTypeTouchEnd)
	ada.Until("the view has changed", `document.querySelector("#picture").toDataURL() !== %s`, whole)
	bob.shows("her fingers drew nothing", bob)
	if bob.picture() != drawn {
		t.Error("two fingers have drawn")
	}
}

// What hostile clients send, by hand or as names, is refused or shown as text.
func TestDrawingIsInert(t *testing.T) {
	t.Parallel()
	server := startExample(t, "drawing", "127.0.0.1:0")
	b := newBrowser(t)
	ada, bob := draws(b, "Ada", server.URL), draws(b, "Bob", server.URL)
	bob.Until("Ada is there", `document.querySelector("#people").innerText.includes("Ada")`)
	before := eval[[]string](bob.tab, `[...new Set([...document.querySelectorAll("*")].map(e => e.localName))]`)
	picture := bob.picture()
	for _, text := range attacks() {
		for _, typ := range []string{"stroke", "live", "undo", "watch", "message", "trigger.x"} {
			for _, data := range []string{
				`text`, `{ id: text, colour: 1, width: 9, points: [1, 2] }`, `{ id: "s", colour: text, width: 9, points: [1, 2] }`,
				`{ id: "s", colour: 1, width: 9, points: [text, text] }`, `{ user: text, on: true }`,
				`{ view: [1, 2, 3, 4], width: 9, at: [text, 1] }`, `{ view: [1, 2, 3, 4], width: 9, stroke: { id: text, colour: 1, width: 1, points: [1, 1], from: 0 } }`,
			} {
				status := eval[int](ada.tab, `(async text => (await fetch("/publish", { method: "POST",
					headers: { "Content-Type": "application/json", Authorization: "Bearer " + crypto.randomUUID() },
					body: JSON.stringify({ channel: "room:studio", type: "`+typ+`", data: `+data+` }) })).status)(%s)`, text)
				if status != http.StatusBadRequest {
					t.Errorf("%s %s with %q: status %d", typ, data, text, status)
				}
			}
		}
		ada.call(text)
		shown := eval[string](ada.tab, `document.querySelector("#name").value`)
		want := strings.Join(strings.Fields(strings.Map(func(c rune) rune {
			if c == '\u202e' || c == '\u2028' {
				return -1
			}
			return c
		}, shown)), " ")
		want = strings.TrimSpace(string([]rune(want)[:min(24, len([]rune(want)))]))
		bob.Until(fmt.Sprintf("the name %q is shown", want), `document.querySelector("#people bdi").textContent === %s`, want)
	}
	bob.click("#people button")
	bob.Until("he watches", `!document.querySelector("#banner").hidden`)
	after := eval[[]string](bob.tab, `[...new Set([...document.querySelectorAll("*")].map(e => e.localName))]`)
	for _, name := range after {
		if !strings.Contains(" "+strings.Join(before, " ")+" li button span bdi div svg path ", " "+name+" ") {
			t.Errorf("the page has a new kind of element, %s", name)
		}
	}
	bob.press("Escape", "0")
	bob.shows("nothing was drawn", ada)
	if bob.picture() != picture {
		t.Error("something was drawn")
	}
	b.check()
}

// The page can be read and used at each size, dark and light.
func TestDrawingIsLegible(t *testing.T) {
	t.Parallel()
	server := startExample(t, "drawing", "127.0.0.1:0")
	b := newBrowser(t)
	ada, bob := draws(b, "Ada", server.URL), draws(b, "Maximiliana-Konstantinopo", server.URL)
	ada.line(300, 300, 500, 400)
	bob.line(350, 450, 650, 250)
	ada.Until("she is not alone", `document.querySelector("#people button")`)
	alone := draws(b, "Alone", server.URL+"/?room=a-room-with-a-name-of-forty-characters-xx")
	for _, watching := range []bool{false, true} {
		if watching {
			ada.click("#people button")
			ada.Until("she watches", `!document.querySelector("#banner").hidden`)
		}
		for _, size := range [][2]int64{{1280, 800}, {800, 600}, {390, 844}, {320, 640}} {
			for _, scheme := range []string{"light", "dark"} {
				for _, p := range []artist{ada, alone} {
					p.look(size[0], size[1], scheme)
					for _, fault := range eval[[]string](p.tab, faults) {
						t.Errorf("%s at %d by %d, %s: %s", p.name, size[0], size[1], scheme, fault)
					}
				}
			}
		}
	}
}
