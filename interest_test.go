package stentor_test

import (
	"context"
	"maps"
	"slices"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/stentor-sse/stentor"
)

// matching is a broker whose links give only what is wanted, and remember what that is.
type matching struct {
	stentor.Broker

	mu     sync.Mutex
	wanted map[stentor.Channel]bool
}

type matchingLink struct {
	stentor.Link // and no WholeLink
	b            *matching
}

func (b *matching) Attach(ctx context.Context, f stentor.Feed) (stentor.Link, error) {
	l, err := b.Broker.Attach(ctx, f)
	return matchingLink{l, b}, err
}

func (l matchingLink) Want(ctx context.Context, add, drop []stentor.Channel) (stentor.Position, error) {
	l.b.mu.Lock()
	defer l.b.mu.Unlock()
	for _, ch := range drop {
		delete(l.b.wanted, ch)
	}
	for _, ch := range add {
		l.b.wanted[ch] = true
	}
	return l.Link.Want(ctx, add, drop)
}

func (b *matching) list() []stentor.Channel {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Sorted(maps.Keys(b.wanted))
}

// What a broker that matches is asked for is what somebody is there for: every target reaches
// whom it covers, and when all have gone nothing is wanted any more.
func TestInterestFollowsSubscriptions(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := &matching{Broker: stentor.NewMemoryBroker(nil), wanted: map[stentor.Channel]bool{}}
		h := newHub(t, &stentor.Options{Broker: b, Linger: -1})
		s, err := h.Subscribe(t.Context(), &stentor.SubscribeOptions{
			Channels: []stentor.Channel{"a"}, User: "ann", UserName: "Ann", Authenticated: true, Session: "s", Key: "k", Dialect: plain{},
		})
		if err != nil {
			t.Fatal(err)
		}
		r := newResponse()
		served := make(chan struct{})
		go func() { s.Serve(r); close(served) }()
		synctest.Wait()
		if _, err := s.Join(t.Context(), "b"); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Leave(t.Context(), "a"); err != nil {
			t.Fatal(err)
		}
		want := "open\n"
		for i, target := range []stentor.Target{
			{All: true}, {Channel: "b"}, {User: "ann"}, {UserName: "Ann"}, {Session: "s"}, {Key: "k"}, {Subscription: s.ID()}, {Channel: "a"},
		} {
			if _, err := h.Publish(t.Context(), stentor.Message{Target: target, Type: "m", Data: strconv.Itoa(i)}); err != nil {
				t.Fatal(err)
			}
			if target.Channel != "a" {
				want += "m=" + strconv.Itoa(i) + "\n"
			}
		}
		synctest.Wait()
		if got := r.got(); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
		if n := len(b.list()); n != 7 {
			t.Errorf("%d channels are wanted, want b, everyone and five names: %q", n, b.list())
		}
		s.Close(nil)
		<-served
		synctest.Wait()
		if list := b.list(); len(list) > 0 {
			t.Errorf("still wanted: %q", list)
		}
	})
}

// The same while many come, move and go at once.
func TestInterestUnderChurn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := &matching{Broker: stentor.NewMemoryBroker(nil), wanted: map[stentor.Channel]bool{}}
		h := newHub(t, &stentor.Options{Broker: b, Linger: -1})
		var wg sync.WaitGroup
		for n := range 20 {
			wg.Go(func() {
				for range 20 {
					s, err := h.Subscribe(t.Context(), &stentor.SubscribeOptions{
						Channels: []stentor.Channel{"a", stentor.Channel("c" + strconv.Itoa(n%3))}, User: "u" + strconv.Itoa(n%4), Key: "k" + strconv.Itoa(n%5),
					})
					if err != nil {
						t.Error(err)
						return
					}
					s.Change(t.Context(), []stentor.Channel{"a"}, []stentor.Channel{"b"}) // fails where a newer one has the key
					s.Close(nil)
				}
			})
		}
		wg.Wait()
		synctest.Wait()
		if list := b.list(); len(list) > 0 {
			t.Errorf("still wanted: %q", list)
		}
	})
}
