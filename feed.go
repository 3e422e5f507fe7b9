package stentor

import (
	"errors"
	"fmt"

	"github.com/stentor-sse/stentor/internal/engine"
)

// feed is the hub as its broker sees it.
type feed struct{ h *Hub }

// Deliver spreads messages to the subscriptions they cover.
func (f feed) Deliver(list []Message) {
	for i := range list {
		m := &list[i]
		if m.Position != 0 {
			f.h.raise(m.Position)
		}
		f.h.failed(nil, f.h.spread(m.Target, item{pos: m.Position, msg: m}, false))
	}
}

// Advance moves the place on without a message.
func (f feed) Advance(p Position) { f.h.complete(p) }

// complete notes that the feed has given all that was wanted up to p, or will not.
func (h *Hub) complete(p Position) {
	h.raise(p)
	h.index.mu.Lock()
	defer h.index.mu.Unlock()
	h.index.spread(p)
}

// Break tells every subscription that messages may be missing.
func (f feed) Break(after, at Position, reason GapReason) {
	f.Advance(at)
	n := &Notice{Kind: NoticeGap, Cursor: at, Gap: &Gap{Reason: reason, After: after}}
	f.h.broken.Store(n)
	f.h.failed(nil, f.h.spread(Target{All: true}, item{notice: n}, false))
}

// spread gives an item to all that t covers, or to those of them that watch presence. A stream is
// either the engine's or reads a queue, and doesn't change sides meanwhile.
func (h *Hub) spread(t Target, it item, watching bool) error {
	e := entry{item: it}
	give := func(s *Subscription) {
		if it.notice != nil && it.notice.Kind == NoticeGap {
			s.pushGap(it.notice, e.to(s.dialect))
		} else {
			s.push(e.to(s.dialect))
		}
	}
	x := &h.index
	x.mu.RLock()
	defer x.mu.RUnlock()
	if it.pos > 0 {
		x.spread(it.pos)
	}
	if on := x.whole(t); on != nil {
		list, taken := on.given, on.taken
		if watching {
			list, taken = on.watching, on.listening
		}
		if taken > 0 {
			h.log(it, on, watching, nil)
		}
		for _, s := range list {
			give(s)
		}
		return e.err
	}
	var taken []*engine.Conn
	x.each(t, func(s *Subscription) {
		if c := s.conn.Load(); c != nil {
			taken = append(taken, c)
		} else {
			give(s)
		}
	})
	if len(taken) > 0 {
		h.log(it, nil, false, taken)
	}
	return e.err
}

// item is one message or notice on its way to one subscription. The frame is
// shared by all subscriptions of a dialect; without one, msg or notice is
// encoded when it is written.
type item struct {
	pos    Position // zero: ephemeral
	msg    *Message
	notice *Notice
	frame  []byte
}

// entry is an item on its way to many, encoded once per dialect. Only the
// goroutine that spreads it uses it.
type entry struct {
	item
	dialects []Dialect
	frames   [][]byte
	err      error // of a dialect that could not encode it
}

// to is the item for a subscription with that dialect.
func (e *entry) to(d Dialect) item {
	it := e.item
	if d == nil {
		return it
	}
	for i, have := range e.dialects {
		if have == d {
			it.frame = e.frames[i]
			return it
		}
	}
	if it.frame, e.err = it.encode(nil, d, e.err); it.frame == nil {
		it.frame = []byte{} // not shown on this face
	}
	e.dialects, e.frames = append(e.dialects, d), append(e.frames, it.frame)
	return it
}

// encode appends the item's frame in d. What d can't encode it does not show: Publish has
// refused all that no face can carry. The error joins what has failed before.
func (it *item) encode(b []byte, d Dialect, failed error) ([]byte, error) {
	var out []byte
	var err error
	switch {
	case it.frame != nil:
		return append(b, it.frame...), failed
	case it.notice != nil:
		out, err = d.AppendNotice(b, it.notice)
	default:
		out, err = d.AppendMessage(b, it.msg)
	}
	if err != nil {
		return b, errors.Join(failed, fmt.Errorf("stentor: encode: %w", err))
	}
	return out, failed
}

// size is what the item counts for in a queue.
func (it *item) size() int {
	switch {
	case it.frame != nil:
		return len(it.frame)
	case it.msg != nil:
		return len(it.msg.Data) + len(it.msg.Type)
	}
	return 0
}

// notify sends a presence notice to the subscriptions on its channel that want
// such notices.
func (h *Hub) notify(n Notice) {
	h.spread(Target{Channel: n.Channel}, item{notice: &n}, true) // an error is the face's own, and shows in its tests
}
