package eventsource

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/stentor-sse/stentor/sse"
)

// loop is one range over the events. It does everything on the goroutine that ranges.
type loop struct {
	s        *Source
	yield    func(sse.Event, error) bool
	left     bool  // yield has returned false, and must not be called again
	failures int   // one after another
	before   error // what the attempt before ended with
}

// run makes attempts until one is the last, and gives the Source back also when the body of the range panics.
func (l *loop) run(ctx context.Context) (err error) {
	s := l.s
	defer func() { // after all else: then another loop may begin
		s.mu.Lock()
		s.busy, s.end, s.drop = false, nil, nil
		s.mu.Unlock()
	}()
	defer func() {
		if s.o.Client == nil {
			s.client.CloseIdleConnections()
		}
		s.set(Change{State: Closed, Err: err, Failures: l.failures})
	}()
	s.set(Change{State: Connecting})
	for {
		switch err := l.round(ctx); {
		case l.left || context.Cause(ctx) == errClosed:
			return nil
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case err != nil:
			return err.end
		}
	}
}

// verdict ends a loop, without an error perhaps.
type verdict struct{ end error }

// round is one attempt and the wait after it. Nil: another one follows.
func (l *loop) round(ctx context.Context) *verdict {
	s := l.s
	round, drop := context.WithCancelCause(ctx)
	defer drop(nil)
	s.mu.Lock()
	s.drop = drop
	s.mu.Unlock()

	opened, place := false, s.lastID
	begun := time.Now()
	err := l.attempt(round, func(h http.Header) {
		opened, begun = true, time.Now()
		s.set(Change{State: Open, Header: h, Failures: l.failures})
	})
	if l.left || ctx.Err() != nil {
		return nil
	}
	if opened && (time.Since(begun) >= healthy || s.lastID != place) {
		l.failures = 0
	}
	before := l.before
	if round.Err() != nil { // restarted, which is no failure
		l.failures, l.before = 0, nil
		s.set(Change{State: Connecting})
		return nil
	}
	l.before = err
	if opened && s.o.Once {
		if errors.Is(err, ErrEnded) {
			err = nil
		}
		return &verdict{err}
	}
	pause := s.pause(l.failures, err, time.Now())
	l.failures++
	if l.failures >= s.o.MaxFailures || !l.again(err, before) {
		return &verdict{err}
	}
	s.stale = errors.Is(err, ErrIdle) || errors.Is(err, ErrNoAnswer)
	s.set(Change{State: Connecting, Err: err, Wait: pause, Failures: l.failures})
	l.wait(round, pause)
	return nil
}

// again says if an attempt follows one that ended with err.
func (l *loop) again(err, before error) bool {
	again := l.s.passing(err, before)
	if l.s.o.Again != nil {
		again = l.s.o.Again(err, again)
	}
	return again
}

func (l *loop) wait(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done(): // if it goes on, it was restarted
		l.failures = 0
	}
}

// attempt sends one request and gives the events of its answer. It always returns an error,
// unless the range was left.
func (l *loop) attempt(ctx context.Context, open func(http.Header)) (err error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	defer func() {
		if cause := context.Cause(ctx); cause != nil && err != nil {
			err = cause // and not what came of it
		}
	}()
	s := l.s
	if s.stale { // else an HTTP/2 connection that has died is taken again and again
		s.client.CloseIdleConnections()
	}
	late := time.AfterFunc(s.o.ConnectTimeout, func() { cancel(ErrNoAnswer) })
	defer late.Stop()
	r, err := s.request(ctx, l.before)
	if err != nil {
		return err
	}
	resp, err := s.send(r)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if err := accept(resp); err != nil {
		return err
	}
	if !late.Stop() {
		return ErrNoAnswer
	}
	open(resp.Header)
	return l.read(ctx, cancel, resp)
}

// read gives the events of a stream.
func (l *loop) read(ctx context.Context, cancel context.CancelCauseFunc, resp *http.Response) error {
	s := l.s
	body := &watched{r: resp.Body, limit: s.o.IdleTimeout, timer: time.AfterFunc(forever, func() { cancel(ErrIdle) })}
	defer body.timer.Stop()
	d := sse.NewDecoder(body, &sse.DecoderOptions{
		MaxEventSize: s.o.MaxEventSize, Comment: s.o.Comment, LastEventID: s.lastID,
	})
	for e, err := range d.Events() {
		if over := context.Cause(ctx); over != nil && over != errRestarted && over != ErrIdle {
			return over // nothing is given after Close, even if it was read before
		}
		s.learn(d)
		if errors.Is(err, sse.ErrTooLarge) {
			return &final{fmt.Errorf("eventsource: %w", err)}
		} else if err != nil {
			return fmt.Errorf("eventsource: the connection was lost: %w", err)
		}
		if !l.yield(e, nil) {
			l.left = true
			return nil
		}
	}
	s.learn(d)
	return ErrEnded
}

// learn takes over what the stream has said so far.
func (s *Source) learn(d *sse.Decoder) {
	if retry, ok := d.Retry(); ok {
		s.retry = min(max(retry, s.o.MinRetry), s.o.MaxRetry)
	}
	id := d.LastEventID()
	if id == s.lastID {
		return
	}
	if len(id) <= maxID && sendable(id) {
		s.sentID = id
	}
	s.mu.Lock()
	s.lastID = id
	s.mu.Unlock()
}

// watched is a body whose silence ends the attempt. Time that nobody waits for it doesn't
// count: the reader may be busy with an event for longer.
type watched struct {
	r     io.Reader
	limit time.Duration
	timer *time.Timer
}

func (w *watched) Read(p []byte) (int, error) {
	w.timer.Reset(w.limit)
	n, err := w.r.Read(p)
	w.timer.Stop()
	return n, err
}
