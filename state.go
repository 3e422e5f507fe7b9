package stentor

import (
	"context"
	"fmt"
)

// owed is what a subscription has yet to be told of a channel's state.
type owed uint8

const (
	owesNothing owed = iota
	owesJoined       // what there was when it joined
	owesAll          // what there is
)

// statement is a reader on its way through the state of channels: what is kept about subjects
// up to where its stream goes on. Those messages are told without their positions, for
// a stream can't go on after one of them; when all is told there is a notice.
type statement struct {
	opening bool // the stream begins with it
	left    []debt
	at      Position // in the first of left
	told    []Channel
}

// debt is a channel whose state is to be told, up to a position, to one who is on it since another.
type debt struct {
	name        Channel
	since, upTo Position
}

// begin finds out if the stream begins with the state of its channels: that of one without a
// cursor does, and of one whose place had yet to be told it.
func (r *reader) begin(ctx context.Context) (yes bool, err error) {
	s := r.s
	for _, ch := range s.Channels() {
		if there, err := s.hub.hasState(ctx, ch, r.cursor); err != nil {
			return false, err
		} else if there {
			s.owe(ch, owesAll)
			r.states, yes = &statement{opening: true}, true
		}
	}
	return yes, nil
}

// hasState reports whether there is anything to tell of ch.
func (h *Hub) hasState(ctx context.Context, ch Channel, upTo Position) (there bool, err error) {
	err = h.link.State(ctx, ch, 0, upTo, func([]Message) bool {
		there = true
		return false
	})
	if err != nil {
		return false, fmt.Errorf("stentor: state: %w", err)
	}
	return there, nil
}

// owe notes that the state of ch is to be told, and has the reader look.
func (s *Subscription) owe(ch Channel, what owed) {
	x := &s.hub.index
	x.mu.Lock()
	defer x.mu.Unlock()
	p := s.on(ch)
	if !s.indexed || p == nil {
		return
	}
	p.owed = what
	s.mu.Lock()
	defer s.mu.Unlock()
	s.owing = true
	if c := s.conn.Load(); c != nil {
		c.Pause()
	} else {
		s.in.owing = true
		s.in.signal()
	}
}

// owes reports whether some state is to be told. The caller holds index.mu.
func (s *Subscription) owes() bool {
	for i := range s.places {
		if s.places[i].owed != owesNothing {
			return true
		}
	}
	return false
}

// debts lists the channels whose state is to be told to one who has everything up to a position.
func (x *index) debts(s *Subscription, cursor Position) (list []debt) {
	x.mu.RLock()
	defer x.mu.RUnlock()
	for i := range s.places {
		switch p := &s.places[i]; p.owed {
		case owesJoined:
			list = append(list, debt{p.on.name, p.since, p.since})
		case owesAll:
			list = append(list, debt{p.on.name, p.since, max(p.since, cursor)})
		}
	}
	return list
}

// pay notes that a debt is settled, and reports whether it still was one.
func (x *index) pay(s *Subscription, d debt) bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	p := s.on(d.name)
	if p == nil || p.owed == owesNothing || p.since != d.since {
		return false // left meanwhile, and may be back with another debt
	}
	p.owed = owesNothing
	return true
}

// state gives the next page of it. With the notice at its end the reader goes on.
func (r *reader) state(ctx context.Context) (items []item, err error) {
	st, h := r.states, r.s.hub
	if len(st.left) == 0 {
		if st.left = h.index.debts(r.s, r.cursor); len(st.left) == 0 {
			return r.stated(), nil
		}
	}
	due := st.left[0]
	err = h.link.State(ctx, due.name, st.at, due.upTo, func(page []Message) bool {
		for i := range page {
			m := &page[i]
			st.at = m.Position
			m.Position, m.Prev = 0, 0
			items = append(items, item{msg: m})
		}
		return false
	})
	if err != nil {
		return nil, fmt.Errorf("stentor: state: %w", err)
	}
	if len(items) == 0 {
		if h.index.pay(r.s, due) {
			st.told = append(st.told, due.name)
		}
		st.left, st.at = st.left[1:], 0
	}
	return items, nil
}

// stated ends it, and says so.
func (r *reader) stated() []item {
	n := &Notice{Kind: NoticeState, Channels: r.states.told}
	if r.states.opening {
		n.Cursor = r.cursor
	}
	r.states = nil
	r.s.settleDebts()
	if n.Channels == nil && n.Cursor == 0 {
		return nil
	}
	return []item{{notice: n}}
}

// settleDebts notes whether there are any left.
func (s *Subscription) settleDebts() {
	x := &s.hub.index
	x.mu.RLock()
	defer x.mu.RUnlock()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.owing, s.stated = s.owes(), true
}
