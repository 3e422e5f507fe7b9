package eventsource_test

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stentor-sse/stentor/eventsource"
	"github.com/stentor-sse/stentor/sse"
	"github.com/stentor-sse/stentor/ssetest"
)

// Whatever a server does, attempt after attempt, the reader gets what it sent whole, once and in
// order, and keeps its place.
func TestScriptedServer(t *testing.T) {
	const minute = time.Minute
	slowly := func(w http.ResponseWriter, r *http.Request) {
		for _, c := range []byte("id: 7\ndata: g\n\n") {
			time.Sleep(time.Second)
			text(w, string(c))
		}
		<-r.Context().Done()
	}
	late := func(w http.ResponseWriter, r *http.Request) {
		text(w, ":\n")
		time.Sleep(4 * minute)
		text(w, "id: 6\ndata: f\n\n")
		panic(http.ErrAbortHandler)
	}
	ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
		token := "old"
		s := serve(t, p,
			refused,
			mute,
			status(500), status(500), status(500), status(500), status(500),
			status(401),
			stream("id: 1\ndata: a\n\n"),
			cut("id: 2\ndata: b\n\nid: x\ndata: cut in the li"),
			status(429, "Retry-After", "90"),
			status(503, "Retry-After", "Sat, 01 Jan 2000 12:00:00 GMT"),
			cut("data: in a character \xe2\x82"),
			stream("\xEF\xBB"),
			stream("\uFEFFid: 3\ndata: c\n\n"),
			status(302, "Location", "/1"), status(303, "Location", "/2"), status(307, "Location", "/3"), stream("id: 4\ndata: d\n\n"),
			stream("retry: 0\nid: 5\ndata: e\n\n"),
			stream("retry: 99999999999999999999\n\n"),
			late,
			slowly,
		)
		src := s.source(t, eventsource.Options{
			LastEventID: "0",
			MaxRetry:    30 * time.Second,
			Prepare: func(r *http.Request, after error) error {
				if e, ok := errors.AsType[*eventsource.ResponseError](after); ok && e.Status == 401 {
					token = "new"
				}
				r.Header.Set("Authorization", "Bearer "+token)
				return nil
			},
		})
		got, err := read(t, src, 7)
		if want := []string{"a", "b", "c", "d", "e", "f", "g"}; err != errEnough || !slices.Equal(data(got), want) {
			t.Errorf("got %q, %v", data(got), err)
		}
		if c := strings.Join(s.cursors(), ""); c != "000000000"+"12222233334556" {
			t.Errorf("it went on from %q", c)
		}
		if a := s.requests(); a[7].header.Get("Authorization") != "Bearer old" || a[8].header.Get("Authorization") != "Bearer new" {
			t.Errorf("the token was not refreshed: %v, %v", a[7].header, a[8].header)
		}
		if src.State() != eventsource.Closed || src.LastEventID() != "7" {
			t.Errorf("it ended %v at %q", src.State(), src.LastEventID())
		}
	})
}

// A dead connection is not taken again, as HTTP/2 would.
func TestDeadConnectionIsGivenUp(t *testing.T) {
	for name, c := range map[string]struct {
		dead http.HandlerFunc
		want error
	}{
		"no answer": {mute, eventsource.ErrNoAnswer},
		"an answer that stalls": {func(w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(500)
			http.NewResponseController(w).Flush()
			<-r.Context().Done()
		}, eventsource.ErrNoAnswer},
		"silence": {open("id: 1\ndata: a\n\n"), eventsource.ErrIdle},
	} {
		t.Run(name, func(t *testing.T) {
			ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
				s := serve(t, p, c.dead, c.dead, open("data: z\n\n"))
				var told []error
				src := s.source(t, eventsource.Options{
					IdleTimeout: time.Minute, ConnectTimeout: time.Minute,
					Change: func(c eventsource.Change) {
						if c.Err != nil {
							told = append(told, c.Err)
						}
					},
				})
				for e, err := range src.Events(t.Context()) {
					if err != nil {
						t.Fatal(err)
					}
					if e.Data == "z" {
						break
					}
				}
				if len(told) != 2 || !errors.Is(told[0], c.want) || !errors.Is(told[1], c.want) {
					t.Errorf("told of %v", told)
				}
				if s.dials != 3 || len(s.requests()) != 3 {
					t.Errorf("%d connections for %d requests", s.dials, len(s.requests()))
				}
			})
		})
	}
}

