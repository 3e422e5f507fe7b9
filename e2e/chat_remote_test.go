package e2e_test

import (
	"net/http"
	"net/http/httptest"
	"testing"
)

// S-32: what one window writes after a slash acts on the others, and nothing of it goes further than
// the table in web/remote.js.
func TestRemoteControl(t *testing.T) {
	t.Parallel()
	server := start(t, "demo")
	b := newBrowser(t)
	ada, bob := join(b, "ada", server.URL), join(b, "bob", server.URL)
	style := func(selector, name string) string {
		return eval[string](bob.tab, `getComputedStyle(document.querySelector(%s))[%s]`, selector, name)
	}
	plain := style("body", "backgroundColor")
	for _, row := range []struct{ say, until string }{
		{"/cmd.announce This is your captain", `document.querySelector("#announcement").textContent === "This is your captain"`},
		{"/cmd.toggle$#channels", `getComputedStyle(document.querySelector("#channels")).display === "none"`},
		{"/cmd.toggle$#channels", `getComputedStyle(document.querySelector("#channels")).display !== "none"`},
		{"/css.background #eceff1", `getComputedStyle(document.body).backgroundColor === "rgb(236, 239, 241)"`},
		{"/css.background$#top #673ab7", `getComputedStyle(document.querySelector("#top")).backgroundColor === "rgb(103, 58, 183)"`},
		{"/css.color$#welcome #b8860b", `getComputedStyle(document.querySelector("#welcome")).color === "rgb(184, 134, 11)"`},
		{"/css.visibility$img,a hidden", `[...document.querySelectorAll("img, a")].every(e => getComputedStyle(e).visibility === "hidden")`},
		{"/css.visibility$#channels%20button hidden", `getComputedStyle(document.querySelector("#channels button")).visibility === "hidden"`},
		{"/css.background-image url(/chat/icon.svg)", `getComputedStyle(document.body).backgroundImage.endsWith('/chat/icon.svg")')`},
		{"/document.title Stentor is calling", `document.title.endsWith("Stentor is calling")`},
		{"/tv.watch /chat/icon.svg", `document.querySelector("#screen img")?.naturalWidth > 0 && !document.querySelector("#tv").hidden`},
		{"/tv.off", `document.querySelector("#tv").hidden && !document.querySelector("#screen").firstChild`},
		{"/trigger.customEvent Hello", `document.querySelector('#log .line[data-kind=trigger]')?.textContent.includes('"Hello"')`},
	} {
		ada.say(row.say)
		bob.Until(row.say+" acts", row.until)
	}
	bob.Until("undoing is offered", `!document.querySelector("#undo").hidden && getComputedStyle(document.querySelector("#undo")).visibility === "visible"`)
	eval[bool](bob.tab, `(document.querySelector("#undo").click(), true)`)
	if got := style("body", "backgroundColor"); got != plain {
		t.Errorf("after undoing, the page is %s, want %s", got, plain)
	}
	for _, e := range []struct{ selector, name, want string }{
		{"body", "backgroundImage", "none"}, {"#brand img, .brand img", "visibility", "visible"}, {"#channels button", "visibility", "visible"},
	} {
		if got := style(e.selector, e.name); got != e.want {
			t.Errorf("after undoing, %s of %s is %s", e.name, e.selector, got)
		}
	}
	if got := eval[string](bob.tab, "document.title"); contains(got, "calling") {
		t.Errorf("title %q", got)
	}
	if !eval[bool](bob.tab, `document.querySelector("#undo").hidden`) {
		t.Error("there is still something to undo")
	}
}

// Remote control to one person acts there alone, and tells the sender.
func TestRemoteControlOfOne(t *testing.T) {
	t.Parallel()
	server := start(t, "demo")
	b := newBrowser(t)
	ada, bob, eve := join(b, "ada", server.URL), join(b, "bob", server.URL), join(b, "eve", server.URL)
	ada.Until("ada sees bob", `[...document.querySelectorAll("#people [data-user]")].some(e => e.textContent.includes(%s))`, bob.me())
	ada.say("@" + bob.me() + " /document.title for bob")
	bob.Until("it acts", `document.title.endsWith("for bob")`)
	ada.Until("ada is told", `document.querySelector("#log .line[data-kind=sent]")`)
	ada.say("@me /document.title for me")
	ada.Until("it acts", `document.title.endsWith("for me")`)
	ada.say("end")
	eve.sees("end")
	if got := eval[string](eve.tab, "document.title"); contains(got, "for") {
		t.Errorf("eve's title is %q", got)
	}
}

