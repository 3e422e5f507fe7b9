package stentor

import (
	"context"
	"iter"
	"time"
)

// inbox is what a reader that is not the engine reads from. The engine's have none.
type inbox struct {
	start     Position // the feed is complete after it
	keepAlive time.Duration
	replay    func(context.Context, *Subscription) iter.Seq2[Message, error]

	cancel context.CancelFunc // of the delivery, guarded by Subscription.mu, as are queue and beat

	wake  chan struct{} // told when there may be something
	queue queue
	beat  bool // a heartbeat waits to be answered
	owing bool // the state of channels that were joined is to be told
}

// queue holds what waits for one reader. When it is full it takes nothing more:
// the reader falls back on its cursor and reads what it was not given from the
// history.
type queue struct {
	items []item
	bytes int
	full  bool
	lost  bool    // something ephemeral was not taken
	gap   *Notice // a break of the feed that was not taken, the widest of several
}

func (in *inbox) signal() {
	select {
	case in.wake <- struct{}{}:
	default:
	}
}

// push queues it, or marks that the reader must fall back. It never blocks.
func (s *Subscription) push(it item) {
	if it.frame != nil && len(it.frame) == 0 {
		return // this face does not show it
	}
	s.mu.Lock()
	c := s.conn.Load()
	if c == nil {
		s.enqueue(it)
		s.in.signal()
	}
	s.mu.Unlock()
	if c != nil {
		s.write(c, it)
	}
}

// pushGap queues a break of the feed. Where there is no room it is kept aside,
// because nothing else would tell of it.
func (s *Subscription) pushGap(n *Notice, it item) {
	s.hub.count.gaps.Add(1)
	s.mu.Lock()
	defer s.mu.Unlock()
	q := &s.in.queue
	room := !q.full && len(q.items) < s.hub.o.QueueLength
	q.full = !room
	switch {
	case room:
		q.items = append(q.items, it)
	case q.gap == nil:
		q.gap = n
	default:
		wide := *n.Gap
		wide.After = min(wide.After, q.gap.Gap.After)
		q.gap = &Notice{Kind: NoticeGap, Cursor: max(n.Cursor, q.gap.Cursor), Gap: &wide}
	}
	s.in.signal()
}

// enqueue does it. The caller holds mu.
func (s *Subscription) enqueue(it item) {
	o, q := &s.hub.o, &s.in.queue
	switch {
	case s.ending != nil:
		return
	case q.full:
	case len(q.items) >= o.QueueLength || len(q.items) > 0 && q.bytes+it.size() > o.QueueBytes:
		q.full = true
		s.hub.count.behind.Add(1)
	default:
		if n := len(q.items); n > 0 && n == cap(q.items) && n < spareItems {
			q.items = append(s.hub.spare.list(n), q.items...)
		}
		q.items = append(q.items, it)
		q.bytes += it.size()
	}
	if q.full && it.pos == 0 {
		q.lost = true
		s.hub.count.lost.Add(1)
	}
}

// taken is what a reader took from the queue at one moment.
type taken struct {
	items  []item
	full   bool     // there is more up to target, in the history
	lost   bool     // and something ephemeral is gone
	gap    *Notice  // and the feed broke
	target Position // the queue collects what comes after it
	beat   bool
	owing  bool
}

// take empties the queue, which collects again from here on. spare is reused.
func (s *Subscription) take(spare []item) taken {
	s.mu.Lock()
	defer s.mu.Unlock()
	q := &s.in.queue
	t := taken{items: q.items, full: q.full, lost: q.lost, gap: q.gap, beat: s.in.beat, owing: s.in.owing}
	if t.full {
		t.target = Position(s.hub.place.Load())
	}
	*q, s.in.beat, s.in.owing = queue{items: spare[:0]}, false, false
	return t
}
