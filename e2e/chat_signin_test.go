package e2e_test

import (
	"strings"
	"testing"
)

// signIn follows the link on the page and fills in the form.
func (c chatter) signIn(name string) {
	c.t.Helper()
	c.Until("there is a way to sign in", `document.querySelector("#account a")`)
	eval[bool](c.tab, `(document.querySelector("#account a").click(), true)`)
	c.submit(name)
	c.Until("it is back", `location.pathname === "/" && document.body?.dataset.state === "open"`)
	c.ready()
}

// submit fills in the form.
func (p *tab) submit(name string) {
	p.t.Helper()
	p.Until("the form is there", `location.pathname === "/auth/name" && document.readyState === "complete"`)
	eval[bool](p, `(document.querySelector("#name").focus(), document.querySelector("#name").select(), true)`)
	p.write(name)
	p.press("Enter")
}

// S-32: sign in by name, and out again: the page connects anew as somebody else, on the same
// channels.
func TestSignInAndOut(t *testing.T) {
	t.Parallel()
	server := start(t, "demo")
	b := newBrowser(t)
	bob := join(b, "bob", server.URL)
	ada := join(b, "ada", server.URL+"/?channels=home,garden")
	eval[bool](ada.tab, `(document.querySelector("#account a").click(), true)`)
	ada.submit("me")
	ada.Until("the name is refused", `document.querySelector("#wrong")`)
	if got := eval[string](ada.tab, `document.activeElement.value`); got != "me" {
		t.Errorf("the field has %q", got)
	}
	ada.submit("Ada Lovelace")
	ada.Until("it is back", `location.pathname === "/" && document.body?.dataset.state === "open"`)
	ada.ready()
	if ada.me() != "Ada Lovelace" {
		t.Errorf("signed in as %q", ada.me())
	}
	if got := eval[string](ada.tab, `[...document.querySelectorAll("#channels [data-channel]")].map(e => e.dataset.channel).join()`); got != "home,garden" {
		t.Errorf("back on %q", got)
	}
	bob.Until("bob is told", `[...document.querySelectorAll("#log .line[data-kind=join]")].some(e => e.textContent === "Ada Lovelace joined")`)
	bob.Until("bob sees her", `document.querySelector("#people [data-user='ada lovelace']")`)
	bob.say("@AdaLovelace for you")
	ada.sees("for you")
	picture := eval[string](ada.tab, `document.querySelector("#me img").src`)
	if !strings.HasPrefix(picture, "data:image/svg+xml") {
		t.Errorf("picture %q", picture)
	}
	for what, selector := range map[string]string{"list": "#people [data-user='ada lovelace'] img", "log": "#log .message img"} {
		ada.say("x")
		bob.sees("x")
		if got := eval[string](bob.tab, `[...document.querySelectorAll(%s)].at(-1).src`, selector); got != picture {
			t.Errorf("bob's %s shows %q", what, got)
		}
	}
	if !eval[bool](bob.tab, `[...document.querySelectorAll("#people img")].every(e => e.complete && e.naturalWidth > 0)`) {
		t.Error("a picture is broken")
	}
	ada.Go(server.URL)
	ada.ready()
	if ada.me() != "Ada Lovelace" {
		t.Errorf("after a reload %q", ada.me())
	}
	eval[bool](ada.tab, `(document.querySelector("#account button").click(), true)`)
	ada.Until("it is somebody else", `document.querySelector("#account a") && document.body?.dataset.state === "open"`)
	ada.ready()
	if me := ada.me(); me == "Ada Lovelace" {
		t.Errorf("signed out as %q", me)
	}
}

// S-32: remote control may be for signed-in users alone; the page says so to others.
func TestRemoteControlForSignedIn(t *testing.T) {
	t.Parallel()
	server := start(t, "demo", "--remote-control", "signed-in")
	b := newBrowser(t)
	bob, ada := join(b, "bob", server.URL), join(b, "ada", server.URL)
	ada.attempt("/cmd.announce hello")
	ada.Until("it is refused", `document.querySelector("#announce.error:not([hidden])")?.textContent.includes("sign in")`)
	if got := ada.written(); got != "/cmd.announce hello" {
		t.Errorf("the field has %q", got)
	}
	ada.signIn("Ada")
	ada.say("/cmd.announce hello")
	bob.Until("bob hears it", `document.querySelector("#announcement").textContent === "hello"`)
}

// attempt sends a line that may come back.
func (c chatter) attempt(text string) {
	c.t.Helper()
	eval[bool](c.tab, `(() => {
		const say = document.querySelector("#say");
		say.value = %s;
		document.querySelector("#composer").requestSubmit();
		return true;
	})()`, text)
}

// Two channels: each has its log, its people and its unread count, and joining one loses nothing of the
// other.
func TestTwoChannels(t *testing.T) {
	t.Parallel()
	server := start(t, "demo", "--channels", "home,news")
	b := newBrowser(t)
	ada, bob := join(b, "ada", server.URL), join(b, "bob", server.URL+"/?channels=news")
	ada.say("on home")
	ada.sees("on home")
	bob.say("on news")
	ada.Until("news has one unread", `document.querySelector("[data-channel=news]").dataset.unread === "1"`)
	publish(t, server.URL, "application/json", `{"channel":"news","data":"from a program"}`)
	publish(t, server.URL, "application/json", `{"channel":"news","type":"chat","data":{"id":9,"channel":"home","message":"mislaid","fromUserId":"x"}}`)
	publish(t, server.URL, "application/json", `{"channel":"news","type":"no.such","data":1}`)
	ada.Until("so have they", `document.querySelector("[data-channel=news]").dataset.unread === "3"`)
	news := []string{"on news", "from a program", "mislaid"}
	shown := func(c chatter) []string {
		return eval[[]string](c.tab, `[...document.querySelectorAll("#log [data-feed]:not([hidden]) .message .text")].map(e => e.textContent)`)
	}
	equal(t, "ada's home", shown(ada), []string{"on home"})
	bob.sees("mislaid")
	equal(t, "bob's news", shown(bob), news)
	ada.Until("what nobody understands is on news", `document.querySelector("#log [data-feed=news] .line[data-kind=unhandled]")`)
	ada.Until("ada is alone on home", `document.querySelectorAll("#people [data-user]").length === 1`)
	eval[bool](ada.tab, `(document.querySelector("[data-channel=news]").click(), true)`)
	ada.Until("two are on news", `document.querySelectorAll("#people [data-user]").length === 2`)
	equal(t, "ada's news", shown(ada), news)

	eval[bool](bob.tab, `(document.querySelector("#channel").value = "home", document.querySelector("#join").requestSubmit(), true)`)
	bob.Until("bob has home's history", `[...document.querySelectorAll("#log [data-feed=home] .message .text")].some(e => e.textContent === "on home")`)
	if got := eval[string](bob.tab, `location.search`); got != "?channels=news,home" {
		t.Errorf("bob's address %q", got)
	}
	equal(t, "all of bob's", bob.log(), append(news, "on home"))
	ada.Until("bob joined home", `document.querySelector("#log [data-feed=home] .line[data-kind=join]")`)
	eval[bool](bob.tab, `(document.querySelector("#leave").click(), true)`)
	ada.Until("bob left home", `document.querySelector("#log [data-feed=home] .line[data-kind=leave]")`)
	eval[bool](ada.tab, `(document.querySelector("#clear").click(), true)`)
	equal(t, "after clearing news", ada.log(), []string{"on home"})
}
