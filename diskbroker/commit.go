package diskbroker

import (
	"errors"
	"time"

	"github.com/stentor-sse/stentor"
	bolt "go.etcd.io/bbolt"
)

const (
	// clearFrom is how many trimmed messages are taken off the disk together, at
	// least; clearMost bounds what one transaction takes.
	clearFrom = 1024
	clearMost = 4096
	// clearEvery is how often those are taken off that wait for others.
	clearEvery = time.Minute
	// heldBytes is when messages are written before their interval is over.
	heldBytes = 8 << 20
)

// run is the committer: the only one to write. Whatever has come while it wrote
// is written next, together.
func (b *Broker) run() {
	defer close(b.done)
	tick := time.NewTicker(clearEvery)
	defer tick.Stop()
	write := time.NewTimer(clearEvery) // when what is held is written
	defer write.Stop()
	armed := false
	for {
		select {
		case <-b.queue.wake:
			b.commit(b.queue.take())
		case <-tick.C:
			b.tidy()
		case <-write.C:
			armed = false
			b.tidy()
		case <-b.end:
			for batch := b.queue.take(); len(batch) > 0; batch = b.queue.take() {
				b.commit(batch)
			}
			return
		}
		if !armed && b.index.heldSize() > 0 {
			write.Reset(b.options.Interval)
			armed = true
		}
	}
}

// commit takes a batch through: places, disk, index, feeds, answers. After an error
// nothing of it has happened.
func (b *Broker) commit(batch []*request) {
	if len(batch) == 0 {
		return
	}
	async := b.options.Interval > 0
	if f := b.full.Load(); f != nil && async {
		if b.flush(nil) != nil { // what was answered for comes first
			answer(batch, f)
			return
		}
	}
	now := time.Now()
	if batch = b.sift(batch, now); len(batch) == 0 {
		return
	}
	b.place(batch, now)
	kept := messages(batch)
	if !async || len(kept) < len(batch) {
		// Numbers are on disk before they are given, and with them all that is held.
		if err := b.write(batch); err != nil {
			answer(batch, err)
			return
		}
	}
	b.index.apply(kept, now, async && len(kept) == len(batch))
	b.deliver(kept)
	for _, r := range batch {
		receipt := b.receipt(r)
		r.done <- outcome{receipt: receipt}
		for _, again := range r.same {
			again.repeat(r.print, receipt)
		}
	}
	if async && b.index.heldSize() > heldBytes {
		_ = b.flush(nil) // kept for the next publisher to hear of
	}
}

func answer(batch []*request, err error) {
	for _, r := range batch {
		r.done <- outcome{err: err}
		answer(r.same, err)
	}
}

// receipt is that of a message that has a place.
func (b *Broker) receipt(r *request) stentor.Receipt {
	receipt := stentor.Receipt{Position: r.m.Position, Durability: "none"}
	if r.stored {
		receipt.Durability = b.options.durability()
	}
	return receipt
}

// messages are those of a batch.
func messages(batch []*request) []*request {
	list := batch[:0:0]
	for _, r := range batch {
		if r.route != "" {
			list = append(list, r)
		}
	}
	return list
}

// place gives the messages of a batch their positions. Nobody else does.
func (b *Broker) place(batch []*request, now time.Time) {
	head := b.index.top()
	time := stamp(now)
	newest := make(map[stentor.Channel]stentor.Position, len(batch))
	for _, r := range batch {
		if r.route == "" {
			continue
		}
		prev, ok := newest[r.route]
		if !ok {
			prev = b.index.last(r.route)
		}
		if !r.given {
			r.m.Position, r.m.Time = max(head+1, stentor.Position(time.UnixMicro())), time
		}
		if !r.given || r.m.Prev < prev {
			r.m.Prev = prev
		}
		r.stored = b.index.classOf(r.route).size > 0
		head, newest[r.route] = r.m.Position, r.m.Position
	}
}

// write is flush, which on a full disk takes away first what can go.
func (b *Broker) write(batch []*request) error {
	err := b.flush(batch)
	if errors.Is(err, ErrFull) && b.index.lag() > 0 && b.flush(nil) == nil {
		err = b.flush(batch)
	}
	return err
}

// flush writes a batch, all that is held and what waits to be taken away, in one
// transaction. Its error is what publishers are told.
func (b *Broker) flush(batch []*request) error {
	now, held := time.Now(), b.index.unwritten()
	limit := 0
	if b.index.lag() >= clearFrom || len(messages(batch)) == 0 {
		limit = clearMost
	}
	waste := b.index.rubbish(limit)
	var keeps []func()
	var written state
	err := b.store.update(func(tx *bolt.Tx) error {
		w := newWriter(tx, b.state)
		w.batch(held)
		w.rubbish(waste) // some of which may have been held
		w.batch(batch)
		w.once(held, &b.options, now)
		w.once(batch, &b.options, now)
		for _, r := range batch {
			if r.counter != "" && w.err == nil {
				var keep func()
				keep, w.err = b.counters.reserve(tx, r.counter)
				keeps = append(keeps, keep)
			}
		}
		written = w.state
		return w.end()
	})
	if err != nil {
		return b.fail(err)
	}
	for _, keep := range keeps {
		keep()
	}
	b.full.Store(nil)
	b.state = written
	b.index.written(len(held))
	b.index.cleared(waste)
	return nil
}

// fail remembers what the disk did.
func (b *Broker) fail(err error) error {
	f := faultOf(b.dir, err)
	if errors.Is(f, ErrFull) {
		b.full.Store(f)
	} else {
		b.failed.Store(f)
	}
	return f
}

// tidy writes what is held, and takes away what is too old, when nobody publishes.
func (b *Broker) tidy() {
	b.index.view(func() {})
	for b.failed.Load() == nil && (b.index.lag() > 0 || b.index.heldSize() > 0) {
		if b.flush(nil) != nil {
			return // kept for the next publisher to hear of
		}
	}
}

// settle writes, at the end, what a process that dies would lose.
func (b *Broker) settle() error {
	if f := b.failed.Load(); f != nil {
		return f
	}
	if err := b.write(nil); err != nil { // what was trimmed and is still there goes when it is opened again
		return err
	}
	return b.store.update(func(tx *bolt.Tx) error {
		if err := b.counters.settle(tx); err != nil {
			return err
		}
		return tx.Bucket([]byte(bucketMeta)).Delete([]byte(metaOpen))
	})
}
