package eventhttp_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stentor-sse/stentor"
	"github.com/stentor-sse/stentor/eventhttp"
	"github.com/stentor-sse/stentor/sse"
	"github.com/stentor-sse/stentor/ssetest"
)

// keys are the keys of the subscriptions that t covers and keep is true for, in order.
func keys(hub *stentor.Hub, t stentor.Target, keep func(s *stentor.Subscription) bool) []string {
	list := []string{}
	for s := range hub.Subscriptions(t) {
		if keep(s) {
			list = append(list, s.Key())
		}
	}
	slices.Sort(list)
	return list
}

// prefixed is the predicate of Sisk's documentation.
func prefixed(s *stentor.Subscription) bool { return strings.HasPrefix(s.Key(), "my-connection-") }

func TestSiskCollection(t *testing.T) {
	for name, f := range map[string]func(t *testing.T, s *sources){
		"K-53 all are listed; those without a key are told by having none": func(t *testing.T, s *sources) {
			s.open(t, "/")
			s.open(t, "/?key=a")
			identified := func(s *stentor.Subscription) bool { return s.Key() != "" }
			if got := keys(s.hub, stentor.Target{}, identified); s.hub.Count(stentor.Target{}) != 2 || !slices.Equal(got, []string{"a"}) {
				t.Errorf("%d live, with a key %q", s.hub.Count(stentor.Target{}), got)
			}
		},
		"K-54 by predicate, as they are at that moment": func(t *testing.T, s *sources) {
			for _, path := range []string{"/?key=my-connection-1", "/?key=my-connection-2", "/?key=other"} {
				s.open(t, path)
			}
			var found []*stentor.Subscription
			for sub := range s.hub.Subscriptions(stentor.Target{}) {
				if sub.Close(nil); prefixed(sub) { // ends while the list is being read
					found = append(found, sub)
				}
			}
			if len(found) != 2 {
				t.Errorf("found %d", len(found))
			}
			for _, sub := range found { // each tells for itself that it has ended
				if _, err := sub.Publish(context.Background(), stentor.Message{Data: "x"}); !errors.Is(err, stentor.ErrUnknown) {
					t.Errorf("publish: %v", err)
				}
			}
		},
		"K-55 a predicate may use the hub, and waits for nobody": func(t *testing.T, s *sources) {
			s.open(t, "/?key=my-connection-1")
			s.open(t, "/?key=my-connection-2")
			_, err := s.hub.PublishFunc(context.Background(), stentor.Message{Data: "x"}, func(sub *stentor.Subscription) bool {
				done := make(chan bool)
				go func() { done <- s.hub.Holder(sub.Key()) == sub && s.hub.Count(stentor.Target{}) == 2 }()
				return <-done && len(keys(s.hub, stentor.Target{}, prefixed)) == 2
			})
			if err != nil {
				t.Error(err)
			}
		},
		"K-56 it is counted and walked while others come and go": func(t *testing.T, s *sources) {
			var wg sync.WaitGroup
			for i := range 4 {
				wg.Go(func() {
					for range 50 {
						sub, err := s.hub.Subscribe(context.Background(), &stentor.SubscribeOptions{Key: string(rune('a' + i))})
						if err != nil {
							t.Error(err)
							return
						}
						s.hub.Count(stentor.Target{})
						keys(s.hub, stentor.Target{}, prefixed)
						s.hub.Holder("a")
						sub.Close(nil)
					}
				})
			}
			wg.Wait()
			if n := s.hub.Count(stentor.Target{}); n != 0 {
				t.Errorf("%d left", n)
			}
		},
		"K-59 drop all: the list is empty at once, and the streams end": func(t *testing.T, s *sources) {
			_, one := s.open(t, "/?key=a")
			_, two := s.open(t, "/")
			if n := s.hub.Drop(stentor.Target{}, nil); n != 2 || s.hub.Count(stentor.Target{}) != 0 {
				t.Errorf("%d dropped, %d left", n, s.hub.Count(stentor.Target{}))
			}
			for _, r := range []*ssetest.Recorder{one, two} {
				if err := r.Wait(t); err != nil {
					t.Errorf("it ended with %v", err)
				}
				s.ended(t, stentor.ErrUnregistered)
			}
		},
		"K-60 B-25 to those that a predicate picks, and one that stalls delays nobody": func(t *testing.T, s *sources) {
			s.srv.OpenStalled(t, "/?key=my-connection-1")
			stalled := <-s.handles
			go stalled.Send(context.Background(), sse.Event{Data: strings.Repeat("x", 1<<20)})
			_, two := s.open(t, "/?key=my-connection-2")
			_, other := s.open(t, "/?key=other")
			begun := time.Now()
			r, err := s.hub.PublishFunc(context.Background(), stentor.Message{Data: "broadcast"}, prefixed)
			if err != nil || r.Matched != 2 {
				t.Errorf("%+v, %v", r, err)
			}
			want(t, two, sse.Event{Data: "broadcast"})
			if d := time.Since(begun); d != 0 { // the bubble's clock: somebody waited
				t.Errorf("it took %v", d)
			}
			synctest.Wait()
			if n := len(other.Events()); n != 1 {
				t.Errorf("the other one got %d events, want stentor.open", n)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) { f(t, source(t, p, nil, nil)) })
		})
	}
	t.Run("K-57 K-58 one hook as it comes and one as it goes, with the cause, and no lock held", func(t *testing.T) {
		ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
			var n notes
			var hub *stentor.Hub
			o := &stentor.Options{Hooks: stentor.Hooks{
				Open: func(s *stentor.Subscription) error {
					n.add("open %s %d", s.Key(), hub.Count(stentor.Target{}))
					return nil
				},
				Close: func(s *stentor.Subscription, cause error) {
					n.add("close %s %d %v", s.Key(), hub.Count(stentor.Target{}), cause)
				},
			}}
			s := source(t, p, o, nil)
			hub = s.hub
			h, _ := s.open(t, "/?key=a")
			h.Close()
			h.Close()
			h, _ = s.open(t, "/") // those without a key, too
			h.Subscription().Close(stentor.ErrExpired)
			<-h.Done()
			n.is(t, "hooks", "open a 1", "close a 0 "+stentor.ErrUnregistered.Error(), "open  1", "close  0 "+stentor.ErrExpired.Error())
		})
	})
	t.Run("K-57 the hook refuses", func(t *testing.T) {
		ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
			full := errors.New("one at a time")
			o := &stentor.Options{Hooks: stentor.Hooks{Open: func(*stentor.Subscription) error { return full }}}
			s := source(t, p, o, nil)
			r := s.srv.Open(t, "/?key=a")
			s.ended(t, full)
			if r.Wait(t); s.hub.Holder("a") != nil {
				t.Error("it is listed all the same")
			}
		})
	})
}

