package sse_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"math"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stentor-sse/stentor/sse"
	"github.com/stentor-sse/stentor/ssetest"
)

// open gives a stream to the test itself, and its reader; the handler stays until
// the stream ends.
func open(t *testing.T, p ssetest.Protocol, o *sse.AcceptOptions) (*sse.Stream, *ssetest.Recorder) {
	t.Helper()
	return opened(t, p, o, (*ssetest.Server).Open)
}

func opened(t *testing.T, p ssetest.Protocol, o *sse.AcceptOptions,
	open func(*ssetest.Server, testing.TB, string, ...string) *ssetest.Recorder) (*sse.Stream, *ssetest.Recorder) {
	t.Helper()
	streams := make(chan *sse.Stream, 1)
	srv := serve(t, p, o, func(ctx context.Context, s *sse.Stream) {
		streams <- s
		s.Wait(context.Background())
	})
	got := open(srv, t, "/")
	return <-streams, got
}

// expect fails unless err is what it should be.
func expect(t *testing.T, what string, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Errorf("%s: %v, want %v", what, err, want)
	}
}

// K-18, K-19: Send returns when the transport has it.
func TestSendReturnsWhenFlushed(t *testing.T) {
	ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
		s, got := open(t, p, nil)
		expect(t, "send", s.Send(t.Context(), sse.Event{ID: "1", Data: "a"}, sse.Event{Type: "b"}), nil)
		expect(t, "send nothing", s.Send(t.Context()), nil)
		synctest.Wait()
		if raw := got.Raw(); raw != "id: 1\ndata: a\n\nevent: b\ndata: \n\n" {
			t.Errorf("body %q", raw)
		}
	})
}

// counter counts what reaches the ResponseWriter.
type counter struct {
	*httptest.ResponseRecorder
	writes, flushes int
	fail            error
}

func (c *counter) Write(p []byte) (int, error) {
	if c.writes++; c.fail != nil {
		return 0, c.fail
	}
	return c.ResponseRecorder.Write(p)
}

func (c *counter) FlushError() error { c.flushes++; return nil }

// K-21, B-12: a batch is one write.
func TestSeveralEventsAreOneWriteAndOneFlush(t *testing.T) {
	w := &counter{ResponseRecorder: httptest.NewRecorder()}
	s, err := sse.Accept(w, httptest.NewRequest("GET", "/", nil), nil)
	if err != nil || w.writes != 0 || w.flushes != 1 {
		t.Fatalf("%v, %d writes, %d flushes", err, w.writes, w.flushes)
	}
	defer s.Close()
	expect(t, "send", s.Send(t.Context(), sse.Event{Data: "a"}, sse.Event{Data: "b"}, sse.Event{ID: "c"}), nil)
	if w.writes != 1 || w.flushes != 2 {
		t.Errorf("%d writes, %d flushes", w.writes, w.flushes)
	}
	expect(t, "frames", s.WriteFrames([]byte(":\n\ndata: x\n\n")), nil)
	expect(t, "no frames", s.WriteFrames(nil), nil)
	expect(t, "no events", s.Send(t.Context()), nil)
	if w.writes != 2 || w.flushes != 3 {
		t.Errorf("%d writes, %d flushes", w.writes, w.flushes)
	}
}

// K-16: a bad field is an error and nothing else.
func TestInvalidEventSendsNothingAndEndsNothing(t *testing.T) {
	ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
		s, got := open(t, p, nil)
		expect(t, "send", s.Send(t.Context(), sse.Event{Data: "a"}, sse.Event{ID: "1\n2"}), sse.ErrInvalid)
		expect(t, "send", s.Send(t.Context(), sse.Event{Data: "b"}), nil)
		synctest.Wait()
		if raw := got.Raw(); raw != "data: b\n\n" {
			t.Errorf("body %q", raw)
		}
	})
}

