package sse_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stentor-sse/stentor/sse"
	"github.com/stentor-sse/stentor/ssetest"
)

// is fails unless the body so far is raw.
func is(t *testing.T, got *ssetest.Recorder, raw string) {
	t.Helper()
	synctest.Wait()
	if g := got.Raw(); g != raw {
		t.Errorf("body %q, want %q", g, raw)
	}
}

// pass lets time go by, and what was to happen at its end happen.
func pass(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

func TestSetKeepAlive(t *testing.T) {
	ping := sse.Event{Type: "ping", Data: "%ping%"}
	for name, f := range map[string]func(t *testing.T, s *sse.Stream, got *ssetest.Recorder){
		"K-44 it begins by itself, and Set starts one where there is none": func(t *testing.T, s *sse.Stream, got *ssetest.Recorder) {
			is(t, got, "")
			expect(t, "set", s.SetKeepAlive(t.Context(), sse.KeepAlive{}), nil)
			pass(15*time.Second - 1)
			is(t, got, "")
			pass(1)
			is(t, got, ":\n\n")
			pass(15 * time.Second)
			is(t, got, ":\n\n:\n\n")
		},
		"K-45 the first at once when asked, then one for each interval": func(t *testing.T, s *sse.Stream, got *ssetest.Recorder) {
			k := sse.KeepAlive{Interval: 5 * time.Second, AtOnce: true, Event: ping}
			expect(t, "set", s.SetKeepAlive(t.Context(), k), nil)
			is(t, got, "event: ping\ndata: %ping%\n\n")
			pass(5*time.Second - 1)
			is(t, got, "event: ping\ndata: %ping%\n\n")
			pass(1)
			is(t, got, strings.Repeat("event: ping\ndata: %ping%\n\n", 2))
		},
		"K-45 off is off: no single tick": func(t *testing.T, s *sse.Stream, got *ssetest.Recorder) {
			expect(t, "set", s.SetKeepAlive(t.Context(), sse.KeepAlive{Interval: -1, AtOnce: true}), nil)
			pass(time.Hour)
			is(t, got, "")
		},
		"K-47 comment, empty or with text": func(t *testing.T, s *sse.Stream, got *ssetest.Recorder) {
			s.SetKeepAlive(t.Context(), sse.KeepAlive{AtOnce: true})
			s.SetKeepAlive(t.Context(), sse.KeepAlive{AtOnce: true, Event: sse.Event{Comment: "%ping%"}})
			is(t, got, ":\n\n: %ping%\n\n")
			if n := len(got.Events()); n != 0 {
				t.Errorf("%d events dispatched", n)
			}
		},
		"K-48 idle only, unless it is to be always": func(t *testing.T, s *sse.Stream, got *ssetest.Recorder) {
			s.SetKeepAlive(t.Context(), sse.KeepAlive{Interval: 10 * time.Second})
			for range 4 {
				pass(9 * time.Second)
				s.Send(t.Context(), sse.Event{Data: "x"})
			}
			is(t, got, strings.Repeat("data: x\n\n", 4))
			s.SetKeepAlive(t.Context(), sse.KeepAlive{Interval: 10 * time.Second, Always: true})
			for range 4 {
				pass(9 * time.Second)
				s.Send(t.Context(), sse.Event{Data: "y"})
			}
			is(t, got, strings.Repeat("data: x\n\n", 4)+"data: y\n\n"+strings.Repeat(":\n\ndata: y\n\n", 3))
		},
		"K-49 a second Set replaces the first": func(t *testing.T, s *sse.Stream, got *ssetest.Recorder) {
			s.SetKeepAlive(t.Context(), sse.KeepAlive{Interval: 3 * time.Second, Always: true, Event: sse.Event{Comment: "one"}})
			s.SetKeepAlive(t.Context(), sse.KeepAlive{Interval: 7 * time.Second, Always: true, Event: sse.Event{Comment: "two"}})
			pass(28 * time.Second)
			is(t, got, strings.Repeat(": two\n\n", 4))
		},
		"K-50 interval and content change while it runs": func(t *testing.T, s *sse.Stream, got *ssetest.Recorder) {
			s.SetKeepAlive(t.Context(), sse.KeepAlive{Interval: time.Minute, Event: sse.Event{Comment: "slow"}})
			pass(time.Minute)
			s.SetKeepAlive(t.Context(), sse.KeepAlive{Interval: time.Second, Event: sse.Event{Comment: "fast"}})
			pass(2 * time.Second)
			s.SetKeepAlive(t.Context(), sse.KeepAlive{Interval: time.Minute, Event: ping})
			pass(time.Minute)
			is(t, got, ": slow\n\n: fast\n\n: fast\n\nevent: ping\ndata: %ping%\n\n")
		},
		"K-50 a silence that was long already is ended by a shorter interval": func(t *testing.T, s *sse.Stream, got *ssetest.Recorder) {
			pass(time.Hour)
			s.SetKeepAlive(t.Context(), sse.KeepAlive{Interval: time.Second})
			pass(1)
			is(t, got, ":\n\n")
		},
		"K-51 it can be stopped, and started again": func(t *testing.T, s *sse.Stream, got *ssetest.Recorder) {
			s.SetKeepAlive(t.Context(), sse.KeepAlive{AtOnce: true})
			s.SetKeepAlive(t.Context(), sse.KeepAlive{Interval: -1})
			pass(time.Hour)
			is(t, got, ":\n\n")
			s.SetKeepAlive(t.Context(), sse.KeepAlive{AtOnce: true})
			is(t, got, ":\n\n:\n\n")
		},
		"K-51 it ends with the stream": func(t *testing.T, s *sse.Stream, got *ssetest.Recorder) {
			s.SetKeepAlive(t.Context(), sse.KeepAlive{Interval: time.Second, Always: true})
			s.Close(sse.Event{Data: "bye"})
			pass(time.Hour)
			is(t, got, "data: bye\n\n")
			expect(t, "set after the end", s.SetKeepAlive(t.Context(), sse.KeepAlive{AtOnce: true}), sse.ErrClosed)
		},
		"what can't be written is refused, and the one before goes on": func(t *testing.T, s *sse.Stream, got *ssetest.Recorder) {
			s.SetKeepAlive(t.Context(), sse.KeepAlive{Interval: time.Second})
			for _, bad := range []sse.Event{{Type: "a\nb"}, {ID: "\x00"}, {Data: "\xff"}, {Comment: "\xff"}, {Retry: -1}} {
				err := s.SetKeepAlive(t.Context(), sse.KeepAlive{Interval: time.Minute, AtOnce: true, Event: bad})
				expect(t, "set", err, sse.ErrInvalid)
			}
			ended, cancel := context.WithCancel(t.Context())
			cancel()
			expect(t, "set", s.SetKeepAlive(ended, sse.KeepAlive{Interval: -1}), context.Canceled)
			pass(time.Second)
			is(t, got, ":\n\n")
		},
	} {
		t.Run(name, func(t *testing.T) {
			ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
				s, got := open(t, p, &sse.AcceptOptions{KeepAlive: sse.KeepAlive{Interval: -1}})
				f(t, s, got)
			})
		})
	}
}

