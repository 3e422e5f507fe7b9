package e2e_test

import (
	"fmt"
	"os/exec"
	"strings"
	"testing"
)

// reactChatter is a page of examples/react-chat whose user has a name.
type reactChatter struct{ *tab }

// enterReact opens one, chooses a name and waits until it is connected.
func enterReact(b *browser, name, url string) reactChatter {
	b.t.Helper()
	c := reactChatter{b.Person(name, url)}
	c.choose(name)
	c.ready()
	return c
}

// choose fills the form for the name in, by keyboard.
func (c reactChatter) choose(name string) {
	c.t.Helper()
	c.Until("it asks for a name", `document.activeElement?.autocomplete === "nickname"`)
	eval[bool](c.tab, `(document.activeElement.select(), document.execCommand("insertText", false, %s), document.activeElement.form.requestSubmit(), true)`, name)
}

func (c reactChatter) ready() {
	c.t.Helper()
	c.Until("it is connected", `document.querySelector(".state")?.dataset.lost === "false" && document.querySelector(".people .who small")`)
}

// say writes something in the room that is shown.
func (c reactChatter) say(text string) {
	c.t.Helper()
	eval[bool](c.tab, `(() => {
		const field = document.querySelector(".composer textarea");
		field.focus();
		field.select();
		document.execCommand("insertText", false, %s);
		field.form.requestSubmit();
		return true;
	})()`, text)
}

// press clicks the button with a text.
func (c reactChatter) press(text string) {
	c.t.Helper()
	c.Until("there is a button "+text, `(() => {
		const found = [...document.querySelectorAll("button")].find(b => (b.querySelector(".title") ?? b).textContent.trim() === %s);
		found?.click();
		return found;
	})()`, text)
}

// texts are what was said and heard in the room that is shown.
const texts = `[...document.querySelectorAll(".log article:not(.pending) .text")].map(e => e.textContent)`

func (c reactChatter) sees(want ...string) {
	c.t.Helper()
	c.Until(fmt.Sprint("it shows ", want), `JSON.stringify(`+texts+`) === JSON.stringify(%s)`, want)
}

// Two people talk: on channels, in private, with history for who comes later, and each page has one connection.
func TestReactChat(t *testing.T) {
	t.Parallel()
	s := startExample(t, "react-chat", "127.0.0.1:0")
	through := newProxy(t, s.Addr)
	b := newBrowser(t)
	ada := enterReact(b, "Ada", through.URL)
	ada.say("hello")
	ada.say("is anyone here?")
	ada.sees("hello", "is anyone here?")

	bob := enterReact(b, "Bob", s.URL)
	bob.sees("hello", "is anyone here?")
	bob.Until("both are listed", `[...document.querySelectorAll(".people .who")].map(e => e.firstChild.data).join() === "Ada,Bob"`)
	ada.Until("both are listed", `document.querySelectorAll(".people .who").length === 2`)
	bob.say("yes, see #news\nand https://example.com/a?b=1.")
	ada.sees("hello", "is anyone here?", "yes, see #news\nand https://example.com/a?b=1.")
	equal(t, "links", eval[[]string](ada.tab, `[...document.querySelectorAll(".log .text a, .log .text button")].map(e => e.href ?? e.textContent)`),
		[]string{"#news", "https://example.com/a?b=1"})

	// A channel that is named in a message is one click away, and what was said on others is counted.
	ada.press("#news")
	ada.Until("she is on #news", `document.querySelector("h1").textContent === "#news"`)
	ada.say("first")
	ada.sees("first")
	bob.press("#news")
	bob.sees("first")
	bob.press("general")
	ada.say("second")
	bob.Until("the message elsewhere is counted", `document.querySelector("nav .badge")?.firstChild.data === "1" && document.title.startsWith("(1) ")`)

	// In private, and on all pages of both.
	bob.press("Ada")
	bob.say("between us")
	bob.sees("between us")
	bob.Until("it is not pending any more", `!document.querySelector(".pending")`)
	ada.press("Bob")
	ada.sees("between us")
	if n := strings.Count(through.Asked(), "GET /events?"); n > 2 { // one more for the channel with its history
		t.Errorf("the page asked for %d streams", n)
	}

	// That somebody is writing is told, until it is written.
	eval[bool](bob.tab, `(document.querySelector(".composer textarea").focus(), document.execCommand("insertText", false, "I am"))`)
	ada.Until("it is told that Bob writes", `document.querySelector(".writing").textContent === "Bob is writing…"`)
	bob.say("I am done")
	ada.sees("between us", "I am done")
	ada.Until("he has written it", `document.querySelector(".writing").textContent === ""`)

	// The page that is loaded again has it all.
	ada.Go(through.URL)
	ada.ready()
	ada.sees("hello", "is anyone here?", "yes, see #news\nand https://example.com/a?b=1.")
	ada.press("news")
	ada.sees("first", "second")
}

