package sse

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// AcceptOptions configures [Accept]. The zero value is ready to use.
type AcceptOptions struct {
	// Header is set on the response, in place of what the ResponseWriter's own
	// header has under the same names. A name without values leaves out what
	// Accept would set.
	Header http.Header
	// KeepAlive keeps the stream warm. The zero value is an empty comment after
	// 15 seconds of silence.
	KeepAlive KeepAlive
	// WriteTimeout is how long a write and its flush may take before the stream
	// ends because its reader does not read. It takes the place of the server's
	// WriteTimeout, which counts from the request. Zero means 10 seconds;
	// negative means no limit. A ResponseWriter without write deadlines has none.
	WriteTimeout time.Duration
	// IdleTimeout is how long the stream may go without Send before it ends with
	// ErrIdle. Keepalives and WriteFrames don't count. Zero and negative mean for
	// ever.
	IdleTimeout time.Duration
	// Retry is the reader's reconnection time, sent as the first frame. Zero
	// leaves it to the reader, which is mostly 3 seconds; as in an [Event],
	// negative or under a millisecond is an error.
	Retry time.Duration
	// Compress compresses the body with gzip for readers that accept it, unless
	// something else has set a Content-Encoding. Nil doesn't. Frames can be read as soon as
	// they have come. Whoever sees the length of what is sent learns something of it, if they can
	// have text of their own put into one Send beside a secret.
	Compress *Compressor
	// HoldHeader sends the header with the first frame, in one write, rather than
	// at once: for who has that frame ready. The first keepalive does as well.
	HoldHeader bool
}

func (o *AcceptOptions) withDefaults() AcceptOptions {
	var c AcceptOptions
	if o != nil {
		c = *o
	}
	c.KeepAlive = c.KeepAlive.withDefaults()
	if c.WriteTimeout == 0 {
		c.WriteTimeout = 10 * time.Second
	}
	return c
}

// Accept begins a stream as the answer to r: it sends status 200 and the header,
// at once unless the options hold it. Whatever is to be refused must be refused before, because a reader
// takes any other status for final.
//
// It sets Content-Type: text/event-stream, and over HTTP/1 Connection: close. It
// sets, where neither w.Header() nor the options name them, Cache-Control:
// no-store, no-transform, X-Accel-Buffering: no, and X-Content-Type-Options:
// nosniff. It lifts the server's WriteTimeout for this response; a
// ReadTimeout ends with the request's body.
//
// An error that wraps [errors.ErrUnsupported] says that w can't flush, which a
// stream can't do without; then nothing has been written, w.Header() is as it was
// and the handler may still answer something else. So it may when the options are
// at fault, which is [ErrInvalid]. A second Accept of one response is
// [ErrHeadersSent] and leaves the stream as it is. With any other error the reader
// has gone.
//
// A HEAD request gets the header when the handler returns, and a stream that is
// closed already.
//
// The handler must not return before [Stream.Wait] has given a cause or
// [Stream.Close] has returned.
func Accept(w http.ResponseWriter, r *http.Request, o *AcceptOptions) (*Stream, error) {
	s := &Stream{
		w:          w,
		rc:         http.NewResponseController(w),
		ctx:        r.Context(),
		http1:      r.ProtoMajor < 2,
		detachable: detachable(r), chunked: r.ProtoAtLeast(1, 1),
		lastID: LastEventID(r),
		o:      o.withDefaults(),
		done:   make(chan struct{}),
		turn:   make(chan struct{}, 1),
	}
	first, err := s.o.firstFrames()
	if err != nil {
		return nil, err
	}
	if _, ok := w.Header()[taken]; ok {
		return nil, fmt.Errorf("%w: this response is a stream already", ErrHeadersSent)
	}
	if len(s.o.Header.Values("Content-Encoding")) == 0 {
		s.zip = s.o.zip(w.Header(), r)
	}
	if err := s.open(first, r.Method == http.MethodHead); err != nil {
		return nil, err
	}
	return s, nil
}

// taken stands in the header of a ResponseWriter once that has been sent, when
// nothing reads it any more. It is no name that a header can have.
const taken = ":stream"

// firstFrames is what goes out right after the header, if anything.
func (o *AcceptOptions) firstFrames() (b []byte, err error) {
	if err := o.KeepAlive.check(); err != nil {
		return nil, err
	}
	if o.Retry != 0 {
		if b, err = (Event{Retry: o.Retry}).AppendText(nil); err != nil {
			return nil, err
		}
	}
	if o.KeepAlive.AtOnce {
		return o.KeepAlive.append(b)
	}
	return b, nil
}

