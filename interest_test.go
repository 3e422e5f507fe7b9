package stentor_test

import (
	"context"
	"maps"
	"slices"
	"strconv"
	"strings"
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
	wait   chan struct{} // nil, or what Want waits for
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
	wait := l.b.wait
	l.b.mu.Unlock()
	if wait != nil {
		<-wait
	}
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

// Two streams may go on as the same anonymous user, when a client tries twice before the first try is
// through. That one of them ends is not that user's leave.
func TestTwoTriesAreOneUser(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b := &matching{Broker: stentor.NewMemoryBroker(nil), wanted: map[stentor.Channel]bool{}}
		h := newHub(t, &stentor.Options{Broker: b, KeepAlive: -1})
		w := watch(t, h, "a")
		browser := stentor.SubscribeOptions{Channels: []stentor.Channel{"a"}, Session: "s", Resume: true, Dialect: plain{}}
		serve(t, h, browser).hangUp()
		settle()
		b.mu.Lock()
		b.wait = make(chan struct{})
		b.mu.Unlock()
		tries := make(chan *stentor.Subscription, 2)
		for range 2 {
			go func() {
				s, err := h.Subscribe(t.Context(), &browser)
				if err != nil {
					t.Error(err)
				}
				tries <- s
			}()
		}
		settle() // both have found whose place there is
		b.mu.Lock()
		close(b.wait)
		b.wait = nil
		b.mu.Unlock()
		one, other := <-tries, <-tries
		go one.Serve(newResponse())
		go other.Serve(newResponse())
		settle()
		if a, b := one.Member().User, other.Member().User; a != b {
			t.Fatalf("they are %s and %s: nothing was tried", a, b)
		}
		one.Close(nil)
		settle()
		if got := w.got(); strings.Contains(got, "leave a -1 true") {
			t.Errorf("the watcher was told that the user has left: %q", got)
		}
		other.Close(nil)
		settle()
		if got := w.got(); !strings.HasSuffix(got, "leave a -1 true\n") {
			t.Errorf("the watcher was not told that the user has left: %q", got)
		}
	})
}