// K-18, K-20: the first error of a write is returned, and stays the cause.
func TestFirstWriteErrorIsTheCause(t *testing.T) {
	w := &counter{ResponseRecorder: httptest.NewRecorder()}
	s, err := sse.Accept(w, httptest.NewRequest("GET", "/", nil), nil)
	if err != nil {
		t.Fatal(err)
	}
	w.fail = errors.New("no route")
	expect(t, "send", s.Send(t.Context(), sse.Event{}), w.fail)
	first := w.fail
	w.fail = errors.New("another")
	expect(t, "second send", s.Send(t.Context(), sse.Event{}), first)
	expect(t, "frames", s.WriteFrames([]byte(":\n\n")), first)
	expect(t, "cause", s.Cause(), first)
	expect(t, "wait", s.Wait(t.Context()), first)
	expect(t, "close", s.Close(), nil)
	expect(t, "farewell", s.Close(sse.Event{}), first)
	if w.writes != 1 {
		t.Errorf("%d writes, want 1", w.writes)
	}
}

// K-23: one writer for each stream.
func TestConcurrentSendsNeverInterleave(t *testing.T) {
	ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
		s, got := open(t, p, nil)
		const senders, each = 16, 25
		var wg sync.WaitGroup
		for i := range senders {
			wg.Go(func() {
				text := strings.Repeat(fmt.Sprintf("%x", i), 1000*i+1) + "\n"
				for n := range each {
					if n%2 == 0 {
						s.Send(t.Context(), sse.Event{ID: fmt.Sprint(i), Data: text}, sse.Event{ID: fmt.Sprint(i), Data: text})
					} else {
						f, _ := sse.Event{ID: fmt.Sprint(i), Data: text}.AppendText(nil)
						s.WriteFrames(f)
					}
				}
			})
		}
		wg.Wait()
		s.Close()
		if err := got.Wait(t); err != nil {
			t.Errorf("end: %v", err)
		}
		events := got.Events()
		if want := senders * (each + (each+1)/2); len(events) != want {
			t.Errorf("%d events, want %d", len(events), want)
		}
		for _, e := range events {
			var i int
			fmt.Sscan(e.ID, &i)
			if e.Data != strings.Repeat(fmt.Sprintf("%x", i), 1000*i+1)+"\n" {
				t.Fatalf("event of %d torn: %.60q", i, e.Data)
			}
		}
	})
}

// K-22: what waits to be written is taken back with its context.
func TestSendHonoursItsContextBeforeWriting(t *testing.T) {
	ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
		s, got := opened(t, p, nil, (*ssetest.Server).OpenStalled)
		done, cancel := context.WithCancel(t.Context())
		cancel()
		expect(t, "ended context", s.Send(done, sse.Event{Data: "a"}), context.Canceled)
		var wg sync.WaitGroup
		wg.Go(func() {
			expect(t, "slow send", s.Send(t.Context(), sse.Event{Data: strings.Repeat("x", 1<<20)}), nil)
		})
		synctest.Wait() // it has the turn and waits for the reader
		soon, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		expect(t, "waiting for the turn", s.Send(soon, sse.Event{Data: "b"}), context.DeadlineExceeded)
		expect(t, "cause", s.Cause(), nil)
		got.Resume()
		wg.Wait()
		expect(t, "send", s.Send(t.Context(), sse.Event{Data: "c"}), nil)
		synctest.Wait()
		if e := got.Events(); len(e) != 2 || len(e[0].Data) != 1<<20 || e[1].Data != "c" {
			t.Errorf("%d events", len(e))
		}
	})
}

// K-19, B-18: a reader that does not read costs a deadline, no memory.
func TestStalledReaderIsCutByTheWriteDeadline(t *testing.T) {
	ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
		s, _ := opened(t, p, &sse.AcceptOptions{WriteTimeout: 3 * time.Second}, (*ssetest.Server).OpenStalled)
		time.Sleep(time.Minute) // silence alone cuts nothing
		start := time.Now()
		expect(t, "send", s.Send(t.Context(), sse.Event{Data: strings.Repeat("x", 1<<20)}), os.ErrDeadlineExceeded)
		if took := time.Since(start); took != 3*time.Second {
			t.Errorf("cut after %v", took)
		}
		synctest.Wait()
		expect(t, "cause", s.Cause(), os.ErrDeadlineExceeded)
	})
}

