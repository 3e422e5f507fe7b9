package diskbroker

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/stentor-sse/stentor"
	bolt "go.etcd.io/bbolt"
)

// load makes the index of what is on disk, enforces the limits on it and, unless
// it is only for reading, writes down what a crash right now would need.
func (b *Broker) load() error {
	now := time.Now()
	lost := false
	err := b.store.view(func(tx *bolt.Tx) error {
		meta := tx.Bucket([]byte(bucketMeta))
		if meta == nil || tx.Bucket([]byte(bucketMessages)) == nil {
			return damaged("%s is no history", b.store.path)
		}
		lost = meta.Get([]byte(metaOpen)) != nil
		if err := b.counters.load(tx); err != nil {
			return err
		}
		return b.index.load(tx)
	})
	if err != nil {
		return fmt.Errorf("diskbroker: open: %w", err)
	}
	if b.index.start == 0 || lost { // a new log, or one whose end is lost
		b.index.begin(max(b.index.head, stentor.Position(now.UnixMicro())))
	}
	if b.options.ReadOnly {
		return nil
	}
	b.index.trim(now)
	err = b.store.update(func(tx *bolt.Tx) error {
		w := writer{tx: tx}
		w.do(func() error { return w.place(b.index.start, b.index.floor) })
		w.do(func() error { return tx.Bucket([]byte(bucketMessages)).SetSequence(uint64(b.index.head)) })
		w.do(func() error {
			meta := tx.Bucket([]byte(bucketMeta))
			if b.options.Interval > 0 {
				return meta.Put([]byte(metaOpen), []byte{1})
			}
			return meta.Delete([]byte(metaOpen))
		})
		return w.err
	})
	if err != nil {
		return fmt.Errorf("diskbroker: open: %w", faultOf(b.dir, err))
	}
	return nil
}

// load reads everything once, in the order of positions.
func (x *index) load(tx *bolt.Tx) error {
	meta, messages := tx.Bucket([]byte(bucketMeta)), tx.Bucket([]byte(bucketMessages))
	x.start, x.floor = getPosition(meta, metaStart), getPosition(meta, metaFloor)
	err := tx.Bucket([]byte(bucketChannels)).ForEach(func(name, value []byte) error {
		x.remember(stentor.Channel(name), readKey(value))
		return nil
	})
	if err != nil {
		return err
	}
	c := messages.Cursor()
	for key, value := c.First(); key != nil; key, value = c.Next() {
		m, err := readRecord(key, value)
		if err != nil {
			x.damaged++
			x.begin(readKey(key))
			continue
		}
		x.take(&m)
	}
	x.head = max(x.head, stentor.Position(messages.Sequence()))
	x.order()
	return nil
}

// take adds a message that was found on disk. A channel that is not known began
// with it.
func (x *index) take(m *stentor.Message) {
	route := m.Target.Route()
	c := x.channels[route]
	if c == nil {
		c = x.remember(route, m.Prev)
	}
	x.add(c, m, sizeOf(m))
	if c.class.size == 0 { // since it was written
		x.gone = append(x.gone, gone{m.Position, c})
	}
}

// order puts the channels in the order of their last message.
func (x *index) order() {
	list := make([]*channel, 0, len(x.channels))
	for _, c := range x.channels {
		list = append(list, c)
	}
	slices.SortFunc(list, func(a, b *channel) int { return cmp.Compare(a.last, b.last) })
	for _, c := range list {
		x.quiet.MoveToBack(c.quiet)
	}
}
