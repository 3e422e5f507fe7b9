package e2e_test

import (
	"fmt"
	"strings"
	"testing"
)

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

// Pages that were left, and that the browser keeps for whoever goes back, take no connection from those that
// come after; who goes back has the picture.
func TestDrawingIsComeBackTo(t *testing.T) {
	t.Parallel()
	server := startExample(t, "drawing", "127.0.0.1:0")
	b := newBrowser(t)
	ada := draws(b, "Ada", server.URL)
	for n := range 8 {
		ada.Go(fmt.Sprint(server.URL, "/?room=", n))
		ada.ready()
	}
	ada.line(300, 300, 500, 400)
	bob := draws(b, "Bob", server.URL+"/?room=7")
	bob.Until("her line is there", inked+`("picture", 400, 350)`)
	ada.Go("about:blank")
	bob.line(350, 450, 650, 250)
	eval[bool](ada.tab, "(setTimeout(() => history.back()), true)")
	ada.Until("she is back and has both lines", `document.querySelector("#picture") && `+inked+`("picture", 400, 350) && `+inked+`("picture", 500, 350)`)
	ada.line(300, 500, 640, 520)
	bob.Until("she draws on", inked+`("picture", 470, 510)`)
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
		for _, wrong := range eval[[]string](ada.tab, `(async text => {
			const wrong = [];
			for (const type of ["stroke", "live", "undo", "watch", "message", "trigger.x"]) for (const data of [
				text, { id: text, colour: 1, width: 9, points: [1, 2] }, { id: "s", colour: text, width: 9, points: [1, 2] },
				{ id: "s", colour: 1, width: 9, points: [text, text] }, { user: text, on: true },
				{ view: [1, 2, 3, 4], width: 9, at: [text, 1] }, { view: [1, 2, 3, 4], width: 9, stroke: { id: text, colour: 1, width: 1, points: [1, 1], from: 0 } },
			]) {
				const { status } = await fetch("/publish", { method: "POST",
					headers: { "Content-Type": "application/json", Authorization: "Bearer " + crypto.randomUUID() },
					body: JSON.stringify({ channel: "room:studio", type, data }) });
				if (status !== 400) wrong.push(status + " to " + type + " " + JSON.stringify(data));
			}
			return wrong;
		})(%s)`, text) {
			t.Errorf("status %s", wrong)
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
			for _, scheme := range schemes(size[0]) {
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
