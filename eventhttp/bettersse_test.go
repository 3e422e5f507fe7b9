package eventhttp_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/stentor-sse/stentor"
	"github.com/stentor-sse/stentor/eventhttp"
	"github.com/stentor-sse/stentor/sse"
	"github.com/stentor-sse/stentor/ssetest"
)

// counted counts how often it is made JSON of.
type counted struct {
	N     int
	times *atomic.Int64
}

func (c counted) MarshalJSON() ([]byte, error) {
	c.times.Add(1)
	return fmt.Appendf(nil, `{"n":%d}`, c.N), nil
}

// What Better SSE's channels do, by the numbers of the facts; here they are the
// hub's. What a session does alone is package sse's.
func TestBetterSSEChannels(t *testing.T) {
	home := stentor.Target{Channel: "home"}
	join := func(t *testing.T, h *eventhttp.Handle) stentor.Changed {
		t.Helper()
		c, err := h.Join(context.Background(), "home")
		if err != nil {
			t.Error(err)
		}
		return c
	}
	for name, f := range map[string]func(t *testing.T, s *sources){
		"B-21 joining twice is joining once": func(t *testing.T, s *sources) {
			h, _ := s.open(t, "/")
			if c := join(t, h); !slices.Equal(c.Joined, []stentor.Channel{"home"}) {
				t.Errorf("%+v", c)
			}
			if c := join(t, h); len(c.Joined) > 0 || s.hub.Count(home) != 1 {
				t.Errorf("%+v, %d on it", c, s.hub.Count(home))
			}
		},
		"B-21 who has gone can't join": func(t *testing.T, s *sources) {
			h, r := s.open(t, "/")
			r.Close()
			<-h.Done()
			if _, err := h.Join(context.Background(), "home"); err == nil || s.hub.Count(home) != 0 {
				t.Errorf("%v, %d on it", err, s.hub.Count(home))
			}
		},
		"B-22 leaving twice is leaving once": func(t *testing.T, s *sources) {
			h, _ := s.open(t, "/")
			join(t, h)
			for _, want := range []int{1, 0} {
				if c, err := h.Leave(context.Background(), "home"); err != nil || len(c.Left) != want || s.hub.Count(home) != 0 {
					t.Errorf("%+v, %v, want %d left", c, err, want)
				}
			}
		},
		"B-24 one id for all, and the type": func(t *testing.T, s *sources) {
			one, r1 := s.open(t, "/")
			two, r2 := s.open(t, "/")
			join(t, one)
			join(t, two)
			at := publish(t, s.hub, stentor.Message{Target: home, Type: "named", Data: "x"})
			for _, r := range []*ssetest.Recorder{r1, r2} {
				want(t, r, sse.Event{ID: at.String(), Type: "named", Data: "x"})
			}
		},
		"B-25 with typed state": func(t *testing.T, s *sources) {
			role := stentor.NewProperty[string]("role")
			one, r1 := s.open(t, "/")
			_, r2 := s.open(t, "/")
			role.Set(one.Subscription(), "editor")
			_, err := s.hub.PublishFunc(context.Background(), stentor.Message{Data: "x"}, func(s *stentor.Subscription) bool {
				is, _ := role.Get(s)
				return is == "editor"
			})
			if err != nil {
				t.Error(err)
			}
			want(t, r1, sse.Event{Data: "x"})
			synctest.Wait()
			if n := len(r2.Events()); n != 1 {
				t.Errorf("the other one got %d events", n)
			}
		},
		"B-26 data is made JSON once, for however many": func(t *testing.T, s *sources) {
			var readers []*ssetest.Recorder
			for range 3 {
				_, r := s.open(t, "/")
				readers = append(readers, r)
			}
			var times atomic.Int64
			m, err := stentor.Typed(stentor.Target{All: true}, counted{7, &times})
			if err != nil {
				t.Fatal(err)
			}
			at := publish(t, s.hub, m)
			for _, r := range readers {
				want(t, r, sse.Event{ID: at.String(), Type: "counted", Data: `{"n":7}`})
			}
			if times.Load() != 1 {
				t.Errorf("%d times", times.Load())
			}
		},
		"B-27 one that fails is no matter to the rest": func(t *testing.T, s *sources) {
			s.srv.OpenStalled(t, "/")
			stalled := <-s.handles
			go stalled.Send(context.Background(), sse.Event{Data: strings.Repeat("x", 1<<20)})
			_, gone := s.open(t, "/")
			_, r := s.open(t, "/")
			gone.Close() // and the hub may not know yet
			at := publish(t, s.hub, stentor.Message{Target: stentor.Target{All: true}, Data: "x"})
			want(t, r, sse.Event{ID: at.String(), Data: "x"})
		},
		"B-28 who is on it, and how many": func(t *testing.T, s *sources) {
			h, r := s.open(t, "/?key=a")
			s.open(t, "/?key=b")
			join(t, h)
			if got := keys(s.hub, home, func(*stentor.Subscription) bool { return true }); !slices.Equal(got, []string{"a"}) {
				t.Errorf("on it: %q", got)
			}
			if got := s.hub.Channels(); s.hub.Count(home) != 1 || !slices.Equal(got, []stentor.Channel{"home"}) {
				t.Errorf("%d on it, channels %q", s.hub.Count(home), got)
			}
			r.Close()
			<-h.Done()
			if got := s.hub.Channels(); s.hub.Count(home) != 0 || len(got) > 0 {
				t.Errorf("%d on it, channels %q", s.hub.Count(home), got)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) { f(t, source(t, p, nil, nil)) })
		})
	}
	t.Run("B-21 B-23 the hooks: joined, gone, and off the channel by itself", func(t *testing.T) {
		ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
			var n notes
			var hub *stentor.Hub
			o := told(&n)
			o.Hooks.Change = func(s *stentor.Subscription, joined, left []stentor.Channel) { n.add("change %v %v", joined, left) }
			o.Hooks.Leave = func(s *stentor.Subscription) { n.add("leave %s, %d on it", s.Key(), hub.Count(home)) }
			o.Linger = -1
			s := source(t, p, o, nil)
			hub = s.hub
			h, r := s.open(t, "/?key=a")
			join(t, h)
			r.Close()
			<-h.Done()
			n.is(t, "hooks", "open a", "change [home] []", "close a "+stentor.ErrGone.Error()+": sse: client gone: context canceled", "leave a, 0 on it")
		})
	})
	t.Run("B-29 who may be on it is decided before it opens", func(t *testing.T) {
		ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
			_, srv := serve(t, p, nil, &eventhttp.Options{Subscribe: func(r *http.Request, o *stentor.SubscribeOptions) error {
				if o.Authenticated = r.Header.Get("Authorization") == "Bearer s3cret"; !o.Authenticated && slices.Contains(o.Channels, "staff") {
					return &stentor.Refusal{Status: http.StatusForbidden, Detail: "staff is for the staff"}
				}
				return nil
			}})
			resp, body := srv.Do(t, "GET", "/events?channel=staff", "")
			refused(t, resp, body, http.StatusForbidden, "staff")
			opened(t, srv.Open(t, "/events?channel=staff", "Authorization: Bearer s3cret"))
			opened(t, srv.Open(t, "/events?channel=home"))
		})
	})
	t.Run("B-30 a user in several pages: all of them hear it, and online is a count", func(t *testing.T) {
		ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
			s := source(t, p, nil, func(o *eventhttp.AcceptOptions) { o.User = "ada" })
			ada := stentor.Target{User: "ada"}
			if s.hub.Count(ada) != 0 {
				t.Error("online before the first page")
			}
			one, r1 := s.open(t, "/")
			_, r2 := s.open(t, "/")
			at := publish(t, s.hub, stentor.Message{Target: ada, Data: "x"})
			want(t, r1, sse.Event{ID: at.String(), Data: "x"})
			want(t, r2, sse.Event{ID: at.String(), Data: "x"})
			one.Close()
			if n := s.hub.Count(ada); n != 1 {
				t.Errorf("%d pages", n)
			}
		})
	})
	t.Run("B-07 sending after the end is an error, not a panic", func(t *testing.T) {
		ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
			s := source(t, p, nil, nil)
			h, r := s.open(t, "/")
			r.Close()
			<-h.Done()
			if err := h.Send(context.Background(), sse.Event{Data: "x"}); !errors.Is(err, sse.ErrClientGone) && !errors.Is(err, sse.ErrClosed) {
				t.Errorf("send: %v", err)
			}
		})
	})
}
