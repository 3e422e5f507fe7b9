package diskbroker

import (
	"cmp"
	"container/heap"
	"fmt"
	"slices"

	"github.com/stentor-sse/stentor"
	bolt "go.etcd.io/bbolt"
)

const (
	pageMessages = 256
	pageBytes    = 256 << 10
)

// page gives the oldest kept messages of the channels with after < position <=
// upTo, as many as fit a page and at least one if there is any, and how far it
// went: zero when there is nothing. It costs a search per channel and, per message, a step
// in a heap of channels and a look into the file.
func (b *Broker) page(channels []stentor.Channel, after, upTo stentor.Position) (page []stentor.Message, last stentor.Position, err error) {
	return b.read(func(x *index) merge { return x.merge(channels, after, upTo) }, after, upTo)
}

// stated is a page of a channel's state.
func (b *Broker) stated(ch stentor.Channel, after, upTo stentor.Position) (page []stentor.Message, last stentor.Position, err error) {
	return b.read(func(x *index) (m merge) {
		if c := x.channels[ch]; c != nil {
			m.add(merging{words: c.words.after(after), channel: c}, upTo)
		}
		return m
	}, after, upTo)
}

// read reads a page of what a merge of the index finds.
func (b *Broker) read(of func(x *index) merge, after, upTo stentor.Position) (page []stentor.Message, last stentor.Position, err error) {
	found, page := b.index.find(of, after, upTo)
	if len(found) == 0 {
		return nil, 0, nil
	}
	var lost []spot
	err = b.store.view(func(tx *bolt.Tx) error {
		lost = fetch(tx.Bucket([]byte(bucketMessages)).Cursor(), found, page)
		return nil
	})
	if err != nil {
		return nil, 0, fmt.Errorf("diskbroker: replay: %w", err)
	}
	b.index.missed(lost)
	page = slices.DeleteFunc(page, func(m stentor.Message) bool { return m.Position == 0 })
	return page, found[len(found)-1].position, nil
}

// spot is a message of a page.
type spot struct {
	position stentor.Position
	channel  *channel
	word     *word // nil for one that is about no subject
}

// find looks up what a page holds. Messages that are held are in it already.
func (x *index) find(of func(x *index) merge, after, upTo stentor.Position) (found []spot, page []stentor.Message) {
	x.view(func() {
		m := of(x)
		size := int64(0)
		for last := after; len(m) > 0 && len(found) < pageMessages; {
			next := m.next(upTo)
			if next.position == last {
				continue // the same channel was asked for twice
			}
			if size += next.size; size > pageBytes && len(found) > 0 {
				break
			}
			last = next.position
			found = append(found, spot{last, next.channel, next.word()})
		}
		page = make([]stentor.Message, len(found))
		for i := range found {
			if m := x.fromHeld(found[i].position); m != nil {
				page[i] = *m
			}
		}
	})
	return found, page
}

// fromHeld finds a message that isn't on disk yet.
func (x *index) fromHeld(p stentor.Position) *stentor.Message {
	i, ok := slices.BinarySearchFunc(x.held, p, func(r *request, p stentor.Position) int { return cmp.Compare(r.m.Position, p) })
	if !ok {
		return nil
	}
	return &x.held[i].m
}

// fetch reads the messages that a page lacks, and gives the spots of those that
// aren't there.
func fetch(c *bolt.Cursor, found []spot, page []stentor.Message) (lost []spot) {
	var at stentor.Position
	var key, value []byte
	var b [keySize]byte
	for i, f := range found {
		if page[i].Position != 0 {
			continue
		}
		// The next one is often right behind; else it is searched for.
		if at != 0 {
			key, value = c.Next()
			at = readKey(key)
		}
		if at != f.position {
			key, value = c.Seek(appendKey(b[:0], f.position))
			at = readKey(key)
		}
		m, err := readRecord(key, value)
		if at != f.position || err != nil {
			lost = append(lost, f)
			continue
		}
		page[i] = m
	}
	return lost
}

// missed notes the messages that aren't on disk though they should be: all that
// haven't been trimmed meanwhile.
func (x *index) missed(lost []spot) {
	for _, s := range lost {
		x.mu.RLock()
		kept := s.word != nil && !s.word.gone || s.word == nil && s.position > s.channel.floor
		x.mu.RUnlock()
		if kept {
			x.damage(s.position)
		}
	}
}

// merging is a message of a channel on its way through a merge: one of those it keeps in turn, or of
// its words.
type merging struct {
	walk
	words   []*word // from this one on; nil for the others
	channel *channel
}

// word is the one that it is at.
func (g *merging) word() *word {
	if g.words == nil {
		return nil
	}
	return g.words[0]
}

// step goes on to the next message; it reports false at the end.
func (g *merging) step() bool {
	if g.words == nil {
		return g.walk.next()
	}
	g.words = g.words[1:]
	return g.settle()
}

// settle goes on to the first word that is not gone.
func (g *merging) settle() bool {
	for ; len(g.words) > 0; g.words = g.words[1:] {
		if w := g.words[0]; !w.gone {
			g.place = w.place
			return true
		}
	}
	return false
}

// merge is a heap of channels, up to twice each, the one with the lowest position first.
type merge []merging

// merge finds the first messages of each channel after a position.
func (x *index) merge(channels []stentor.Channel, after, upTo stentor.Position) (m merge) {
	for _, name := range channels {
		c := x.channels[name]
		if c == nil {
			continue
		}
		if w, ok := c.kept.after(after); ok && w.position <= upTo {
			m = append(m, merging{walk: w, channel: c})
		}
		m.add(merging{words: c.words.after(after), channel: c}, upTo)
	}
	heap.Init(&m)
	return m
}

// add adds words, if there are any up to a position.
func (m *merge) add(g merging, upTo stentor.Position) {
	if g.settle() && g.position <= upTo {
		*m = append(*m, g)
	}
}

// next takes the lowest place out. It is good while the index is locked.
func (m *merge) next(upTo stentor.Position) merging {
	first := &(*m)[0]
	at := *first
	if first.step() && first.position <= upTo {
		heap.Fix(m, 0)
	} else {
		heap.Pop(m)
	}
	return at
}

func (m merge) Len() int           { return len(m) }
func (m merge) Less(i, j int) bool { return m[i].position < m[j].position }
func (m merge) Swap(i, j int)      { m[i], m[j] = m[j], m[i] }

// Push implements heap.Interface.
func (m *merge) Push(v any) { *m = append(*m, v.(merging)) }

// Pop implements heap.Interface.
func (m *merge) Pop() any {
	last := len(*m) - 1
	v := (*m)[last]
	*m = (*m)[:last]
	return v
}
