package goclient_test

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stentor-sse/stentor"
	"github.com/stentor-sse/stentor/client"
	"github.com/stentor-sse/stentor/eventsource"
	"github.com/stentor-sse/stentor/sse"
)

func goTargets(t *testing.T, h *hall) {
	g := h.enter("A")
	other := h.enter("A")
	g.take()
	other.take()
	me := g.me()
	for _, target := range []stentor.Target{
		{All: true}, {User: me.Member.User}, {Subscription: me.Subscription}, {Subscription: me.Subscription, Channel: "B"},
	} {
		h.publish(target, "t", "x")
	}
	g.expect("its own", " t x", " t x", " t x")
	other.expect("the other", " t x")
}

// A cut loses nothing, whatever the face: the client says where it is.
func goResumes(t *testing.T, h *hall) {
	g := h.enter("A")
	if err := g.Join(t.Context(), "B"); err != nil {
		t.Fatal(err)
	}
	g.take()
	h.publish(on("A"), "t", "1")
	g.Restart()
	for n := range 5 {
		h.publish(on("B"), "t", fmt.Sprint(n))
	}
	var got []string
	for _, text := range g.take() {
		if strings.Contains(text, " t ") {
			got = append(got, text)
		}
	}
	equal(t, "over a cut", got, []string{"A t 1", "B t 0", "B t 1", "B t 2", "B t 3", "B t 4"})
}

// The hub takes one that comes back as it came first for one that knows no better, and puts it on what it had joined.
func goLeavesWhileAway(t *testing.T, h *hall) {
	g := h.enter("A")
	if err := g.Join(t.Context(), "B"); err != nil {
		t.Fatal(err)
	}
	down := http.NewServeMux()
	down.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusServiceUnavailable) })
	there := h.routes.Swap(down)
	g.Restart()
	settle()
	if err := g.Leave(t.Context(), "B"); err != nil {
		t.Fatal(err)
	}
	h.routes.Store(there)
	time.Sleep(9 * time.Second)
	g.take()
	h.publish(on("B"), "t", "not for it")
	h.publish(on("A"), "t", "for it")
	g.expect("on what is left", "A t for it")
}

// What is kept about subjects comes at once, and with each channel that is joined; after a cut what has changed of it.
func goState(t *testing.T, h *hall) {
	word := func(channel, subject, data string) {
		t.Helper()
		m := stentor.Message{Target: on(channel), Type: subject, Subject: subject, Data: data}
		if _, err := h.hub.Publish(t.Context(), m); err != nil {
			t.Fatal(err)
		}
	}
	word("A", "x", "1")
	word("A", "x", "2")
	word("B", "y", "1")
	g := h.make(client.Options{Channels: []string{"A"}})
	client.On(g.Client, "stentor.state", func(s client.State, e sse.Event) { g.note("state of " + strings.Join(s.Channels, ",")) })
	g.start()
	g.expect("at once", "A x 2", "state of A")
	if err := g.Join(t.Context(), "B"); err != nil {
		t.Fatal(err)
	}
	g.expect("joined", "B y 1", "state of B")
	g.Restart()
	word("B", "z", "1")
	word("A", "x", "3")
	word("A", "x", "4")
	got := g.take() // the one before the last may have been quick
	if n := len(got); n < 2 || got[0] != "B z 1" || got[n-1] != "A x 4" {
		t.Errorf("after a cut: %q", got)
	}
}

func goDismissed(t *testing.T, h *hall) {
	g := h.enterAs(client.Options{Channels: []string{"A"}, Key: "k"})
	for s := range h.hub.Subscriptions(stentor.Target{}) {
		if err := s.Dismiss(time.Hour); err != nil {
			t.Error(err)
		}
	}
	settle()
	time.Sleep(time.Minute)
	select {
	case err := <-g.done:
		if !errors.Is(err, eventsource.ErrDismissed) {
			t.Errorf("ended with %v", err)
		}
	default:
		t.Error("it didn't end")
	}
}

// Who isn't signed in is refused; after signing in, the same client is served, and known.
func goSignsIn(t *testing.T, h *hall) {
	g := h.enter("A")
	var r *client.Refusal
	if err := <-g.done; !errors.As(err, &r) || r.Status != 401 || r.Detail != "sign in first" {
		t.Fatalf("ended with %v", err)
	}
	if err := g.Call(t.Context(), "POST", "auth/name", map[string][]string{"name": {"Ada"}}, nil); err == nil {
		t.Error("JSON is no form")
	}
	if err := g.Call(t.Context(), "POST", "auth/name", url.Values{"name": {"Ada"}}, nil); err != nil {
		t.Fatal(err)
	}
	g.start()
	if o := g.me(); o.Member.User != "ada" || o.Member.Name != "Ada" || o.Member.Meta["isAuthenticated"] != "true" {
		t.Errorf("it is %+v", o)
	}
	g.take()
	if err := g.Join(t.Context(), "B"); err != nil {
		t.Error(err)
	}
	time.Sleep(time.Minute)
	g.Restart()
	g.take()
	h.publish(stentor.Target{UserName: "ada"}, "t", "by name")
	h.publish(on("B"), "t", "channels are kept")
	g.expect("signed in", " t by name", "B t channels are kept")
	if len(g.troubles()) != 0 {
		t.Errorf("told of %v", g.troubles())
	}
}

// A user is there as long as one of its subscriptions is.
func goTwice(t *testing.T, h *hall) {
	watcher := h.enter("A")
	var all []*gopher
	for range 3 {
		g := h.make(client.Options{Channels: []string{"A"}, Presence: true})
		if err := g.Call(t.Context(), "POST", "auth/name", url.Values{"name": {"Ada"}}, nil); err != nil {
			t.Fatal(err)
		}
		g.start()
		all = append(all, g)
	}
	for i, g := range all {
		equal(t, fmt.Sprint("before leave ", i), names(watcher, "A"), []string{"Ada", "user1"})
		g.Close()
		<-g.done
		settle()
	}
	equal(t, "in the end", names(watcher, "A"), []string{"user1"})
	joins, leaves := 0, 0
	for _, n := range watcher.take() {
		switch n {
		case "join A Ada":
			joins++
		case "leave A Ada":
			leaves++
		}
	}
	if want := map[client.Face]int{client.Plain: 1, client.ServiceStack: 3}[h.face]; joins != want || leaves != want {
		t.Errorf("%d joins, %d leaves, want %d", joins, leaves, want)
	}
}
