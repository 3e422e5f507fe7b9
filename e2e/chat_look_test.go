package e2e_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
)

// schemes are those in which a page of a width is looked at: colours don't depend on the size, nor sizes on the colours.
func schemes(width int64) []string {
	switch width {
	case 1280:
		return []string{"light", "dark"}
	case 390:
		return []string{"dark"}
	}
	return []string{"light"}
}

// look lets a page be seen on a screen of some size, by somebody who likes it dark or light.
func (p *tab) look(width, height int64, scheme string) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, patience)
	defer cancel()
	_, err := chromedp.Call(ctx, emulation.SetDeviceMetricsOverride, emulation.SetDeviceMetricsOverrideParams{
		Width: width, Height: height, DeviceScaleFactor: 1, Mobile: width < 600,
	})
	if err == nil {
		_, err = chromedp.Call(ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
			Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}, {Name: "prefers-reduced-motion", Value: "reduce"}},
		})
	}
	if err != nil {
		p.t.Fatalf("%s: %v", p.name, err)
	}
}

// faults are texts of too little contrast (WCAG 2.2, 1.4.3), controls without a name, controls
// under 24 pixels that are not within a text, and whether the page scrolls sideways.
const faults = `(() => {
	const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
	const pixel = colour => {
		canvas.clearRect(0, 0, 1, 1);
		canvas.fillStyle = colour;
		canvas.fillRect(0, 0, 1, 1);
		return [...canvas.getImageData(0, 0, 1, 1).data];
	};
	const light = rgb => {
		const [r, g, b] = rgb.map(v => (v /= 255) <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
		return 0.2126 * r + 0.7152 * g + 0.0722 * b;
	};
	const ground = element => {
		const layers = [];
		for (let e = element; e; e = e.parentElement) {
			const layer = pixel(getComputedStyle(e).backgroundColor);
			layers.unshift(layer);
			if (layer[3] === 255) break;
		}
		return layers.reduce((under, [r, g, b, a]) => [r, g, b].map((v, i) => v * a / 255 + under[i] * (1 - a / 255)), [255, 255, 255]);
	};
	const seen = e => e.getClientRects().length > 0 && getComputedStyle(e).visibility === "visible" && !e.closest(".hidden, .skip, noscript, .continued > .head");
	const found = new Set();
	const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
	while (texts.nextNode()) {
		const text = texts.currentNode.data.trim(), element = texts.currentNode.parentElement;
		if (text === "" || !seen(element)) continue;
		const pair = [light(pixel(getComputedStyle(element).color).slice(0, 3)), light(ground(element))];
		const contrast = (Math.max(...pair) + 0.05) / (Math.min(...pair) + 0.05);
		if (contrast < 4.5) found.add("contrast " + contrast.toFixed(2) + " of " + text.slice(0, 30));
	}
	for (const e of document.querySelectorAll("button, a, input, textarea, iframe")) {
		if (!seen(e)) continue;
		if (!(e.textContent.trim() || e.getAttribute("aria-label") || e.title || e.labels?.length)) found.add("no name: " + e.outerHTML.slice(0, 60));
		const box = e.getBoundingClientRect();
		if ((box.height < 24 || box.width < 24) && !e.closest(".text, .head")) found.add("small: " + (e.id || e.textContent.slice(0, 30)));
		if ((box.right > innerWidth + 1 || box.left < -1) && !e.closest("#channels")) found.add("beyond the edge: " + (e.id || e.textContent.slice(0, 30)));
	}
	if (document.documentElement.scrollWidth > innerWidth) found.add("scrolls sideways");
	return [...found];
})()`

