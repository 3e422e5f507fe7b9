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

// memoryPlace is a message in the queue of its channel.
type memoryPlace struct {
	position Position
	channel  *channelLog
	i        int
}

// memoryMerge is a heap of places, one per channel, the lowest position first.
type memoryMerge []memoryPlace

// merge finds the first message of each channel after a position, and how
// many there are from there on, those above upTo included.
func (l *memoryLog) merge(channels []Channel, after, upTo Position) (m memoryMerge, total int) {
	for _, name := range channels {
		c := l.channels[name]
		if c == nil {
			continue
		}
		i := sort.Search(c.kept.n, func(i int) bool { return c.kept.at(i).Position > after })
		if i == c.kept.n || c.kept.at(i).Position > upTo {
			continue
		}
		m = append(m, memoryPlace{c.kept.at(i).Position, c, i})
		total += c.kept.n - i
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
	next := p.channel.kept.at(p.i)
	if p.i++; p.i < p.channel.kept.n {
		p.position = p.channel.kept.at(p.i).Position
	}
	if p.i == p.channel.kept.n || p.position > upTo {
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
