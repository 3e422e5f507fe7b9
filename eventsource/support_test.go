package eventsource_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stentor-sse/stentor/eventsource"
	"github.com/stentor-sse/stentor/sse"
	"github.com/stentor-sse/stentor/ssetest"
)

// attempt is one request as the server had it.
type attempt struct {
	at     time.Duration // since the server was made
	method string
	path   string
	header http.Header
	body   string
}

// script is a server that answers requests in turn; the last answer is that of all that
// follow. It has no network.
type script struct {
	*ssetest.Server
	begin   time.Time
	answers []http.HandlerFunc

	mu       sync.Mutex // guards all below
	attempts []attempt
	dials    int
}

func serve(t *testing.T, p ssetest.Protocol, answers ...http.HandlerFunc) *script {
	s := &script{begin: time.Now(), answers: answers}
	s.Server = ssetest.NewServer(t, p, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.answer(s.note(r))(w, r)
	}))
	s.Client.CheckRedirect = nil
	transport := s.Client.Transport.(*http.Transport)
	dial := transport.DialContext
	transport.DialContext = func(ctx context.Context, network, addr string) (net.Conn, error) {
		s.mu.Lock()
		s.dials++
		s.mu.Unlock()
		return dial(ctx, network, addr)
	}
	s.Client.Transport = &gate{transport, s}
	return s
}

// gate keeps requests out that get no connection.
type gate struct {
	*http.Transport
	s *script
}

func (g *gate) RoundTrip(r *http.Request) (*http.Response, error) {
	g.s.mu.Lock()
	n := len(g.s.attempts)
	g.s.mu.Unlock()
	if g.s.answer(n) == nil {
		g.s.note(r)
		return nil, &net.OpError{Op: "dial", Net: "tcp", Err: syscall.ECONNREFUSED}
	}
	return g.Transport.RoundTrip(r)
}

// refused is an attempt that gets no connection.
var refused http.HandlerFunc

func (s *script) answer(n int) http.HandlerFunc { return s.answers[min(n, len(s.answers)-1)] }

// note keeps a request and gives its number.
func (s *script) note(r *http.Request) int {
	a := attempt{at: time.Since(s.begin), method: r.Method, header: r.Header}
	if r.Body != nil {
		body, _ := io.ReadAll(r.Body)
		a.body, a.path = string(body), r.URL.Path
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.attempts = append(s.attempts, a)
	return len(s.attempts) - 1
}

// requests gives those so far.
func (s *script) requests() []attempt {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]attempt(nil), s.attempts...)
}

// cursors gives the Last-Event-ID of each request.
func (s *script) cursors() (ids []string) {
	for _, a := range s.requests() {
		ids = append(ids, a.header.Get("Last-Event-ID"))
	}
	return ids
}

// pauses says how long after the one before each request came.
func (s *script) pauses() (d []time.Duration) {
	all := s.requests()
	for i := range all[1:] {
		d = append(d, all[i+1].at-all[i].at)
	}
	return d
}

// source is a Source of the server.
func (s *script) source(t *testing.T, o eventsource.Options) *eventsource.Source {
	t.Helper()
	if o.Client == nil {
		o.Client = s.Client
	}
	src, err := eventsource.New(s.URL, &o)
	if err != nil {
		t.Fatal(err)
	}
	return src
}

// text writes pieces of a stream, one flush each.
func text(w http.ResponseWriter, pieces ...string) {
	if _, ok := w.Header()["Content-Type"]; !ok {
		w.Header().Set("Content-Type", "text/event-stream")
	}
	for _, p := range pieces {
		io.WriteString(w, p) // a reader that has gone is no concern of the script
		http.NewResponseController(w).Flush()
	}
}

// stream is an answer that ends cleanly.
func stream(pieces ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) { text(w, pieces...) }
}

// open is an answer that never ends.
func open(pieces ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		text(w, pieces...)
		<-r.Context().Done()
	}
}

// cut is an answer whose connection breaks.
func cut(pieces ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		text(w, pieces...)
		panic(http.ErrAbortHandler)
	}
}

// mute is an answer that never begins.
func mute(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }

// status is an answer without a stream. Headers go by twos.
func status(code int, header ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		for i := 0; i+1 < len(header); i += 2 {
			w.Header().Set(header[i], header[i+1])
		}
		w.WriteHeader(code)
		if code != http.StatusNoContent {
			io.WriteString(w, "no stream")
		}
	}
}

// errEnough is what read gives when it has as many as were wanted.
var errEnough = errors.New("enough")

// errHour is what read gives when an hour has passed.
var errHour = errors.New("an hour has passed")

// read ranges over the events until there are that many, the sequence ends, or an hour has
// passed.
func read(t *testing.T, src *eventsource.Source, want int) (events []sse.Event, err error) {
	t.Helper()
	ctx, cancel := context.WithTimeoutCause(t.Context(), time.Hour, errHour)
	defer cancel()
	for e, err := range src.Events(ctx) {
		if err != nil {
			return events, err
		}
		if events = append(events, e); len(events) == want {
			return events, errEnough
		}
	}
	return events, nil
}

// data is that of the events.
func data(events []sse.Event) (d []string) {
	for _, e := range events {
		d = append(d, e.Data)
	}
	return d
}

// within fails the test for each pause that is not in its range, in seconds.
func within(t *testing.T, pauses []time.Duration, ranges ...[2]float64) {
	t.Helper()
	if len(pauses) != len(ranges) {
		t.Fatalf("pauses %v, want %d", pauses, len(ranges))
	}
	for i, r := range ranges {
		if d := pauses[i].Seconds(); d < r[0] || d > r[1] {
			t.Errorf("pause %d is %.3f s, want %.2f to %.2f", i+1, d, r[0], r[1])
		}
	}
}

func isDismissed(err error) bool { return errors.Is(err, eventsource.ErrDismissed) }
