package stentor

import "sort"

const (
	pageMessages = 256
	pageBytes    = 256 << 10
)

// page gives the oldest kept messages of the channels with after < position <=
// upTo, as many as fit a page and at least one if there is any. It costs
// a binary search per channel and, per message, a step in a heap of channels.
func (l *memoryLog) page(channels []Channel, after, upTo Position) (page []Message) {
	l.view(func() {
		m, total := l.merge(channels, after, upTo)
		page = make([]Message, 0, min(total, pageMessages))
		size := 0
		for last := after; len(m) > 0 && len(page) < pageMessages; {
			next := m.next(upTo)
			if next.Position == last {
				continue // the same channel was asked for twice
			}
			if size += len(next.Data); size > pageBytes && len(page) > 0 {
				break
			}
			last = next.Position
			page = append(page, *next)
		}
	})
	return page
}

// memoryPlace is a message of a channel: one of those it keeps in turn, or of its state.
type memoryPlace struct {
	position Position
	kept     *memoryRing[Message] // nil where it is of the state
	state    *memoryState
	i        int
}

// find makes p the place of the first message from i on, if there is one.
func (p *memoryPlace) find(i int) bool {
	if p.kept != nil {
		if i < p.kept.n {
			p.i, p.position = i, p.kept.at(i).Position
			return true
		}
		return false
	}
	for ; i < p.state.list.n; i++ {
		if w := *p.state.list.at(i); !w.gone {
			p.i, p.position = i, w.m.Position
			return true
		}
	}
	return false
}

func (p *memoryPlace) message() *Message {
	if p.kept != nil {
		return p.kept.at(p.i)
	}
	return &(*p.state.list.at(p.i)).m
}

// memoryMerge is a heap of places, up to two per channel, the lowest position first.
type memoryMerge []memoryPlace

// merge finds the first messages of each channel after a position, and how
// many there may be from there on, those above upTo included.
func (l *memoryLog) merge(channels []Channel, after, upTo Position) (m memoryMerge, total int) {
	add := func(p memoryPlace, i, n int) {
		if p.find(i) && p.position <= upTo {
			m = append(m, p)
			total += n - i
		}
	}
	for _, name := range channels {
		c := l.channels[name]
		if c == nil {
			continue
		}
		add(memoryPlace{kept: &c.kept}, sort.Search(c.kept.n, func(i int) bool { return c.kept.at(i).Position > after }), c.kept.n)
		if c.state.n > 0 {
			add(memoryPlace{state: &c.state}, c.state.after(after), c.state.list.n)
		}
	}
	for i := len(m)/2 - 1; i >= 0; i-- {
		m.down(i)
	}
	return m, total
}

// next takes the lowest message out. It is good while the log is locked.
func (m *memoryMerge) next(upTo Position) *Message {
	h := *m
	p := &h[0]
	next := p.message()
	if !p.find(p.i+1) || p.position > upTo {
		h[0] = h[len(h)-1]
		*m = h[:len(h)-1]
	}
	m.down(0)
	return next
}

// down restores the heap below i.
func (m memoryMerge) down(i int) {
	for {
		least := i
		for _, c := range [...]int{2*i + 1, 2*i + 2} {
			if c < len(m) && m[c].position < m[least].position {
				least = c
			}
		}
		if least == i {
			return
		}
		m[i], m[least] = m[least], m[i]
		i = least
	}
}
