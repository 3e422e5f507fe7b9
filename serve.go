package stentor

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"math/rand/v2"
	"time"
)

// writeSize is how much is collected for one write: enough to make writes rare,
// little enough for a slow link within one write deadline.
const writeSize = 32 << 10

// errPanicked is the cause of a subscription whose hook or response panicked.
var errPanicked = errors.New("stentor: a panic while it was served")

var errServed = errors.New("stentor: the subscription is or was served already")

// begin makes the caller the one reader of s.
func (s *Subscription) begin() error {
	h := s.hub
	h.mu.Lock()
	defer h.mu.Unlock()
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.served:
		return errServed
	case s.ending != nil:
		return s.reason()
	}
	s.served = true
	h.serving++
	return nil
}

// finish is deferred by whoever began. On its way out of a panic the subscription has not
// ended, and nobody else would end it.
func (s *Subscription) finish() {
	h := s.hub
	if s.live() {
		s.end(errPanicked, stageLeft)
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.serving--; h.serving == 0 && h.quiet != nil {
		close(h.quiet)
		h.quiet = nil
	}
}

// opened moves s on to stageOpen and gives whose place it takes.
func (s *Subscription) opened() (prior *Subscription, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ending != nil {
		return nil, false
	}
	s.stage, s.announced = stageOpen, true
	prior, s.prior = s.prior, nil
	return prior, true
}

// enter runs the open hook. Its error ends s.
func (s *Subscription) enter() error {
	if open := s.hub.o.Hooks.Open; open != nil {
		if err := open(s); err != nil {
			s.end(err, stageLeft)
			return err
		}
	}
	return nil
}

// Serve delivers to r until the subscription ends or r does and returns the
// cause. If r is Done or fails, the subscription lingers. It returns nil, early, when the
// connection was taken over from r (see [Options].Attached): then the handler
// returns, the stream goes on, and Hooks.Close or OnEnd tell its cause.
//
// The order is: the open hook, the open notice, a gap notice if the cursor
// needs one, what is kept after the cursor, what was held meanwhile, live.
func (s *Subscription) Serve(r Response) error {
	if s.dialect == nil {
		return fmt.Errorf("%w subscription: it has no dialect to be served in", ErrInvalid)
	}
	if err := s.begin(); err != nil {
		return err
	}
	w := &writer{s: s, r: r, rd: reader{s: s}, wake: s.in.wake}
	defer func() {
		if !w.taken {
			s.finish()
		}
	}()
	if held, ok := r.(interface{ SendHeader() error }); ok && s.hub.o.Hooks.Open != nil {
		held.SendHeader() // the hook may take a while; an error shows with the first write
	}
	if err := s.enter(); err != nil {
		return err
	}
	defer w.rd.close()
	defer func() {
		if b, ok := w.r.(*bare); ok {
			b.close()
		}
	}()
	ctx, cancel := s.delivery(&s.in.cancel)
	defer cancel()
	switch err := w.run(ctx); {
	case w.taken:
		return nil
	case err != nil:
		if !w.left && err != ErrSlow {
			s.hub.failed(s, err)
		}
		s.end(err, stageLingering)
	}
	return s.Cause()
}

// writer hands a reader's items to a Response.
type writer struct {
	s     *Subscription
	r     Response
	rd    reader
	buf   []byte
	idle  *time.Timer // nil: no keepalives
	left  bool        // the reader went, which is no failure
	stays bool        // r can't be taken over
	taken bool        // and here it was
	beat  bool        // with a heartbeat to be answered
	wake  <-chan struct{}
}

// run returns why the response can't go on; nil when the subscription has ended.
func (w *writer) run(ctx context.Context) error {
	items, err := w.rd.open(ctx)
	if err != nil {
		return err
	}
	if err := w.write(items); err != nil {
		return err
	}
	if !w.s.hub.announce(w.s) {
		return w.farewell(ctx) // the open hook closed it, or a newer one has its key
	}
	defer func() {
		if w.idle != nil {
			w.idle.Stop()
		}
	}()
	for {
		if err := w.drain(ctx); err != nil && ctx.Err() == nil {
			return err
		}
		if err := w.handOver(); err != nil || w.taken {
			return err
		}
		switch done, err := w.wait(ctx); {
		case err != nil:
			return err
		case done && w.s.heartbeats && w.s.Cause() == ErrReset:
			return w.outlive(ctx)
		case done:
			return w.farewell(ctx)
		}
	}
}

// drain writes until the reader has everything.
func (w *writer) drain(ctx context.Context) error {
	for {
		items, err := w.rd.next(ctx)
		if err != nil {
			return err
		}
		if len(items) == 0 {
			w.rest()
			return nil
		}
		if err := w.write(items); err != nil {
			return err
		}
	}
}

// wait returns when there may be something to do; done when s has ended.
func (w *writer) wait(ctx context.Context) (done bool, err error) {
	if k := w.s.in.keepAlive; k > 0 && w.idle == nil {
		w.idle = time.NewTimer(jitter(k))
	}
	var idle <-chan time.Time
	if w.idle != nil {
		idle = w.idle.C
	}
	select {
	case <-w.wake:
	case <-idle:
		return false, w.keepAlive()
	case <-w.r.Done():
		return false, w.gone()
	case <-ctx.Done():
		return true, nil
	}
	return false, nil
}

// gone is why there is nobody to write to any more, as well as the response knows.
func (w *writer) gone() error {
	w.left = true
	if r, ok := w.r.(interface{ Cause() error }); ok && r.Cause() != nil {
		return fmt.Errorf("%w: %w", ErrGone, r.Cause())
	}
	return ErrGone
}

// outlive keeps the stream of a subscription that was reset open, until its client
// has learned of it or the hub shuts down.
func (w *writer) outlive(ctx context.Context) error {
	var idle <-chan time.Time
	if w.idle != nil {
		idle = w.idle.C
	}
	for {
		select {
		case <-idle:
			if err := w.keepAlive(); err != nil {
				return err
			}
		case <-w.r.Done():
			return w.gone()
		case <-w.s.hub.down:
			return w.farewell(ctx)
		}
	}
}

// keepAlive writes one and waits for the time of the next.
func (w *writer) keepAlive() error {
	w.idle.Reset(jitter(w.s.in.keepAlive))
	err := w.flush(w.s.dialect.AppendKeepAlive(w.buf[:0]), true)
	w.rest()
	return err
}

// rest lets go of what a burst needed: a reader that is silent must not keep it, for
// there may be ten thousand.
func (w *writer) rest() {
	spare := &w.s.hub.spare
	spare.put(w.buf)
	spare.putList(w.rd.spare)
	w.buf, w.rd.spare = nil, nil
	w.s.mu.Lock()
	defer w.s.mu.Unlock()
	if q := &w.s.in.queue; len(q.items) == 0 {
		spare.putList(q.items)
		q.items = nil
	}
}

// write encodes items and writes them, in pieces of whole frames.
func (w *writer) write(items []item) error {
	if w.buf == nil {
		w.buf = w.s.hub.spare.get(items)
	}
	b, shared := w.buf[:0], true
	var failed error
	for i := range items {
		b, failed = items[i].encode(b, w.s.dialect, failed)
		shared = shared && items[i].shared()
		if len(b) < writeSize && i < len(items)-1 {
			continue
		}
		if err := w.flush(b, shared); err != nil {
			return err
		}
		b, shared = b[:0], true
	}
	w.s.hub.failed(w.s, failed)
	w.rd.handed(items)
	w.buf = b
	return nil
}

// farewell writes what was queued before the end, and that it is one.
func (w *writer) farewell(ctx context.Context) error {
	// One that is behind gets nothing more: its context has ended.
	if items, err := w.rd.next(ctx); err == nil && len(items) > 0 {
		if err := w.write(items); err != nil {
			return err
		}
	}
	return w.write([]item{{notice: farewell(w.s.Cause())}})
}

// farewell is the last notice.
func farewell(cause error) *Notice {
	n := &Notice{Kind: NoticeFarewell, Cause: cause}
	if cause == ErrClosed || cause == ErrDraining || cause == ErrReset {
		n.Retry = time.Second + rand.N(5*time.Second) // so that not all come back at once
	}
	return n
}

// jitter spreads d by ±10 %.
func jitter(d time.Duration) time.Duration {
	return d - d/10 + rand.N(d/5+1)
}

// Messages gives what arrives until ctx or the subscription ends; the last pair
// has the cause as its error. A [*Gap] error says that messages are missing
// before the next one, and the sequence goes on. Leaving the loop closes the
// subscription. It can be ranged over once.
func (s *Subscription) Messages(ctx context.Context) iter.Seq2[Message, error] {
	return func(yield func(Message, error) bool) {
		if err := s.begin(); err != nil {
			yield(Message{}, err)
			return
		}
		defer s.finish()
		if err := s.pull(ctx, yield); err != nil {
			s.end(err, stageLeft)
			yield(Message{}, err)
			return
		}
		s.end(ErrUnregistered, stageLeft)
	}
}

// pull yields until something ends it; nil when yield wants no more.
func (s *Subscription) pull(ctx context.Context, yield func(Message, error) bool) error {
	if err := s.enter(); err != nil {
		return err
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	life, over := s.delivery(&s.in.cancel)
	defer over()
	defer context.AfterFunc(life, func() { cancel(s.Cause()) })()
	rd := reader{s: s}
	defer rd.close()
	items, err := rd.open(ctx)
	if err == nil && !s.hub.announce(s) {
		return s.Cause()
	}
	for ; ; items, err = rd.next(ctx) {
		switch {
		case s.Cause() != nil:
			return s.Cause()
		case err != nil:
			return err
		}
		for i := range items {
			if !items[i].yield(yield) {
				return nil
			}
		}
		if rd.handed(items); len(items) > 0 {
			continue
		}
		select {
		case <-s.in.wake:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// yield hands out a message or a gap; other notices are for faces.
func (it *item) yield(yield func(Message, error) bool) bool {
	switch {
	case it.msg != nil:
		return yield(*it.msg, nil)
	case it.notice.Kind == NoticeGap:
		return yield(Message{}, it.notice.Gap)
	}
	return true
}
