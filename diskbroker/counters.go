package diskbroker

import (
	"context"
	"fmt"
	"sync"

	"github.com/stentor-sse/stentor"
	bolt "go.etcd.io/bbolt"
)

const (
	// maxCounters bounds the names with a counter of their own.
	maxCounters = 1 << 16
	// counterBlock is how many numbers are reserved on disk at once. Half of
	// them remain when the next are asked for, so that a full disk is not felt at once.
	counterBlock = 1000
)

// counters are the sequences of a broker. Numbers are reserved on disk before they are given.
type counters struct {
	mu    sync.Mutex
	named map[string]*counter
}

type counter struct {
	given, reserved int64
	asked           bool // a reservation is under way
}

// find gives the counter for a name, and the name it has on disk: those over
// the bound share one that has none of the callers' names.
func (c *counters) find(name string) (string, *counter) {
	name = "n" + name
	n := c.named[name]
	if n == nil && len(c.named) >= maxCounters {
		name = "rest"
		n = c.named[name]
	}
	if n == nil {
		n = &counter{}
		c.named[name] = n
	}
	return name, n
}

// next gives a number if one is reserved. ask says that the caller should have more
// reserved under that name.
func (c *counters) next(name string) (n int64, ok bool, key string, ask bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	key, k := c.find(name)
	if ok = k.given < k.reserved; ok {
		k.given++
		n = k.given
	}
	ask = !ok || !k.asked && k.reserved-k.given < counterBlock/2
	k.asked = k.asked || ask
	return n, ok, key, ask
}

// reserve writes a reservation down. keep makes it hold once it is on disk.
func (c *counters) reserve(tx *bolt.Tx, key string) (keep func(), err error) {
	c.mu.Lock()
	k := c.named[key]
	to := max(k.reserved, k.given+counterBlock)
	c.mu.Unlock()
	return func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		k.reserved, k.asked = max(k.reserved, to), false
	}, putNumber(tx.Bucket([]byte(bucketCounters)), []byte(key), to)
}

// settle writes the numbers that were really given, when no more will be.
func (c *counters) settle(tx *bolt.Tx) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	for key, k := range c.named {
		if err := putNumber(tx.Bucket([]byte(bucketCounters)), []byte(key), k.given); err != nil {
			return err
		}
		k.reserved = k.given // and none is given any more
	}
	return nil
}

func (c *counters) load(tx *bolt.Tx) error {
	c.named = make(map[string]*counter)
	return tx.Bucket([]byte(bucketCounters)).ForEach(func(key, value []byte) error {
		n, ok := sealedNumber(key, value)
		if !ok {
			return damaged("the counter %.64q can't be read", key)
		}
		c.named[string(key)] = &counter{given: n, reserved: n}
		return nil
	})
}

// next is [stentor.Link]'s Next.
func (b *Broker) next(ctx context.Context, name string) (int64, error) {
	if len(name) > maxName {
		return 0, fmt.Errorf("%w counter name: %d bytes, at most %d are allowed", stentor.ErrInvalid, len(name), maxName)
	}
	for {
		n, ok, key, ask := b.counters.next(name)
		if ok && !ask {
			return n, nil
		}
		r := newRequest()
		r.counter = key
		if ok { // enough for now: nobody waits
			_ = b.queue.add(r)
			return n, nil
		}
		if _, err := b.wait(ctx, r); err != nil {
			return 0, fmt.Errorf("diskbroker: next: %w", err)
		}
	}
}
