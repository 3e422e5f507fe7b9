package sse_test

import (
	"context"
	"errors"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stentor-sse/stentor/sse"
	"github.com/stentor-sse/stentor/ssetest"
)

// serve makes a server whose handler accepts with o and runs f.
func serve(t *testing.T, p ssetest.Protocol, o *sse.AcceptOptions, f func(ctx context.Context, s *sse.Stream)) *ssetest.Server {
	t.Helper()
	return ssetest.NewServer(t, p, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s, err := sse.Accept(w, r, o)
		if err != nil {
			t.Errorf("accept: %v", err)
			return
		}
		defer s.Close()
		f(r.Context(), s)
	}))
}

// wait is a handler that only stays.
func wait(ctx context.Context, s *sse.Stream) { s.Wait(ctx) }

// K-03, K-04, B-01, B-03: the header is out before anything is sent, without what HTTP/2 forbids.
func TestAcceptSendsTheHeaderAtOnce(t *testing.T) {
	ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
		got := serve(t, p, nil, wait).Open(t, "/")
		if got.Response.StatusCode != http.StatusOK {
			t.Errorf("status %d", got.Response.StatusCode)
		}
		for name, want := range map[string]string{
			"Content-Type":           "text/event-stream",
			"Cache-Control":          "no-store, no-transform",
			"X-Accel-Buffering":      "no",
			"X-Content-Type-Options": "nosniff",
			"Content-Length":         "",
		} {
			if v := got.Response.Header.Get(name); v != want {
				t.Errorf("%s: %q, want %q", name, v, want)
			}
		}
		if got.Response.Close != (p == ssetest.HTTP1) {
			t.Errorf("Connection: close is %v", got.Response.Close)
		}
		synctest.Wait()
		if raw := got.Raw(); raw != "" {
			t.Errorf("body %q, want none yet", raw)
		}
	})
}

// K-10, K-11, K-12, B-02: defaults, then the handler's, then the options', which may leave a default out; later is an error.
func TestHeadersOfHandlerAndOptions(t *testing.T) {
	ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
		o := &sse.AcceptOptions{Header: http.Header{
			"x-option": {"1", "2"}, "X-Both": {"option"}, "X-Accel-Buffering": nil,
			"Connection": {"keep-alive"}, "Content-Type": {"text/plain"},
		}}
		before := o.Header.Clone()
		srv := ssetest.NewServer(t, p, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Cache-Control", "no-cache")
			w.Header().Set("X-Both", "handler")
			w.Header().Set("X-Handler", "1")
			w.Header().Set("Content-Length", "5")
			s, err := sse.Accept(w, r, o)
			if err != nil {
				t.Errorf("accept: %v", err)
				return
			}
			if err := s.SetHeader("X-Late", "1"); !errors.Is(err, sse.ErrHeadersSent) {
				t.Errorf("late header: %v", err)
			}
			s.Close()
		}))
		got := srv.Open(t, "/")
		for name, want := range map[string]string{
			"Cache-Control": "no-cache", "X-Both": "option", "X-Handler": "1", "X-Option": "1", "X-Late": "",
			"X-Accel-Buffering": "", "Content-Type": "text/event-stream", "Content-Length": "",
		} {
			if v := got.Response.Header.Get(name); v != want {
				t.Errorf("%s: %q, want %q", name, v, want)
			}
		}
		if got.Response.Close != (p == ssetest.HTTP1) {
			t.Errorf("Connection: close is %v", got.Response.Close)
		}
		if !maps.EqualFunc(o.Header, before, slices.Equal) {
			t.Errorf("the options were changed: %v", o.Header)
		}
		if err := got.Wait(t); err != nil {
			t.Errorf("end: %v", err)
		}
	})
}

// B-04: the reconnection time goes out with the header.
func TestRetryIsTheFirstFrame(t *testing.T) {
	ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
		got := serve(t, p, &sse.AcceptOptions{Retry: 1500 * time.Millisecond}, wait).Open(t, "/")
		synctest.Wait()
		if raw := got.Raw(); raw != "retry: 1500\n\n" {
			t.Errorf("body %q", raw)
		}
	})
}

// dumb is a ResponseWriter that can't flush.
type dumb struct{ w http.ResponseWriter }

func (d dumb) Header() http.Header         { return d.w.Header() }
func (d dumb) Write(p []byte) (int, error) { return d.w.Write(p) }
func (d dumb) WriteHeader(status int)      { d.w.WriteHeader(status) }