// K-13: the first keepalive can't come before the header.
func TestKeepAliveAtOnceFollowsTheHeader(t *testing.T) {
	ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
		srv := ssetest.NewServer(t, p, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("X-Mine", "1")
			s, err := sse.Accept(w, r, &sse.AcceptOptions{
				Retry:     time.Second,
				KeepAlive: sse.KeepAlive{Interval: time.Minute, AtOnce: true, Event: sse.Event{Comment: "first"}},
			})
			if err != nil {
				t.Error(err)
				return
			}
			s.Wait(r.Context())
		}))
		got := srv.Open(t, "/")
		is(t, got, "retry: 1000\n\n: first\n\n")
		if got.Response.Header.Get("X-Mine") != "1" {
			t.Error("the header is lost")
		}
		pass(time.Minute)
		is(t, got, "retry: 1000\n\n: first\n\n: first\n\n")
	})
}

func TestBadKeepAliveIsRefusedBeforeAnyByte(t *testing.T) {
	w := httptest.NewRecorder()
	_, err := sse.Accept(w, httptest.NewRequest("GET", "/", nil),
		&sse.AcceptOptions{KeepAlive: sse.KeepAlive{Event: sse.Event{Type: "a\rb"}}})
	if !errors.Is(err, sse.ErrInvalid) || w.Flushed || len(w.Header()) > 0 {
		t.Errorf("%v, flushed %v, header %v", err, w.Flushed, w.Header())
	}
}

