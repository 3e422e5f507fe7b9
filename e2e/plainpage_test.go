package e2e_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stentor-sse/stentor"
	"github.com/stentor-sse/stentor/eventhttp"
	"github.com/stentor-sse/stentor/sse"
)

// soon is a reconnection time that makes a page come back at once.
const soon = 30 * time.Millisecond

// plain serves the plain face, where anybody may do anything, with more options.
func plain(t *testing.T, ho *stentor.Options, fo eventhttp.Options) *site {
	t.Helper()
	return serveHub(t, ho, func(hub *stentor.Hub, mux *http.ServeMux) {
		fo.Publish = func(*http.Request, *stentor.Message) error { return nil }
		fo.Presence = func(*http.Request, []stentor.Channel) error { return nil }
		eventhttp.New(hub, &fo).Register(mux)
	})
}

// byKey takes the key, and the rule for it, from the query.
func byKey(r *http.Request, o *stentor.SubscribeOptions) error {
	o.Key = r.URL.Query().Get("key")
	if r.URL.Query().Has("refuse") {
		o.KeyRule = stentor.KeyRefuse
	}
	return nil
}

// watch opens EventSources on a page, one after the other, for the first brings the cookie:
// got, opened, ends and told of each are in sources.
func watch(b *browser, name, url string, paths ...string) *tab {
	b.t.Helper()
	p := b.Tab(name, url+"/healthz")
	eval[bool](p, `(globalThis.sources = [], true)`)
	for i, path := range paths {
		eval[bool](p, `(() => {
			const source = new EventSource(%s);
			const s = { source, got: [], opened: [], ends: [], told: [] };
			source.onmessage = e => s.got.push(e.data);
			source.addEventListener("ping", e => s.told.push("ping " + e.data));
			for (const type of ["join", "leave", "update"]) {
				source.addEventListener("stentor." + type, e => s.told.push(type + " " + JSON.parse(e.data).user));
			}
			source.addEventListener("stentor.open", e => s.opened.push(JSON.parse(e.data).subscription));
			source.addEventListener("stentor.end", e => s.ends.push(JSON.parse(e.data).reason));
			sources.push(s);
			return true;
		})()`, path)
		p.Until(path+" is answered", "sources[%s].source.readyState !== EventSource.CONNECTING", i)
	}
	return p
}

// K-07, K-09, K-38, L-13: two tabs with one key don't take turns for ever. The one that is
// replaced is told to come back in a day.
func TestTwoTabsWithOneKey(t *testing.T) {
	t.Parallel()
	s := plain(t, &stentor.Options{Retry: soon}, eventhttp.Options{Subscribe: byKey})
	b := newBrowser(t)
	older := watch(b, "older", s.URL, "/events?channel=a&key=k", "/events?channel=a")
	older.Until("its streams open", "sources.every(s => s.opened.length === 1)")
	newer := watch(b, "newer", s.URL, "/events?channel=a&key=k")
	newer.Until("its stream opens", "sources[0].opened.length === 1")
	older.Until("it is told that it was replaced", `sources[0].ends.join() === "replaced" && sources[0].source.readyState === EventSource.CONNECTING`)
	for round := range 3 {
		// Its neighbour is ended after it, and back again before anything is looked at.
		if status := eval[int](older, `fetch("/subscriptions/" + sources[1].opened.at(-1), { method: "DELETE" }).then(a => a.status)`); status != http.StatusNoContent {
			t.Fatalf("round %d: DELETE is answered %d", round, status)
		}
		older.Until("its neighbour comes back", "sources[1].opened.length === %s", round+2)
	}
	publish(t, s.URL, "application/json", `{"channel":"a","data":"hello"}`)
	for _, p := range []*tab{older, newer} {
		p.Until("the message comes", `sources.at(-1).got.join() === "hello"`)
	}
	equal(t, "older", eval[[]string](older, `[...sources[0].got, ...sources[0].ends, String(sources[0].opened.length)]`), []string{"replaced", "1"})
	equal(t, "newer", eval[[]string](newer, `[...sources[0].ends, String(sources[0].opened.length)]`), []string{"1"})
	if holder := s.hub.Holder("k"); holder == nil || holder.ID() != eval[string](newer, "sources[0].opened[0]") {
		t.Errorf("the newer one doesn't hold the key")
	}
	equal(t, "the neighbour", eval[[]string](older, `sources[1].ends`), []string{"unregistered", "unregistered", "unregistered"})
}

