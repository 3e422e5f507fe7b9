package sse

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"net/http"
	"sync/atomic"
	"time"
)

var (
	// ErrClosed is the cause of a stream that its own side closed.
	ErrClosed = errors.New("sse: stream closed")
	// ErrClientGone is the cause of a stream whose request's context ended: the
	// client went away, or the server ended the request. The context's own cause
	// or the error of the write that found out is wrapped beside it.
	ErrClientGone = errors.New("sse: client gone")
	// ErrIdle is the cause of a stream without an application event for
	// AcceptOptions.IdleTimeout.
	ErrIdle = errors.New("sse: stream idle")
	// ErrHeadersSent says that a header came after the response had begun.
	ErrHeadersSent = errors.New("sse: headers already sent; set them before Accept, or in its options")
)

// Stream is one open response. [Accept] makes it. It ends once, with one cause:
//
//   - [ErrClosed] after Close
//   - [ErrClientGone] when the request's context ends
//   - [ErrIdle] when nothing was sent for the idle timeout
//   - [ErrDetached] after Detach
//   - the first error of a write, wrapped; [os.ErrDeadlineExceeded] where the
//     reader didn't read
//
// All methods are safe for any goroutine. One write is under way at a time, and
// other writers wait for it: for WriteTimeout at most. Between writes a stream
// has no goroutine, one timer and no buffer to speak of.
//
// Nothing may be written once the handler has returned. To see to that, the
// handler waits with [Stream.Wait] or ends with [Stream.Close], after which no
// method touches the ResponseWriter. A handler that forgets to ends the stream
// too, because its request's context ends with it, but a write that is under way
// at that moment is a data race.
type Stream struct {
	w      http.ResponseWriter
	rc     *http.ResponseController
	ctx    context.Context // the request's
	o      AcceptOptions   // KeepAlive is for whoever has the turn
	lastID string
	http1  bool

	detachable bool    // if w lets go of its connection
	chunked    bool    // its framing then
	zip        *zipped // nil where the body is not compressed

	done chan struct{} // closed by end, after cause is set
	turn chan struct{} // full while somebody has the turn, to write or to end

	// for whoever has the turn; cause for all, once done is closed
	cause   error
	held    bool // the header has yet to be sent
	buf     []byte
	wrote   time.Time // last write of any kind
	sent    time.Time // last Send
	kept    time.Time // last keepalive
	timer   *time.Timer
	unwatch func() bool // the request's context

	events, bytes atomic.Uint64 // see Sent; changed by whoever has the turn
}

// Sent counts what has been written to one stream and flushed.
type Sent struct {
	// Events are those of Send, SendAll and Close, comments included.
	Events uint64
	// Bytes is everything after the header: also the frames of WriteFrames, the
	// first reconnection time and keepalives. It is what the format takes up,
	// before HTTP's own framing.
	Bytes uint64
}

// keepFrame is the most that a stream keeps of its buffer between writes: there
// may be ten thousand streams.
const keepFrame = 4 << 10

// Send writes the events with one write and one flush and returns when they are
// flushed: the server's buffers have let go of them, which is not to say that the
// reader has them. With several events all are encoded before any is written.
//
// An event that can't be encoded gives an error that wraps [ErrInvalid], and a ctx
// that ends before the write began gives its cause; then nothing was written and
// the stream goes on. Any other error is the stream's cause. A write that has
// begun is not ended by ctx.
func (s *Stream) Send(ctx context.Context, events ...Event) error {
	if err := s.acquire(ctx); err != nil {
		return err
	}
	defer s.release()
	b, err := appendEvents(s.buf[:0], events)
	if err != nil || len(b) == 0 {
		return err
	}
	if err := s.write(b); err != nil {
		return err
	}
	s.sent = s.wrote
	s.events.Add(uint64(len(events)))
	if s.buf = b; cap(b) > keepFrame {
		s.buf = nil
	}
	return nil
}

