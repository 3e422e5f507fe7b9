package sse

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"net"
	"net/http"
	"sync"
	"time"
)

var (
	// ErrClosed is the cause of a stream that its own side closed.
	ErrClosed = errors.New("sse: stream closed")
	// ErrClientGone is the cause of a stream whose client went away.
	ErrClientGone = errors.New("sse: client gone")
	// ErrIdle is the cause of a stream without an application event for
	// AcceptOptions.IdleTimeout.
	ErrIdle = errors.New("sse: stream idle")
	// ErrHeadersSent says that a header came after the response had begun.
	ErrHeadersSent = errors.New("sse: headers already sent")
)

// Stream is one open response. All methods may be called from any goroutine;
// writes go out whole and one after the other.
//
// A handler must not return while others may still send: it returns after Wait
// or Close, and from then on nothing is written, whoever calls.
type Stream struct {
	w    http.ResponseWriter
	rc   *http.ResponseController
	o    AcceptOptions
	last string
	done chan struct{}
	stop func() bool // ends the watch over the request's context

	mu     sync.Mutex // held over each write, so that there is one writer
	cause  error      // not nil: nothing is written any more
	buf    []byte
	wrote  time.Time   // when something was written
	sent   time.Time   // when an application event was
	silent *time.Timer // nil without keepalive
	idle   *time.Timer // nil without idle timeout
}

// LastEventID is what the client presented: the Last-Event-ID header, else one
// of the query parameters lastEventId, last_event_id and Last-Event-ID, which
// clients use that can't set a header. It is untrusted text.
func (s *Stream) LastEventID() string { return s.last }

// SetHeader always fails with [ErrHeadersSent]: a Stream exists when its header
// is out. Set headers on the ResponseWriter or in [AcceptOptions].
func (s *Stream) SetHeader(name, _ string) error {
	return fmt.Errorf("%w: %.64q must be set before Accept", ErrHeadersSent, name)
}

// Send writes the events with one write and one flush and returns when they
// are flushed, or with the reason why they were not: an invalid event (then
// none of them is sent and the stream goes on), ctx (looked at before the write
// only), or the stream's cause. The first failed write ends the stream.
func (s *Stream) Send(ctx context.Context, events ...Event) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("sse: send: %w", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	b, err := appendEvents(s.buf[:0], events)
	if err != nil || len(b) == 0 {
		return err
	}
	if err := s.write(b); err != nil {
		return err
	}
	s.sent = s.wrote
	if s.buf = b; cap(b) > keepBuffer {
		s.buf = nil
	}
	return nil
}

// keepBuffer is the largest buffer that a silent stream holds on to.
const keepBuffer = 4 << 10

func appendEvents(b []byte, events []Event) ([]byte, error) {
	var err error
	for _, e := range events {
		if b, err = e.AppendText(b); err != nil {
			return nil, err
		}
	}
	return b, nil
}

// SendAll sends what events gives, each as it comes, until it ends, gives an
// error, which is returned, or a send fails. It stops asking for events when the
// stream has ended; an events that waits should watch Done.
func (s *Stream) SendAll(ctx context.Context, events iter.Seq2[Event, error]) error {
	for e, err := range events {
		if err != nil {
			return err
		}
		if err := s.Send(ctx, e); err != nil {
			return err
		}
	}
	return nil
}

// WriteFrames writes encoded frames with one write and one flush. It is for
// callers that share encoded bytes between streams. It puts off the next
// keepalive, but not the idle timeout: only Send does. p is not kept.
func (s *Stream) WriteFrames(p []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.write(p)
}

// write arms a deadline, writes and flushes. The caller holds mu.
func (s *Stream) write(p []byte) error {
	if s.cause != nil {
		return s.cause
	}
	if err := s.transmit(p); err != nil {
		s.end(fmt.Errorf("sse: write: %w", err))
		return s.cause
	}
	s.wrote = time.Now()
	return nil
}

func (s *Stream) transmit(p []byte) error {
	if err := s.deadline(); err != nil {
		return err
	}
	if _, err := s.w.Write(p); err != nil {
		return err
	}
	if err := s.rc.Flush(); err != nil {
		return err
	}
	// Cleared, because a stream may be silent for longer than a write may take.
	return tolerate(s.rc.SetWriteDeadline(time.Time{}))
}

// deadline gives the next write its time.
func (s *Stream) deadline() error {
	if s.o.WriteTimeout < 0 {
		return nil
	}
	return tolerate(s.rc.SetWriteDeadline(time.Now().Add(s.o.WriteTimeout)))
}

// tolerate lets writers pass that know no deadlines.
func tolerate(err error) error {
	if errors.Is(err, http.ErrNotSupported) {
		return nil
	}
	return err
}

// Wait returns when the stream has ended, with the cause, or when ctx ends, with its
// error. A handler that leaves the sending to others waits here and returns.
func (s *Stream) Wait(ctx context.Context) error {
	select {
	case <-s.done:
		return s.Cause()
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Close sends the farewell, if any, and ends the stream with [ErrClosed]. The
// response ends when the handler returns. A second Close, or one after another
// cause, does nothing and returns nil; an error is the farewell's.
func (s *Stream) Close(farewell ...Event) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.cause != nil {
		return nil
	}
	b, err := appendEvents(s.buf[:0], farewell)
	if err == nil && len(b) > 0 {
		err = s.write(b)
	}
	s.end(ErrClosed)
	return err
}

// Done is closed when the stream has ended; Cause then says why.
func (s *Stream) Done() <-chan struct{} { return s.done }

// Cause is why the stream ended, the first reason there was: [ErrClosed],
// [ErrClientGone], [ErrIdle] or a failed write. Nil while it is open.
func (s *Stream) Cause() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.cause
}

// end closes the stream, once. The caller holds mu.
func (s *Stream) end(cause error) {
	if s.cause != nil {
		return
	}
	s.cause, s.buf = cause, nil
	for _, t := range []*time.Timer{s.silent, s.idle} {
		if t != nil {
			t.Stop()
		}
	}
	if s.stop != nil {
		s.stop()
	}
	// The last chunk is written after the handler returns: with a stale deadline
	// a clean end would be a broken one, without any a stalled client would keep
	// the server's goroutine.
	s.deadline()
	close(s.done)
}

// gone ends the stream when the request's context does.
func (s *Stream) gone() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.end(ErrClientGone)
}

// breathe writes a keepalive if nothing was written for long enough, and looks
// again when that may next be so: writes don't touch the timer.
func (s *Stream) breathe() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.cause != nil {
		return
	}
	rest := s.o.KeepAlive - time.Since(s.wrote)
	if rest <= 0 {
		if s.write([]byte(":\n\n")) != nil {
			return
		}
		rest = s.o.KeepAlive
	}
	s.silent.Reset(rest)
}

// tire ends the stream if no application event was sent for long enough.
func (s *Stream) tire() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.cause != nil {
		return
	}
	if rest := s.o.IdleTimeout - time.Since(s.sent); rest > 0 {
		s.idle.Reset(rest)
		return
	}
	s.end(ErrIdle)
}

// Detach would hand the connection over to a delivery engine that takes over
// connections; until there is one, every stream stays attached.
func (s *Stream) Detach() (c net.Conn, chunked bool, err error) {
	return nil, false, errors.ErrUnsupported
}
