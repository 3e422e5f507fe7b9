package eventsource_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stentor-sse/stentor/eventsource"
	"github.com/stentor-sse/stentor/ssetest"
)

func TestChangesAreTold(t *testing.T) {
	ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
		s := serve(t, p, refused, status(503), stream("id: 1\ndata: a\n\n"), status(404))
		var src *eventsource.Source
		var got []string
		src = s.source(t, eventsource.Options{Change: func(c eventsource.Change) {
			line := fmt.Sprintf("%v %d", c.State, c.Failures)
			if c.State != src.State() {
				t.Errorf("told of %v while it is %v", c.State, src.State())
			}
			if c.Err != nil {
				line += " " + c.Err.Error()[strings.LastIndex(c.Err.Error(), " ")+1:]
			}
			if c.Wait > 0 {
				line += " waits"
			}
			if c.Header != nil {
				line += " " + c.Header.Get("Content-Type")
			}
			got = append(got, line)
		}})
		if src.State() != eventsource.Closed {
			t.Errorf("it begins %v", src.State())
		}
		_, err := read(t, src, 2)
		want := []string{
			"connecting 0", "connecting 1 refused waits", "connecting 2 Unavailable waits", "open 2 text/event-stream",
			"connecting 1 stream waits", "closed 2 Found",
		}
		if err == nil || !slices.Equal(got, want) {
			t.Errorf("told of %q, ended with %v; want %q", got, err, want)
		}
	})
	if s := eventsource.State(9).String(); s != "unknown" {
		t.Errorf("a state that isn't is %q", s)
	}
}

// moments are those in which something may end a loop, by what the server does then.
func moments() map[string][]http.HandlerFunc {
	return map[string][]http.HandlerFunc{
		"while it waits":              {refused},
		"while it connects":           {mute},
		"while it reads":              {open("id: 1\ndata: a\n\n")},
		"while it reads a refusal":    {func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(500); mute(w, r) }},
		"while events have been read": {open("id: 1\ndata: a\n\ndata: more\n\ndata: more\n\n")},
	}
}

func TestCloseFromAnyGoroutine(t *testing.T) {
	for name, answers := range moments() {
		t.Run(name, func(t *testing.T) {
			ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
				s := serve(t, p, answers...)
				src := s.source(t, eventsource.Options{Retry: 100 * time.Second, MaxRetry: -1})
				for range 3 {
					time.AfterFunc(10*time.Second, src.Close)
				}
				for e, err := range src.Events(t.Context()) {
					if err != nil || e.Data == "more" {
						t.Errorf("got %v, %v", e, err)
					}
					if strings.Contains(name, "have been read") {
						src.Close()
					}
				}
				n := len(s.requests())
				for range src.Events(t.Context()) {
					t.Error("a closed source has events")
				}
				if src.State() != eventsource.Closed || n != 1 || len(s.requests()) != 1 {
					t.Errorf("it is %v after %d requests", src.State(), len(s.requests()))
				}
			})
		})
	}
}

func TestContextEndsTheLoop(t *testing.T) {
	cause := errors.New("cause")
	for name, answers := range moments() {
		t.Run(name, func(t *testing.T) {
			ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
				s := serve(t, p, append(answers, stream("data: later\n\n"))...)
				src := s.source(t, eventsource.Options{Retry: 100 * time.Second})
				ctx, cancel := context.WithCancelCause(t.Context())
				time.AfterFunc(10*time.Second, func() { cancel(cause) })
				var last error
				for e, err := range src.Events(ctx) {
					if last = err; e.Data == "more" {
						t.Errorf("got %v", e)
					}
					if strings.Contains(name, "have been read") {
						cancel(cause)
					}
				}
				if last != cause || len(s.requests()) != 1 {
					t.Errorf("ended with %v after %d requests", last, len(s.requests()))
				}
				if got, err := read(t, src, 1); err != errEnough || got[0].Data != "later" {
					t.Errorf("another loop: %v, %v", got, err)
				}
			})
		})
	}
}

func TestRestartFromAnyGoroutine(t *testing.T) {
	for name, answers := range moments() {
		t.Run(name, func(t *testing.T) {
			ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
				s := serve(t, p, append(answers, open("data: new\n\n"))...)
				src := s.source(t, eventsource.Options{Retry: 100 * time.Second})
				src.Restart() // nothing runs: nothing to do
				time.AfterFunc(10*time.Second, src.Restart)
				var all []string
				for e, err := range src.Events(t.Context()) {
					if err != nil {
						t.Fatal(err)
					}
					if all = append(all, e.Data); e.Data == "new" {
						break
					}
				}
				within(t, s.pauses(), [2]float64{10, 10})
				if strings.Contains(name, "have been read") && len(all) != 4 {
					t.Errorf("got %q", all)
				}
				src.Restart()
			})
		})
	}
}

