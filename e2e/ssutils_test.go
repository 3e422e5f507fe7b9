package e2e_test

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// ssPage serves faces with the page that has jQuery and ss-utils, as pages of
// ServiceStack do, at /ss.
func ssPage(t *testing.T, f faces) *site {
	t.Helper()
	needPackages(t)
	f.files = map[string]string{
		"/ss":          "testdata/ssutils.html",
		"/jquery.js":   "node_modules/jquery/dist/jquery.js",
		"/ss-utils.js": "node_modules/ss-utils/ss-utils.js",
	}
	return serve(t, &f)
}

// say publishes on home.
func (s *site) say(t *testing.T, typ, data string) {
	t.Helper()
	publish(t, s.URL, "application/json", fmt.Sprintf(`{"channel":"home","type":%q,"data":%s}`, typ, data))
}

// openSS opens the page and waits until it has joined.
func openSS(b *browser, name, url string) *tab {
	b.t.Helper()
	p := b.Person(name, url)
	p.Until("onConnect and the own onJoin fire", "info && joins >= 1")
	return p
}

// S-31: what is published reaches handlers, receivers, listeners and elements.
func TestSSUtils(t *testing.T) {
	t.Parallel()
	s := ssPage(t, faces{heartbeat: 200 * time.Millisecond})
	b := newBrowser(t)
	p := openSS(b, "ss-utils", s.URL+"/ss?channels=home")
	ada := join(b, "ada", s.URL)
	p.Until("the other's onJoin fires", "joins === 2")
	p.Until("onHeartbeat fires again and again", "heartbeats >= 3")

	ada.say("hello ss-utils")
	p.Until("the chat arrives", `seen.some(s => s[0] === "chat")`) // before others publish: their order is their own
	s.say(t, "greet", `{"text":"hi"}`)
	s.say(t, "greet", `"text"`)
	s.say(t, "unwanted", `"dropped by validate"`)
	s.say(t, "tv.watch", `"channel 5"`)
	s.say(t, "tv.volume", `{"level":11}`)
	s.say(t, "trigger.customEvent", `"arg"`)
	s.say(t, "document.title", `"A new title"`)
	s.say(t, "css.background-color", `"rgb(1, 2, 3)"`)
	s.say(t, "css.color$#box", `"rgb(4, 5, 6)"`)
	s.say(t, "toggle$#box", `null`)
	p.Until("all handlers have fired", `seen.length === 7 && $("#box").is(":hidden")`)
	equal(t, "what was called", eval[[]string](p, `seen.map(s => JSON.stringify(s.slice(0, 4)))`), []string{
		`["onConnect",` + eval[string](p, `JSON.stringify(info.displayName)`) + `,"cmd.onConnect",null]`,
		`["chat","hello ss-utils","cmd.chat","home"]`,
		`["greet",{"text":"hi"},"cmd.greet","home"]`,
		`["greet","text","cmd.greet","home"]`,
		`["tv.watch","channel 5"]`,
		`["customEvent","arg"]`,
		`["toggle","box","cmd.toggle$#box","home"]`,
	})
	equal(t, "receivers", eval[[]string](p, `[document.title, String($.ss.eventOptions.receivers.tv.volume.level)]`),
		[]string{"A new title", "11"}) // what a receiver does not have becomes a property
	equal(t, "css", eval[[]string](p, `[$("body").css("background-color"), $("#box").css("color")]`),
		[]string{"rgb(1, 2, 3)", "rgb(4, 5, 6)"})
	equal(t, "the fields of an event", eval[[]string](p, `(e => [e.channel, e.op, e.cmd, e.selector, e.cssSelector, e.json])(all.find(e => e.cmd === "toggle")).map(String)`),
		[]string{"home", "cmd", "toggle", "cmd.toggle$#box", "#box", ""})
	// onMessage and success have every message, lifecycle included, but what validate drops.
	both := eval[[][]string](p, `[all.map(e => e.selector), successes]`) // at one moment, for heartbeats go on
	calls := both[0]
	equal(t, "success", both[1], calls)
	for selector, want := range map[string]int{"cmd.onConnect": 1, "cmd.onJoin": 2, "cmd.unwanted": 0, "cmd.greet": 2} {
		n := 0
		for _, call := range calls {
			if call == selector {
				n++
			}
		}
		if n != want {
			t.Errorf("onMessage was called %d times for %s, want %d", n, selector, want)
		}
	}
	ada.Go("about:blank")
	p.Until("onLeave fires", `seen.some(s => s[0] === "onLeave")`)
	if n := eval[int](p, "reconnects"); n != 0 {
		t.Errorf("it reconnected %d times", n)
	}
}

