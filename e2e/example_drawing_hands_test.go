package e2e_test

import (
	"context"
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

// down puts the pen down.
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
