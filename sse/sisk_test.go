package sse_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stentor-sse/stentor/sse"
	"github.com/stentor-sse/stentor/ssetest"
)

// What Sisk's event sources do on one response, by the numbers of the facts; those
// that other tests show stand above these. What takes a registry is package
// eventhttp's.

func TestSiskOpening(t *testing.T) {
	t.Run("K-01 one stream for each request, and the second attempt changes nothing", func(t *testing.T) {
		ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
			srv := ssetest.NewServer(t, p, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				s, err := sse.Accept(w, r, nil)
				if err != nil {
					t.Error(err)
					return
				}
				for _, again := range []http.ResponseWriter{w, wrapper{dumb{w}}} {
					_, err = sse.Accept(again, r, &sse.AcceptOptions{Retry: time.Second})
					expect(t, "second Accept", err, sse.ErrHeadersSent)
				}
				s.Close(sse.Event{Data: "x"}) // an error for HEAD
			}))
			res, body := srv.Do(t, "GET", "/", "")
			if body != "data: x\n\n" {
				t.Errorf("body %q", body)
			}
			for name := range res.Header {
				if strings.HasPrefix(name, ":") {
					t.Errorf("header %q", name)
				}
			}
			if res, _ = srv.Do(t, "HEAD", "/", ""); res.StatusCode != http.StatusOK {
				t.Errorf("HEAD: %d", res.StatusCode)
			}
		})
	})
	t.Run("K-02 any method and any Accept, for who does not ask", func(t *testing.T) {
		ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
			srv := serve(t, p, nil, func(ctx context.Context, s *sse.Stream) { s.Close(sse.Event{Data: "x"}) })
			for _, method := range []string{"GET", "POST", "PUT", "DELETE", "PATCH"} {
				res, body := srv.Do(t, method, "/", "", "Accept: text/html")
				if res.StatusCode != http.StatusOK || body != "data: x\n\n" {
					t.Errorf("%s: %d %q", method, res.StatusCode, body)
				}
			}
		})
	})
}

// K-14: each call of the table, said as it was meant.
func TestSiskFields(t *testing.T) {
	for _, c := range []struct {
		call  string
		event sse.Event
		want  string
	}{
		{`Send("Hello")`, sse.Event{Data: "Hello"}, "data: Hello\n\n"},
		{`Send("")`, sse.Event{}, "data: \n\n"},
		{`Send("tick", "event")`, sse.Event{Type: "tick"}, "event: tick\ndata: \n\n"},
		{`Send("42", "id")`, sse.Event{ID: "42"}, "id: 42\n\n"},
		{`Send("3000", "retry")`, sse.Event{Retry: 3 * time.Second}, "retry: 3000\n\n"},
		{`Send("note", "")`, sse.Event{Comment: "note"}, ": note\n\n"},
		{`Send("a\nb")`, sse.Event{Data: "a\nb"}, "data: a\ndata: b\n\n"},
		{`Send("a\n\nb")`, sse.Event{Data: "a\n\nb"}, "data: a\ndata: \ndata: b\n\n"},
		{`Send("x\nevent: evil\ndata: y")`, sse.Event{Data: "x\nevent: evil\ndata: y"}, "data: x\ndata: event: evil\ndata: data: y\n\n"},
		{"K-15 all of one event in one call", sse.Event{ID: "42", Type: "tick", Data: "x"}, "id: 42\nevent: tick\ndata: x\n\n"},
	} {
		t.Run(c.call, func(t *testing.T) {
			ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
				s, got := open(t, p, nil)
				expect(t, "send", s.Send(t.Context(), c.event), nil)
				is(t, got, c.want)
			})
		})
	}
}

