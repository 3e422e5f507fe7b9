package sse

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"time"
)

// AcceptOptions configures [Accept]. The zero value is ready to use.
type AcceptOptions struct {
	// Header is set on the response, in place of what the ResponseWriter and
	// Accept have under the same names.
	Header http.Header
	// KeepAlive is how long the stream may be silent before a comment is
	// sent. Zero means 15 s; negative turns it off.
	KeepAlive time.Duration
	// WriteTimeout bounds each write with its flush. It stands in for the
	// server's WriteTimeout, which a stream would outlive. Zero means 10 s;
	// negative turns it off.
	WriteTimeout time.Duration
	// IdleTimeout ends the stream when Send sent nothing for that long.
	// Zero means never.
	IdleTimeout time.Duration
	// Retry is sent first, as the client's reconnection time. Zero means that
	// the client decides.
	Retry time.Duration
}

func (o *AcceptOptions) withDefaults() AcceptOptions {
	var c AcceptOptions
	if o != nil {
		c = *o
	}
	if c.KeepAlive == 0 {
		c.KeepAlive = 15 * time.Second
	}
	if c.WriteTimeout == 0 {
		c.WriteTimeout = 10 * time.Second
	}
	return c
}

// Accept begins an event stream as the answer to r: it sends the header at once
// and returns the stream. Any method is accepted; HEAD is answered with the
// header and a stream that is closed already.
//
// If w can't flush, or options are invalid, nothing is written, the headers are taken
// back, and the caller may still answer with a status. Wrapped ResponseWriters
// need an Unwrap method (see [http.ResponseController]).
func Accept(w http.ResponseWriter, r *http.Request, o *AcceptOptions) (*Stream, error) {
	s := &Stream{
		w: w, rc: http.NewResponseController(w), o: o.withDefaults(),
		last: presented(r), done: make(chan struct{}),
	}
	first, err := s.o.first()
	if err != nil {
		return nil, err
	}
	before := maps.Clone(w.Header())
	s.header(r)
	if r.Method == http.MethodHead {
		s.cause = ErrClosed
		close(s.done)
		return s, nil
	}
	if err := s.begin(first); err != nil {
		clear(w.Header())
		maps.Copy(w.Header(), before)
		return nil, fmt.Errorf("sse: accept: %w", err)
	}
	s.watch(r.Context())
	return s, nil
}

// first is the frame that every stream with these options begins with.
func (o *AcceptOptions) first() ([]byte, error) {
	if o.Retry == 0 {
		return nil, nil
	}
	return Event{Retry: o.Retry}.AppendText(nil)
}

// header sets what a stream needs and nobody has set. HTML standard, 9.2.3, for
// the type; no-transform and X-Accel-Buffering keep proxies from holding events back.
func (s *Stream) header(r *http.Request) {
	h := s.w.Header()
	for name, values := range s.o.Header {
		h[http.CanonicalHeaderKey(name)] = slices.Clone(values)
	}
	h.Set("Content-Type", "text/event-stream")
	for _, d := range [...][2]string{
		{"Cache-Control", "no-store, no-transform"},
		{"X-Accel-Buffering", "no"},
		{"X-Content-Type-Options", "nosniff"},
	} {
		if _, ok := h[d[0]]; !ok {
			h.Set(d[0], d[1])
		}
	}
	if r.ProtoMajor == 1 {
		h.Set("Connection", "close") // illegal on HTTP/2: RFC 9113, 8.2.2
	}
}

// begin sends the header. Flush is the probe: where it isn't supported,
// nothing was written.
func (s *Stream) begin(first []byte) error {
	if err := s.deadline(); err != nil {
		return err
	}
	// The server's ReadTimeout would end the request in the middle of the stream.
	if err := tolerate(s.rc.SetReadDeadline(time.Time{})); err != nil {
		return err
	}
	if err := s.rc.Flush(); err != nil {
		return err
	}
	s.wrote = time.Now()
	s.sent = s.wrote
	if len(first) > 0 {
		return s.transmit(first)
	}
	return tolerate(s.rc.SetWriteDeadline(time.Time{}))
}

// watch starts what may end the stream or keep it warm.
func (s *Stream) watch(ctx context.Context) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.o.KeepAlive > 0 {
		s.silent = time.AfterFunc(s.o.KeepAlive, s.breathe)
	}
	if s.o.IdleTimeout > 0 {
		s.idle = time.AfterFunc(s.o.IdleTimeout, s.tire)
	}
	s.stop = context.AfterFunc(ctx, s.gone)
}

// presented is the cursor of a request.
func presented(r *http.Request) string {
	if id := r.Header.Get("Last-Event-ID"); id != "" {
		return id
	}
	if r.URL.RawQuery == "" {
		return ""
	}
	q := r.URL.Query()
	for _, name := range [...]string{"lastEventId", "last_event_id", "Last-Event-ID"} {
		if id := q.Get(name); id != "" {
			return id
		}
	}
	return ""
}
