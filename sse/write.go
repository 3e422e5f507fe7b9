package sse

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"
)

// acquire takes the turn on an open stream.
func (s *Stream) acquire(ctx context.Context) error {
	select {
	case s.turn <- struct{}{}:
	case <-s.done:
		return s.cause
	case <-ctx.Done():
		return s.interrupted(ctx)
	}
	if s.cause == nil && s.ctx.Err() != nil {
		s.end(s.gone(nil))
	}
	err := s.cause
	if err == nil && ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	if err != nil {
		s.release()
	}
	return err
}

func (s *Stream) release() { <-s.turn }

// interrupted gives the stream's cause rather than ctx's, where there is one: a
// ctx that ends with the request's must not hide it.
func (s *Stream) interrupted(ctx context.Context) error {
	if s.ctx.Err() != nil {
		<-s.done // as soon as a write that is under way has come back
	}
	if err := s.Cause(); err != nil {
		return err
	}
	return context.Cause(ctx)
}

// write writes and flushes p and ends the stream if that fails. The caller has the
// turn, and the stream is open.
func (s *Stream) write(p []byte) error { return s.writeAs(p, false) }

// writeAs is write for p that other streams get too, if it is shared.
func (s *Stream) writeAs(p []byte, shared bool) error {
	wire := p
	if s.zip != nil {
		wire = s.zip.append(p, shared)
	}
	start := time.Now()
	err := s.arm()
	if err == nil {
		_, err = s.w.Write(wire)
	}
	if err == nil {
		err = s.rc.Flush()
	}
	if err == nil {
		err = s.disarm()
	}
	if s.wrote = time.Now(); err != nil {
		s.end(s.failure(err, start))
		return s.cause
	}
	s.held = false
	s.bytes.Add(uint64(len(p)))
	return nil
}

// arm limits what is written next.
func (s *Stream) arm() error {
	if s.o.WriteTimeout < 0 {
		return nil
	}
	return tolerate(s.rc.SetWriteDeadline(time.Now().Add(s.o.WriteTimeout)))
}

// disarm lets the stream be silent for as long as it likes: over HTTP/2 a
// deadline ends it even when nothing is being written.
func (s *Stream) disarm() error { return tolerate(s.rc.SetWriteDeadline(time.Time{})) }

// tolerate makes do with a ResponseWriter that has no deadlines.
func tolerate(err error) error {
	if errors.Is(err, errors.ErrUnsupported) {
		return nil
	}
	return err
}

// failure makes a cause of the error of a write.
func (s *Stream) failure(err error, start time.Time) error {
	switch {
	case s.o.WriteTimeout > 0 && time.Since(start) >= s.o.WriteTimeout:
		// over HTTP/2 the stream was reset by then, and the error may say only that
		return fmt.Errorf("sse: write: not taken within %v: %w", s.o.WriteTimeout, os.ErrDeadlineExceeded)
	case s.ctx.Err() != nil:
		return s.gone(err)
	}
	return fmt.Errorf("sse: write: %w", err)
}

func (s *Stream) gone(err error) error {
	if err == nil {
		err = context.Cause(s.ctx)
	}
	return fmt.Errorf("%w: %w", ErrClientGone, err)
}
