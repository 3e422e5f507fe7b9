package e2e_test

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"

	"github.com/stentor-sse/stentor"
	"github.com/stentor-sse/stentor/eventhttp"
)

// sharing is the options of a page on channels, with who shares its connection.
func sharing(channels ...string) string {
	return fmt.Sprintf(`{ channels: "%s".split(" "), share: "us" }`, strings.Join(channels, " "))
}

// gate is asked before each stream and each change of channels.
type gate struct {
	streams atomic.Int32 // requests for one
	hold    chan struct{}
	held    chan struct{} // gets one for each change that waits
}

// subscribe refuses channels whose name says so, and holds changes that join "held".
func (g *gate) subscribe(r *http.Request, o *stentor.SubscribeOptions) error {
	if r.Method == http.MethodGet {
		g.streams.Add(1)
	}
	for _, c := range o.Channels {
		if strings.HasPrefix(string(c), "secret") {
			return &stentor.Refusal{Status: http.StatusForbidden, Detail: "ask first"}
		}
	}
	if r.Method == http.MethodPost && slices.Contains(o.Channels, "held") {
		select {
		case g.held <- struct{}{}:
		default:
		}
		<-g.hold
	}
	return nil
}

// subscribed is the channels of the one subscription that there is.
func subscribed(hub *stentor.Hub) string {
	var all []string
	for s := range hub.Subscriptions(stentor.Target{All: true}) {
		for _, c := range s.Channels() {
			all = append(all, string(c))
		}
		all = append(all, ";")
	}
	slices.Sort(all)
	return strings.Join(all, " ")
}

func (p *tab) shut() {
	p.t.Helper()
	if _, err := chromedp.Call(p.ctx, page.Close, cdp.Empty{}); err != nil {
		p.t.Fatal(err)
	}
}

// Forty tabs of one browser, each on two of four channels, share one connection, and each gets each
// message of its channels once and none of the others'. They join and leave on it.
func TestTabsShareOneConnection(t *testing.T) { // not beside others: forty pages are enough
	g := new(gate)
	s := scripted(t, &stentor.Options{Retry: soon}, eventhttp.Options{Subscribe: g.subscribe})
	b := newBrowser(t)
	names := []string{"a", "b", "c", "d"}
	var tabs []*tab
	want := make([][]string, 40)
	on := make([][]string, 40)
	for i := range want {
		on[i] = []string{names[i%4], names[(i+1)%4]}
		p := b.Tab(fmt.Sprint("tab ", i+1), s.URL+"/page")
		p.connect(sharing(on[i]...))
		tabs = append(tabs, p)
	}
	all := func(from, to int) {
		t.Helper()
		for n := from; n <= to; n++ {
			name := names[n%4]
			s.count(t, name, n, n)
			for i := range tabs {
				if slices.Contains(on[i], name) {
					want[i] = append(want[i], strconv.Itoa(n))
				}
			}
		}
		for i, p := range tabs {
			p.Until("the last comes", "String(got.at(-1)) === %s", want[i][len(want[i])-1])
			equal(t, p.name, eval[[]string](p, "[...told, ...got.map(String)]"), want[i])
		}
	}
	for _, p := range tabs {
		p.Until("its client is open", "c.readyState === 1 && c.lastEventId")
	}
	if got := subscribed(s.hub); got != "; a b c d" {
		t.Errorf("the server has %q", got)
	}
	all(1, 40)
	eval[bool](tabs[0], `Promise.all([c.join("d"), c.leave("b")]).then(() => true)`) // it leads
	eval[bool](tabs[9], `Promise.all([c.join("a"), c.leave("b")]).then(() => true)`)
	on[0], on[9] = []string{"a", "d"}, []string{"c", "a"}
	all(41, 60)
	if n := g.streams.Load(); n != 1 {
		t.Errorf("%d requests for a stream", n)
	}
	if got := subscribed(s.hub); got != "; a b c d" {
		t.Errorf("in the end the server has %q", got)
	}
}