// open sends the header and starts the clocks. It has the first turn.
func (s *Stream) open(first []byte, head bool) error {
	s.turn <- struct{}{}
	defer s.release()
	if s.ctx.Err() != nil {
		return s.gone(nil)
	}
	if head { // over HTTP/2 a flush would be too late: the header ends the stream
		s.setHeader(s.w.Header())
		s.zip = nil
		s.w.WriteHeader(http.StatusOK)
		s.w.Header()[taken] = nil
		s.end(ErrClosed)
		return nil
	}
	if err := s.sendHeader(); err != nil {
		return err
	}
	s.w.Header()[taken] = nil
	s.o.Header = nil // sent; the stream may live long
	if len(first) > 0 {
		if err := s.write(first); err != nil {
			return err
		}
	}
	s.wrote = time.Now()
	s.sent, s.kept = s.wrote, s.wrote
	s.schedule(s.wrote)
	s.unwatch = context.AfterFunc(s.ctx, s.left)
	return nil
}

// sendHeader lets the flush find out if w can do what a stream needs: when it
// can't, nothing has been written. A header that is held is sent with what comes first.
func (s *Stream) sendHeader() error {
	h := s.w.Header()
	if s.o.HoldHeader && flushes(s.w) {
		s.setHeader(h)
		s.held = true
		return nil
	}
	before := maps.Clone(h)
	s.setHeader(h)
	start := time.Now()
	err := s.arm()
	if err == nil {
		err = s.rc.Flush()
	}
	if err == nil {
		return s.disarm()
	}
	clear(h)
	maps.Copy(h, before)
	if errors.Is(err, errors.ErrUnsupported) {
		return fmt.Errorf("sse: accept: %T can't flush; a wrapper needs Flush or Unwrap: %w", s.w, err)
	}
	return s.failure(err, start)
}

// flushes reports whether a flush of w may do something, which a wrapper can still
// refuse.
func flushes(w http.ResponseWriter) bool {
	for {
		switch t := w.(type) {
		case http.Flusher, interface{ FlushError() error }:
			return true
		case interface{ Unwrap() http.ResponseWriter }:
			w = t.Unwrap()
		default:
			return false
		}
	}
}

func (s *Stream) setHeader(h http.Header) {
	for name, values := range s.o.Header {
		h[http.CanonicalHeaderKey(name)] = slices.Clone(values)
	}
	for _, d := range [...][2]string{
		{"Cache-Control", "no-store, no-transform"},
		{"X-Accel-Buffering", "no"}, // or nginx holds events back
		{"X-Content-Type-Options", "nosniff"},
	} {
		if _, ok := h[d[0]]; !ok {
			h.Set(d[0], d[1])
		}
	}
	h.Set("Content-Type", "text/event-stream")
	h.Del("Content-Length")
	s.describe(h)
	if h.Del("Connection"); s.http1 { // HTTP/2 has no such header (RFC 9113 §8.2.2)
		h.Set("Connection", "close") // nothing follows on it, and it may be handed over
	}
}

// LastEventID is where the reader of r wants to go on: its Last-Event-ID header,
// or where that is missing or empty, for readers that can't set one, the first of
// the query parameters lastEventId, last_event_id, Last-Event-ID and
// evs_last_event_id that is not empty. It is empty for a reader that begins. It may
// be any bytes at all.
func LastEventID(r *http.Request) string {
	if id := r.Header.Get("Last-Event-ID"); id != "" || r.URL == nil || r.URL.RawQuery == "" {
		return id
	}
	for _, name := range [...]string{"lastEventId", "last_event_id", "Last-Event-ID", "evs_last_event_id"} {
		if id := parameter(r.URL.RawQuery, name); id != "" {
			return id
		}
	}
	return ""
}

// parameter is the first value of a query parameter. What is not escaped as it
// should be is taken as it stands: such a cursor is nobody's, but it was meant to be
// one.
func parameter(query, name string) string {
	for pair := range strings.SplitSeq(query, "&") {
		if key, value, _ := strings.Cut(pair, "="); unescaped(key) == name {
			return unescaped(value)
		}
	}
	return ""
}

func unescaped(s string) string {
	if text, err := url.QueryUnescape(s); err == nil {
		return text
	}
	return s
}