// L-14, L-73, L-74, L-75: who is dismissed comes back once, is answered 204, and stops for good.
func TestDismissedPageStops(t *testing.T) {
	t.Parallel()
	s := plain(t, &stentor.Options{Retry: soon}, eventhttp.Options{Subscribe: byKey})
	b := newBrowser(t)
	through := newProxy(t, s.Address())
	p := watch(b, "page", through.URL, "/events?channel=a&key=k", "/events?channel=a&key=other")
	p.Until("its streams open", "sources.every(s => s.opened.length === 1)")
	if err := s.hub.Dismiss("k", 0); err != nil {
		t.Fatal(err)
	}
	p.Until("it stops", "sources[0].source.readyState === EventSource.CLOSED")
	equal(t, "its ends", eval[[]string](p, `sources[0].ends`), []string{"dismissed"})
	if n := strings.Count(through.Asked(), "GET /events?channel=a&key=k "); n != 2 {
		t.Errorf("it asked %d times, want to be let in and be sent away", n)
	}
	if got := eval[int](p, `fetch("/events?channel=a&key=k").then(a => a.status)`); got != http.StatusNoContent {
		t.Errorf("status %d", got)
	}
	if err := s.hub.Dismiss("k", -1); err != nil {
		t.Fatal(err)
	}
	again := watch(b, "again", s.URL, "/events?channel=a&key=k")
	again.Until("after it was pardoned, it may come in", "sources[0].opened.length === 1")
	if n := eval[int](p, "sources[1].opened.length + sources[1].ends.length"); n != 1 {
		t.Errorf("another key was concerned too")
	}
}

// K-07: where the holder of a key stays, the newcomer is refused with 409, and an
// EventSource gives up.
func TestKeyIsRefusedWhileHeld(t *testing.T) {
	t.Parallel()
	s := plain(t, &stentor.Options{Retry: soon}, eventhttp.Options{Subscribe: byKey})
	b := newBrowser(t)
	holder := watch(b, "holder", s.URL, "/events?channel=a&key=k&refuse")
	holder.Until("its stream opens", "sources[0].opened.length === 1")
	p := watch(b, "newcomer", s.URL, "/events?channel=a&key=k&refuse")
	p.Until("it gives up", "sources[0].source.readyState === EventSource.CLOSED")
	equal(t, "the answer", eval[[]string](p, `fetch("/events?channel=a&key=k&refuse").then(async a =>
		[String(a.status), a.headers.get("Content-Type"), String((await a.json()).detail.includes("holds this key"))])`),
		[]string{"409", "application/problem+json", "true"})
	publish(t, s.URL, "application/json", `{"channel":"a","data":"hello"}`)
	holder.Until("the holder gets what is said", `sources[0].got.join() === "hello"`)
	if n := eval[int](p, "sources[0].opened.length"); n != 0 {
		t.Error("the newcomer was let in")
	}
}

// L-12, L-47, L-69: the face's cookie lets a page that nobody knows keep its place over a cut:
// its identity, and the channels that it joined live. Without it, it is somebody new.
func TestCookieKeepsAnonymousPagesPlace(t *testing.T) {
	t.Parallel()
	for _, cookie := range []string{"", "-"} {
		t.Run(fmt.Sprintf("cookie %q", cookie), func(t *testing.T) {
			t.Parallel()
			s := plain(t, &stentor.Options{Retry: soon, Linger: time.Hour}, eventhttp.Options{Cookie: cookie})
			through := newProxy(t, s.Address())
			b := newBrowser(t)
			p := watch(b, "page", through.URL, "/events?channel=a")
			p.Until("its stream opens", "sources[0].opened.length === 1")
			eval[int](p, `fetch("/subscriptions/" + sources[0].opened[0], { method: "POST",
				headers: { "Content-Type": "application/json" }, body: '{"join":["b"]}' }).then(a => a.status)`)
			other := watch(b, "watcher", s.URL, "/events?channel=a&channel=b&presence=true")
			other.Until("its stream opens", "sources[0].opened.length === 1")
			through.Cut()
			p.Until("it notices", "sources[0].source.readyState === EventSource.CONNECTING")
			publish(t, s.URL, "application/json", `{"channel":"b","data":"meanwhile"}`)
			through.Mend()
			p.Until("it is back", "sources[0].opened.length === 2")
			for _, ch := range []string{"b", "a"} {
				publish(t, s.URL, "application/json", `{"channel":"`+ch+`","data":"after on `+ch+`"}`)
			}
			p.Until("the last comes", `sources[0].got.at(-1) === "after on a"`)
			other.Until("the last comes", `sources[0].got.at(-1) === "after on a"`)
			got, told := eval[[]string](p, "sources[0].got"), eval[[]string](other, "sources[0].told")
			if cookie == "" {
				equal(t, "with it, the page gets", got, []string{"meanwhile", "after on b", "after on a"})
				equal(t, "and others are told", told, []string{"join -2", "join -2"}) // themselves
			} else {
				equal(t, "without it, the page gets", got, []string{"after on a"})
				equal(t, "and others are told", told, []string{"join -2", "join -2", "join -3"})
			}
		})
	}
}

