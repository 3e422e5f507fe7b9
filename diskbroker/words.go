package diskbroker

import (
	"slices"
	"sort"

	"github.com/stentor-sse/stentor"
)

// word is where the newest message about a subject is. One that another has taken the place
// of is gone, and leaves the lists that it is in when they are compacted.
type word struct {
	place
	subject string
	channel *channel
	gone    bool
}

// words are in the order of their positions, with some that are gone: never the first, and never
// more than the others, but for a few. The zero value is empty.
type words struct {
	list  []*word
	n     int   // that are not gone
	bytes int64 // of these
}

func (s *words) push(w *word) {
	s.list = append(s.list, w)
	s.n++
	s.bytes += w.size
}

// front is the oldest one; nil if there is none.
func (s *words) front() *word {
	if s.n == 0 {
		return nil
	}
	return s.list[0]
}

// left notes that w is gone.
func (s *words) left(w *word) {
	s.n--
	s.bytes -= w.size
	for len(s.list) > 0 && s.list[0].gone {
		s.list = shift(s.list, 1)
	}
	if len(s.list) > 2*s.n+64 {
		s.list = slices.Clip(slices.DeleteFunc(s.list, func(w *word) bool { return w.gone }))
	}
}

// after gives those behind a position, and some that are gone among them.
func (s *words) after(p stentor.Position) []*word {
	return s.list[sort.Search(len(s.list), func(i int) bool { return s.list[i].position > p }):]
}

// say makes a message the word about a subject.
func (x *index) say(c *channel, subject string, at place) {
	if c.about == nil {
		c.about = map[string]*word{}
	}
	w := &word{place: at, subject: subject, channel: c}
	c.about[subject] = w
	c.words.push(w)
	x.words.push(w)
}

// unsay takes a word out. On disk it stays until the committer takes it away with others.
func (x *index) unsay(w *word) {
	w.gone = true
	delete(w.channel.about, w.subject)
	w.channel.words.left(w)
	x.words.left(w)
	x.kept--
	x.bytes -= w.size
	x.gone = append(x.gone, gone{w.position, w.channel})
}

// supersede takes out what was said about a subject. Nothing is missing without it: the next
// message tells what has become of it.
func (x *index) supersede(c *channel, subject string) {
	if w := c.about[subject]; w != nil {
		x.unsay(w)
	}
}

// has reports whether a message is kept.
func (c *channel) has(m *stentor.Message) bool {
	if m.Subject == "" || m.Remove {
		return m.Position > c.floor
	}
	w := c.about[m.Subject]
	return w != nil && w.position == m.Position
}
