package stentor

import (
	"errors"
	"fmt"
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
		e := entry{item: item{pos: m.Position, msg: m}}
		f.h.index.each(m.Target, func(s *Subscription) { s.push(e.to(s.dialect)) })
		f.h.failed(nil, e.err)
	}
}

// Advance moves the place on without a message.
func (f feed) Advance(p Position) { f.h.raise(p) }

// Break tells every subscription that messages may be missing.
func (f feed) Break(after, at Position, reason GapReason) {
	f.h.raise(at)
	g := &Gap{Reason: reason, After: after}
	n := &Notice{Kind: NoticeGap, Cursor: at, Gap: g}
	e := entry{item: item{notice: n}}
	f.h.index.each(Target{All: true}, func(s *Subscription) {
		f.h.count.gaps.Add(1)
		s.pushGap(n, e.to(s.dialect))
	})
	f.h.failed(nil, e.err)
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
	e := entry{item: item{notice: &n}}
	h.index.watching(n.Channel, func(s *Subscription) { s.push(e.to(s.dialect)) })
}
