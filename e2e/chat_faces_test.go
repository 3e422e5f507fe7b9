package e2e_test

import (
	"context"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// The page and @servicestack/client in one room: each sees the other among the people, and what one says
// and does the other hears, to all and in private.
func TestPageAndServiceStackClient(t *testing.T) {
	t.Parallel()
	needPackages(t)
	s := serve(t, &faces{files: clientFiles()})
	b := newBrowser(t)
	ada := join(b, "ada", s.URL+"/?channels=home,news")
	old := b.Person("client", s.URL+"/page?channels=home")
	old.Until("it is connected", "connects.length === 1")
	eval[bool](old, `(globalThis.said = [],
		client.registerHandler("chat", m => said.push((m.private ? "privately " : "") + m.message)),
		client.registerHandler("announce", text => said.push("announced " + text)), true)`)
	name := eval[string](old, "connects[0].displayName")
	ada.Until("ada sees the client", `[...document.querySelectorAll("#people [data-user]")].some(e => e.textContent.includes(%s))`, name)
	ada.Until("ada is told that it came", `document.querySelector('#log .line[data-kind=join]')?.textContent === %s`, name+" joined")
	users := eval[[]string](old, `client.getChannelSubscribers().then(u => u.map(s => s.displayName + " " + s.profileUrl.slice(0, 11)).sort())`)
	equal(t, "the client sees", users, []string{ada.me() + " data:image/", name + " data:image/"})

	send := func(service, fields string, args ...any) {
		t.Helper()
		if status := eval[int](old, `fetch("/api/`+service+`", { method: "POST", headers: { "Content-Type": "application/json" },
			body: JSON.stringify({ from: client.connectionInfo.id, channel: "home", `+fields+` }) }).then(r => r.status)`, args...); status >= 300 {
			t.Errorf("%s is answered %d", service, status)
		}
	}
	ada.say("hello from the page")
	old.Until("the client hears it", `said.join() === "hello from the page"`)
	send("PostChatToChannel", `message: "hello from the client"`)
	ada.sees("hello from the client")
	ada.say("@" + name + " for you alone")
	old.Until("the client has it alone", `said.at(-1) === "privately for you alone"`)
	send("PostChatToChannel", `message: "for the page alone", toUserId: %s`, eval[string](ada.tab, `document.querySelector("#people [data-user]").dataset.user`))
	ada.sees("for the page alone")
	if n := eval[int](ada.tab, `document.querySelectorAll("#log .message[data-private=true]").length`); n != 2 {
		t.Errorf("%d private messages on the page", n)
	}
	ada.say("/cmd.announce from the page")
	old.Until("the client hears it", `said.at(-1) === "announced from the page"`)
	send("PostRawToChannel", `selector: "cmd.announce", message: "from the client"`)
	ada.Until("it is announced", `document.querySelector("#announcement").textContent === "from the client"`)
	send("PostRawToChannel", `selector: "css.background$#top", message: "#673ab7"`)
	ada.Until("it is done", `getComputedStyle(document.querySelector("#top")).backgroundColor === "rgb(103, 58, 183)"`)
	ada.say("/tv.watch channel 7")
	old.Until("its receiver is called", `seen.at(-1) === "watch channel 7"`)
	send("PostRawToChannel", `selector: "no.such", message: "2026"`)
	ada.Until("what it doesn't know is shown", `[...document.querySelectorAll("#log .line[data-kind=unhandled] .text")].at(-1)?.textContent === "unhandled selector no.such 2026"`)

	eval[bool](old, `client.stop().then(() => true)`)
	ada.Until("ada is told that it left", `document.querySelector('#log .line[data-kind=leave]')?.textContent === %s`, name+" left")
	if eval[bool](ada.tab, `[...document.querySelectorAll("#log .message")].some(e => !e.querySelector("img"))`) {
		t.Error("somebody has no picture")
	}
	equal(t, "errors of the client", eval[[]string](old, "errors.map(String)"), nil)
}

// A page that is loaded anew is who it was, and nobody is told anything. One that is put away for the way
// back is gone at once, and hears what it missed when it is shown again.
func TestPageIsLoadedAnewOrPutAway(t *testing.T) {
	t.Parallel()
	s := serve(t, &faces{linger: time.Hour}) // nobody leaves but by saying so
	b := newBrowser(t)
	ada, bob := join(b, "ada", s.URL), join(b, "bob", s.URL)
	name := bob.me()
	ada.Until("ada sees bob", `document.querySelectorAll("#people [data-user]").length === 2`)
	bob.reload()
	if got := bob.me(); got != name {
		t.Errorf("%q is %q after a reload", name, got)
	}
	bob.say("still me")
	ada.sees("still me")
	equal(t, "ada is told", ada.lines("join", "leave"), []string{name + " joined"})

	eval[bool](bob.tab, `dispatchEvent(new PageTransitionEvent("pagehide", { persisted: true }))`)
	ada.Until("bob is gone", `document.querySelectorAll("#people [data-user]").length === 1`)
	ada.say("meanwhile")
	ada.sees("meanwhile")
	eval[bool](bob.tab, `dispatchEvent(new PageTransitionEvent("pageshow", { persisted: true }))`)
	bob.sees("meanwhile")
	ada.Until("bob is back", `document.querySelectorAll("#people [data-user]").length === 2`)
	equal(t, "bob's log", bob.log(), []string{"still me", "meanwhile"})
}

// reload loads the page anew.
func (c chatter) reload() {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(c.ctx, patience)
	defer cancel()
	if err := chromedp.Do(ctx, chromedp.Reload()); err != nil {
		c.t.Fatalf("%s: reload: %v", c.name, err)
	}
	c.ready()
}
