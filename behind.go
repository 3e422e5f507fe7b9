package stentor

import (
	"context"
	"fmt"

	"github.com/stentor-sse/stentor/internal/engine"
)

// catchUp is a stream that the log has left behind, on its way through the history.
type catchUp struct {
	rd   reader
	mark uint64 // of the log, from where everything follows rd.target
	ctx  context.Context

	cancel context.CancelFunc // guarded by Subscription.mu
}

// Behind begins to read the history.
func (o *owner) Behind(c *engine.Conn, position int64, lost, slow bool) {
	s := (*Subscription)(o)
	s.hub.writer.reading.do(func() {
		policy := s.hub.o.Slow
		if !slow {
			policy = SlowResume
		}
		if policy == SlowEnd {
			s.endSoon(ErrSlow)
			return
		}
		if s.fallBehind(Position(position), lost); s.catch.rd.states == nil {
			s.hub.count.behind.Add(1)
		}
		var told []item
		if n := s.hub.broken.Load(); n != nil && Position(position) < n.Cursor {
			told = append(told, item{notice: n}) // the log may have forgotten it, and the history doesn't know
		}
		if policy == SlowSkip {
			told = append(told, s.catch.rd.skip(s.catch.rd.target)...)
		}
		if b := s.frames(told); len(b) > 0 {
			c.Feed(b)
			return
		}
		s.readHistory(c)
	})
}

// fallBehind is taken between two messages: what the history has up to the target is all
// that the log had before the mark.
func (s *Subscription) fallBehind(position Position, lost bool) {
	h := s.hub
	h.index.mu.Lock()
	defer h.index.mu.Unlock()
	c := &catchUp{
		rd:   reader{s: s, cursor: position, behind: true, target: max(position, Position(h.place.Load())), reason: GapSlow, lost: lost},
		mark: h.writer.engine.Load().Mark(),
	}
	if s.owes() {
		c.rd.states = &statement{}
	}
	s.mu.Lock()
	s.catch = c // before it can be ended
	s.mu.Unlock()
	c.ctx, _ = s.delivery(&c.cancel)
}

// endSoon ends s where hooks may take their time: those who read the history must not wait for
// them.
func (s *Subscription) endSoon(cause error) {
	s.hub.writer.endings.do(func() { s.end(cause, stageLingering) })
}

// Fed reads on.
func (o *owner) Fed(c *engine.Conn) {
	s := (*Subscription)(o)
	s.hub.writer.reading.do(func() { s.readHistory(c) })
}

// readHistory gives the next page of the history, or lets the stream read the log again.
func (s *Subscription) readHistory(c *engine.Conn) {
	r := &s.catch.rd
	for {
		items, err := r.past(s.catch.ctx)
		if err == nil && len(items) == 0 {
			break
		}
		if err != nil {
			if s.live() {
				s.hub.failed(s, err)
			}
			s.endSoon(fmt.Errorf("%w: %w", ErrGone, err))
			return
		}
		b := s.frames(items)
		if r.handed(items); len(b) > 0 {
			c.Feed(b)
			return
		}
	}
	mark := s.catch.mark
	s.caughtUp() // before it can fall behind again
	c.Resume(mark, int64(r.cursor))
}

// frames encodes items, and tells the hook of those that can't be.
func (s *Subscription) frames(items []item) (b []byte) {
	var failed error
	for i := range items {
		b, failed = items[i].encode(b, s.dialect, failed)
	}
	s.hub.failed(s, failed)
	return b
}

func (s *Subscription) caughtUp() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.catch.cancel()
	s.catch = nil
}