func TestSiskSending(t *testing.T) {
	t.Run("K-24 in the order of the calls", func(t *testing.T) {
		ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
			s, got := open(t, p, nil)
			var want strings.Builder
			for i := range 100 {
				s.Send(t.Context(), sse.Event{Data: fmt.Sprint(i)})
				fmt.Fprintf(&want, "data: %d\n\n", i)
			}
			is(t, got, want.String())
		})
	})
	t.Run("K-22 nothing is queued that would have to be cancelled", func(t *testing.T) {
		ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
			s, got := opened(t, p, nil, (*ssetest.Server).OpenStalled)
			ctx, cancel := context.WithCancelCause(t.Context())
			go s.Send(t.Context(), sse.Event{Data: strings.Repeat("x", 1<<20)})
			synctest.Wait()
			withdrawn := errors.New("withdrawn")
			result := make(chan error, 1)
			go func() { result <- s.Send(ctx, sse.Event{Data: "late"}) }()
			synctest.Wait()
			cancel(withdrawn)
			expect(t, "send", <-result, withdrawn)
			got.Resume()
			synctest.Wait()
			if n := len(got.Events()); n != 1 || s.Cause() != nil {
				t.Errorf("%d events, cause %v", n, s.Cause())
			}
		})
	})
}

func TestSiskWaiting(t *testing.T) {
	for name, f := range map[string]func(t *testing.T, s *sse.Stream, got *ssetest.Recorder){
		"K-25 everybody who waits is told the same cause": func(t *testing.T, s *sse.Stream, got *ssetest.Recorder) {
			causes := make(chan error, 5)
			for range cap(causes) {
				go func() { causes <- s.Wait(t.Context()) }()
			}
			synctest.Wait()
			s.Close()
			for range cap(causes) {
				expect(t, "wait", <-causes, sse.ErrClosed)
			}
		},
		"K-26 a wait on an ended stream returns the cause": func(t *testing.T, s *sse.Stream, got *ssetest.Recorder) {
			s.Close()
			expect(t, "wait", s.Wait(t.Context()), sse.ErrClosed)
			expect(t, "and again", s.Wait(t.Context()), sse.ErrClosed)
		},
		"K-30 a wait that is given up leaves the others and the stream alone": func(t *testing.T, s *sse.Stream, got *ssetest.Recorder) {
			other := make(chan error, 1)
			go func() { other <- s.Wait(context.Background()) }()
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			expect(t, "wait", s.Wait(ctx), context.DeadlineExceeded)
			synctest.Wait()
			if len(other) > 0 || s.Cause() != nil {
				t.Errorf("%d others ended, cause %v", len(other), s.Cause())
			}
			expect(t, "send", s.Send(t.Context(), sse.Event{Data: "x"}), nil)
			s.Close()
			expect(t, "the other", <-other, sse.ErrClosed)
		},
		"K-32 a wait without limit waits": func(t *testing.T, s *sse.Stream, got *ssetest.Recorder) {
			done := make(chan error, 1)
			go func() { done <- s.Wait(context.Background()) }()
			pass(24 * time.Hour)
			if len(done) > 0 {
				t.Fatalf("it returned %v", <-done)
			}
			got.Close()
			expect(t, "K-33 the reader goes", <-done, sse.ErrClientGone)
		},
	} {
		t.Run(name, func(t *testing.T) {
			ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
				s, got := open(t, p, nil)
				f(t, s, got)
			})
		})
	}
	t.Run("K-28 K-29 the idle timeout returns from the wait and has ended the stream", func(t *testing.T) {
		ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
			s, got := open(t, p, &sse.AcceptOptions{IdleTimeout: 15 * time.Second})
			expect(t, "wait", s.Wait(t.Context()), sse.ErrIdle)
			expect(t, "send", s.Send(t.Context(), sse.Event{Data: "late"}), sse.ErrIdle)
			expect(t, "close", s.Close(), nil)
			if err := got.Wait(t); err != nil {
				t.Errorf("the reader sees %v, want a clean end", err)
			}
		})
	})
	t.Run("K-31 any length of time will do", func(t *testing.T) {
		for _, long := range []time.Duration{math.MaxInt64, 50 * 24 * time.Hour} {
			ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
				s, _ := open(t, p, &sse.AcceptOptions{IdleTimeout: long, KeepAlive: sse.KeepAlive{Interval: long, Always: true}})
				pass(49 * 24 * time.Hour)
				expect(t, "send", s.Send(t.Context(), sse.Event{Data: "x"}), nil)
				pass(49 * 24 * time.Hour)
				expect(t, "cause", s.Cause(), nil)
			})
		}
	})
}