// The keepalive of a source is its stream's own.
func TestSiskPing(t *testing.T) {
	ping := sse.Event{Type: "ping", Data: "ping-message"}
	type open = func(k sse.KeepAlive) (*eventhttp.Handle, *ssetest.Recorder)
	for name, f := range map[string]func(t *testing.T, open open){
		"K-44 by itself, an empty comment in silence, and one only": func(t *testing.T, open open) {
			_, r := open(sse.KeepAlive{})
			for range 4 {
				sleep(15)
			}
			if n := len(r.Comments()); n != 4 {
				t.Errorf("%d in a minute, want 4", n)
			}
		},
		"K-45 K-47 every 5 seconds, as an event, the first at once": func(t *testing.T, open open) {
			_, r := open(sse.KeepAlive{Interval: 5 * time.Second, AtOnce: true, Event: ping})
			for n := range 3 {
				synctest.Wait()
				if got := len(r.Events()); got != n+2 {
					t.Errorf("%d events after %d intervals, with stentor.open", got, n)
				}
				want(t, r, ping)
				sleep(5)
			}
			if begun := strings.Index(r.Raw(), "stentor.open"); begun < 0 || begun > strings.Index(r.Raw(), "ping") {
				t.Errorf("the first frames are %q", r.Raw())
			}
		},
		"K-46 it counts as bytes, and is no event": func(t *testing.T, open open) {
			h, r := open(sse.KeepAlive{Interval: time.Second, Event: ping})
			sleep(10)
			if sent := h.Sent(); sent.Events != 0 || sent.Bytes != uint64(len(r.Raw())) || len(r.Events()) != 11 {
				t.Errorf("%+v of %d events and %d bytes", sent, len(r.Events()), len(r.Raw()))
			}
		},
		"K-48 K-49 K-50 K-51 changed, started and stopped while it is open": func(t *testing.T, open open) {
			h, r := open(sse.KeepAlive{Interval: -1})
			set := func(k sse.KeepAlive) {
				t.Helper()
				if err := h.SetKeepAlive(context.Background(), k); err != nil {
					t.Error(err)
				}
			}
			sleep(3600)
			set(sse.KeepAlive{Interval: 2 * time.Second, AtOnce: true, Always: true, Event: ping})
			set(sse.KeepAlive{Interval: 5 * time.Second, Always: true, Event: sse.Event{Type: "pong"}})
			sleep(10)
			set(sse.KeepAlive{Interval: -1})
			sleep(3600)
			for _, e := range []sse.Event{ping, {Type: "pong"}, {Type: "pong"}} {
				want(t, r, e)
			}
			if n := len(r.Events()); n != 4 {
				t.Errorf("%d events", n)
			}
			h.Close()
			if err := h.SetKeepAlive(context.Background(), sse.KeepAlive{}); err == nil {
				t.Error("it is set after the end")
			}
		},
		"an id in it would move the reader's cursor": func(t *testing.T, open open) {
			h, _ := open(sse.KeepAlive{})
			if err := h.SetKeepAlive(context.Background(), sse.KeepAlive{Event: sse.Event{ID: "7"}}); !errors.Is(err, stentor.ErrInvalid) {
				t.Errorf("set: %v", err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
				f(t, func(k sse.KeepAlive) (*eventhttp.Handle, *ssetest.Recorder) {
					return source(t, p, nil, func(o *eventhttp.AcceptOptions) { o.Stream.KeepAlive = k }).open(t, "/?key=a")
				})
			})
		})
	}
	t.Run("what can't be a keepalive is refused before a byte is written", func(t *testing.T) {
		ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
			for _, e := range []sse.Event{{ID: "7"}, {Type: "a\nb"}} {
				s := source(t, p, nil, func(o *eventhttp.AcceptOptions) { o.Stream.KeepAlive.Event = e })
				resp, _ := s.srv.Do(t, "GET", "/?key=a", "")
				if resp.StatusCode < 400 || s.hub.Stats().Subscriptions != 0 {
					t.Errorf("%+v: %d, %d subscriptions", e, resp.StatusCode, s.hub.Stats().Subscriptions)
				}
			}
		})
	})
}

func TestHandleSent(t *testing.T) {
	ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
		s := source(t, p, nil, nil)
		h, r := s.open(t, "/?key=a")
		check := func(events uint64) {
			t.Helper()
			synctest.Wait()
			if got := h.Sent(); got.Events != events || got.Bytes != uint64(len(r.Raw())) {
				t.Errorf("%+v, want %d events and %d bytes", got, events, len(r.Raw()))
			}
		}
		check(0)
		publish(t, s.hub, stentor.Message{Target: stentor.Target{Key: "a"}, Data: "x"})
		check(1)
		h.Send(context.Background(), sse.Event{Data: "y"}, sse.Event{Data: "z"})
		check(3)
		h.SendAll(context.Background(), func(yield func(sse.Event, error) bool) {
			_ = yield(sse.Event{Data: "1"}, nil) && yield(sse.Event{Data: "2"}, nil) && yield(sse.Event{ID: "7"}, nil)
		})
		check(5)
		h.Close(sse.Event{Data: "bye"})
		r.Wait(t)
		check(6)
	})
}
