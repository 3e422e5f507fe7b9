package stentor_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"strings"
	"testing"

	"github.com/stentor-sse/stentor"
)

// archive is an application's own store, which keeps more than the hub.
type archive struct{ list []stentor.Message }

func (a *archive) after(cursor string) iter.Seq2[stentor.Message, error] {
	return func(yield func(stentor.Message, error) bool) {
		for _, m := range a.list {
			if fmt.Sprint(int64(m.Position)) > cursor && !yield(m, nil) {
				return
			}
		}
	}
}

// say publishes and keeps.
func (a *archive) say(t *testing.T, h *stentor.Hub, text string) stentor.Position {
	m := stentor.Message{Target: stentor.Target{Channel: "home"}, Type: "m", Data: text}
	m.Position = publish(t, h, m)
	a.list = append(a.list, m)
	return m.Position
}

// L-20, L-21, L-58, L-59: the application's own replay, and nothing between it and what is live.
func TestOwnReplay(t *testing.T) {
	bubble(t, func(t *testing.T) {
		h := newHub(t, &stentor.Options{
			Broker: stentor.NewMemoryBroker(&stentor.MemoryOptions{Size: 1}), QueueLength: 3,
		})
		a := &archive{}
		first := a.say(t, h, "1")
		for i := 2; i <= 600; i++ { // some pages
			a.say(t, h, fmt.Sprint(i))
		}
		o := from(first.String(), "home")
		asked := 0
		o.Replay = func(_ context.Context, s *stentor.Subscription) iter.Seq2[stentor.Message, error] {
			asked++
			return func(yield func(stentor.Message, error) bool) {
				for m, err := range a.after(s.Cursor()) {
					if m.Data == "300" { // live ones come meanwhile, more than the queue holds
						for i := 601; i <= 610; i++ {
							a.say(t, h, fmt.Sprint(i))
						}
					}
					if !yield(m, err) {
						return
					}
				}
			}
		}
		r := serve(t, h, o)
		a.say(t, h, "611")
		settle()
		if lines := r.lines(); lines[0] != "open\n" || numbers(t, "resumed", lines, 1) != 611 {
			t.Errorf("%d lines from %q to %q", len(lines), lines[0], lines[len(lines)-1])
		}
		if n := strings.Count(r.got(), "gap"); n != 1 { // the hub's history of one could not hold ten
			t.Errorf("%d gaps in %q", n, r.got())
		}
		o.Cursor = ""
		serve(t, h, o)
		if asked != 1 {
			t.Errorf("asked %d times; one that begins has missed nothing", asked)
		}
	})
}

func TestOwnReplayIsChecked(t *testing.T) {
	bubble(t, func(t *testing.T) {
		var d diary
		h := newHub(t, &stentor.Options{Hooks: stentor.Hooks{
			Error: func(_ *stentor.Subscription, err error) { d.note("%v", err) },
		}})
		at := say(t, h, "home", "kept")
		stopped := false
		replay := func(list ...any) stentor.SubscribeOptions {
			o := from("a foreign one", "home")
			o.Replay = func(context.Context, *stentor.Subscription) iter.Seq2[stentor.Message, error] {
				return func(yield func(stentor.Message, error) bool) {
					defer func() { stopped = true }()
					for _, x := range list {
						m, _ := x.(stentor.Message)
						err, _ := x.(error)
						if !yield(m, err) {
							return
						}
					}
				}
			}
			return o
		}
		m := func(p stentor.Position, text string) stentor.Message {
			return stentor.Message{Position: p, Type: "m", Data: text}
		}
		r := serve(t, h, replay(m(0, "no id"), m(5, "a"), m(5, "again"), m(4, "back"), m(6, "b"), m(at+1, "from the future")))
		want(t, "positions", r.got(), "open\nm=no id\nm=a\nm=b\n")

		r = serve(t, h, replay(m(5, "a"), errors.New("the store is away"), m(6, "b")))
		say(t, h, "home", "live")
		settle()
		want(t, "an error", r.got(), "open\nm=a\ngap degraded\nm=live\n")

		r = serve(t, h, replay(stentor.Message{Type: "a b"}, m(6, "b")))
		want(t, "an invalid message", r.got(), "open\ngap degraded\n")
		want(t, "hook", d.String(), "stentor: replay: the store is away\n"+
			`stentor: replay: stentor: invalid type: "a b" holds a space or @`)

		// A reader that goes in the middle ends the sequence.
		stopped = false
		o := replay(m(5, "a"))
		o.Dialect = plain{}
		sub, err := h.Subscribe(t.Context(), &o)
		if err != nil {
			t.Fatal(err)
		}
		for _, err := range sub.Messages(t.Context()) {
			if err != nil {
				t.Fatal(err)
			}
			break
		}
		if !stopped {
			t.Error("the sequence did not end")
		}
	})
}
