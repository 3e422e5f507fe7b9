package e2e_test

import (
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/debugger"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"

	"github.com/stentor-sse/stentor"
	"github.com/stentor-sse/stentor/eventhttp"
	"github.com/stentor-sse/stentor/js"
)

// scripted is plain with the client's files, and an empty page.
func scripted(t *testing.T, ho *stentor.Options, fo eventhttp.Options) *site {
	t.Helper()
	return serveHub(t, ho, func(hub *stentor.Hub, mux *http.ServeMux) {
		fo.Publish = func(*http.Request, *stentor.Message) error { return nil }
		fo.Presence = func(*http.Request, []stentor.Channel) error { return nil }
		eventhttp.New(hub, &fo).Register(mux)
		mux.Handle("GET /stentor.js", js.Client())
		mux.Handle("GET /stentor-bindings.js", js.Bindings())
		mux.HandleFunc("GET /page", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/html; charset=utf-8")
			io.WriteString(w, "<!doctype html><title>page</title><body></body>")
		})
	})
}

// client opens a page whose client c has the options, and waits until it is open: got has the data
// of what comes, told what it is told of else.
func client(b *browser, name, url, options string) *tab {
	b.t.Helper()
	p := b.Tab(name, url+"/page")
	p.connect(options)
	p.Until("its client is open", "c.readyState === 1 && c.lastEventId")
	return p
}

func (p *tab) connect(options string) {
	p.t.Helper()
	eval[bool](p, `import("/stentor.js").then(({ connect }) => {
		globalThis.got = [];
		globalThis.told = [];
		globalThis.c = connect("/events", `+options+`);
		c.on("*", (data) => got.push(data));
		c.on("gap", (gap) => told.push("gap " + gap.reason));
		return true;
	})`)
}

// count publishes the numbers between from and to, both included, to a channel.
func (s *site) count(t *testing.T, channel string, from, to int) {
	t.Helper()
	for n := from; n <= to; n++ {
		if _, err := s.hub.Publish(t.Context(), stentor.Message{Target: stentor.Target{Channel: stentor.Channel(channel)}, Data: strconv.Itoa(n)}); err != nil {
			t.Fatal(err)
		}
	}
}

// has waits until the page has seen the numbers up to last, and checks that it saw each once, in
// order, and was told of no gap.
func (p *tab) has(last int) {
	p.t.Helper()
	p.Until(fmt.Sprint("number ", last, " comes"), "got.at(-1) === %s", last)
	var want []string
	for n := 1; n <= last; n++ {
		want = append(want, strconv.Itoa(n))
	}
	equal(p.t, p.name+" has", eval[[]string](p, "[...told, ...got.map(String)]"), want)
}

// lifecycle freezes a page, or wakes it.
func (p *tab) lifecycle(state page.SetWebLifecycleStateState) {
	p.t.Helper()
	if _, err := chromedp.Call(p.ctx, page.SetWebLifecycleState, page.SetWebLifecycleStateParams{State: state}); err != nil {
		p.t.Fatalf("%s: %v", p.name, err)
	}
}

// shared are the options of a page that shares its connection.
const shared = `{ channels: ["a"], share: "us" }`

// The tab that has the connection is closed, freezes, goes elsewhere: another one takes over, and nobody
// misses a message or gets one twice.
func TestLeaderGoes(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name string
		goes func(*tab)
		back func(*tab) // nil: it does not come back
	}{
		{"closed", (*tab).shut, nil},
		{"elsewhere", func(p *tab) { p.Go("about:blank") }, nil},
		{"frozen", func(p *tab) { p.lifecycle("frozen") }, func(p *tab) { p.lifecycle("active") }},
	} {
		t.Run(row.name, func(t *testing.T) {
			s := scripted(t, &stentor.Options{Retry: soon}, eventhttp.Options{})
			b := newBrowser(t)
			first := client(b, "first", s.URL, shared)
			second, third := client(b, "second", s.URL, shared), client(b, "third", s.URL, shared)
			s.count(t, "a", 1, 20)
			first.has(20)
			said := make(chan struct{})
			go func() { // ends by itself
				defer close(said)
				s.count(t, "a", 21, 400)
			}()
			row.goes(first)
			<-said
			s.count(t, "a", 401, 410)
			second.has(410)
			third.has(410)
			if row.back != nil {
				row.back(first)
				first.has(410)
			}
			s.count(t, "a", 411, 420)
			for _, p := range []*tab{second, third} {
				p.has(420)
			}
			if row.back != nil {
				first.has(420)
			}
			until(t, "there is one subscription", func() bool { return s.hub.Stats().Subscriptions == 1 })
		})
	}
}

