package diskbroker

import (
	"cmp"
	"context"
	"iter"
	"os"
	"slices"

	"github.com/stentor-sse/stentor"
	bolt "go.etcd.io/bbolt"
)

// Stats says what is kept.
type Stats struct {
	Messages int
	Channels int   // that are remembered, those with nothing kept included
	Bytes    int64 // as Options.Bytes counts them
	File     int64 // bytes of the file
	Oldest   stentor.Position
	Head     stentor.Position // of the newest message, kept or not
	Start    stentor.Position // of the log: what was before it may be missing
	Damaged  uint64           // records that could not be read since Open
	// Durability is what receipts say of kept messages.
	Durability string
}

// Stats counts.
func (b *Broker) Stats() (s Stats) {
	s.Durability = b.options.durability()
	if info, err := os.Stat(b.store.path); err == nil {
		s.File = info.Size()
	}
	x := b.index
	x.view(func() {
		s.Messages, s.Channels, s.Bytes = x.kept, len(x.channels), x.bytes
		s.Head, s.Start, s.Damaged = x.head, x.start, x.damaged
		if c := x.oldest(); c != nil {
			s.Oldest = c.front()
		}
	})
	return s
}

// ChannelStats says what is kept of one channel.
type ChannelStats struct {
	// Route is the channel as [stentor.Target.Route] names it.
	Route    stentor.Channel
	Messages int
	Bytes    int64
	Floor    stentor.Position // what may be missing is at or below it
	Newest   stentor.Position // its newest message, kept or not
}

// Channels are all channels that are remembered, the one with most messages first.
func (b *Broker) Channels() (list []ChannelStats) {
	x := b.index
	x.view(func() {
		for _, c := range x.channels {
			list = append(list, ChannelStats{c.name, c.size(), c.kept.bytes + c.words.bytes, c.floor, c.last})
		}
	})
	slices.SortFunc(list, func(a, b ChannelStats) int {
		return cmp.Or(cmp.Compare(b.Messages, a.Messages), cmp.Compare(a.Route, b.Route))
	})
	return list
}

// Messages are all that are kept, on all channels, in order. The sequence ends with an error when
// ctx ends or the file can't be read; a record that can't is left out and counted. What is trimmed while it
// runs may be left out.
func (b *Broker) Messages(ctx context.Context) iter.Seq2[stentor.Message, error] {
	return func(yield func(stentor.Message, error) bool) {
		head := b.index.top()
		for after := stentor.Position(0); after < head; {
			page, last, err := b.scan(after, head)
			if err == nil {
				err = ctx.Err()
			}
			if err != nil {
				yield(stentor.Message{}, err)
				return
			}
			for _, m := range page {
				if !yield(m, nil) {
					return
				}
			}
			after = last
		}
	}
}

// scan reads on after a position, over all channels, and says how far it went.
func (b *Broker) scan(after, upTo stentor.Position) (page []stentor.Message, last stentor.Position, err error) {
	last = upTo
	held := b.index.unwritten() // before the disk is looked at: what leaves it is there
	err = b.store.view(func(tx *bolt.Tx) error {
		size := 0
		c := tx.Bucket([]byte(bucketMessages)).Cursor()
		for key, value := c.Seek(appendKey(nil, after+1)); key != nil; key, value = c.Next() {
			if len(page) == pageMessages || size > pageBytes {
				last = page[len(page)-1].Position
				break
			}
			if m, err := readRecord(key, value); err == nil {
				page, size = append(page, m), size+len(value)
			}
		}
		return nil
	})
	x := b.index
	x.mu.RLock()
	defer x.mu.RUnlock()
	for _, r := range held {
		if r.stored && r.m.Position > after && last == upTo && (len(page) == 0 || r.m.Position > page[len(page)-1].Position) {
			page = append(page, r.m)
		}
	}
	page = slices.DeleteFunc(page, func(m stentor.Message) bool {
		c := x.channels[m.Target.Route()]
		return c == nil || !c.has(&m) || m.Position > upTo
	})
	return page, last, err
}