// Only waiting for the server counts as its silence, and its comments break it.
func TestIdleTimeoutCountsTheServersSilence(t *testing.T) {
	ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
		s := serve(t, p, func(w http.ResponseWriter, r *http.Request) {
			text(w, "data: a\n\n")
			for range 10 {
				time.Sleep(50 * time.Second)
				text(w, ":\n")
			}
			text(w, "data: b\n\n")
			<-r.Context().Done()
		})
		src := s.source(t, eventsource.Options{IdleTimeout: time.Minute})
		n := 0
		for e, err := range src.Events(t.Context()) {
			if err != nil {
				t.Fatal(err)
			}
			n++
			time.Sleep(20 * time.Minute) // a busy reader
			if e.Data == "b" {
				break
			}
		}
		if len(s.requests()) != 1 || n != 2 {
			t.Errorf("%d events, %d requests", n, len(s.requests()))
		}
	})
}

func TestTooLargeIsFinalAndTyped(t *testing.T) {
	ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
		var wrote atomic.Int64
		s := serve(t, p, func(w http.ResponseWriter, r *http.Request) {
			text(w, "id: 1\ndata: a\n\ndata: ")
			for part := bytes.Repeat([]byte("x"), 1<<20); wrote.Load() < 100<<20; wrote.Add(1 << 20) {
				if _, err := w.Write(part); err != nil {
					return
				}
			}
		}, open("data: b\n\n"))
		src := s.source(t, eventsource.Options{})
		got, err := read(t, src, 2)
		if len(got) != 1 || !errors.Is(err, sse.ErrTooLarge) || !strings.Contains(err.Error(), "MaxEventSize") {
			t.Errorf("got %d events, %v", len(got), err)
		}
		if n := wrote.Load(); n > 20<<20 {
			t.Errorf("it took %d bytes", n)
		}
		if got, err := read(t, src, 1); err != errEnough || got[0].Data != "b" || !slices.Equal(s.cursors(), []string{"", "1"}) {
			t.Errorf("another loop: %v, %v, %q", got, err, s.cursors())
		}
	})
}

// An id that no header can carry stops nothing: the place before it is asked for.
func TestIDThatFitsNoHeader(t *testing.T) {
	for name, id := range map[string]string{"control character": "a\x01b", "DEL": "\x7f", "too long": strings.Repeat("1", 5000)} {
		t.Run(name, func(t *testing.T) {
			ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
				s := serve(t, p, stream("id: 1\ndata: a\n\nid: "+id+"\ndata: b\n\n"), stream("data: c\n\n"), open("id: …\ndata: d\n\n"))
				src := s.source(t, eventsource.Options{})
				got, err := read(t, src, 3)
				if err != errEnough || src.LastEventID() != id {
					t.Errorf("got %q, %v, at %q", data(got), err, src.LastEventID())
				}
				if _, err := read(t, src, 1); err != errEnough || src.LastEventID() != "…" {
					t.Errorf("then %v, at %q", err, src.LastEventID())
				}
				if c := s.cursors(); !slices.Equal(c, []string{"", "1", "1"}) {
					t.Errorf("it went on from %q", c)
				}
			})
		})
	}
}

// A server that answers and ends, sees as many requests as the reconnection time
// allows and no more.
func TestNeverSpins(t *testing.T) {
	for name, answer := range map[string]http.HandlerFunc{
		"refused": refused, "ends": stream(), "breaks": cut("retry: 0\n\n"), "retry 0": stream("retry: 0\ndata: a\n\n"),
	} {
		t.Run(name, func(t *testing.T) {
			ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
				s := serve(t, p, answer)
				src := s.source(t, eventsource.Options{Retry: -1})
				if _, err := read(t, src, -1); !errors.Is(err, errHour) {
					t.Errorf("ended with %v", err)
				}
				if n := len(s.requests()); n < 120 || n > 600 {
					t.Errorf("%d requests within an hour", n)
				}
			})
		})
	}
}

// The rest of an answer that is no stream is not waited for.
func TestResponseErrorHasTheBeginning(t *testing.T) {
	ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
		s := serve(t, p, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("X-Reason", "none")
			w.WriteHeader(403)
			for range 100 {
				if _, err := io.WriteString(w, strings.Repeat("x", 1<<10)); err != nil {
					return
				}
			}
			<-r.Context().Done()
		})
		_, err := read(t, s.source(t, eventsource.Options{}), 1)
		e, ok := errors.AsType[*eventsource.ResponseError](err)
		if !ok || e.Status != 403 || len(e.Body) != 16<<10 || e.Header.Get("X-Reason") != "none" || e.Error() != "eventsource: the server answered 403 Forbidden" {
			t.Errorf("got %v", err)
		}
	})
}