// A leader that hangs, so that it can't say that it does, loses its place to a tab that asks in
// vain. When it goes on it is one of the others.
func TestLeaderHangs(t *testing.T) {
	t.Parallel()
	s := scripted(t, &stentor.Options{Retry: soon}, eventhttp.Options{})
	b := newBrowser(t)
	first := client(b, "first", s.URL, shared)
	s.count(t, "a", 1, 3)
	first.has(3)
	if _, err := chromedp.Call(first.ctx, debugger.Enable, debugger.EnableParams{}); err != nil {
		t.Fatal(err)
	}
	if _, err := chromedp.Call(first.ctx, debugger.Pause, cdp.Empty{}); err != nil {
		t.Fatal(err)
	}
	second := b.Tab("second", s.URL+"/page")
	second.connect(shared)
	second.Until("its client is open", "c.readyState === 1 && c.lastEventId")
	s.count(t, "a", 4, 6)
	second.Until("they come", "got.join() === '4,5,6'")
	if _, err := chromedp.Call(first.ctx, debugger.Disable, cdp.Empty{}); err != nil {
		t.Fatal(err)
	}
	first.has(6)
	s.count(t, "a", 7, 9)
	first.has(9)
	second.Until("they come", "got.join() === '4,5,6,7,8,9'")
	until(t, "there is one subscription", func() bool { return s.hub.Stats().Subscriptions == 1 })
}

// A tab that was away for longer than the leader keeps messages gets them from the server, and the
// others get none twice.
func TestFollowerComesBackLate(t *testing.T) {
	t.Parallel()
	s := scripted(t, &stentor.Options{Retry: soon}, eventhttp.Options{})
	b := newBrowser(t)
	leader, follower := client(b, "leader", s.URL, shared), client(b, "follower", s.URL, shared)
	s.count(t, "a", 1, 5)
	follower.has(5)
	follower.lifecycle("frozen")
	s.count(t, "a", 6, 1200)
	leader.has(1200)
	follower.lifecycle("active")
	follower.has(1200)
	s.count(t, "a", 1201, 1210)
	leader.has(1210)
	follower.has(1210)
}

// Who is dismissed is so in every tab, also in one that comes later.
func TestDismissedTabs(t *testing.T) {
	t.Parallel()
	s := scripted(t, &stentor.Options{Retry: soon}, eventhttp.Options{Subscribe: byKey})
	b := newBrowser(t)
	const options = `{ channels: ["a"], key: "k", share: "us", change: (state, error) => told.push(String(state), error?.status ?? String(error)) }`
	pages := []*tab{client(b, "first", s.URL, options), client(b, "second", s.URL, options)}
	if err := s.hub.Dismiss("k", 0); err != nil {
		t.Fatal(err)
	}
	later := b.Tab("later", s.URL+"/page")
	later.connect(options)
	for _, p := range append(pages, later) {
		p.Until("it is over", "c.readyState === 2 && /204/.test(told.at(-1))")
	}
}

// A page that is loaded again goes on where it was; so does one that was frozen.
func TestPageComesBack(t *testing.T) {
	t.Parallel()
	s := scripted(t, &stentor.Options{Retry: soon}, eventhttp.Options{})
	b := newBrowser(t)
	for _, options := range []string{`{ channels: ["a"] }`, shared} {
		p := client(b, options, s.URL, options)
		s.count(t, "a", 1, 5)
		p.has(5)
		p.Go("about:blank")
		s.count(t, "a", 1, 3)
		p.Go(s.URL + "/page")
		p.connect(options)
		p.has(3)
		p.lifecycle("frozen")
		s.count(t, "a", 4, 6)
		p.lifecycle("active")
		p.has(6)
		eval[bool](p, "(c.close(), true)")
	}
}