// A server that is started again has forgotten what was said: the pages come back, say that something is missing, and
// send what was written meanwhile, once.
func TestReactChatAfterRestart(t *testing.T) {
	t.Parallel()
	s := startExample(t, "react-chat", "127.0.0.1:0")
	b := newBrowser(t)
	ada, bob := enterReact(b, "Ada", s.URL), enterReact(b, "Bob", s.URL)
	ada.say("before")
	bob.sees("before")
	s.Stop(t)
	ada.Until("the loss is told", `document.querySelector(".state").dataset.lost === "true"`)
	ada.say("meanwhile")
	ada.say("and more")
	ada.Until("it is shown as not sent yet", `[...document.querySelectorAll(".pending .text")].map(e => e.textContent).join() === "meanwhile,and more"`)
	startExample(t, "react-chat", s.Addr)
	for _, c := range []reactChatter{ada, bob} {
		c.sees("before", "meanwhile", "and more")
		c.Until("the gap is shown", `document.querySelector(".log article + .gap")`)
		c.Until("nothing waits", `!document.querySelector(".pending")`)
		c.ready()
	}
	bob.say("after")
	ada.sees("before", "meanwhile", "and more", "after")
	late := enterReact(b, "Eve", s.URL)
	late.sees("meanwhile", "and more", "after")
}

// What the server refuses stays on the page of its writer, who may try again or discard it; what could not be sent at all
// is tried until it can.
func TestReactChatRefusedMessage(t *testing.T) {
	t.Parallel()
	s := startExample(t, "react-chat", "127.0.0.1:0")
	b := newBrowser(t)
	ada := enterReact(b, "Ada", s.URL)
	eval[bool](ada.tab, `(() => {
		const answers = [new Response("", { status: 503 }), "lost", Response.json({ detail: "not today" }, { status: 422, headers: { "Content-Type": "application/problem+json" } })];
		const send = globalThis.fetch;
		globalThis.fetch = async (url, o) => {
			const answer = o?.body?.includes('"type":"say"') && answers.shift();
			if (!answer) return send(url, o);
			if (answer !== "lost") return answer;
			await send(url, o); // the server has it, and nobody knows
			throw new TypeError("the network is gone");
		};
		return true;
	})()`)
	ada.say("one")
	ada.sees("one")
	ada.Until("it isn't pending", `!document.querySelector(".pending")`)
	ada.say("two")
	ada.Until("the refusal is shown", `document.querySelector(".pending .trouble")?.textContent.includes("not today")`)
	ada.press("Try again")
	ada.sees("one", "two")
}

// Texts and names are texts, for those who are there and for those who come later.
func TestReactChatTextIsInert(t *testing.T) {
	t.Parallel()
	s := startExample(t, "react-chat", "127.0.0.1:0")
	b := newBrowser(t)
	ada := enterReact(b, "<img src=x onerror=alert(1)>", s.URL)
	bob := enterReact(b, "Bob", s.URL)
	var want []string
	for _, text := range attacks() {
		ada.say(text)
		want = append(want, strings.TrimSpace(text))
	}
	bob.sees(want...)
	late := enterReact(b, "Eve", s.URL)
	late.sees(want...)
	for _, c := range []reactChatter{ada, bob, late} {
		if bad := eval[[]string](c.tab, `[...document.querySelectorAll("#root :is(img, script, iframe, svg, style, meta, link, form form, template, details, math)")].map(e => e.outerHTML)`); len(bad) > 0 {
			t.Errorf("%s: %q", c.name, bad)
		}
		if bad := eval[[]string](c.tab, `[...document.querySelectorAll("#root a")].map(e => e.href).filter(href => !/^https?:/.test(href))`); len(bad) > 0 {
			t.Errorf("%s: links to %q", c.name, bad)
		}
	}
}

// A name that somebody has is asked for again, with the reason.
func TestReactChatNameIsTaken(t *testing.T) {
	t.Parallel()
	s := startExample(t, "react-chat", "127.0.0.1:0")
	b := newBrowser(t)
	ada := enterReact(b, "Ada", s.URL)
	other := reactChatter{b.Person("other", s.URL)}
	other.choose("ADA")
	other.Until("it says why", `document.querySelector("[role=alert]")?.textContent.includes("somebody else has this name")`)
	other.choose("Ada2")
	other.ready()
	other.say("hello")
	ada.sees("hello")
}

// Two tabs of one browser are one user: what one says is the other's own, in private too.
func TestReactChatInTwoTabs(t *testing.T) {
	t.Parallel()
	s := startExample(t, "react-chat", "127.0.0.1:0")
	b := newBrowser(t)
	bob := enterReact(b, "Bob", s.URL)
	first := reactChatter{b.Tab("first", s.URL)}
	first.choose("Ada")
	first.ready()
	second := reactChatter{b.Tab("second", s.URL)}
	second.ready()
	first.say("hello")
	for _, c := range []reactChatter{second, bob} {
		c.sees("hello")
		c.Until("two people are listed", `document.querySelectorAll(".people .who").length === 2`)
	}
	if n := eval[int](second.tab, `document.querySelectorAll(".log article.own").length`); n != 1 {
		t.Error("the other tab takes it for somebody else's")
	}
	first.press("Bob")
	first.say("between us")
	first.sees("between us")
	second.press("Bob")
	second.sees("between us")
	bob.press("Ada")
	bob.sees("between us")
	bob.say("and both of you")
	for _, c := range []reactChatter{first, second} {
		c.sees("between us", "and both of you")
	}
}