// wrapper is a ResponseWriter as middleware has it.
type wrapper struct{ dumb }

func (w wrapper) Unwrap() http.ResponseWriter { return w.w }

// B-19: what can't be a stream says so before a byte is written.
func TestWriterThatCannotFlush(t *testing.T) {
	ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
		srv := ssetest.NewServer(t, p, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Cache-Control", "max-age=5")
			_, err := sse.Accept(dumb{w}, r, &sse.AcceptOptions{Retry: time.Second, Header: http.Header{"X-A": {"b"}}})
			if !errors.Is(err, errors.ErrUnsupported) {
				t.Errorf("accept: %v", err)
			}
			if len(w.Header()) != 1 {
				t.Errorf("header left behind: %v", w.Header())
			}
			http.Error(w, "no streams here", http.StatusNotImplemented)
		}))
		res, body := srv.Do(t, "GET", "/", "")
		if res.StatusCode != http.StatusNotImplemented || body != "no streams here\n" {
			t.Errorf("%d %q", res.StatusCode, body)
		}
	})
}

func TestWrapperWithUnwrap(t *testing.T) {
	ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
		srv := ssetest.NewServer(t, p, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			s, err := sse.Accept(wrapper{dumb{w}}, r, nil)
			if err != nil {
				t.Errorf("accept: %v", err)
				return
			}
			defer s.Close()
			if err := s.Send(r.Context(), sse.Event{Data: "x"}); err != nil {
				t.Errorf("send: %v", err)
			}
			s.Wait(r.Context())
		}))
		if e := srv.Open(t, "/").Next(t); e.Data != "x" {
			t.Errorf("event %+v", e)
		}
	})
}

// flusher can flush but has no deadlines.
type flusher struct{ dumb }

func (f flusher) FlushError() error { return http.NewResponseController(f.w).Flush() }

func TestWriterWithoutDeadlines(t *testing.T) {
	ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
		srv := ssetest.NewServer(t, p, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			s, err := sse.Accept(flusher{dumb{w}}, r, nil)
			if err != nil {
				t.Errorf("accept: %v", err)
				return
			}
			if err := s.Close(sse.Event{Data: "x"}); err != nil {
				t.Errorf("close: %v", err)
			}
		}))
		if e := srv.Open(t, "/").Next(t); e.Data != "x" {
			t.Errorf("event %+v", e)
		}
	})
}

func TestBadRetryIsRefusedBeforeAnyByte(t *testing.T) {
	for _, retry := range []time.Duration{-1, time.Microsecond} {
		w := httptest.NewRecorder()
		_, err := sse.Accept(w, httptest.NewRequest("GET", "/", nil), &sse.AcceptOptions{Retry: retry})
		if !errors.Is(err, sse.ErrInvalid) || w.Flushed || len(w.Header()) > 0 {
			t.Errorf("%v: %v, flushed %v, header %v", retry, err, w.Flushed, w.Header())
		}
	}
}

func TestAcceptAfterTheClientHasGone(t *testing.T) {
	ctx, cancel := context.WithCancelCause(t.Context())
	why := errors.New("shutting down")
	cancel(why)
	w := httptest.NewRecorder()
	_, err := sse.Accept(w, httptest.NewRequestWithContext(ctx, "GET", "/", nil), nil)
	if !errors.Is(err, sse.ErrClientGone) || !errors.Is(err, why) || w.Flushed {
		t.Errorf("%v, flushed %v", err, w.Flushed)
	}
}

func TestHeadGetsTheHeaderAndAClosedStream(t *testing.T) {
	ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
		srv := serve(t, p, &sse.AcceptOptions{Retry: time.Second}, func(ctx context.Context, s *sse.Stream) {
			if err := s.Send(ctx, sse.Event{Data: "x"}); !errors.Is(err, sse.ErrClosed) {
				t.Errorf("send: %v", err)
			}
			if err := s.Wait(ctx); !errors.Is(err, sse.ErrClosed) {
				t.Errorf("wait: %v", err)
			}
		})
		res, body := srv.Do(t, "HEAD", "/", "")
		if res.Header.Get("Content-Type") != "text/event-stream" || body != "" {
			t.Errorf("%v %q", res.Header, body)
		}
	})
}