// K-52: keepalives, sends and changes of the keepalive come from everywhere.
func TestKeepAliveIsSetFromManyGoroutines(t *testing.T) {
	ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
		s, got := open(t, p, nil)
		var wg sync.WaitGroup
		for i := range 8 {
			wg.Go(func() {
				for range 20 {
					s.SetKeepAlive(t.Context(), sse.KeepAlive{
						Interval: time.Duration(i+1) * time.Millisecond, Always: i%2 == 0, AtOnce: i%3 == 0,
						Event: sse.Event{Type: "ping", Data: "a\nb"},
					})
					time.Sleep(time.Millisecond)
					s.Send(t.Context(), sse.Event{Type: "x", Data: "a\nb"})
				}
			})
		}
		wg.Wait()
		expect(t, "set", s.SetKeepAlive(t.Context(), sse.KeepAlive{Interval: time.Second}), nil)
		synctest.Wait()
		before := len(got.Events())
		pass(10 * time.Second)
		if n := len(got.Comments()); n != 10 || len(got.Events()) != before {
			t.Errorf("%d keepalives in ten seconds, and %d of those before", n, len(got.Events())-before)
		}
		for _, e := range got.Events() {
			if e.Data != "a\nb" || e.Type != "x" && e.Type != "ping" {
				t.Fatalf("torn: %+v", e)
			}
		}
	})
}

// A keepalive that waits for its reader doesn't pile up more of them.
func TestKeepAlivesDoNotPileUp(t *testing.T) {
	ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
		s, got := opened(t, p, &sse.AcceptOptions{WriteTimeout: -1}, (*ssetest.Server).OpenStalled)
		done := make(chan error, 1)
		go func() { done <- s.Send(t.Context(), sse.Event{Data: strings.Repeat("x", 1<<20)}) }()
		synctest.Wait() // it has the turn
		set := make(chan error, 1)
		go func() { set <- s.SetKeepAlive(t.Context(), sse.KeepAlive{Interval: time.Second, Always: true}) }()
		pass(time.Minute)
		got.Resume()
		expect(t, "send", <-done, nil)
		expect(t, "set", <-set, nil)
		synctest.Wait()
		if n := len(got.Comments()); n > 1 {
			t.Errorf("%d keepalives at once", n)
		}
		before := len(got.Comments())
		pass(10 * time.Second)
		if n := len(got.Comments()) - before; n != 10 {
			t.Errorf("%d keepalives in ten seconds", n)
		}
	})
}

// K-46: a keepalive is no event of the application: it counts as bytes alone.
func TestSent(t *testing.T) {
	ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
		s, got := open(t, p, &sse.AcceptOptions{
			Retry:     time.Second,
			KeepAlive: sse.KeepAlive{Interval: time.Second, Event: sse.Event{Type: "ping"}},
		})
		check := func(events uint64) {
			t.Helper()
			synctest.Wait()
			if want := (sse.Sent{Events: events, Bytes: uint64(len(got.Raw()))}); s.Sent() != want {
				t.Errorf("%+v, want %+v", s.Sent(), want)
			}
		}
		check(0)
		pass(5 * time.Second)
		check(0)
		s.Send(t.Context(), sse.Event{Data: "é\n"}, sse.Event{Comment: "x"})
		check(2)
		s.Send(t.Context(), sse.Event{Data: "fine"}, sse.Event{ID: "\n"})
		s.Send(t.Context())
		check(2)
		s.WriteFrames([]byte("data: x\n\n"))
		check(2)
		s.Close(sse.Event{Data: "bye"})
		check(3)
		s.Send(t.Context(), sse.Event{Data: "late"})
		check(3)
	})
}

// K-46: nor does a keepalive put off the idle timeout.
func TestKeepAliveEventsDoNotCountForIdleTimeout(t *testing.T) {
	ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
		s, _ := open(t, p, &sse.AcceptOptions{
			IdleTimeout: time.Minute,
			KeepAlive:   sse.KeepAlive{Interval: 5 * time.Second, Event: sse.Event{Type: "ping"}},
		})
		begun := time.Now()
		time.Sleep(30 * time.Second)
		s.SetKeepAlive(t.Context(), sse.KeepAlive{Interval: time.Second, AtOnce: true, Event: sse.Event{Type: "ping"}})
		expect(t, "wait", s.Wait(t.Context()), sse.ErrIdle)
		if d := time.Since(begun); d != time.Minute {
			t.Errorf("ended after %v", d)
		}
	})
}