// In React's development build each component is mounted twice. Nothing is asked for, and nothing shown, twice.
func TestReactChatInStrictMode(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if out, err := exec.Command("node", "../examples/react-chat/build.mjs", "--dev", dir).CombinedOutput(); err != nil {
		t.Fatalf("run make tools first: %v\n%s", err, out)
	}
	s := startExample(t, "react-chat", "127.0.0.1:0", "-page", dir)
	through := newProxy(t, s.Addr)
	b := newBrowser(t)
	bob := enterReact(b, "Bob", s.URL)
	bob.say("hello")
	ada := enterReact(b, "Ada", through.URL)
	ada.sees("hello")
	if n := strings.Count(through.Asked(), "GET /events?"); n != 1 {
		t.Errorf("the page asked for %d streams", n)
	}
	ada.say("see #news")
	ada.sees("hello", "see #news")
	ada.press("#news")
	ada.say("here")
	ada.sees("here")
	bob.press("#news")
	bob.sees("here")
	ada.press("Leave")
	ada.sees("hello", "see #news")
	bob.say("gone?")
	bob.sees("here", "gone?")
	bob.press("general")
	bob.say("you are")
	ada.sees("hello", "see #news", "you are")
	if n := strings.Count(through.Asked(), "GET /events?"); n != 2 { // with #news and its history; leaving takes none
		t.Errorf("the page asked for %d streams", n)
	}
	if n := strings.Count(through.Asked(), `"leave":["news"]`); n != 1 {
		t.Errorf("it left %d times", n)
	}
}

// It can be read and used at every size, dark and light, and without a mouse.
func TestReactChatIsLegible(t *testing.T) {
	t.Parallel()
	s := startExample(t, "react-chat", "127.0.0.1:0")
	b := newBrowser(t)
	form := b.Person("form", s.URL)
	form.Until("it asks for a name", `document.querySelector("form")`)
	ada := enterReact(b, "Maximiliana-Konstantinopolitana1", s.URL)
	bob := enterReact(b, "Bob", s.URL)
	for _, text := range []string{"مرحبا English", fmt.Sprintf("%0300d", 0), "https://example.com/" + fmt.Sprintf("%0200d", 0), "see #a-very-long-channel-name-1234567", strings.Repeat("line\n", 60)} {
		bob.say(text)
	}
	bob.press("#a-very-long-channel-name-1234567")
	bob.say("x")
	bob.press("general")
	bob.press("Maximiliana-Konstantinopolitana1")
	bob.say("between us")
	bob.sees("between us")
	bob.press("general")
	ada.Until("all came", `document.querySelectorAll(".log article").length === 5 && document.querySelector(".badge")`)
	for _, size := range [][2]int64{{1280, 800}, {800, 600}, {390, 844}, {320, 640}} {
		for _, scheme := range schemes(size[0]) {
			for _, p := range []*tab{ada.tab, bob.tab, form} {
				p.look(size[0], size[1], scheme)
				for _, fault := range eval[[]string](p, faults) {
					t.Errorf("%s at %d by %d, %s: %s", p.name, size[0], size[1], scheme, fault)
				}
			}
			if size[0] > 640 {
				continue
			}
			eval[bool](ada.tab, `(document.querySelector(".menu").click(), true)`)
			ada.Until("the list is open", `getComputedStyle(document.querySelector("aside")).visibility === "visible" && document.querySelector(".chat").dataset.menu === "true"`)
			for _, fault := range eval[[]string](ada.tab, faults) {
				t.Errorf("the list at %d by %d, %s: %s", size[0], size[1], scheme, fault)
			}
			eval[bool](ada.tab, `document.body.dispatchEvent(new KeyboardEvent("keydown", { key: "Escape", bubbles: true }))`)
			ada.Until("the list is closed", `document.querySelector(".chat").dataset.menu === "false"`)
		}
	}

	ada.look(1280, 800, "light")
	eval[bool](ada.tab, `(document.body.dispatchEvent(new KeyboardEvent("keydown", { key: "ArrowUp", altKey: true, bubbles: true })), true)`)
	ada.sees("between us") // the last room is before the first
	ada.Until("one can write at once", `document.activeElement.tagName === "TEXTAREA"`)
	eval[bool](ada.tab, `(() => {
		document.execCommand("insertText", false, "by keyboard");
		return document.activeElement.dispatchEvent(new KeyboardEvent("keydown", { key: "Enter", bubbles: true, cancelable: true }));
	})()`)
	ada.sees("between us", "by keyboard")
	if n := eval[int](ada.tab, `document.querySelectorAll("[role=log], [role=status], h1, main, nav, aside").length`); n != 6 {
		t.Errorf("%d landmarks and live regions", n)
	}
}