func TestKeepAliveFindsADeadReader(t *testing.T) {
	ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
		s, _ := opened(t, p, &sse.AcceptOptions{KeepAlive: sse.KeepAlive{Interval: time.Millisecond}}, (*ssetest.Server).OpenStalled)
		s.WriteFrames(bytes.Repeat([]byte(":"), 60<<10)) // the buffers are nearly full
		expect(t, "wait", s.Wait(t.Context()), os.ErrDeadlineExceeded)
	})
}

func TestWriteTimeoutOff(t *testing.T) {
	ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
		s, got := opened(t, p, &sse.AcceptOptions{WriteTimeout: -1}, (*ssetest.Server).OpenStalled)
		time.AfterFunc(time.Hour, got.Resume)
		expect(t, "send", s.Send(t.Context(), sse.Event{Data: strings.Repeat("x", 1<<20)}), nil)
	})
}

// K-44: it begins by itself, and is written only in silence.
func TestKeepAliveOnlyWhenIdle(t *testing.T) {
	ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
		s, got := open(t, p, nil)
		comments := func(want int) {
			t.Helper()
			synctest.Wait()
			if n := len(got.Comments()); n != want {
				t.Errorf("%d keepalives, want %d", n, want)
			}
		}
		time.Sleep(15*time.Second - 1)
		comments(0)
		time.Sleep(time.Nanosecond)
		comments(1)
		time.Sleep(14 * time.Second)
		s.Send(t.Context(), sse.Event{Data: "x"})
		time.Sleep(14 * time.Second)
		s.WriteFrames([]byte("data: y\n\n"))
		time.Sleep(15*time.Second - 1)
		comments(1)
		time.Sleep(time.Nanosecond)
		comments(2)
		if raw := got.Raw(); raw != ":\n\ndata: x\n\ndata: y\n\n:\n\n" {
			t.Errorf("body %q", raw)
		}
	})
}

func TestKeepAliveOff(t *testing.T) {
	ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
		_, got := open(t, p, &sse.AcceptOptions{KeepAlive: sse.KeepAlive{Interval: -1}})
		time.Sleep(24 * time.Hour)
		synctest.Wait()
		if raw := got.Raw(); raw != "" || got.Ended() {
			t.Errorf("body %q, ended %v", raw, got.Ended())
		}
	})
}

// K-27: the timeout is one of idleness, counted from the last event.
func TestIdleTimeoutCountsFromTheLastSend(t *testing.T) {
	for _, keepAlive := range []time.Duration{0, -1, time.Minute, time.Hour} {
		t.Run(keepAlive.String(), func(t *testing.T) {
			ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
				s, got := open(t, p, &sse.AcceptOptions{IdleTimeout: time.Minute, KeepAlive: sse.KeepAlive{Interval: keepAlive}})
				time.Sleep(50 * time.Second)
				s.Send(t.Context(), sse.Event{Data: "x"})
				sent := time.Now()
				time.Sleep(50 * time.Second)
				s.WriteFrames([]byte(": not from the application\n\n"))
				expect(t, "wait", s.Wait(t.Context()), sse.ErrIdle)
				if d := time.Since(sent); d != time.Minute {
					t.Errorf("ended %v after the last event", d)
				}
				if err := got.Wait(t); err != nil {
					t.Errorf("end: %v", err)
				}
			})
		})
	}
}

// K-33, K-43, B-16: that the client has gone is found out without a write.
func TestClientGone(t *testing.T) {
	ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
		s, got := open(t, p, nil)
		if s.Cause() != nil {
			t.Errorf("cause %v", s.Cause())
		}
		got.Close()
		expect(t, "wait", s.Wait(t.Context()), sse.ErrClientGone)
		<-s.Done()
		expect(t, "cause", s.Cause(), sse.ErrClientGone)
		expect(t, "send", s.Send(t.Context(), sse.Event{}), sse.ErrClientGone)
		expect(t, "farewell", s.Close(sse.Event{}), sse.ErrClientGone)
		expect(t, "close", s.Close(), nil)
	})
}

