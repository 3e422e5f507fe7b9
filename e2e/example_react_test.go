package e2e_test

import (
	"encoding/json"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// startExample builds a program of examples/ and runs it, as startAt does with the binary.
func startExample(t *testing.T, name, addr string, args ...string) *process {
	t.Helper()
	binary := filepath.Join(t.TempDir(), name)
	if out, err := exec.Command("go", "build", "-o", binary, "../examples/"+name).CombinedOutput(); err != nil {
		t.Fatalf("building examples/%s: %v\n%s", name, err, out)
	}
	// The shell puts it in the place of the other binary.
	return startIn(t, []string{"sh", "-c", `shift; exec "$0" "$@"`, binary}, addr, args...)
}

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
	b, err := json.Marshal(want)
	if err != nil {
		c.t.Fatal(err)
	}
	c.Until(fmt.Sprint("it shows ", want), `JSON.stringify(`+texts+`) === %s`, string(b))
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

	// The page that is loaded again has it all.
	ada.Go(through.URL)
	ada.ready()
	ada.sees("hello", "is anyone here?", "yes, see #news\nand https://example.com/a?b=1.")
	ada.press("news")
	ada.sees("first", "second")
}
