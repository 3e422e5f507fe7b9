package stentor_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stentor-sse/stentor"
)

func TestShutdown(t *testing.T) {
	bubble(t, func(t *testing.T) {
		h := newHub(t, nil)
		r := serve(t, h, on("a"))
		gone := serve(t, h, on("a"))
		gone.hangUp()
		never, err := h.Subscribe(t.Context(), nil)
		if err != nil {
			t.Fatal(err)
		}
		say(t, h, "a", "last words")
		if err := h.Shutdown(t.Context()); err != nil {
			t.Fatal(err)
		}
		want(t, "stream", r.got(), "open\nm=last words\nbye stentor: closed\n")
		for i, err := range []error{<-r.cause, never.Cause(), never.Serve(r), h.State()} {
			if !errors.Is(err, stentor.ErrClosed) && !(i == 2 && err != nil) {
				t.Errorf("%d: got %v, want ErrClosed", i, err)
			}
		}
		if _, err := h.Publish(t.Context(), stentor.Message{Target: stentor.Target{All: true}}); !errors.Is(err, stentor.ErrClosed) {
			t.Errorf("publish: %v", err)
		}
		if _, err := h.Subscribe(t.Context(), nil); !errors.Is(err, stentor.ErrClosed) {
			t.Errorf("subscribe: %v", err)
		}
		if _, err := h.Next(t.Context(), "n"); !errors.Is(err, stentor.ErrClosed) {
			t.Errorf("next: %v", err)
		}
		if err := h.Shutdown(t.Context()); err != nil {
			t.Errorf("second shutdown: %v", err)
		}
		if s := h.Stats(); s.Subscriptions != 0 || s.Channels != 0 || s.Lingering != 0 {
			t.Errorf("left behind: %+v", s)
		}
	})
}

func TestShutdownGivesUpWithItsContext(t *testing.T) {
	bubble(t, func(t *testing.T) {
		h, err := stentor.New(t.Context(), nil)
		if err != nil {
			t.Fatal(err)
		}
		r := serve(t, h, on("a"))
		release := r.block()
		say(t, h, "a", "x")
		settle()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := h.Shutdown(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v, want the context's error", err)
		}
		release()
	})
}

// Whoever ends a subscription that is ending finds it out of the directory, even
// while a hook of the other end takes its time.
func TestCloseBesideAnotherEnd(t *testing.T) {
	bubble(t, func(t *testing.T) {
		release := make(chan struct{})
		h := newHub(t, &stentor.Options{Hooks: stentor.Hooks{
			Close: func(*stentor.Subscription, error) { <-release },
		}})
		r := serve(t, h, on("a"))
		r.hangUp()
		settle()
		if !r.sub.Close(nil) {
			t.Error("Close reports that nobody was there")
		}
		if h.Subscription(r.sub.ID()) != nil || len(h.Members()) != 0 {
			t.Error("Close returned, and it is still there")
		}
		close(release)
	})
}

// A hook may end what it is told about.
func TestHookCloses(t *testing.T) {
	bubble(t, func(t *testing.T) {
		h := newHub(t, &stentor.Options{Hooks: stentor.Hooks{
			Close: func(s *stentor.Subscription, _ error) { s.Close(nil) },
			Leave: func(s *stentor.Subscription) { s.Close(nil) },
		}})
		r := serve(t, h, on("a"))
		r.hangUp()
		settle()
		if s := h.Stats(); s.Subscriptions != 0 {
			t.Errorf("still there: %+v", s)
		}
	})
}

// A client that sends heartbeats learns of a reset from the next one; its stream is
// not what tells it.
func TestReset(t *testing.T) {
	bubble(t, func(t *testing.T) {
		h := newHub(t, &stentor.Options{KeepAlive: -1})
		o := on("a")
		o.Presence, o.Heartbeats = true, true
		beats, plain := serve(t, h, o), serve(t, h, on("a"))
		gone := serve(t, h, stentor.SubscribeOptions{Channels: []stentor.Channel{"a"}, Session: "s"})
		gone.hangUp()
		settle()
		before := beats.got()
		h.Reset()
		settle()
		if s := h.Stats(); s.Subscriptions != 0 || s.Lingering != 0 || s.Channels != 0 || len(h.Members()) != 0 {
			t.Errorf("not forgotten: %+v", s)
		}
		if beats.sub.Heartbeat(time.Minute) || h.Subscription(beats.sub.ID()) != nil {
			t.Error("a heartbeat found somebody")
		}
		say(t, h, "a", "x")
		after(time.Minute)
		want(t, "who sends heartbeats", beats.got(), before)
		want(t, "who does not", plain.got(), "open\nbye stentor: the hub was reset\n")
		again := serve(t, h, on("a"))
		say(t, h, "a", "y")
		settle()
		want(t, "who came back", again.got(), "open\nm=y\n")
		if err := h.Shutdown(t.Context()); err != nil {
			t.Fatal(err)
		}
		want(t, "at the end", beats.got(), before+"bye stentor: the hub was reset\n")
	})
}

func TestDrain(t *testing.T) {
	bubble(t, func(t *testing.T) {
		h := newHub(t, nil)
		var all []*reader
		for range 10 {
			all = append(all, serve(t, h, on("a")))
		}
		done := make(chan error, 1)
		go func() { done <- h.Drain(t.Context(), 500*time.Millisecond) }()
		settle()
		if _, err := h.Subscribe(t.Context(), nil); !errors.Is(err, stentor.ErrDraining) {
			t.Errorf("subscribe while draining: %v", err)
		}
		for step := 1; step <= 10; step++ {
			after(50 * time.Millisecond)
			ended := 0
			for _, r := range all {
				if r.sub.Cause() != nil {
					ended++
				}
			}
			if ended != step {
				t.Errorf("%d ended after %d steps, want as many", ended, step)
			}
		}
		if err := <-done; err != nil {
			t.Fatal(err)
		}
		want(t, "stream", all[0].got(), "open\nbye stentor: draining\n")
		if h.Subscription(all[0].sub.ID()) != nil {
			t.Error("a drained one is still in the directory: its client would never learn of it")
		}
		if n := len(h.Members("a")); n != 10 {
			t.Errorf("%d present, want all 10 to linger", n)
		}
		say(t, h, "a", "publishing goes on")
	})
}
