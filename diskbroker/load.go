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
	x, lost := b.index, false
	err := b.store.view(func(tx *bolt.Tx) (err error) {
		for _, name := range buckets() {
			if tx.Bucket([]byte(name)) == nil {
				return damaged("%s is no history, or its beginning was overwritten", b.store.path)
			}
		}
		lost = tx.Bucket([]byte(bucketMeta)).Get([]byte(metaOpen)) != nil
		if err := b.counters.load(tx); err != nil {
			return err
		}
		b.state, err = x.load(tx)
		return err
	})
	if err != nil {
		return fmt.Errorf("diskbroker: open: %w", err)
	}
	if x.start == 0 || lost { // a new log, or one whose end is lost
		x.begin(max(x.head, stentor.Position(now.UnixMicro())))
	}
	if b.options.ReadOnly {
		return nil
	}
	x.trim(now)
	err = b.store.update(func(tx *bolt.Tx) error {
		w := newWriter(tx, b.state)
		w.state.bounds, w.state.head = bounds{x.start, x.floor}, x.head
		w.do(func() error {
			meta := tx.Bucket([]byte(bucketMeta))
			if b.options.Interval > 0 {
				return meta.Put([]byte(metaOpen), []byte{1})
			}
			return meta.Delete([]byte(metaOpen))
		})
		b.state = w.state
		return w.end()
	})
	if err != nil {
		return fmt.Errorf("diskbroker: open: %w", faultOf(b.dir, err))
	}
	return nil
}

// load reads everything once, in the order of positions, and gives the state as it
// is. What disagrees with the state that was written is damage that nobody can place: then the log
// is taken to begin at its end.
func (x *index) load(tx *bolt.Tx) (found state, err error) {
	key := []byte(metaState)
	var written state
	if record := tx.Bucket([]byte(bucketMeta)).Get(key); record != nil && !written.read(key, record) {
		return found, damaged("its state can't be read")
	}
	x.start, x.floor = written.bounds.start, written.bounds.floor
	torn := false
	err = tx.Bucket([]byte(bucketChannels)).ForEach(func(name, record []byte) error {
		found.channels++
		last, ok := sealedNumber(name, record)
		torn = torn || !ok
		x.remember(stentor.Channel(name), stentor.Position(last))
		return nil
	})
	if err != nil {
		return found, err
	}
	err = tx.Bucket([]byte(bucketFloors)).ForEach(func(name, record []byte) error {
		found.floors++
		floor, ok := sealedNumber(name, record)
		torn = torn || !ok
		c := x.channels[stentor.Channel(name)]
		if c == nil {
			c = x.remember(stentor.Channel(name), stentor.Position(floor))
		}
		c.floor, c.stateful = stentor.Position(floor), true
		return nil
	})
	if err != nil {
		return found, err
	}
	var last stentor.Position
	c := tx.Bucket([]byte(bucketMessages)).Cursor()
	for key, value := c.First(); key != nil; key, value = c.Next() {
		found.messages++
		m, data, err := readHead(key, value)
		p := readKey(key)
		torn = torn || p <= last || p > written.head
		if err != nil {
			x.damaged++
			x.begin(min(p, written.head))
			x.gone = append(x.gone, gone{p, &channel{out: true}})
		} else if p > last {
			x.take(&m, sizeOf(&m)+int64(data))
		}
		last = max(last, p)
	}
	x.head, found.once = max(x.head, written.head), written.once
	if torn || found.messages != written.messages || found.channels != written.channels || found.floors != written.floors {
		x.damaged++
		x.begin(x.head)
	}
	x.order()
	return found, nil
}

// take adds a message of some size that was found on disk. A channel that is not known began
// with it.
func (x *index) take(m *stentor.Message, size int64) {
	route := m.Target.Route()
	c := x.channels[route]
	if c == nil {
		c = x.remember(route, m.Prev)
	}
	if c.stateful && m.Position <= c.floor && (m.Subject == "" || m.Remove) { // it was trimmed when its floor was written
		x.supersede(c, m.Subject)
		x.gone = append(x.gone, gone{m.Position, c})
		return
	}
	x.add(c, m, size)
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