// S-31: bindHandlers gives elements of the page the same handlers.
func TestSSUtilsBindHandlers(t *testing.T) {
	t.Parallel()
	s := ssPage(t, faces{})
	p := openSS(newBrowser(t), "ss-utils", s.URL+"/ss?channels=home")
	eval[bool](p, `($("#click").click(), $("#plain").dblclick(), $("#field").change(), $("#trigger").click(), true)`)
	s.say(t, "pressed", `"by the server"`)
	p.Until("all come", "seen.length === 6")
	equal(t, "what was called", eval[[]string](p, `seen.slice(1).map(s => JSON.stringify(s).replace(/,{.*/, ""))`), []string{
		`["pressed",["a","b"]]`, `["pressed",[]]`, `["pressed",["from around"]]`, `["customClick","trigger"]`, `["pressed",["by the server"`,
	})
}

// S-15, S-31: subscribeToChannels, unsubscribeFromChannels and updateSubscriber post
// forms to the updateSubscriberUrl.
func TestSSUtilsChannels(t *testing.T) {
	t.Parallel()
	s := ssPage(t, faces{})
	p := openSS(newBrowser(t), "ss-utils", s.URL+"/ss?channels=home,a")
	after := func(call string) {
		t.Helper()
		eval[string](p, `new Promise((done, failed) => { `+call+`.then(() => done("changed"), e => failed(e.responseText)) })`)
	}
	now := func(want string) {
		t.Helper()
		members := s.hub.Members("home")
		if len(members) != 1 {
			t.Fatalf("%d members", len(members))
		}
		got := fmt.Sprint(members[0].Channels)
		if here := "[" + eval[string](p, `$.ss.eventChannels.join(" ")`) + "]"; got != want || here != want {
			t.Errorf("the server has it on %s, the page on %s, want %s", got, here, want)
		}
	}
	now("[home a]")
	after(`$.ss.subscribeToChannels(["b", "c"])`)
	now("[home a b c]")
	after(`$.ss.unsubscribeFromChannels(["a", "c"])`)
	now("[home b]")
	after(`$.ss.updateSubscriber({ SubscribeChannels: "d,e", UnsubscribeChannels: "b" })`)
	now("[home d e]")
	p.Until("it is told", `seen.at(-1)[0] === "onUpdate" && seen.at(-1)[1] === "home,d,e"`)
	if url := eval[string](p, `$.ss.eventSourceUrl`); !strings.HasSuffix(url, "?channels=home,d,e") {
		t.Errorf("it would reconnect to %s", url)
	}
	if got := eval[string](p, `new Promise(done => $.ss.subscribeToChannels(["a b"], null, e => done(e.responseJSON.responseStatus.errorCode)))`); got != "BadRequest" {
		t.Errorf("an invalid channel: %s", got)
	}
	p.Until("it reconnects after an error, as it does", `reconnects === 1 && seen.filter(s => s[0] === "onConnect").length === 2`)
	if got := eval[string](p, "info.channels"); got != "home,d,e" {
		t.Errorf("after that it is on %s", got)
	}
}

