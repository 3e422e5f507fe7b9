package sse

import (
	"context"
	"fmt"
	"time"
)

// KeepAlive is what keeps a stream warm while there is nothing to send, so that no
// proxy takes it for dead, and finds out when its reader is. The zero value is an
// empty comment after 15 seconds of silence.
type KeepAlive struct {
	// Interval is the time from the last write of any kind, or with Always from
	// the last keepalive. Zero means 15 seconds; negative means no keepalives.
	Interval time.Duration
	// Always writes one at every interval, traffic or not.
	Always bool
	// AtOnce writes the first one as soon as it is set, not an interval later.
	AtOnce bool
	// Event is what is written. The zero Event stands for an empty comment,
	// which readers skip; one with a Comment alone is skipped too, and any other
	// is what its fields say.
	Event Event
}

// check says why k can't be written, if so.
func (k *KeepAlive) check() error {
	if _, err := k.append(nil); err != nil {
		return fmt.Errorf("%w (the keepalive)", err)
	}
	return nil
}

func (k *KeepAlive) append(b []byte) ([]byte, error) {
	if k.Event == (Event{}) {
		return append(b, ":\n\n"...), nil
	}
	return k.Event.AppendText(b)
}

// SetKeepAlive puts k in the place of the keepalive that was, from now on: it
// starts, changes or stops it. With AtOnce it returns when the first one is
// flushed.
//
// Like that of [Stream.Send], an error that wraps [ErrInvalid] and the cause of a
// ctx that ended before its turn came leave everything as it was; any other is
// the stream's cause.
func (s *Stream) SetKeepAlive(ctx context.Context, k KeepAlive) error {
	if err := k.check(); err != nil {
		return err
	}
	if err := s.acquire(ctx); err != nil {
		return err
	}
	defer s.release()
	s.o.KeepAlive = k.withDefaults()
	s.kept = time.Now()
	if s.o.KeepAlive.AtOnce {
		if err := s.keepAlive(); err != nil {
			return err
		}
	}
	s.schedule(time.Now())
	return nil
}

func (k KeepAlive) withDefaults() KeepAlive {
	if k.Interval == 0 {
		k.Interval = 15 * time.Second
	}
	k.AtOnce = k.AtOnce && k.Interval > 0
	return k
}

// keepAlive writes a keepalive. The caller has the turn, and the stream is open.
func (s *Stream) keepAlive() error {
	b, err := s.o.KeepAlive.append(s.buf[:0])
	if err != nil { // it was checked when it was set
		return err
	}
	err = s.writeAs(b, true)
	s.kept = s.wrote
	return err
}