// Tabs join and leave the same channel at once; what nobody wants is left; and a message says its channel.
func TestSharedTabsChangeChannels(t *testing.T) {
	t.Parallel()
	g := new(gate)
	s := scripted(t, &stentor.Options{Retry: soon}, eventhttp.Options{Subscribe: g.subscribe})
	b := newBrowser(t)
	one, two := client(b, "one", s.URL, sharing("a")), client(b, "two", s.URL, sharing("b"))
	for n := range 10 {
		in, out := one, two
		if n%2 == 1 {
			in, out = two, one
		}
		eval[bool](out, `(globalThis.left = c.leave("b"), true)`)
		eval[bool](in, `c.join("b").then(() => true)`)
		eval[bool](out, `left.then(() => true)`)
		s.count(t, "b", 10*n, 10*n)
		in.Until("it comes", "got.at(-1) === %s", 10*n)
		if eval[bool](out, "got.includes("+strconv.Itoa(10*n)+")") {
			t.Errorf("%s has left, and gets number %d", out.name, 10*n)
		}
	}
	eval[bool](two, `c.join("c").then(() => c.leave("b")).then(() => true)`)
	until(t, "what nobody wants is left", func() bool { return subscribed(s.hub) == "; a c" })
	eval[bool](two, `(c.on("where", (data, event) => told.push(event.channel)), c.publish({ channel: "c", type: "where" }).then(() => true))`)
	two.Until("it says its channel", `told.at(-1) === "c"`)
	if n := g.streams.Load(); n != 1 {
		t.Errorf("%d requests for a stream", n)
	}
}

// A refusal is of the tab that asks, and changes nothing for the others: not for a join, not for a new tab, whether
// it leads or not.
func TestSharedTabsAreRefusedAlone(t *testing.T) {
	t.Parallel()
	g := new(gate)
	s := scripted(t, &stentor.Options{Retry: soon}, eventhttp.Options{Subscribe: g.subscribe})
	b := newBrowser(t)
	refused := func(name string, channels ...string) {
		t.Helper()
		p := b.Tab(name, s.URL+"/page")
		p.connect(strings.TrimSuffix(sharing(channels...), "}") + `, change: (state, e) => told.push(state + (e?.detail ?? "")) }`)
		p.Until("it is refused", `told.at(-1) === "2ask first"`)
	}
	refused("the first", "a", "secret")
	one, two := client(b, "one", s.URL, sharing("a")), client(b, "two", s.URL, sharing("b"))
	streams := g.streams.Load()
	refused("a later one", "b", "secret")
	for _, p := range []*tab{one, two} {
		if got := eval[string](p, `c.join("c", "secret").catch((e) => e.status + e.detail)`); got != "403ask first" {
			t.Errorf("%s: a join is answered %q", p.name, got)
		}
		if got := eval[string](p, `c.join("no, such").catch((e) => String(e.status))`); got != "400" {
			t.Errorf("%s: a channel that can't be is answered %q", p.name, got)
		}
	}
	equal(t, "channels", eval[[]string](two, "c.channels"), []string{"b"})
	s.count(t, "c", 5, 5)
	s.count(t, "a", 1, 3)
	s.count(t, "b", 1, 3)
	one.has(3)
	two.has(3)
	if n := g.streams.Load(); n != streams {
		t.Errorf("the others' stream began anew: %d, then %d", streams, n)
	}
}

// What the server refuses now though a tab had it, when the connection begins anew, is that tab's alone.
func TestSharedTabLosesAChannel(t *testing.T) {
	t.Parallel()
	var closed atomic.Bool
	s := scripted(t, &stentor.Options{Retry: soon}, eventhttp.Options{
		Subscribe: func(_ *http.Request, o *stentor.SubscribeOptions) error {
			if closed.Load() && slices.Contains(o.Channels, "b") {
				return &stentor.Refusal{Status: http.StatusForbidden, Detail: "no more"}
			}
			return nil
		},
	})
	b := newBrowser(t)
	one, two, three := client(b, "one", s.URL, sharing("a")), client(b, "two", s.URL, sharing("b")), client(b, "three", s.URL, sharing("a", "c"))
	s.count(t, "a", 1, 2)
	one.has(2)
	three.has(2)
	closed.Store(true)
	for sub := range s.hub.Subscriptions(stentor.Target{All: true}) {
		sub.Close(nil)
	}
	s.count(t, "a", 3, 4)
	two.Until("it is refused", "c.readyState === 2")
	s.count(t, "a", 5, 6)
	one.has(6)
	three.has(6)
}

// The leader is closed while another tab's join is under way: the next one sees to it.
func TestLeaderGoesDuringJoin(t *testing.T) {
	t.Parallel()
	g := &gate{hold: make(chan struct{}), held: make(chan struct{}, 1)}
	s := scripted(t, &stentor.Options{Retry: soon}, eventhttp.Options{Subscribe: g.subscribe})
	b := newBrowser(t)
	first := client(b, "first", s.URL, sharing("a"))
	second, third := client(b, "second", s.URL, sharing("a")), client(b, "third", s.URL, sharing("b", "a"))
	s.count(t, "a", 1, 5)
	second.has(5)
	eval[bool](second, `(c.join("held").then(() => told.push("joined")), true)`)
	<-g.held
	first.shut()
	s.count(t, "a", 6, 10)
	close(g.hold)
	second.Until("it has joined", `told[0] === "joined"`)
	s.count(t, "held", 11, 11)
	second.Until("what is said there comes", "got.at(-1) === 11")
	equal(t, "second has", eval[[]string](second, "got.map(String)"), strings.Fields("1 2 3 4 5 6 7 8 9 10 11"))
	third.has(10)
	until(t, "there is one subscription", func() bool { return s.hub.Stats().Subscriptions == 1 })
}

