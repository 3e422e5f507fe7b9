package e2e_test

import (
	"slices"
	"strings"
	"testing"
	"time"
)

func contains(s, part string) bool { return strings.Contains(s, part) }

// attacks are texts that run a script, or make an element, in a page that takes text
// for markup, for a selector, for a URL or for a template.
func attacks() []string {
	return []string{
		`<script>alert(1)</script>`,
		`<img src=x onerror=alert(2)>`,
		`<svg onload=alert(3)>`,
		`"><svg/onload=alert(4)>`,
		`'><img src=x onerror=alert(5)>`,
		`</textarea><script>alert(6)</script>`,
		`</script><script>alert(7)</script>`,
		`<iframe src="javascript:alert(8)"></iframe>`,
		`<a href="javascript:alert(9)" id=clobbered>click</a>`,
		`javascript:alert(10)`,
		`<body onload=alert(11)>`,
		`<details open ontoggle=alert(12)>x</details>`,
		`<input autofocus onfocus=alert(13)>`,
		`<math><mtext></table><img src=x onerror=alert(14)>`,
		`<template><script>alert(15)</script></template>`,
		`<form id=say><input name=value></form>`,
		`${alert(17)} {{alert(17)}} {{constructor.constructor('alert(17)')()}}`,
		`&lt;img src=x onerror=alert(18)&gt;`,
		`<img src="data:image/svg+xml,<svg xmlns='http://www.w3.org/2000/svg' onload='alert(19)'/>">`,
		"\"-alert(20)-\"<b>bold</b>\u202e\u2028<script>alert(20)</script>",
		`<style>@import 'javascript:alert(21)';</style><link rel=stylesheet href=//evil.example>`,
		`<meta http-equiv=refresh content="0;url=javascript:alert(22)">`,
	}
}

// What people write is shown as they wrote it, and is nothing else, in the page that
// gets it, in that which loads it from the history, and in every selector that shows text.
func TestTextIsNeverMarkup(t *testing.T) {
	t.Parallel()
	server := start(t, "demo")
	b := newBrowser(t)
	ada := join(b, "ada", server.URL)
	bob := join(b, "bob", server.URL)
	elements := census(bob)
	var want []string
	for _, text := range attacks() {
		post(bob, ada, text)
		want = append(want, strings.TrimSpace(text))
	}
	ada.say("end")
	bob.sees("end")
	equal(t, "bob", bob.log(), append(want, "end"))
	inert(t, bob, elements)
	raw(ada, "cmd.addReceiver", "window")
	for _, text := range attacks() {
		for _, selector := range []string{
			"cmd.announce", "cmd.unknown", "document.title", "css.background", "css.background$#top", "css.background-image", "tv.watch",
			"window.location", "trigger.customEvent",
		} {
			raw(ada, selector, text)
		}
		publish(t, server.URL, "application/json", script(t, `{"channel":"home","data":%s}`, []any{text}))
		publish(t, server.URL, "application/json", script(t, `{"channel":"home","type":"chat","data":{"id":1,"message":%s,"fromUserId":%s,"fromName":%s}}`, []any{text, text, text}))
	}
	ada.say("second end")
	bob.sees("second end")
	inert(t, bob, elements)

	late := join(b, "late", server.URL)
	late.sees("second end")
	inert(t, late, elements)
	b.check()
}

// census has every kind of element of a page.
func census(c chatter) []string {
	c.t.Helper()
	return eval[[]string](c.tab, `[...new Set([...document.querySelectorAll("*")].map(e => e.localName))].sort()`)
}

// inert holds for a page on which nothing was made of text: no kind of element that
// wasn't there, none with a handler, no script but the page's own.
func inert(t *testing.T, c chatter, before []string) {
	t.Helper()
	for _, element := range suspects(c) {
		t.Errorf("%s: the page has %s", c.name, element)
	}
	if u := eval[string](c.tab, "location.origin"); !strings.HasPrefix(u, "http://127.0.0.1:") {
		t.Errorf("%s: the page went to %s", c.name, u)
	}
	// What a log with messages, lines and people has, and an empty page may not.
	known := append(before, "a", "b", "bdi", "button", "circle", "code", "div", "img", "li", "p", "path", "rect", "span", "svg", "text", "time")
	for _, name := range census(c) {
		if !slices.Contains(known, name) {
			t.Errorf("%s: the page has a new kind of element, %s", c.name, name)
		}
	}
}

// suspects are the elements that a page of ours never has.
func suspects(c chatter) []string {
	c.t.Helper()
	return eval[[]string](c.tab, `[...document.querySelectorAll(
		"script:not([src='/chat/app.js']), iframe, object, embed, base, meta[http-equiv], style, math, details, template, "
		+ "#log form, #log input, #log textarea, #log link, #log b, img[src='x'], #clobbered, a[href^='javascript:' i]"),
		...[...document.querySelectorAll("*")].filter(e => [...e.attributes].some(a => a.name.startsWith("on")))
	].map(e => e.outerHTML.slice(0, 200))`)
}

// post sends text as a chat message to everyone on the first channel, as it is.
func post(to, from chatter, text string) {
	from.t.Helper()
	service(from, "PostChatToChannel", "cmd.chat", text)
	to.sees(strings.TrimSpace(text))
}

// raw sends text under a selector. The server may refuse it; then it is nowhere.
func raw(from chatter, selector, text string) {
	from.t.Helper()
	service(from, "PostRawToChannel", selector, text)
}

// service calls one of the Chat services in the name of an extra subscription of the
// page's browser, as a hostile client would.
func service(from chatter, name, selector, text string) {
	from.t.Helper()
	status := eval[int](from.tab, `(async () => {
		globalThis.hostile ??= await new Promise(resolve => {
			const source = new EventSource("/event-stream?channels=home");
			source.onmessage = e => e.data.startsWith("cmd.onConnect ") && resolve(JSON.parse(e.data.slice(14)).id);
		});
		const answer = await fetch("/api/" + %s, {
			method: "POST", headers: { "Content-Type": "application/json" },
			body: JSON.stringify({ from: globalThis.hostile, channel: "home", selector: %s, message: %s }),
		});
		return answer.status;
	})()`, name, selector, text)
	if status >= 500 {
		from.t.Errorf("%s %s %q: status %d", name, selector, text, status)
	}
}

// The eyes of TestTextIsNeverMarkup: on a page that takes text for markup they see it.
func TestMarkupIsNoticed(t *testing.T) {
	t.Parallel()
	url := here(t, &faces{files: map[string]string{"/victim": "testdata/victim.html"}})
	b := newBrowser(t)
	victim := chatter{b.Tab("victim", url+"/victim")}
	b.pages = nil                        // it does what no page of ours may
	for _, text := range attacks()[:9] { // those with a focus would open dialogs for ever
		eval[bool](victim.tab, `(show(%s), true)`, text)
	}
	end := time.After(patience)
	for victim.dialogCount() == 0 {
		select {
		case <-end:
			t.Fatal("no dialog was seen")
		default:
			eval[bool](victim.tab, "new Promise(done => setTimeout(() => done(true), 20))")
		}
	}
	if bad := suspects(victim); len(bad) < 5 {
		t.Errorf("only %q were seen", bad)
	}
}

func (p *tab) dialogCount() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.dialogs)
}
