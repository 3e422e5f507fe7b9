package ssetest

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stentor-sse/stentor/sse"
)

// patience is how long Next and Wait wait, on the bubble's clock: longer than any
// keepalive or idle timeout, but with keepalives a bubble is never idle, so that
// waiting for ever would be just that.
const patience = time.Hour

// Recorder reads one response and keeps all of it. Its methods are safe for any
// goroutine, but those that take a test are for the test's own.
type Recorder struct {
	Response *http.Response

	cancel context.CancelFunc
	read   chan struct{} // closed when reading may begin
	start  sync.Once
	done   chan struct{} // closed when reading has ended

	mu       sync.Mutex // guards all below
	changed  chan struct{}
	raw      []byte
	events   []sse.Event
	next     int
	comments []string
	lastID   string
	retry    time.Duration
	err      error // what reading ended with; nil for a clean end
}

// Open gets a stream as an EventSource does and returns when the headers are in,
// whatever the status. What follows is read in the background until the stream or
// the test ends. A header is "Name: value" and replaces what would be sent.
func (s *Server) Open(t testing.TB, path string, header ...string) *Recorder {
	t.Helper()
	r := s.OpenStalled(t, path, header...)
	r.Resume()
	return r
}

// OpenStalled is Open by a reader that stops reading after the headers: what the
// server sends next fills the buffers on the way, of up to 256 KiB in all, and
// then the server waits.
func (s *Server) OpenStalled(t testing.TB, path string, header ...string) *Recorder {
	t.Helper()
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	req := s.request(t, ctx, http.MethodGet, path, "", header)
	for name, value := range map[string]string{"Accept": "text/event-stream", "Cache-Control": "no-cache"} {
		if req.Header.Get(name) == "" {
			req.Header.Set(name, value)
		}
	}
	res, err := s.Client.Do(req)
	if err != nil {
		cancel()
		t.Fatalf("ssetest: open %s: %v", path, err)
	}
	r := &Recorder{
		Response: res,
		cancel:   cancel,
		read:     make(chan struct{}),
		done:     make(chan struct{}),
		changed:  make(chan struct{}),
	}
	go r.record() // ended and waited for by Close
	t.Cleanup(r.Close)
	return r
}

// Resume begins to read, if the recorder was stalled.
func (r *Recorder) Resume() { r.start.Do(func() { close(r.read) }) }

// record reads until the end.
func (r *Recorder) record() {
	defer close(r.done)
	<-r.read
	var dec *sse.Decoder
	state := func() { r.lastID = dec.LastEventID(); r.retry, _ = dec.Retry() }
	defer r.update(state) // what came with the end is followed by no read
	dec = sse.NewDecoder(readerFunc(func(p []byte) (int, error) {
		r.update(state)
		n, err := r.Response.Body.Read(p)
		r.update(func() { r.raw = append(r.raw, p[:n]...) })
		return n, err
	}), &sse.DecoderOptions{Comment: func(text string) {
		r.update(func() { r.comments = append(r.comments, text) })
	}})
	for e, err := range dec.Events() {
		r.update(func() {
			if r.err = err; err == nil {
				r.events = append(r.events, e)
				state()
			}
		})
	}
	r.Response.Body.Close()
}

type readerFunc func(p []byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

// update changes the record and wakes whoever waits for a change.
func (r *Recorder) update(f func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	f()
	close(r.changed)
	r.changed = make(chan struct{})
}

// Next gives the first event that it has not given yet and waits for it. It
// fails the test when the stream ends before, or after an hour.
func (r *Recorder) Next(t testing.TB) sse.Event {
	t.Helper()
	late := time.NewTimer(patience)
	defer late.Stop()
	for {
		e, changed, ok := r.take()
		if ok {
			return e
		}
		select {
		case <-changed:
		case <-r.done:
			if e, _, ok := r.take(); ok {
				return e
			}
			t.Fatalf("ssetest: the stream ended (%v) before an event number %d; it was:\n%s", r.Err(), len(r.Events())+1, r.tail())
		case <-late.C:
			t.Fatalf("ssetest: no event number %d within %v; the stream was:\n%s", len(r.Events())+1, patience, r.tail())
		}
	}
}

func (r *Recorder) take() (e sse.Event, changed <-chan struct{}, ok bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.next == len(r.events) {
		return sse.Event{}, r.changed, false
	}
	r.next++
	return r.events[r.next-1], nil, true
}

// Events gives all events so far, those that Next gave included. In a bubble
// synctest.Wait before it makes so far mean all that was sent.
func (r *Recorder) Events() []sse.Event {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.events)
}

// Comments gives the text of all comments so far; keepalives are empty ones.
func (r *Recorder) Comments() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.comments)
}

// Raw gives the bytes so far, as they came.
func (r *Recorder) Raw() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return string(r.raw)
}

// tail is as much of the stream as one wants to read in a test's log.
func (r *Recorder) tail() string {
	const most = 1000
	raw := r.Raw()
	if len(raw) > most {
		return fmt.Sprintf("(%d bytes) %s", len(raw)-most, raw[len(raw)-most:])
	}
	return raw
}

// LastEventID is what this reader would reconnect with.
func (r *Recorder) LastEventID() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.lastID
}

// Retry is the reconnection time that the stream set last; zero if none.
func (r *Recorder) Retry() time.Duration {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.retry
}

// Ended says if the stream has ended.
func (r *Recorder) Ended() bool {
	select {
	case <-r.done:
		return true
	default:
		return false
	}
}

// Err is what the stream ended with: nil if it has not or if it came to a clean
// end, which is all that a reader takes for one.
func (r *Recorder) Err() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.err
}

// Wait waits for the end of the stream and gives Err. It fails the test after an
// hour.
func (r *Recorder) Wait(t testing.TB) error {
	t.Helper()
	late := time.NewTimer(patience)
	defer late.Stop()
	select {
	case <-r.done:
	case <-late.C:
		t.Fatalf("ssetest: the stream has not ended within %v; it was:\n%s", patience, r.tail())
	}
	return r.Err()
}

// Close makes the reader go away, as a closed page does, and waits until its
// goroutine has ended. It is called when the test ends; twice is harmless.
func (r *Recorder) Close() {
	r.cancel()
	r.Response.Body.Close()
	r.Resume()
	<-r.done
}