// S-12, S-31: what the server forgets fails its next heartbeat, and the page connects
// again with the channels that it has.
func TestSSUtilsReconnectsWhenForgotten(t *testing.T) {
	t.Parallel()
	s := ssPage(t, faces{heartbeat: 200 * time.Millisecond})
	p := openSS(newBrowser(t), "ss-utils", s.URL+"/ss?channels=home")
	eval[string](p, `new Promise(done => $.ss.subscribeToChannels(["news"], () => done("")))`)
	s.hub.Reset()
	p.Until("it is connected again", `reconnects >= 1 && seen.filter(s => s[0] === "onConnect").length >= 2`)
	p.Until("both channels are there", `$.ss.eventChannels.join() === "home,news"`)
	p.Until("what is said comes", `(fetch("/publish", { method: "POST", headers: { "Content-Type": "application/json" },
		body: JSON.stringify({ channel: "news", type: "greet", data: "back" }) }), seen.some(s => s[1] === "back"))`)

	// One whose EventSource has given up is told to stop, and starts again.
	eval[bool](p, `($.ss.eventSource.close(), info = null, true)`)
	p.Until("onStop fires and it connects again", `stops >= 1 && info`) // more than once, where a heartbeat is slower than the next

	// And one that is to stay away does.
	before := eval[int](p, `($.ss.eventSourceStop = true, $.ss.eventSource.close(), stops)`)
	p.Until("onStop fires again", fmt.Sprint("stops > ", before))
	if state := eval[int](p, "$.ss.eventSource.readyState"); state != 2 {
		t.Errorf("its EventSource is in state %d", state)
	}
}

// S-31: after an error the page opens a second EventSource beside the browser's own
// retry. That is one visitor, who never left, and misses nothing.
func TestSSUtilsOneOutageTwoSubscriptions(t *testing.T) {
	t.Parallel()
	s := ssPage(t, faces{heartbeat: time.Hour})
	through := newProxy(t, s.Address())
	b := newBrowser(t)
	stays := openSS(b, "stays", s.URL+"/ss?channels=home")
	p := openSS(b, "ss-utils", through.URL+"/ss?hurry&channels=home")
	stays.Until("the other has joined", "joins === 2")
	s.say(t, "greet", `"before"`)
	p.Until("it comes", `seen.at(-1)[1] === "before"`)
	through.Cut()
	p.Until("it opens another, which fails too", "reconnects >= 2")
	s.say(t, "greet", `"meanwhile"`)
	through.Mend()
	p.Until("it is back", `seen.some(s => s[1] === "meanwhile")`)
	s.say(t, "greet", `"after"`)
	for _, q := range []*tab{p, stays} {
		q.Until("all comes", `seen.some(s => s[1] === "after")`)
	}
	heard := eval[[]string](p, `[...new Set(seen.filter(s => s[0] === "greet").map(s => s[1]))]`)
	equal(t, "what comes", heard, []string{"before", "meanwhile", "after"})
	equal(t, "leaves", eval[[]string](stays, `seen.filter(s => s[0] === "onLeave").map(s => s[1])`), nil)
}

// S-13, S-31: disposing is closing and posting to the unRegisterUrl, without a body.
func TestSSUtilsDispose(t *testing.T) {
	t.Parallel()
	s := ssPage(t, faces{linger: time.Hour})
	b := newBrowser(t)
	stays := openSS(b, "stays", s.URL+"/ss?channels=home")
	p := openSS(b, "goes", s.URL+"/ss?channels=home")
	name := eval[string](p, "info.displayName")
	got := eval[string](p, `($.ss.eventSourceStop = true, $.ss.eventSource.close(), new Promise((done, failed) =>
		$.post(info.unRegisterUrl, null, r => done(r.displayName)).fail(e => failed(e.responseText))))`)
	if got != name {
		t.Errorf("unregistering answers %q, want %q", got, name)
	}
	stays.Until("the leave comes", `seen.at(-1)[0] === "onLeave"`)
	if got := eval[string](stays, `seen.at(-1)[1]`); got != name {
		t.Errorf("%q left, want %q", got, name)
	}
}
