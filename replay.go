package stentor

import (
	"context"
	"fmt"
	"iter"
)

// ownPageSize bounds what is taken from an application's replay at once.
const ownPageSize = 256

// ownReplay is an application's sequence of what a reader missed, pulled as fast as
// that reader reads.
type ownReplay struct {
	next func() (Message, error, bool)
	stop func()
	last Position
}

func newOwnReplay(ctx context.Context, s *Subscription) *ownReplay {
	next, stop := iter.Pull2(s.in.replay(ctx, s))
	return &ownReplay{next: next, stop: stop}
}

// close lets the sequence end, if the reader ended before it did.
func (r *reader) close() {
	if r.own != nil {
		r.own.stop()
		r.own = nil
	}
}

// ownPage reads on in the application's sequence. After the last page the reader is
// live: what the feed brought since it was registered is held.
func (r *reader) ownPage() (items []item) {
	s := r.s
	for len(items) < ownPageSize {
		m, err, ok := r.own.next()
		if ok && err == nil {
			err = s.adopt(&m)
		}
		if !ok || err != nil {
			after := max(r.own.last, r.cursor)
			r.close()
			if r.cursor = s.in.start; err != nil {
				s.hub.failed(s, fmt.Errorf("stentor: replay: %w", err))
				items = append(items, r.gap(&Gap{Reason: GapDegraded, After: after}, r.cursor))
			}
			return items
		}
		if m.Position != 0 && (m.Position <= r.own.last || m.Position > s.in.start) {
			continue
		}
		r.own.last = max(r.own.last, m.Position)
		r.cursor = max(r.cursor, m.Position)
		items = append(items, item{pos: m.Position, msg: &m})
	}
	return items
}

// adopt brings a message of the application into the form that travels.
func (s *Subscription) adopt(m *Message) error {
	if m.Target == (Target{}) {
		m.Target.Subscription = s.ID()
	}
	at, when := m.Position, m.Time
	err := m.prepare(s.hub.o.MaxData)
	m.Position, m.Time = at, when
	return err
}