// L-53: a new reconnection time holds for streams that are open. A page that would come
// back in an hour comes back now.
func TestSetRetryReachesOpenPages(t *testing.T) {
	t.Parallel()
	s := plain(t, &stentor.Options{Retry: time.Hour}, eventhttp.Options{})
	through := newProxy(t, s.Address())
	p := watch(newBrowser(t), "page", through.URL, "/events?channel=a")
	p.Until("its stream opens", "sources[0].opened.length === 1")
	bytes := dial(t, s.Address(), "HTTP/1.0", "/events?channel=a")
	if frame := bytes.Frame(t); !strings.HasPrefix(frame, "retry: ") {
		t.Errorf("the open frame: %q", frame)
	}
	s.hub.SetRetry(soon)
	if frame := bytes.Frame(t); !strings.HasPrefix(frame, "retry: ") || strings.Count(frame, "\n") != 2 {
		t.Errorf("the open stream is told %q", frame)
	}
	publish(t, s.URL, "application/json", `{"channel":"a","data":"told before"}`)
	p.Until("what is said after it comes", `sources[0].got.length === 1`)
	through.Cut()
	p.Until("it notices", "sources[0].source.readyState === EventSource.CONNECTING")
	through.Mend()
	p.Until("it comes back", "sources[0].opened.length === 2")
}

// K-48, L-04, L-05, L-63, L-64: two endpoints on one hub. A page sees the keepalives that are
// events, and none of those that are comments; its stream stays open with either.
func TestKeepAlivesOfTwoEndpoints(t *testing.T) {
	t.Parallel()
	s := serveHub(t, &stentor.Options{KeepAlive: soon, KeepAliveAlways: true}, func(hub *stentor.Hub, mux *http.ServeMux) {
		eventhttp.New(hub, &eventhttp.Options{Publish: func(*http.Request, *stentor.Message) error { return nil }}).Register(mux)
		pinging := eventhttp.New(hub, &eventhttp.Options{KeepAlive: sse.Event{Type: "ping", Data: "still here"}})
		mux.Handle("/pinging/", http.StripPrefix("/pinging", pinging))
	})
	p := watch(newBrowser(t), "page", s.URL, "/events?channel=a", "/pinging/events?channel=a")
	p.Until("events are seen", `sources[1].told.length >= 3`)
	comments := dial(t, s.Address(), "HTTP/1.0", "/events?channel=a")
	comments.Frame(t)
	for range 3 {
		if frame := comments.Frame(t); frame != ":\n\n" {
			t.Errorf("a keepalive: %q", frame)
		}
	}
	publish(t, s.URL, "application/json", `{"channel":"a","data":"hello"}`)
	p.Until("what is said comes to both", `sources.every(s => s.got.join() === "hello")`)
	equal(t, "the page sees", eval[[]string](p, `[...new Set(sources.flatMap(s => s.told)), ...sources.map(s => String(s.opened.length))]`),
		[]string{"ping still here", "1", "1"})
	equal(t, "of comments", eval[[]string](p, "sources[0].told"), nil)
}

// K-02, L-10, L-25, L-26, L-27: what browsers ask for by themselves is accepted, what can't be a stream is not.
func TestAcceptOfBrowsers(t *testing.T) {
	t.Parallel()
	s := plain(t, nil, eventhttp.Options{})
	p := watch(newBrowser(t), "page", s.URL, "/events?channel=a")
	p.Until("an EventSource is let in", "sources[0].opened.length === 1")
	ask := func(accept string) string {
		return eval[string](p, `(async () => {
			const end = new AbortController(), accept = %s;
			const a = await fetch("/events?channel=a", { signal: end.signal, ...(accept && { headers: { Accept: accept } }) });
			end.abort();
			return a.status + " " + a.headers.get("Content-Type");
		})()`, accept)
	}
	for accept, want := range map[string]string{
		"":                                "200 text/event-stream", // fetch sends */*
		"text/*;q=0.1, application/json":  "200 text/event-stream",
		"text/html":                       "406 application/problem+json",
		"text/event-stream;q=0, */*":      "406 application/problem+json",
		"application/json, image/*;q=0.8": "406 application/problem+json",
	} {
		if got := ask(accept); got != want {
			t.Errorf("Accept: %s is answered %s, want %s", accept, got, want)
		}
	}
	if got := eval[int](p, `fetch("/events?channel=a", { method: "HEAD" }).then(a => a.status)`); got != 200 {
		t.Errorf("HEAD is answered %d", got)
	}
}
