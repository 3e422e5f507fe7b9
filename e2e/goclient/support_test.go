package goclient_test

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stentor-sse/stentor"
	"github.com/stentor-sse/stentor/chat"
	"github.com/stentor-sse/stentor/client"
	"github.com/stentor-sse/stentor/eventhttp"
	"github.com/stentor-sse/stentor/serverevents"
	"github.com/stentor-sse/stentor/sse"
	"github.com/stentor-sse/stentor/ssetest"
)

// hall is a hub with both faces and the Chat services, in a bubble.
type hall struct {
	t      *testing.T
	hub    *stentor.Hub
	routes atomic.Pointer[http.ServeMux] // of the hub
	srv    *ssetest.Server
	face   client.Face
	o      hallOptions
}

type hallOptions struct {
	signedIn  bool // only those who have signed in
	heartbeat time.Duration
	linger    time.Duration
}

// eachHall runs f for the Go client on both faces, over HTTP/1.1 and HTTP/2.
func eachHall(t *testing.T, o hallOptions, f func(t *testing.T, h *hall)) {
	for name, face := range map[string]client.Face{"plain": client.Plain, "ServiceStack": client.ServiceStack} {
		t.Run(name, func(t *testing.T) {
			ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) { f(t, newHall(t, p, face, o)) })
		})
	}
}

func newHall(t *testing.T, p ssetest.Protocol, face client.Face, o hallOptions) *hall {
	h := &hall{t: t, face: face, o: o}
	h.srv = ssetest.NewServer(t, p, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { h.routes.Load().ServeHTTP(w, r) }))
	h.srv.Client.CheckRedirect = nil
	h.restart()
	t.Cleanup(func() { h.shutdown() })
	return h
}

// restart has another hub take over.
func (h *hall) restart() {
	h.t.Helper()
	hub, err := stentor.New(context.Background(), &stentor.Options{Linger: h.o.linger})
	if err != nil {
		h.t.Fatal(err)
	}
	application := chat.New(hub, &chat.Options{SignIn: []chat.Provider{chat.ByName{}}})
	mux := http.NewServeMux()
	application.Register(mux)
	subscribe := func(r *http.Request, o *stentor.SubscribeOptions) error {
		if err := application.Subscribe(r, o); err != nil {
			return err
		}
		o.Key = r.URL.Query().Get("key")
		if h.o.signedIn && !o.Authenticated {
			return &stentor.Refusal{Status: http.StatusUnauthorized, Detail: "sign in first"}
		}
		return nil
	}
	eventhttp.New(hub, &eventhttp.Options{
		Publish:   func(*http.Request, *stentor.Message) error { return nil },
		Subscribe: subscribe, Prepare: application.Prepare, Presence: application.Presence,
	}).Register(mux)
	serverevents.New(hub, &serverevents.Options{
		HeartbeatInterval: h.o.heartbeat, Subscribe: subscribe, Prepare: application.Prepare,
	}).Register(mux)
	h.hub = hub
	h.routes.Store(mux)
}

func (h *hall) shutdown() {
	if err := h.hub.Shutdown(context.Background()); err != nil {
		h.t.Errorf("shutdown: %v", err)
	}
}

// settle lets all happen that can.
func settle() {
	time.Sleep(1100 * time.Millisecond)
	synctest.Wait()
}

// gopher is a Go client with all that it was told.
type gopher struct {
	*client.Client
	h    *hall
	done chan error

	mu   sync.Mutex // guards all below
	open client.Open
	got  []string // "channel type data", "join channel name"
	errs []error
}

// enter has one come in and waits until it is there.
func (h *hall) enter(channels ...string) *gopher {
	h.t.Helper()
	return h.enterAs(client.Options{Channels: channels, Presence: true})
}

func (h *hall) enterAs(o client.Options) *gopher {
	h.t.Helper()
	g := h.make(o)
	g.start()
	return g
}

func (h *hall) make(o client.Options) *gopher {
	h.t.Helper()
	g := &gopher{h: h, done: make(chan error, 1)}
	o.Face, o.HTTP = h.face, h.srv.Client
	o.Event = g.event
	o.Error = func(err error) {
		g.mu.Lock()
		g.errs = append(g.errs, err)
		g.mu.Unlock()
	}
	var err error
	if g.Client, err = client.New(h.srv.URL, &o); err != nil {
		h.t.Fatal(err)
	}
	client.On(g.Client, "stentor.open", func(o client.Open, _ sse.Event) {
		g.mu.Lock()
		g.open = o
		g.mu.Unlock()
	})
	for _, kind := range []string{"join", "leave", "update"} {
		client.On(g.Client, "stentor."+kind, func(m client.Member, _ sse.Event) { g.note(kind + " " + m.Channel + " " + m.Name) })
	}
	return g
}

// start has it run until the test ends.
func (g *gopher) start() {
	ctx, cancel := context.WithCancel(context.Background())
	over := make(chan struct{})
	go func() {
		defer close(over)
		g.done <- g.Run(ctx)
	}()
	g.h.t.Cleanup(func() {
		cancel()
		<-over
	})
	settle()
}

func (g *gopher) event(e sse.Event) {
	if !strings.HasPrefix(e.Type, "stentor.") || e.Type == "stentor.gap" {
		g.note(strings.Join([]string{e.Channel, e.Type, e.Data}, " "))
	}
}

func (g *gopher) note(text string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.got = append(g.got, text)
}

// take gives what it was told since the last time.
func (g *gopher) take() []string {
	settle()
	g.mu.Lock()
	defer g.mu.Unlock()
	got := g.got
	g.got = nil
	return got
}

func (g *gopher) me() client.Open {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.open
}

func (g *gopher) troubles() []error {
	g.mu.Lock()
	defer g.mu.Unlock()
	return slices.Clone(g.errs)
}

// expect compares what it was told since the last time.
func (g *gopher) expect(what string, want ...string) {
	g.h.t.Helper()
	equal(g.h.t, what, g.take(), want)
}

func (h *hall) publish(t stentor.Target, kind, data string) {
	h.t.Helper()
	if _, err := h.hub.Publish(h.t.Context(), stentor.Message{Target: t, Type: kind, Data: data}); err != nil {
		h.t.Fatal(err)
	}
}

func on(channel string) stentor.Target { return stentor.Target{Channel: stentor.Channel(channel)} }

// names are those of who is on a channel, sorted.
func names(g *gopher, channel string) (all []string) {
	for _, m := range g.Members(channel) {
		all = append(all, m.Name)
	}
	slices.Sort(all)
	return all
}

// equal compares lists, and shows both.
func equal(t *testing.T, what string, got, want []string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%s:\ngot  %s\nwant %s", what, strings.Join(got, " | "), strings.Join(want, " | "))
	}
}