// A tab that is loaded again gets what it missed of its channels, and the others nothing twice. The channels
// of one that is closed are left.
func TestSharedTabComesBack(t *testing.T) {
	t.Parallel()
	g := new(gate)
	s := scripted(t, &stentor.Options{Retry: soon}, eventhttp.Options{Subscribe: g.subscribe})
	b := newBrowser(t)
	stays, goes := client(b, "stays", s.URL, sharing("a")), client(b, "goes", s.URL, sharing("b"))
	s.count(t, "b", 1, 2)
	goes.has(2)
	goes.Go("about:blank")
	s.count(t, "a", 1, 600)
	s.count(t, "b", 1, 3)
	s.count(t, "a", 601, 605)
	stays.has(605)
	goes.Go(s.URL + "/page")
	goes.connect(sharing("b"))
	goes.has(3)
	s.count(t, "b", 4, 4)
	s.count(t, "a", 606, 606)
	goes.has(4)
	stays.has(606)
	goes.shut()
	until(t, "its channel is left", func() bool { return subscribed(s.hub) == "; a" })
	s.count(t, "a", 607, 607)
	stays.has(607)
}

// A tab that reads along on a channel with a state gets that state, as whoever comes first does.
func TestSharedTabsGetTheState(t *testing.T) {
	t.Parallel()
	s := scripted(t, &stentor.Options{Retry: soon}, eventhttp.Options{})
	b := newBrowser(t)
	for n := 1; n <= 6; n++ {
		if _, err := s.hub.Publish(t.Context(), stentor.Message{
			Target: stentor.Target{Channel: "prices"}, Subject: fmt.Sprint("subject ", n%2), Data: strconv.Itoa(n),
		}); err != nil {
			t.Fatal(err)
		}
	}
	const state = `got.slice().sort().join() === "5,6"`
	first := b.Tab("first", s.URL+"/page")
	first.connect(sharing("prices"))
	first.Until("it has the state", state)
	second := b.Tab("second", s.URL+"/page")
	second.connect(sharing("a", "prices"))
	second.Until("it has the state", state)
	third := client(b, "third", s.URL, sharing("a"))
	eval[bool](third, `c.join("prices").then(() => true)`)
	third.Until("it has the state", state)
	s.count(t, "prices", 7, 8)
	for _, p := range []*tab{first, second, third} {
		p.Until("what is new comes", "got.at(-1) === 8")
	}
	equal(t, "the third has", eval[[]string](third, "[...told, ...got.map(String).sort()]"), strings.Fields("5 6 7 8"))
	until(t, "there is one subscription", func() bool { return s.hub.Stats().Subscriptions == 1 })
}

// The network is cut for half a minute: the pages go on where they were, without loss or repeat.
func TestNetworkIsCut(t *testing.T) {
	t.Parallel()
	s := scripted(t, &stentor.Options{Retry: soon}, eventhttp.Options{})
	through := newProxy(t, s.Address())
	b := newBrowser(t)
	pages := []*tab{
		client(b, "leader", through.URL, shared), client(b, "follower", through.URL, shared),
		client(b, "alone", through.URL, `{ channels: ["a"] }`),
	}
	offline := func(is bool) { // what the system tells the browser
		t.Helper()
		for _, p := range pages {
			if _, err := chromedp.Call(p.ctx, network.OverrideNetworkState, network.OverrideNetworkStateParams{
				Offline: is, DownloadThroughput: -1, UploadThroughput: -1,
			}); err != nil {
				t.Fatal(err)
			}
		}
	}
	s.count(t, "a", 1, 10)
	for _, p := range pages {
		p.has(10)
	}
	through.Cut()
	offline(true)
	for _, p := range pages {
		p.Until("it notices", "c.readyState === 0")
	}
	s.count(t, "a", 11, 20)
	select {
	case <-time.After(30 * time.Second): // by then it waits for long
	case <-t.Context().Done():
	}
	s.count(t, "a", 21, 30)
	through.Mend()
	offline(false)
	for _, p := range pages {
		p.has(30)
	}
}