func appendEvents(b []byte, events []Event) ([]byte, error) {
	for i := range events {
		var err error
		if b, err = events[i].AppendText(b); err != nil {
			return nil, fmt.Errorf("%w (event %d of %d; none was sent)", err, i+1, len(events))
		}
	}
	return b, nil
}

// SendAll sends each event of a sequence as it comes, until the sequence ends, is
// the first to give an error, or Send fails; that error is returned as it is. It
// leaves the stream open. It can't interrupt a sequence that waits: give it a
// context that ends with the request's.
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

// WriteFrames writes frames that are encoded already, with one write and one
// flush. They must be whole: nothing checks them. They keep the stream warm as
// events do, but don't count for IdleTimeout. An error is the stream's cause.
func (s *Stream) WriteFrames(p []byte) error {
	if err := s.acquire(context.Background()); err != nil {
		return err
	}
	defer s.release()
	if len(p) == 0 {
		return nil
	}
	return s.write(p)
}

// SendHeader sends a header that was held (see [AcceptOptions]), and does nothing after
// that: for who finds that the first frame will take a while.
func (s *Stream) SendHeader() error {
	if err := s.acquire(context.Background()); err != nil {
		return err
	}
	defer s.release()
	if !s.held {
		return nil
	}
	return s.write(nil)
}

// WriteShared is WriteFrames for frames that other streams get as well, which have the same
// [Compressor]: they are compressed once. What is written with it is what others' frames may
// refer to, so it must not hold what is for this reader alone.
func (s *Stream) WriteShared(p []byte) error {
	if err := s.acquire(context.Background()); err != nil {
		return err
	}
	defer s.release()
	if len(p) == 0 {
		return nil
	}
	return s.writeAs(p, true)
}

// Wait waits until the stream ends and gives its cause, never nil, or until ctx
// ends and gives the cause of that; then the stream is open still. Once Wait has
// given the stream's cause, the handler may return. With the request's context
// the cause is [ErrClientGone].
func (s *Stream) Wait(ctx context.Context) error {
	select {
	case <-s.done:
		return s.cause
	case <-ctx.Done():
		return s.interrupted(ctx)
	}
}

// Close sends farewell, if the stream is open still, and ends it with
// [ErrClosed]. What other goroutines had begun to write is written before. An
// error says why the farewell, or some of it, was not sent; the stream is closed
// all the same. Without a farewell, a second Close is harmless. Once Close has
// returned, the handler may return.
func (s *Stream) Close(farewell ...Event) error {
	s.turn <- struct{}{}
	defer s.release()
	if s.cause == nil && s.ctx.Err() != nil {
		s.end(s.gone(nil))
	}
	if s.cause != nil {
		if len(farewell) > 0 {
			return s.cause
		}
		return nil
	}
	b, err := appendEvents(s.buf[:0], farewell)
	if err == nil && len(b) > 0 {
		if err = s.write(b); err == nil {
			s.events.Add(uint64(len(farewell)))
		}
	}
	if s.cause == nil {
		s.end(ErrClosed)
	}
	return err
}

// Done is closed when the stream has ended.
func (s *Stream) Done() <-chan struct{} { return s.done }

// Cause is why the stream has ended; nil while it has not.
func (s *Stream) Cause() error {
	select {
	case <-s.done:
		return s.cause
	default:
		return nil
	}
}

// Sent is what has been sent so far. It never waits.
func (s *Stream) Sent() Sent {
	return Sent{Events: s.events.Load(), Bytes: s.bytes.Load()}
}

// LastEventID is where the reader wants to go on: [LastEventID] of the request.
func (s *Stream) LastEventID() string { return s.lastID }

// SetHeader never sets anything: it is an error that wraps [ErrHeadersSent],
// because a Stream exists only after its header has gone out. It is here so that
// code which looks for it finds out where headers are set.
func (s *Stream) SetHeader(name, value string) error {
	return fmt.Errorf("%w: %.64q", ErrHeadersSent, name)
}
