package main

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/stentor-sse/stentor/client"
	"github.com/stentor-sse/stentor/eventsource"
	"github.com/stentor-sse/stentor/sse"
)

// running is a client of a server that runs until the test ends. What it is told goes to channels.
type running struct {
	*client.Client
	texts chan string
	opens chan bool
	joins chan client.Member
}

func runClient(t *testing.T, url string, o client.Options) *running {
	r := &running{texts: make(chan string, 100), opens: make(chan bool, 100), joins: make(chan client.Member, 100)}
	o.Error = func(err error) { t.Error(err) }
	var err error
	if r.Client, err = client.New(url, &o); err != nil {
		t.Fatal(err)
	}
	client.On(r.Client, "text", func(s string, _ sse.Event) { r.texts <- s })
	client.On(r.Client, "stentor.open", func(struct{}, sse.Event) { r.opens <- true })
	client.On(r.Client, "stentor.join", func(m client.Member, _ sse.Event) { r.joins <- m })
	client.On(r.Client, "stentor.gap", func(g client.Gap, _ sse.Event) { t.Errorf("a gap: %+v", g) })
	done := make(chan error, 1)
	go func() { done <- r.Run(context.Background()); close(done) }()
	t.Cleanup(func() {
		r.Close()
		if err := <-done; err != nil {
			t.Errorf("it ended with %v", err)
		}
	})
	select {
	case <-r.opens:
	case err := <-done:
		t.Fatalf("it ended with %v", err)
	}
	return r
}

// Channels that are joined and left live are kept when the connection breaks, and nothing that was
// published meanwhile is missed.
func TestClientAgainstTheServer(t *testing.T) {
	p := serve(t)
	via := newCutter(t, p.addr)
	c := runClient(t, "http://"+via.Addr().String(), client.Options{Channels: []string{"home"}})
	publish := func(channel, text string) {
		t.Helper()
		r, err := c.Publish(t.Context(), client.Message{Channel: channel, Type: "text", Data: text})
		if err != nil || r.ID == "" {
			t.Fatalf("publish: %+v, %v", r, err)
		}
	}
	publish("news", "nobody is there")
	publish("home", "1")
	if err := c.Join(t.Context(), "news", "sports"); err != nil {
		t.Fatal(err)
	}
	if err := c.Leave(t.Context(), "sports"); err != nil {
		t.Fatal(err)
	}
	publish("news", "2")
	publish("sports", "not for us")
	via.cut()
	publish("news", "3")
	publish("home", "4")
	<-c.opens
	publish("news", "5")
	var got []string
	for range 5 {
		got = append(got, <-c.texts)
	}
	if want := []string{"1", "2", "3", "4", "5"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if list := c.Channels(); !slices.Equal(list, []string{"home", "news"}) {
		t.Errorf("channels %q", list)
	}
}

func TestClientKeepsListsOfMembers(t *testing.T) {
	p := serve(t)
	ada := runClient(t, p.url, client.Options{Channels: []string{"home"}, User: "ada", Presence: true})
	bob := runClient(t, p.url, client.Options{Channels: []string{"news"}, User: "bob", Presence: true})
	users := func(c *running, channel string) (names []string) {
		for _, m := range c.Members(channel) {
			names = append(names, m.User)
		}
		return names
	}
	if err := bob.Join(t.Context(), "home"); err != nil {
		t.Fatal(err)
	}
	if got := users(bob, "home"); !slices.Equal(got, []string{"ada", "bob"}) {
		t.Errorf("bob sees %q", got)
	}
	for m := range ada.joins {
		if m.User == "bob" && m.Channel == "home" {
			break
		}
	}
	if got := users(ada, "home"); !slices.Equal(got, []string{"ada", "bob"}) {
		t.Errorf("ada sees %q", got)
	}
	left := make(chan client.Member, 1)
	client.On(ada.Client, "stentor.leave", func(m client.Member, _ sse.Event) { left <- m })
	if err := bob.Leave(t.Context(), "home"); err != nil {
		t.Fatal(err)
	}
	if m := <-left; m.User != "bob" || m.Channel != "home" {
		t.Errorf("%+v left", m)
	}
	if got := users(ada, "home"); !slices.Equal(got, []string{"ada"}) || bob.Members("home") != nil {
		t.Errorf("ada sees %q, bob sees %v", got, bob.Members("home"))
	}
}

// A newer stream with the same key ends the older one for good.
func TestClientIsReplaced(t *testing.T) {
	p := serve(t)
	o := client.Options{Channels: []string{"home"}, Key: "k"}
	old, err := client.New(p.url, &o)
	if err != nil {
		t.Fatal(err)
	}
	open := make(chan bool, 9)
	client.On(old, "stentor.open", func(struct{}, sse.Event) { open <- true })
	done := make(chan error, 1)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	go func() { done <- old.Run(ctx) }()
	<-open
	runClient(t, p.url, o)
	if err := <-done; err != client.ErrReplaced || old.State() != eventsource.Closed {
		t.Errorf("it ended with %v, %v", err, old.State())
	}
}

func TestClientIsRefused(t *testing.T) {
	p := serve(t)
	c := runClient(t, p.url, client.Options{Channels: []string{"home"}})
	if err := c.Join(t.Context(), "a,b"); err == nil || !slices.Equal(c.Channels(), []string{"home"}) {
		t.Errorf("join: %v; channels %q", err, c.Channels())
	}
	_, err := c.Publish(t.Context(), client.Message{Channel: "home", Type: "stentor.x"})
	if r, ok := errors.AsType[*client.Refusal](err); !ok || r.Status != 400 || r.Detail == "" {
		t.Errorf("a control event: %v", err)
	}
}