// The page can be read and used at every size, dark and light, whatever people write and whatever colours
// they send.
func TestPageIsLegible(t *testing.T) {
	t.Parallel()
	server := start(t, "demo", "--channels", "home,a-very-long-channel-name-that-does-not-end-soon")
	b := newBrowser(t)
	eve := join(b, "eve", server.URL)
	form := b.Person("form", server.URL+"/auth/name")
	form.submit("me")
	form.Until("the name is refused", `document.querySelector("#wrong")`)
	ada := join(b, "ada", server.URL)
	ada.signIn("Maximiliana-Konstantinopolitana1")
	eve.Until("eve sees her", `document.querySelectorAll("#people [data-user]").length === 2`)
	for _, text := range []string{
		"hello " + ada.me(), "@Maximiliana-Konstantinopolitana1 privately", "مرحبا English", fmt.Sprintf("%0300d", 0), "https://example.com/" + fmt.Sprintf("%0200d", 0),
		"/cmd.announce hello", "/no.such thing", "/tv.watch https://youtu.be/jNQXAC9IVRw", "/trigger.customEvent x",
	} {
		eve.say(text)
	}
	ada.attempt("@nobody x")
	ada.attempt("/cmd.onConnect x")
	ada.Until("all came", `document.querySelector("#announce.error:not([hidden])") && document.querySelector("#log .line[data-kind=trigger]")`)
	for _, colours := range [][]string{{}, {"#757575", "#757575"}, {"#000", "#fff"}, {"gold", "#673ab7"}} {
		if len(colours) > 0 {
			eve.say("/css.background " + colours[0])
			eve.say("/css.background$#top " + colours[1])
			eve.say("after " + colours[0])
			ada.sees("after " + colours[0])
		}
		for _, size := range [][2]int64{{1280, 800}, {800, 600}, {390, 844}, {320, 640}} {
			for _, scheme := range schemes(size[0]) {
				for _, p := range []*tab{ada.tab, form} {
					p.look(size[0], size[1], scheme)
					for _, fault := range eval[[]string](p, faults) {
						t.Errorf("%s at %d by %d, %s, with %q: %s", p.name, size[0], size[1], scheme, colours, fault)
					}
				}
			}
		}
	}
	// What it looks for, it finds.
	eval[bool](ada.tab, `(() => {
		document.querySelector("#clear").style.color = "transparent";
		document.querySelector("#leave").style.width = "9000px";
		document.querySelector("#send").removeAttribute("aria-label");
		document.querySelector("#send").title = "";
		document.querySelector("#account button").style.cssText = "min-height: 0; height: 9px";
		return true;
	})()`)
	if found := eval[[]string](ada.tab, faults); len(found) < 4 {
		t.Errorf("%q are the faults of a page that has four", found)
	}
}

// Nothing moves under a finger: not while the page is put together, and not when something is
// announced.
func TestPageKeepsStill(t *testing.T) {
	t.Parallel()
	server := start(t, "demo")
	b := newBrowser(t)
	ada := chatter{b.Person("ada", "about:blank")}
	for _, size := range [][2]int64{{1280, 800}, {390, 844}} {
		ada.look(size[0], size[1], "light")
		ada.Go(server.URL)
		ada.ready()
		ada.Until("everybody is listed", `document.querySelector("#people [data-user]")`)
		ada.say("/cmd.announce hello")
		ada.Until("it is announced", `!document.querySelector("#announce").hidden`)
		moved := eval[float64](ada.tab, `new Promise(done => {
			let sum = 0;
			new PerformanceObserver(list => list.getEntries().forEach(e => (sum += e.value))).observe({ type: "layout-shift", buffered: true });
			requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(() => done(sum))));
		})`)
		if moved > 0.02 { // a fifth of what is called good
			t.Errorf("at %d pixels, layout shifts of %.3f", size[0], moved)
		}
	}
}

// S-32: what can be clicked: somebody in the list, a name in the log, an example command; and what is told
// about the connection.
func TestPageParts(t *testing.T) {
	t.Parallel()
	server := start(t, "demo")
	through := newProxy(t, server.Addr)
	b := newBrowser(t)
	ada, bob := join(b, "ada", through.URL), join(b, "bob", server.URL)
	bob.say("hello")
	ada.sees("hello")
	equal(t, "the welcome", ada.lines("welcome"), []string{"Connected. You are " + ada.me() + ": everyone on this channel sees what you write here."})
	at := "@" + bob.me() + " "
	for _, row := range []struct{ click, want string }{
		{"#people [data-user]:last-child button", at}, {"#log .message .who", at}, {"#commands button", "@me Only I can read this"},
	} {
		eval[bool](ada.tab, `(document.querySelector("#say").value = "", document.querySelector(%s).click(), true)`, row.click)
		if got := ada.written(); got != row.want || ada.focused() != "say" {
			t.Errorf("%s: %q, and %q has the focus", row.click, got, ada.focused())
		}
	}
	if n := eval[int](ada.tab, `document.querySelectorAll("#log time[datetime]").length`); n == 0 {
		t.Error("no time stamps")
	}
	bob.say("and you are " + ada.me() + "?")
	ada.Until("the own name is marked", `document.querySelector("#log .message.mention.continued mark")?.textContent === %s`, ada.me())
	through.Cut()
	ada.Until("the loss is told", `document.querySelector('#log .line[data-kind=error]')?.textContent.includes("lost")`)
	through.Mend()
	ada.Until("it is connected again", `[...document.querySelectorAll("#log .line[data-kind=welcome]")].some(e => e.textContent === "Connected again.")`)
}
