package stentor

import "sort"

// memoryWord is the newest message about a subject. One that another has taken the place of
// is gone, and leaves the lists that it is in when they are compacted.
type memoryWord struct {
	m       Message
	channel *channelLog
	gone    bool
}

// memoryState is words in the order of their positions, and some that are gone: never the
// first, and never more than the others, but for a few. The zero value is empty.
type memoryState struct {
	list memoryRing[*memoryWord]
	n    int // that are not gone
}

func (s *memoryState) push(w *memoryWord) {
	s.list.push(w)
	s.n++
}

// front is the oldest one; nil if there is none.
func (s *memoryState) front() *memoryWord {
	if s.n == 0 {
		return nil
	}
	return *s.list.at(0)
}

// left notes that one of them is gone.
func (s *memoryState) left() {
	s.n--
	for s.list.n > 0 && (*s.list.at(0)).gone {
		s.list.pop()
	}
	if s.list.n > 2*s.n+64 {
		s.list.retain(func(w **memoryWord) bool { return !(*w).gone })
	}
}

// after finds the first one behind a position, by its place in the list; that one may be gone.
func (s *memoryState) after(p Position) int {
	return sort.Search(s.list.n, func(i int) bool { return (*s.list.at(i)).m.Position > p })
}

// say makes m the word about its subject.
func (l *memoryLog) say(c *channelLog, m *Message) {
	if c.about == nil {
		c.about = map[string]*memoryWord{}
	}
	w := &memoryWord{m: *m, channel: c}
	c.about[m.Subject] = w
	c.state.push(w)
	l.states.push(w)
	l.bytes += messageBytes(m)
}

// unsay takes a word out of its channel's state.
func (l *memoryLog) unsay(w *memoryWord) {
	c := w.channel
	w.gone = true
	delete(c.about, w.m.Subject)
	l.bytes -= messageBytes(&w.m)
	c.state.left()
	l.states.left()
}

// supersede takes out what was said about a subject. Nothing is missing without it: the next
// message tells what has become of it.
func (l *memoryLog) supersede(c *channelLog, subject string) {
	if w := c.about[subject]; w != nil {
		l.unsay(w)
	}
}

// stated is a page of a channel's state.
func (l *memoryLog) stated(name Channel, after, upTo Position) (page []Message) {
	l.view(func() {
		c := l.channels[name]
		if c == nil {
			return
		}
		size := 0
		for i := c.state.after(after); i < c.state.list.n && len(page) < pageMessages; i++ {
			w := *c.state.list.at(i)
			if w.gone {
				continue
			}
			if size += len(w.m.Data); w.m.Position > upTo || size > pageBytes && len(page) > 0 {
				break
			}
			page = append(page, w.m)
		}
	})
	return page
}