// A loop that was left goes on where it was, and has closed its connection.
func TestLoopsGoOn(t *testing.T) {
	ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
		gone := 0
		answer := func(id string) http.HandlerFunc {
			return func(w http.ResponseWriter, r *http.Request) {
				text(w, "retry: 7000\nid: "+id+"\ndata: "+id+"\n\nid: lost\ndata: lost\n\n")
				<-r.Context().Done()
				gone++
			}
		}
		s := serve(t, p, answer("1"), answer("2"), answer("3"), stream("id: 4\ndata: 4\n\n"), open("data: 5\n\n"))
		src := s.source(t, eventsource.Options{})
		events := src.Events(t.Context())
		for range 2 {
			for range events {
				break
			}
			synctest.Wait()
		}
		if gone != 2 || src.State() != eventsource.Closed || src.LastEventID() != "2" {
			t.Errorf("%d connections have ended; it is %v at %q", gone, src.State(), src.LastEventID())
		}
		func() {
			defer func() {
				if v := recover(); v != "panic" {
					t.Errorf("recovered %v", v)
				}
			}()
			for range events {
				panic("panic")
			}
		}()
		synctest.Wait()
		if gone != 3 || src.State() != eventsource.Closed {
			t.Errorf("after a panic: %d connections have ended; it is %v", gone, src.State())
		}
		if _, err := read(t, src, 2); err != errEnough || !slices.Equal(s.cursors(), []string{"", "1", "2", "3", "4"}) {
			t.Errorf("%v; it went on from %q", err, s.cursors())
		}
		if d := s.pauses()[3]; d < 7*time.Second {
			t.Errorf("the reconnection time was forgotten: %v", d)
		}
	})
}

func TestOneLoopAtATime(t *testing.T) {
	ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
		s := serve(t, p, open("data: a\n\n"))
		src := s.source(t, eventsource.Options{})
		for range src.Events(t.Context()) {
			n := 0
			for _, err := range src.Events(t.Context()) {
				if n++; n > 1 || err != eventsource.ErrBusy {
					t.Errorf("a second loop got %v", err)
				}
			}
			if src.State() != eventsource.Open {
				t.Errorf("then it is %v", src.State())
			}
			break
		}
		if _, err := read(t, src, 1); err != errEnough {
			t.Errorf("afterwards: %v", err)
		}
	})
}

// The client of a Source's own ends with the loop, its connections and their goroutines with it.
func TestOwnClientLeavesNothing(t *testing.T) {
	states := make(chan http.ConnState, 10)
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/" {
			http.Redirect(w, r, "/stream", http.StatusFound) // a connection that is kept
			return
		}
		stream("data: a\n\n")(w, r)
	}))
	s.Config.ConnState = func(c net.Conn, state http.ConnState) {
		if state == http.StateClosed || state == http.StateNew {
			states <- state
		}
	}
	s.Start()
	defer s.Close()
	src, err := eventsource.New(s.URL, &eventsource.Options{Once: true})
	if err != nil {
		t.Fatal(err)
	}
	if got, err := read(t, src, 2); err != nil || len(got) != 1 {
		t.Errorf("got %v, %v", got, err)
	}
	if a, b := <-states, <-states; a != http.StateNew || b != http.StateClosed {
		t.Errorf("the connection was %v, then %v", a, b)
	}
}

// Whoever restarts knows something: what has failed before no longer counts.
func TestRestartForgetsFailures(t *testing.T) {
	ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
		s := serve(t, p, status(401), refused, refused, refused, mute, status(401), stream("data: a\n\n"))
		var after []error
		src := s.source(t, eventsource.Options{
			Prepare: func(_ *http.Request, err error) error {
				after = append(after, err)
				return nil
			},
		})
		time.AfterFunc(25*time.Second, src.Restart)
		if _, err := read(t, src, 1); err != errEnough {
			t.Fatal(err)
		}
		if d := s.pauses()[5]; len(s.pauses()) != 6 || d > 1500*time.Millisecond {
			t.Errorf("the pauses were %v", s.pauses())
		}
		if after[5] != nil {
			t.Errorf("the restarted attempt came after %v", after[5])
		}
	})
}
