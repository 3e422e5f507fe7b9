package e2e_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
)

// openRemote opens a window of examples/remote: with a pair's link, or a new pair.
func openRemote(b *browser, name, url string) *tab {
	b.t.Helper()
	p := b.Person(name, url)
	p.Until("it is connected", `document.querySelector("#state").dataset.state === "1"`)
	return p
}

// command presses a button for the other window.
func (p *tab) command(selector string) {
	p.t.Helper()
	p.Until("the other window is there", `!document.querySelector("#controls").disabled`)
	eval[bool](p, `(document.querySelector(%s).click(), true)`, selector)
}

// shown is the slide of this window, and preview that of the other one as it is seen from here.
const (
	shown   = `document.querySelector("#number").textContent`
	preview = `document.querySelector("#preview span").textContent`
)

// Two windows control each other; what is commanded while one is cut off comes when it is back, and once; the
// page that is loaded again is where it was.
func TestPairControlsEachOther(t *testing.T) {
	t.Parallel()
	s := startExample(t, "remote", "127.0.0.1:0")
	through := newProxy(t, s.Addr)
	b := newBrowser(t)
	left := openRemote(b, "left", s.URL)
	link := eval[string](left, `document.querySelector("#open").href`)
	hash := link[strings.Index(link, "#"):]
	right := openRemote(b, "right", through.URL+"/"+hash)

	left.command(`[data-command="slides.next"]`)
	right.Until("it turns", shown+` === "2 of 6"`)
	left.Until("the preview follows", preview+` === "Slide 2 of 6"`)
	right.command(`#numbers button:nth-child(5)`)
	right.command(`#colours [data-colour=plum]`)
	left.Until("it obeys too", shown+` === "5 of 6" && document.querySelector("#deck").dataset.colour === "plum"`)
	right.Until("the preview follows", preview+` === "Slide 5 of 6" && document.querySelector("#preview").dataset.colour === "plum"`)
	left.command(`[data-command="trigger.applause"]`)
	right.Until("it applauds", `document.querySelector("#applause").textContent !== ""`)
	left.look(390, 400, "light") // where a slide has to be scrolled
	right.look(390, 400, "light")
	eval[bool](left, `(() => {
		const slider = document.querySelector("#scroll");
		slider.value = 1;
		slider.dispatchEvent(new Event("input", { bubbles: true }));
		return true;
	})()`)
	right.Until("it scrolls", `(({ scrollTop, scrollHeight, clientHeight }) => scrollTop > 0 && scrollHeight - scrollTop - clientHeight < 2)(document.querySelector("#slide"))`)
	eval[bool](left, `(document.body.dispatchEvent(new KeyboardEvent("keydown", { key: "ArrowRight", shiftKey: true, bubbles: true })), true)`)

	through.Cut()
	right.Until("it notices", `document.querySelector("#state").dataset.state === "0"`)
	left.command(`[data-command="slides.next"]`)
	left.command(`[data-command="slides.next"]`)
	left.Until("both are sent", `document.querySelectorAll("#log [data-way=out]").length >= 5`)
	through.Mend()
	right.Until("it catches up", shown+` === "5 of 6"`)
	left.Until("the preview follows", preview+` === "Slide 5 of 6"`)

	right.Go("about:blank")
	right.Go(through.URL + "/" + hash)
	right.Until("it is where it was", shown+` === "5 of 6"`)
	left.command(`[data-command="slides.previous"]`)
	right.Until("it obeys still", shown+` === "4 of 6"`)
}

// A server that is started again knows nobody, and the windows find each other again.
func TestPairAfterRestart(t *testing.T) {
	t.Parallel()
	s := startExample(t, "remote", "127.0.0.1:0")
	b := newBrowser(t)
	left := openRemote(b, "left", s.URL)
	right := openRemote(b, "right", eval[string](left, `document.querySelector("#open").href`))
	left.command(`[data-command="slides.next"]`)
	right.Until("it turns", shown+` === "2 of 6"`)
	s.Stop(t)
	right.Until("it notices", `document.querySelector("#state").dataset.state === "0"`)
	startExample(t, "remote", s.Addr)
	for _, p := range []*tab{left, right} {
		p.Until("it is connected again", `document.querySelector("#state").dataset.state === "1"`)
	}
	left.command(`[data-command="slides.next"]`)
	right.Until("it turns", shown+` === "3 of 6"`)
	right.command(`[data-command="slides.next"]`)
	left.Until("it turns", shown+` === "2 of 6"`)
}