// B-05: the header, then the query.
func TestLastEventID(t *testing.T) {
	for _, c := range []struct{ name, target, header, want string }{
		{"none", "/", "", ""},
		{"header", "/?lastEventId=2", "1", "1"},
		{"empty header", "/?lastEventId=2", "", "2"},
		{"the first name first", "/?Last-Event-ID=4&last_event_id=3&lastEventId=2", "", "2"},
		{"underscores", "/?Last-Event-ID=4&last_event_id=3", "", "3"},
		{"as the header", "/?Last-Event-ID=4", "", "4"},
		{"B-05 as Better SSE's readers have it", "/?evs_last_event_id=5", "", "5"},
		{"empty ones are skipped", "/?lastEventId=&Last-Event-ID=4", "", "4"},
		{"another parameter is broken", "/?%zz=1&lastEventId=2", "", "2"},
		{"a broken escape", "/?lastEventId=%zz", "", "%zz"},
		{"without a value", "/?lastEventId&last_event_id=3", "", "3"},
		{"any bytes", "/?lastEventId=%ff%00", "", "\xff\x00"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := httptest.NewRequest("GET", c.target, nil)
			if c.header != "" {
				r.Header.Set("Last-Event-ID", c.header)
			}
			if got := sse.LastEventID(r); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
			s, err := sse.Accept(httptest.NewRecorder(), r, nil)
			if err != nil {
				t.Fatal(err)
			}
			defer s.Close()
			if got := s.LastEventID(); got != c.want {
				t.Errorf("stream: got %q, want %q", got, c.want)
			}
		})
	}
}

func TestServerTimeoutsAreLifted(t *testing.T) {
	ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
		srv := serve(t, p, nil, func(ctx context.Context, s *sse.Stream) {
			time.Sleep(30 * time.Minute)
			if err := s.Send(ctx, sse.Event{Data: "late"}); err != nil {
				t.Errorf("send: %v", err)
			}
		})
		srv.Config.WriteTimeout = time.Second
		srv.Config.ReadTimeout = time.Second
		srv.Config.IdleTimeout = time.Second
		got := srv.Open(t, "/")
		if e := got.Next(t); e.Data != "late" {
			t.Errorf("event %+v", e)
		}
		if err := got.Wait(t); err != nil {
			t.Errorf("end: %v", err)
		}
	})
}

func TestRequestWithABody(t *testing.T) {
	ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
		srv := ssetest.NewServer(t, p, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			body, _ := io.ReadAll(r.Body)
			s, err := sse.Accept(w, r, nil)
			if err != nil {
				t.Errorf("accept: %v", err)
				return
			}
			s.Close(sse.Event{Data: string(body)})
		}))
		if _, body := srv.Do(t, "POST", "/", "prompt"); body != "data: prompt\n\n" {
			t.Errorf("body %q", body)
		}
	})
}

// A header that is held goes out with the first frame, when somebody asks, or with the end.
func TestHeldHeader(t *testing.T) {
	for name, row := range map[string]struct {
		begin func(*sse.Stream) error
		sent  string
	}{
		"asked for":       {(*sse.Stream).SendHeader, ""},
		"with an event":   {func(s *sse.Stream) error { return s.Send(context.Background(), sse.Event{Data: "x"}) }, "data: x\n\n"},
		"with frames":     {func(s *sse.Stream) error { return s.WriteFrames([]byte("data: y\n\n")) }, "data: y\n\n"},
		"with a farewell": {func(s *sse.Stream) error { return s.Close(sse.Event{Data: "z"}) }, "data: z\n\n"},
		"with the end":    {func(s *sse.Stream) error { return s.Close() }, ""},
	} {
		t.Run(name, func(t *testing.T) {
			ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
				begin, end := make(chan struct{}), make(chan struct{})
				srv := serve(t, p, &sse.AcceptOptions{HoldHeader: true}, func(_ context.Context, s *sse.Stream) {
					<-begin
					if err := row.begin(s); err != nil {
						t.Error(err)
					}
					if err := s.SendHeader(); err != nil && s.Cause() == nil {
						t.Errorf("SendHeader after that: %v", err)
					}
					if s.Cause() == nil {
						<-end
					}
				})
				opened := make(chan *ssetest.Recorder, 1)
				go func() { opened <- srv.Open(t, "/") }()
				synctest.Wait()
				if len(opened) > 0 {
					t.Error("the header was sent at once")
				}
				close(begin)
				s := <-opened
				synctest.Wait()
				if got := s.Response.Header.Get("Content-Type"); s.Raw() != row.sent || got != "text/event-stream" {
					t.Errorf("%s with %q, want %q", got, s.Raw(), row.sent)
				}
				close(end)
			})
		})
	}
}