// A token expires while the stream is open: the server ends it and refuses the old one, and the page
// goes on with a new one where it was.
func TestTokenExpires(t *testing.T) {
	t.Parallel()
	var valid atomic.Int64
	valid.Store(1)
	s := scripted(t, &stentor.Options{Retry: soon}, eventhttp.Options{
		Subscribe: func(r *http.Request, o *stentor.SubscribeOptions) error {
			if r.Header.Get("Authorization") != fmt.Sprint("Bearer ", valid.Load()) {
				return &stentor.Refusal{Status: http.StatusUnauthorized, Detail: "another token"}
			}
			o.User = "ada"
			return nil
		},
	})
	b := newBrowser(t)
	p := client(b, "page", s.URL, `{ channels: ["a"], token: (renew) => (told.push("token " + renew), renew ? globalThis.now : "1") }`)
	s.count(t, "a", 1, 5)
	p.Until("they come", "got.at(-1) === 5")
	valid.Store(2)
	eval[bool](p, `(globalThis.now = "2", true)`)
	for sub := range s.hub.Subscriptions(stentor.Target{All: true}) {
		sub.Close(nil)
	}
	s.count(t, "a", 6, 10)
	p.Until("the rest comes", "got.at(-1) === 10")
	equal(t, "tokens", eval[[]string](p, "told"), []string{"token false", "token false", "token true"})
	equal(t, "messages", eval[[]string](p, "got.map(String)"), strings.Fields("1 2 3 4 5 6 7 8 9 10"))
	eval[bool](p, `c.join("b").then(() => true)`) // the old one is offered, and then the new one
	s.count(t, "b", 11, 11)
	p.Until("what is said there comes", "got.at(-1) === 11")
}

// Channels are changed live; what one tab changes is that tab's alone, also when it had the connection.
func TestChannelsInPages(t *testing.T) {
	t.Parallel()
	s := scripted(t, &stentor.Options{Retry: soon}, eventhttp.Options{})
	b := newBrowser(t)
	joins, stays := client(b, "joins", s.URL, shared), client(b, "stays", s.URL, shared)
	s.count(t, "b", 100, 110) // before it joins
	eval[bool](joins, `c.join("b").then(() => true)`)
	s.count(t, "b", 1, 3)
	joins.has(3)
	s.count(t, "b", 4, 6)
	joins.has(6)
	eval[bool](joins, `c.leave("b").then(() => true)`)
	s.count(t, "b", 100, 110)
	s.count(t, "a", 7, 7)
	joins.has(7)
	stays.Until("it has its own", "got.join() === '7'")
	if got := subscribed(s.hub); got != "; a" {
		t.Errorf("the server has %q", got)
	}
	if why := eval[string](joins, `c.join("no, such").catch(e => e.detail)`); !strings.Contains(why, "leave out spaces") {
		t.Errorf("a channel that can't be: %s", why)
	}
	equal(t, "channels", eval[[]string](joins, "c.channels"), []string{"a"})
}

// Who is there, receivers, publishing.
func TestPresenceInPages(t *testing.T) {
	t.Parallel()
	s := scripted(t, &stentor.Options{Retry: soon, Linger: -1}, eventhttp.Options{Subscribe: eventhttp.QuerySubscribe})
	b := newBrowser(t)
	ada := client(b, "ada", s.URL, `{ channels: ["a"], presence: true, user: "ada" }`)
	bob := client(b, "bob", s.URL, `{ channels: ["a"], presence: true, user: "bob" }`)
	const users = `c.members("a").map(m => m.user).join()`
	ada.Until("she sees both", users+` === "ada,bob"`)
	bob.Until("he sees both", users+` === "ada,bob"`)
	eval[bool](ada, `(c.receive("tv", { watch: (data) => told.push("watch " + data.channel) }), true)`)
	if id := eval[string](bob, `c.publish({ channel: "a", type: "tv.watch", data: { channel: 5 } }).then(r => r.id)`); id == "" {
		t.Error("the receipt has no id")
	}
	eval[bool](bob, `c.publish({ channel: "a", type: "tv.constructor", data: 1 }).then(() => true)`)
	eval[bool](bob, `c.publish({ channel: "a", type: "gap", data: 2 }).then(() => true)`)
	eval[bool](bob, `c.publish({ channel: "a", type: "end", data: 3 }).then(() => true)`)
	ada.Until("all come", "got.at(-1) === 3")
	equal(t, "what she saw", eval[[]string](ada, "[...told, ...got.map(String)]"), []string{"watch 5", "1", "2", "3"})
	eval[bool](bob, "(c.close(), true)")
	ada.Until("he is gone", users+` === "ada"`)
}

