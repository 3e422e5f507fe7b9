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
func (o *owner) Behind(c *engine.Conn, position int64, lost bool) {
	s := (*Subscription)(o)
	s.hub.writer.reading.do(func() {
		s.hub.count.behind.Add(1)
		s.fallBehind(Position(position), lost)
		if n := s.hub.broken.Load(); n != nil && Position(position) < n.Cursor {
			c.Feed(s.frame(item{notice: n})) // the log may have forgotten it, and the history doesn't know
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
	s.mu.Lock()
	s.catch = c // before it can be ended
	s.mu.Unlock()
	c.ctx, _ = s.delivery(&c.cancel)
}

// Fed reads on.
func (o *owner) Fed(c *engine.Conn) {
	s := (*Subscription)(o)
	s.hub.writer.reading.do(func() { s.readHistory(c) })
}

// readHistory gives the next page of the history, or lets the stream read the log again.
func (s *Subscription) readHistory(c *engine.Conn) {
	r := &s.catch.rd
	for r.behind {
		items, err := r.page(s.catch.ctx)
		if err != nil {
			if s.live() {
				s.hub.failed(s, err)
			}
			s.end(fmt.Errorf("%w: %w", ErrGone, err), stageLingering)
			return
		}
		var b []byte
		var failed error
		for i := range items {
			b, failed = items[i].encode(b, s.dialect, failed)
		}
		s.hub.failed(s, failed)
		if r.handed(items); len(b) > 0 {
			c.Feed(b)
			return
		}
	}
	c.Resume(s.catch.mark, int64(r.cursor))
	s.caughtUp()
}

func (s *Subscription) caughtUp() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.catch.cancel()
	s.catch = nil
}
