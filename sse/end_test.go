package sse_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stentor-sse/stentor/sse"
)

// late is a context that has ended without telling anybody yet, as every context is
// for a moment: whoever must not act after its end has to look.
type late struct {
	context.Context
	cancel  func()
	tell    func()
	watched bool
}

func newLate() *late {
	c := &late{watched: true}
	c.Context, c.cancel = context.WithCancel(context.Background())
	return c
}

// Value hides what is embedded, so that [context.AfterFunc] asks AfterFunc.
func (c *late) Value(any) any { return nil }

func (c *late) AfterFunc(f func()) (stop func() bool) {
	c.tell = f
	return func() bool { c.watched = false; return true }
}

// strict is a ResponseWriter that notes what it is asked.
type strict struct {
	discard
	calls []string
	on    func(call string) error // nil: all is well
}

func (s *strict) call(what string) error {
	s.calls = append(s.calls, what)
	if s.on != nil {
		return s.on(what)
	}
	return nil
}

func (s *strict) Write(p []byte) (int, error) { return len(p), s.call("write") }
func (s *strict) FlushError() error           { return s.call("flush") }

func (s *strict) SetWriteDeadline(t time.Time) error {
	if t.IsZero() {
		return s.call("disarm")
	}
	return s.call("arm")
}

// lateStream gives a stream over HTTP/major whose request's context is late.
func lateStream(t *testing.T, major int, o *sse.AcceptOptions) (*sse.Stream, *strict, *late) {
	t.Helper()
	ctx := newLate()
	r := httptest.NewRequestWithContext(ctx, "GET", "/", nil)
	r.ProtoMajor = major
	w := &strict{discard: discard{http.Header{}}}
	s, err := sse.Accept(w, r, o)
	if err != nil {
		t.Fatal(err)
	}
	if got := w.header.Get("Connection"); (got == "close") != (major == 1) {
		t.Errorf("HTTP/%d: Connection %q", major, got)
	}
	w.calls = nil
	return s, w, ctx
}

// Over HTTP/2 net/http has a nil pointer where a handler's ResponseWriter was.
func TestNothingIsTouchedAfterTheRequestsEnd(t *testing.T) {
	for name, act := range map[string]func(s *sse.Stream, c *late) error{
		"told":   func(s *sse.Stream, c *late) error { c.tell(); synctest.Wait(); return s.Cause() },
		"send":   func(s *sse.Stream, c *late) error { return s.Send(context.Background(), sse.Event{}) },
		"frames": func(s *sse.Stream, c *late) error { return s.WriteFrames([]byte(":\n\n")) },
		"close":  func(s *sse.Stream, c *late) error { return s.Close(sse.Event{}) },
		"quiet close": func(s *sse.Stream, c *late) error {
			if err := s.Close(); err != nil {
				return err
			}
			return s.Cause()
		},
		"keepalive": func(s *sse.Stream, c *late) error {
			time.Sleep(15 * time.Second)
			synctest.Wait()
			return s.Cause()
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s, w, ctx := lateStream(t, 2, nil)
				ctx.cancel()
				expect(t, name, act(s, ctx), sse.ErrClientGone)
				ctx.tell() // once more: it has lost the race
				time.Sleep(time.Hour)
				expect(t, "cause", s.Cause(), sse.ErrClientGone)
				if len(w.calls) > 0 {
					t.Errorf("touched: %v", w.calls)
				}
			})
		})
	}
}

// Over HTTP/1 the deadline is the connection's and may still be moved: without one,
// the end of the response could wait for ever.
func TestRequestsEndLeavesADeadlineOverHTTP1(t *testing.T) {
	s, w, ctx := lateStream(t, 1, nil)
	ctx.cancel()
	expect(t, "send", s.Send(t.Context(), sse.Event{}), sse.ErrClientGone)
	if len(w.calls) != 1 || w.calls[0] != "arm" {
		t.Errorf("calls: %v", w.calls)
	}
}

func TestEveryWriteHasItsDeadline(t *testing.T) {
	s, w, ctx := lateStream(t, 2, nil)
	s.Send(t.Context(), sse.Event{}, sse.Event{})
	s.WriteFrames([]byte(":\n\n"))
	s.Close(sse.Event{})
	want := []string{"arm", "write", "flush", "disarm", "arm", "write", "flush", "disarm", "arm", "write", "flush", "disarm", "arm"}
	if !slices.Equal(w.calls, want) {
		t.Errorf("got %v, want %v", w.calls, want)
	}
	if ctx.watched {
		t.Error("the request's context is watched still")
	}
}

// A write that fails because the client goes finds out before the context's
// watcher does.
func TestWriteThatFailsWithTheClient(t *testing.T) {
	for _, at := range []string{"arm", "write", "flush", "disarm"} {
		t.Run(at, func(t *testing.T) {
			s, w, ctx := lateStream(t, 2, nil)
			reset := errors.New("reset")
			w.on = func(call string) error {
				if call == at {
					ctx.cancel()
					return reset
				}
				return nil
			}
			err := s.Send(t.Context(), sse.Event{})
			expect(t, "send", err, sse.ErrClientGone)
			expect(t, "send", err, reset)
			if last := w.calls[len(w.calls)-1]; last != at {
				t.Errorf("went on to %s", last)
			}
		})
	}
}

// A reset that comes of the deadline is told from one that the client sent.
func TestWriteThatFailsWithItsDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, w, ctx := lateStream(t, 2, nil)
		w.on = func(call string) error {
			if call != "flush" {
				return nil
			}
			time.Sleep(10 * time.Second)
			ctx.cancel()
			return errors.New("stream closed")
		}
		err := s.Send(t.Context(), sse.Event{})
		expect(t, "send", err, os.ErrDeadlineExceeded)
		if errors.Is(err, sse.ErrClientGone) {
			t.Errorf("send: %v", err)
		}
	})
}

// What fails after the header is out can't be taken back.
func TestAcceptThatFailsAtItsFirstFrame(t *testing.T) {
	broken := errors.New("broken")
	w := &strict{discard: discard{http.Header{}}}
	w.on = func(call string) error {
		if call == "write" {
			return broken
		}
		return nil
	}
	s, err := sse.Accept(w, httptest.NewRequest("GET", "/", nil), &sse.AcceptOptions{Retry: time.Second})
	if s != nil || !errors.Is(err, broken) {
		t.Errorf("%v, %v", s, err)
	}
}