// Who doesn't know the code gets nothing and controls nothing; a third window isn't let in; and nothing but commands is
// taken, whose texts are never more than texts.
func TestPairKeepsStrangersOut(t *testing.T) {
	t.Parallel()
	s := startExample(t, "remote", "127.0.0.1:0")
	b := newBrowser(t)
	left := openRemote(b, "left", s.URL)
	link := eval[string](left, `document.querySelector("#open").href`)
	right := openRemote(b, "right", link)
	left.Until("the other is there", `!document.querySelector("#controls").disabled`)
	third := b.Person("third", link)
	third.Until("it is told why not", `document.querySelector("#state").textContent.includes("two windows already")`)

	code := link[strings.Index(link, "#")+1:]
	id := eval[string](right, `fetch("/presence?channel=" + location.hash.slice(1)).then(a => a.json()).then(a => a.members.map(m => m.user).join())`)
	first, _, _ := strings.Cut(id, ",")
	for _, row := range []struct {
		what, body string
		want       int
	}{
		{"everyone", `{"all":true,"type":"slides.next","data":null}`, http.StatusBadRequest},
		{"a window alone", `{"user":"` + first + `","type":"slides.next","data":null}`, http.StatusBadRequest},
		{"a short code", `{"channel":"home","user":"` + first + `","type":"slides.next","data":null}`, http.StatusBadRequest},
		{"no window", `{"channel":"` + code + `","type":"slides.next","data":null}`, http.StatusBadRequest},
		{"another type", `{"channel":"` + code + `","user":"` + first + `","type":"slides.toString","data":null}`, http.StatusBadRequest},
		{"no number", `{"channel":"` + code + `","user":"` + first + `","type":"slides.go","data":"x"}`, http.StatusBadRequest},
		{"a number too large", `{"channel":"` + code + `","user":"` + first + `","type":"slides.go","data":1e9}`, http.StatusBadRequest},
		{"another colour", `{"channel":"` + code + `","user":"` + first + `","type":"page.colour","data":"red;background:url(//x)"}`, http.StatusBadRequest},
		{"more than the text", `{"channel":"` + code + `","user":"` + first + `","type":"page.caption","data":{"text":"a","html":"b"}}`, http.StatusBadRequest},
		{"a long text", `{"channel":"` + code + `","user":"` + first + `","type":"page.caption","data":{"text":"` + strings.Repeat("a", 121) + `"}}`, http.StatusBadRequest},
	} {
		status := eval[int](third, `fetch("/publish", { method: "POST", headers: { "Content-Type": "application/json" }, body: %s }).then(a => a.status)`, row.body)
		if status != row.want {
			t.Errorf("%s: status %d, want %d", row.what, status, row.want)
		}
	}
	for _, query := range []string{"channel=home&user=0123456789abcdef", "channel=" + code, "channel=" + code + "&user=x", "channel=" + code + "&channel=" + code[1:] + "a&user=0123456789abcdef"} {
		if status := eval[int](third, `fetch("/events?" + %s).then(a => a.status)`, query); status != http.StatusBadRequest {
			t.Errorf("GET /events?%s: status %d", query, status)
		}
	}
	for i, text := range attacks() {
		if len(text) > 100 {
			text = text[:100]
		}
		eval[bool](left, `(() => {
			const field = document.querySelector("#text");
			field.value = %s;
			field.form.requestSubmit();
			return true;
		})()`, fmt.Sprint(i, text))
		right.Until("the caption comes", `document.querySelector("#caption").textContent === %s.trim()`, fmt.Sprint(i, text))
	}
	for _, p := range []*tab{left, right} {
		if bad := eval[int](p, `document.querySelectorAll("main :is(img, script, iframe, svg, a, style)").length`); bad != 0 {
			t.Errorf("%s: %d elements that a text has made", p.name, bad)
		}
	}
}

// It can be read and used at every size, dark and light.
func TestPairIsLegible(t *testing.T) {
	t.Parallel()
	s := startExample(t, "remote", "127.0.0.1:0")
	b := newBrowser(t)
	left := openRemote(b, "left", s.URL)
	alone := openRemote(b, "alone", s.URL)
	right := openRemote(b, "right", eval[string](left, `document.querySelector("#open").href`))
	right.Until("the other window is there", `!document.querySelector("#controls").disabled`)
	eval[bool](right, `(document.querySelector("#text").value = "0".repeat(120), document.querySelector("#write").requestSubmit(), true)`)
	left.Until("the caption comes", `document.querySelector("#caption").textContent.length === 120`)
	for i, colour := range []string{"indigo", "teal", "plum", "brick", "olive", "slate"} {
		right.command(`#colours [data-colour=` + colour + `]`)
		left.command(`#numbers button:nth-child(` + fmt.Sprint(i+1) + `)`)
		left.Until("the colour comes", `document.querySelector("#deck").dataset.colour === %s`, colour)
		right.Until("the slide comes", shown+` === %s`, fmt.Sprintf("%d of 6", i+1))
		for _, size := range [][2]int64{{1280, 800}, {800, 600}, {390, 844}, {320, 640}} {
			for _, scheme := range schemes(size[0]) {
				for _, p := range []*tab{left, right, alone} {
					if p == alone && i > 0 {
						continue
					}
					p.look(size[0], size[1], scheme)
					for _, fault := range eval[[]string](p, faults) {
						t.Errorf("%s at %d by %d, %s, %s: %s", p.name, size[0], size[1], scheme, colour, fault)
					}
				}
			}
		}
	}
}