func TestWaitWithTheRequestsContext(t *testing.T) {
	ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
		cause := make(chan error, 1)
		srv := serve(t, p, nil, func(ctx context.Context, s *sse.Stream) { cause <- s.Wait(ctx) })
		got := srv.Open(t, "/")
		synctest.Wait() // or Accept itself may find that the client has gone
		got.Close()
		expect(t, "wait", <-cause, sse.ErrClientGone)
	})
}

func TestWaitGivesUpWithItsContext(t *testing.T) {
	ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
		s, _ := open(t, p, nil)
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		expect(t, "wait", s.Wait(ctx), context.DeadlineExceeded)
		expect(t, "send", s.Send(t.Context(), sse.Event{}), nil)
	})
}

// K-17, K-34, K-38, B-07, B-17: an ended stream gives errors, never panics.
func TestCloseSaysFarewell(t *testing.T) {
	ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
		s, got := open(t, p, nil)
		expect(t, "close", s.Close(sse.Event{Type: "bye", Data: "1"}, sse.Event{Retry: time.Hour}), nil)
		expect(t, "second close", s.Close(), nil)
		expect(t, "second farewell", s.Close(sse.Event{Data: "2"}), sse.ErrClosed)
		expect(t, "wait", s.Wait(t.Context()), sse.ErrClosed)
		expect(t, "send", s.Send(t.Context(), sse.Event{}), sse.ErrClosed)
		if err := got.Wait(t); err != nil {
			t.Errorf("end: %v", err)
		}
		if raw := got.Raw(); raw != "event: bye\ndata: 1\n\nretry: 3600000\n\n" {
			t.Errorf("body %q", raw)
		}
	})
}

func TestCloseWithABadFarewellClosesAllTheSame(t *testing.T) {
	ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
		s, got := open(t, p, nil)
		expect(t, "close", s.Close(sse.Event{Type: "a\rb"}), sse.ErrInvalid)
		expect(t, "cause", s.Cause(), sse.ErrClosed)
		if err := got.Wait(t); err != nil || got.Raw() != "" {
			t.Errorf("end: %v, body %q", err, got.Raw())
		}
	})
}

// K-36: whoever closes, the handler's Wait returns.
func TestCloseFromManyGoroutines(t *testing.T) {
	ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
		s, got := open(t, p, nil)
		var wg sync.WaitGroup
		for range 8 {
			wg.Go(func() { s.Close(sse.Event{Data: "bye"}) })
			wg.Go(func() { s.Send(t.Context(), sse.Event{Data: "x"}) })
			wg.Go(func() { s.Wait(t.Context()) })
		}
		wg.Wait()
		if err := got.Wait(t); err != nil {
			t.Errorf("end: %v", err)
		}
		if n := strings.Count(got.Raw(), "bye"); n != 1 {
			t.Errorf("%d farewells", n)
		}
	})
}

// The chunk that ends a response is written after the handler has returned.
func TestCleanEndLongAfterTheLastDeadline(t *testing.T) {
	ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
		srv := serve(t, p, &sse.AcceptOptions{WriteTimeout: time.Second, KeepAlive: sse.KeepAlive{Interval: -1}}, func(ctx context.Context, s *sse.Stream) {
			s.Send(ctx, sse.Event{Data: "x"})
			time.Sleep(30 * time.Minute)
		})
		got := srv.Open(t, "/")
		if err := got.Wait(t); err != nil || len(got.Events()) != 1 {
			t.Errorf("end: %v, %d events", err, len(got.Events()))
		}
	})
}