func TestSiskEnding(t *testing.T) {
	t.Run("K-34 what others had begun to send goes out before", func(t *testing.T) {
		ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
			s, got := opened(t, p, nil, (*ssetest.Server).OpenStalled)
			var wg sync.WaitGroup
			wg.Go(func() { s.Send(t.Context(), sse.Event{Data: strings.Repeat("x", 1<<20)}) })
			synctest.Wait()
			wg.Go(func() { s.Close(sse.Event{Data: "bye"}) })
			synctest.Wait()
			got.Resume()
			wg.Wait()
			if err := got.Wait(t); err != nil || !strings.HasSuffix(got.Raw(), "xxx\n\ndata: bye\n\n") {
				t.Errorf("%v, the end %q", err, got.Raw()[max(0, len(got.Raw())-30):])
			}
		})
	})
	t.Run("K-36 closed from elsewhere: the wait returns, the response ends with the handler", func(t *testing.T) {
		ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
			streams := make(chan *sse.Stream, 1)
			srv := serve(t, p, nil, func(ctx context.Context, s *sse.Stream) {
				streams <- s
				expect(t, "wait", s.Wait(ctx), sse.ErrClosed)
				time.Sleep(5 * time.Second)
			})
			got := srv.Open(t, "/")
			(<-streams).Close()
			pass(5*time.Second - 1)
			if got.Ended() {
				t.Error("the response ended before its handler")
			}
			pass(1)
			if !got.Ended() || got.Err() != nil {
				t.Errorf("ended %v, %v", got.Ended(), got.Err())
			}
		})
	})
	t.Run("K-37 nothing was sent: 200, the header, no body", func(t *testing.T) {
		ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
			srv := serve(t, p, nil, func(context.Context, *sse.Stream) {})
			res, body := srv.Do(t, "GET", "/", "")
			if res.StatusCode != http.StatusOK || res.Header.Get("Content-Type") != "text/event-stream" || body != "" {
				t.Errorf("%d %v %q", res.StatusCode, res.Header, body)
			}
		})
	})
	t.Run("K-40 a handler that panics leaves a stream that has ended", func(t *testing.T) {
		ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
			streams := make(chan *sse.Stream, 1)
			srv := ssetest.NewServer(t, p, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				s, err := sse.Accept(w, r, nil)
				if err != nil {
					t.Error(err)
				}
				streams <- s
				panic(http.ErrAbortHandler)
			}))
			srv.Open(t, "/")
			s := <-streams
			expect(t, "wait", s.Wait(context.Background()), sse.ErrClientGone)
			expect(t, "send", s.Send(t.Context(), sse.Event{}), sse.ErrClientGone)
		})
	})
}

// counting is a wrapper as an access log has it.
type counting struct {
	http.ResponseWriter
	bytes int
}

func (c *counting) Unwrap() http.ResponseWriter { return c.ResponseWriter }

func (c *counting) Write(p []byte) (int, error) {
	n, err := c.ResponseWriter.Write(p)
	c.bytes += n
	return n, err
}

func TestSiskSurroundings(t *testing.T) {
	ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
		type line struct {
			bytes int
			took  time.Duration
			cause error
			sent  sse.Sent
		}
		lines := make(chan line, 1)
		srv := ssetest.NewServer(t, p, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			var s *sse.Stream
			log := &counting{ResponseWriter: w}
			begun := time.Now()
			// K-35, K-61, K-62: what is deferred runs when the stream has ended, and
			// knows its size, its time and its cause.
			defer func() { lines <- line{log.bytes, time.Since(begun), s.Cause(), s.Sent()} }()
			var err error
			if s, err = sse.Accept(log, r, nil); err != nil {
				t.Error(err)
				return
			}
			s.Send(r.Context(), sse.Event{Data: "x"})
			time.Sleep(20 * time.Second) // a keepalive
			s.Close(sse.Event{Data: "bye"})
		}))
		got := srv.Open(t, "/", "Accept-Encoding: gzip, br")
		// K-63: nothing on the way may compress it, and so hold it back.
		if h := got.Response.Header; h.Get("Content-Encoding") != "" || !strings.Contains(h.Get("Cache-Control"), "no-transform") {
			t.Errorf("header %v", h)
		}
		l, body := <-lines, len("data: x\n\n:\n\ndata: bye\n\n")
		if l.bytes != body || l.took != 20*time.Second || l.cause != sse.ErrClosed || l.sent != (sse.Sent{Events: 2, Bytes: uint64(body)}) {
			t.Errorf("logged %+v", l)
		}
	})
}
