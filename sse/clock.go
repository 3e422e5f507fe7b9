package sse

import (
	"errors"
	"time"
)

// end gives the stream its cause. The caller has the turn, and the stream is open.
// Closing done is the last that it does: whoever has seen that may let the
// handler return.
func (s *Stream) end(cause error) {
	if s.timer != nil {
		s.timer.Stop()
	}
	if s.unwatch != nil {
		s.unwatch()
	}
	s.buf = nil
	if s.mayTouch(cause) {
		s.arm() // for the chunk that the server writes after the handler; an error says that there is no reader
		if s.zip != nil && !errors.Is(cause, ErrClientGone) {
			s.w.Write(s.zip.end())
		}
	}
	s.cause = cause
	close(s.done)
}

// mayTouch says if the connection can be, and needs to be, given a last deadline.
// A failed write keeps the one that it had. Where the request's context ended, the
// handler may have returned without a word: over HTTP/1 a late deadline is
// harmless, over HTTP/2 it is a nil pointer in net/http.
func (s *Stream) mayTouch(cause error) bool {
	if errors.Is(cause, ErrClientGone) {
		return s.http1
	}
	return cause == ErrClosed || cause == ErrIdle
}

// left ends the stream with its request. It waits for a write that is under way:
// that one knows better why it failed.
func (s *Stream) left() {
	s.turn <- struct{}{}
	defer s.release()
	if s.cause == nil {
		s.end(s.gone(nil))
	}
}

// tick looks after the stream when it may have been idle for long enough. Writes
// don't move the timer, which makes them cheaper; it finds out how late it is.
func (s *Stream) tick() {
	s.turn <- struct{}{}
	defer s.release()
	if s.cause != nil {
		return
	}
	if s.ctx.Err() != nil {
		s.end(s.gone(nil))
		return
	}
	now := time.Now()
	if t := s.o.IdleTimeout; t > 0 && now.Sub(s.sent) >= t {
		s.end(ErrIdle)
		return
	}
	if due, ok := s.keepAliveDue(); ok && !now.Before(due) {
		if s.keepAlive() != nil {
			return
		}
		now = s.wrote
	}
	s.schedule(now)
}

// schedule sets the timer to when there may be something for tick to do. A tick
// that was on its way finds nothing to do, and comes here too.
func (s *Stream) schedule(now time.Time) {
	next, ok := s.keepAliveDue()
	if t := s.o.IdleTimeout; t > 0 {
		if end := s.sent.Add(t); !ok || end.Before(next) {
			next, ok = end, true
		}
	}
	switch wait := max(next.Sub(now), 1); {
	case !ok && s.timer != nil:
		s.timer.Stop()
	case !ok:
	case s.timer == nil:
		s.timer = time.AfterFunc(wait, s.tick)
	default:
		s.timer.Reset(wait)
	}
}

// keepAliveDue is when the next keepalive is, if there is one.
func (s *Stream) keepAliveDue() (time.Time, bool) {
	last := s.wrote
	if s.o.KeepAlive.Always {
		last = s.kept
	}
	return last.Add(s.o.KeepAlive.Interval), s.o.KeepAlive.Interval > 0
}
