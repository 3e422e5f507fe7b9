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
	if t := s.o.KeepAlive; t > 0 && now.Sub(s.wrote) >= t {
		if s.write([]byte(":\n\n")) != nil {
			return
		}
		now = s.wrote
	}
	s.timer.Reset(max(s.rest(now), 1))
}

// rest is how long until there may be something for tick to do; zero for never.
func (s *Stream) rest(now time.Time) time.Duration {
	var next time.Duration
	if t := s.o.KeepAlive; t > 0 {
		next = s.wrote.Add(t).Sub(now)
	}
	if t := s.o.IdleTimeout; t > 0 {
		if left := s.sent.Add(t).Sub(now); next == 0 || left < next {
			next = left
		}
	}
	return next
}