// Elements show what comes, as text and nothing else.
func TestBindings(t *testing.T) {
	t.Parallel()
	s := scripted(t, &stentor.Options{Retry: soon}, eventhttp.Options{})
	b := newBrowser(t)
	p := client(b, "page", s.URL, `{ channels: ["a"] }`)
	eval[bool](p, `import("/stentor-bindings.js").then(({ bind }) => {
		document.body.innerHTML = `+"`"+`
			<b id="text" data-on="price" data-text="deep.amount"></b>
			<i id="whole" data-on="price other" data-text="."></i>
			<input id="prop" data-on="price" data-prop="value:symbol innerHTML:symbol">
			<a id="attr" data-on="price" data-attr="href:link title:symbol hidden:gone onclick:symbol">x</a>
			<p id="class" data-on="price" data-class="up:rising down:falling"></p>
			<ul id="list" data-on="chat" data-append="2"><template><li data-text="text"></li></template></ul>
			<button id="button" data-click="vote:yes toString:x nobody:x">vote</button>`+"`"+`;
		globalThis.end = bind(c, document, { vote: (arg) => told.push("vote " + arg) });
		document.addEventListener("saved", (e) => told.push("saved " + e.detail.n));
		const later = document.createElement("u");
		later.id = "later";
		later.dataset.on = "late";
		later.dataset.text = "";
		document.body.append(later);
		return true;
	})`)
	say := func(kind string, data string) {
		publish(t, s.URL, "application/json", `{"channel":"a","type":"`+kind+`","data":`+data+`}`)
	}
	say("price", `{"deep":{"amount":"<img src=x onerror=alert(1)>"},"symbol":"data:<b>","link":" java\nscript:alert(1)","gone":false,"rising":true}`)
	for n := range 4 {
		say("chat", fmt.Sprintf(`{"text":"<script>%d"}`, n))
	}
	say("trigger.saved", `{"n":7}`)
	say("late", `"here"`)
	p.Until("all is there", `document.getElementById("later").textContent === "here"`)
	eval[bool](p, `(document.getElementById("button").click(), true)`)
	const get = `["text", "whole", "prop", "attr", "class", "list"].map(id => document.getElementById(id))`
	equal(t, "the page", eval[[]string](p, `(([text, whole, prop, attr, cls, list]) => [
		text.textContent, String(text.children.length), JSON.parse(whole.textContent).symbol, prop.value, String(attr.getAttribute("href")), attr.title,
		String(attr.hidden), String(attr.onclick), cls.className, [...list.querySelectorAll("li")].map(li => li.textContent).join(), ...told])(`+get+`)`),
		[]string{"<img src=x onerror=alert(1)>", "0", "data:<b>", "data:<b>", "null", "data:<b>", "false", "null", "up", "<script>2,<script>3", "saved 7", "vote yes"})
	eval[bool](p, "(end(), true)")
	say("price", `{"deep":{"amount":"after"}}`)
	say("trigger.saved", `{"n":8}`)
	p.Until("it comes elsewhere", "got.at(-1)?.n === 8")
	if text := eval[string](p, `document.getElementById("text").textContent + told.length`); text != "<img src=x onerror=alert(1)>2" {
		t.Errorf("after the end: %s", text)
	}
}