// A video, and a picture of another host, load after a click, which would tell who looks.
func TestNothingLoadsByItself(t *testing.T) {
	t.Parallel()
	asked := make(chan string, 100)
	other := httptest.NewTLSServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { asked <- r.URL.Path }))
	defer other.Close()
	server := start(t, "demo")
	b := newBrowser(t)
	ada, bob := join(b, "ada", server.URL), join(b, "bob", server.URL)
	ada.say("/tv.watch https://youtu.be/jNQXAC9IVRw")
	bob.Until("a video is offered", `document.querySelector("#screen button")?.textContent.includes("YouTube")`)
	if n := eval[int](bob.tab, `document.querySelectorAll("iframe").length`); n != 0 {
		t.Errorf("%d frames before the click", n)
	}
	eval[bool](bob.tab, `(document.querySelector("#screen button").click(), true)`)
	if got := eval[string](bob.tab, `document.querySelector("#screen iframe").src`); got != "https://www.youtube-nocookie.com/embed/jNQXAC9IVRw" {
		t.Errorf("the player is %s", got)
	}
	for _, selector := range []string{"/tv.watch ", "/css.background-image url(", "/css.background-image$img url("} {
		address := other.URL + "/picture"
		if selector != "/tv.watch " {
			address += ")"
		}
		ada.say(selector + address)
	}
	for _, bad := range []string{"/tv.watch javascript:alert(1)", "/tv.watch data:text/html,x", "/css.background url(" + other.URL + "/x)", "/css.color$body url(" + other.URL + "/x)"} {
		ada.say(bad)
	}
	ada.say("end")
	bob.sees("end")
	bob.Until("a picture is offered", `document.querySelector("#screen button")?.textContent.includes("127.0.0.1")`)
	select {
	case path := <-asked:
		t.Errorf("%s was loaded without a click", path)
	default:
	}
	if n := eval[int](bob.tab, `document.querySelectorAll("#log .line[data-kind=unhandled]").length`); n != 6 {
		t.Errorf("%d selectors were not taken, want 6", n)
	}
}

// window.location is for who has the receiver, and is followed by a click alone.
func TestWindowLocation(t *testing.T) {
	t.Parallel()
	server := start(t, "demo")
	b := newBrowser(t)
	ada, bob := join(b, "ada", server.URL), join(b, "bob", server.URL)
	const link, target = `document.querySelector("#visit")`, "https://example.com/there?x=1"
	say := func(text string) {
		ada.say(text)
		ada.say("after " + text)
		bob.sees("after " + text)
	}
	for _, refused := range []string{"/window.location " + target, "/cmd.addReceiver document", "/cmd.addReceiver", "/window.close", "/cmd.addReceiver body"} {
		say(refused)
	}
	if eval[bool](bob.tab, "!!"+link) {
		t.Error("a link before there is a receiver")
	}
	say("/cmd.addReceiver window")
	for _, refused := range []string{
		"/window.location javascript:alert(1)", "/window.location data:text/html,x", "/window.location //evil.example", "/window.location https://me@evil.example/",
		"/window.name x", "/window.close", "/window.alert x", "/window.location$body https://example.com",
	} {
		before := eval[bool](bob.tab, "!!"+link)
		say(refused)
		if refused != "/window.location$body https://example.com" && eval[bool](bob.tab, "!!"+link) != before {
			t.Errorf("%s gave a link", refused)
		}
	}
	say("/window.location " + target)
	got := eval[[]string](bob.tab, `[`+link+`.href, `+link+`.textContent, `+link+`.target, `+link+`.rel]`)
	equal(t, "the link", got, []string{target, target, "_blank", "noopener noreferrer nofollow"})
	if u := eval[string](bob.tab, "location.origin"); u != server.URL {
		t.Errorf("bob went to %s", u)
	}
	eval[bool](bob.tab, `(document.querySelector("#dismiss").click(), true)`)
	say("/cmd.removeReceiver window")
	say("/window.location " + target)
	if !eval[bool](bob.tab, `document.querySelector("#announce").hidden`) {
		t.Error("a link after the receiver was removed")
	}
}

// S-32: stopListening, and a way back, after which nothing was missed.
func TestStopListening(t *testing.T) {
	t.Parallel()
	server := start(t, "demo")
	b := newBrowser(t)
	ada, bob := join(b, "ada", server.URL), join(b, "bob", server.URL)
	ada.Until("ada sees bob", `[...document.querySelectorAll("#people [data-user]")].some(e => e.textContent.includes(%s))`, bob.me())
	ada.say("before")
	bob.sees("before")
	ada.say("@" + bob.me() + " /cmd.stopListening")
	bob.Until("bob stops", `document.body?.dataset.state === "closed" && document.querySelector("#log .line[data-kind=stopped] button")`)
	ada.Until("bob is gone", `document.querySelectorAll("#people [data-user]").length === 1`)
	ada.say("meanwhile")
	bob.attempt("not sent")
	bob.Until("it is not sent", `document.querySelector("#say").value === "not sent" && document.body?.dataset.state === "closed"`)
	eval[bool](bob.tab, `(document.querySelector("#log .line[data-kind=stopped] button").click(), document.querySelector("#say").value = "", true)`)
	bob.Until("bob listens", `document.body?.dataset.state === "open"`)
	bob.sees("meanwhile")
	equal(t, "bob", bob.log(), []string{"before", "meanwhile"})
	bob.say("after")
	ada.sees("after")
}