// The same chunk to a reader that has stopped must not hold the server for ever: it
// is tried with buffers that have no room for it.
func TestStalledReaderDoesNotHoldTheEnd(t *testing.T) {
	const request = "GET / HTTP/1.1\r\nHost: stentor.test\r\n\r\n"
	fill := func(s *sse.Stream, most int) (n int) {
		for n < most && s.WriteFrames([]byte(":")) == nil {
			n++
		}
		return n
	}
	for name, end := range map[string]func(s *sse.Stream, cancel func()){
		"closed":    func(s *sse.Stream, cancel func()) { s.Close() },
		"cancelled": func(s *sse.Stream, cancel func()) { cancel(); s.Wait(context.Background()) },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				base, cancel := context.WithCancel(context.Background())
				room := make(chan int, 1)
				var ended time.Time
				srv := serve(t, ssetest.HTTP1, nil, func(ctx context.Context, s *sse.Stream) {
					select {
					case n := <-room:
						fill(s, n)
						end(s, cancel)
						ended = time.Now()
					default:
						room <- fill(s, math.MaxInt)
					}
				})
				closed := make(chan time.Time, 2)
				srv.Config.BaseContext = func(net.Listener) context.Context { return base }
				srv.Config.ConnState = func(_ net.Conn, state http.ConnState) {
					if state == http.StateClosed {
						closed <- time.Now()
					}
				}
				for range 2 {
					io.WriteString(srv.Dial(t), request)
					at := <-closed
					if len(room) == 0 {
						if d := at.Sub(ended); d != 10*time.Second {
							t.Errorf("held for %v", d)
						}
					}
				}
			})
		})
	}
}

// K-40: a handler that returns ends its stream.
func TestHandlerThatForgetsToClose(t *testing.T) {
	ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
		streams := make(chan *sse.Stream, 1)
		srv := ssetest.NewServer(t, p, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			s, err := sse.Accept(w, r, nil)
			if err != nil {
				t.Errorf("accept: %v", err)
			}
			s.Send(r.Context(), sse.Event{Data: "x"})
			streams <- s
		}))
		got := srv.Open(t, "/")
		s := <-streams
		if err := got.Wait(t); err != nil {
			t.Errorf("end: %v", err)
		}
		time.Sleep(time.Hour) // no keepalive may come
		expect(t, "late send", s.Send(t.Context(), sse.Event{Data: "late"}), sse.ErrClientGone)
		expect(t, "late close", s.Close(sse.Event{Data: "late"}), sse.ErrClientGone)
		expect(t, "cause", s.Cause(), sse.ErrClientGone)
		if raw := got.Raw(); raw != "data: x\n\n" {
			t.Errorf("body %q", raw)
		}
	})
}

// B-09, B-10: a sequence is sent as it comes, its error returned.
func TestSendAllSequences(t *testing.T) {
	broken := errors.New("broken")
	sequence := func(err error) iter.Seq2[sse.Event, error] {
		return func(yield func(sse.Event, error) bool) {
			for _, data := range []string{"a", "b"} {
				if !yield(sse.Event{Data: data}, nil) {
					return
				}
				time.Sleep(time.Second)
			}
			if err != nil {
				yield(sse.Event{}, err)
			}
		}
	}
	ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
		s, got := open(t, p, nil)
		expect(t, "whole", s.SendAll(t.Context(), sequence(nil)), nil)
		expect(t, "broken", s.SendAll(t.Context(), sequence(broken)), broken)
		synctest.Wait()
		if n := len(got.Events()); n != 4 || got.Ended() {
			t.Errorf("%d events, ended %v", n, got.Ended())
		}
		s.Close()
		expect(t, "closed", s.SendAll(t.Context(), sequence(nil)), sse.ErrClosed)
	})
}

func TestDetachIsUnsupported(t *testing.T) {
	s, err := sse.Accept(httptest.NewRecorder(), httptest.NewRequest("GET", "/", nil), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if _, _, err := s.Detach(); err != errors.ErrUnsupported {
		t.Errorf("detach: %v", err)
	}
}
