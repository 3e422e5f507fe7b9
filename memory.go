package stentor

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"
)

// MemoryOptions configures [NewMemoryBroker]. The zero value is ready to use.
type MemoryOptions struct {
	// Size is how many messages are kept per channel. Zero means 10,000;
	// negative means none.
	Size int
	// Age is how long a message is kept. Zero means 24 h; negative means for ever.
	Age time.Duration
	// Bytes bounds what is kept in all: the texts, with an allowance of 256
	// bytes for each message and each channel. Over it, what is oldest goes.
	// Zero means 1 GiB; negative means no bound.
	Bytes int64
	// Channels bounds how many channels the log remembers, those included
	// whose messages are all trimmed: so a quiet channel has an exact floor.
	// Over it, the one that was quiet for longest is forgotten, with what is
	// kept of it. Zero means 100,000; negative means no bound.
	Channels int
	// IdempotencyAge and IdempotencyKeys bound how long, and how many, idempotency keys
	// are remembered. Zero means 24 h and the newest 100,000; negative means no bound.
	IdempotencyAge  time.Duration
	IdempotencyKeys int
}

func (o *MemoryOptions) withDefaults() MemoryOptions {
	var c MemoryOptions
	if o != nil {
		c = *o
	}
	if c.Size == 0 {
		c.Size = 10_000
	}
	if c.Age == 0 {
		c.Age = 24 * time.Hour
	}
	if c.Bytes == 0 {
		c.Bytes = 1 << 30
	}
	if c.Channels == 0 {
		c.Channels = 100_000
	}
	defaults(&c.IdempotencyAge, 24*time.Hour)
	defaults(&c.IdempotencyKeys, 100_000)
	return c
}

// MemoryBroker is a [Broker] in this process: it keeps its history until it is
// garbage. Several hubs may be attached to it. Make one with [NewMemoryBroker].
//
// It passes package brokertest (TestMemoryBroker) and trims as a plain model
// does (TestMemoryBrokerAgainstModel). It has no goroutine and no timer. What is
// older than Age goes with the next Publish, Replay or Window, before they look
// (TestMemoryAge). Whatever publishers send, it stays within its limits
// (TestMemoryStaysBounded).
//
// Feeds are called on the goroutine of Publish, one message at a time, so a
// feed must not call Publish of the same broker, nor Close of its own link.
// Neither Want nor Replay waits for a feed (TestMemoryReadsBesideDeliver).
//
// A cursor from before NewMemoryBroker is below Window.Start
// (TestMemoryCursorFromEarlierLog).
type MemoryBroker struct {
	log  *memoryLog
	seqs sequences

	// order is held while one message is given its position, kept and handed
	// to every feed: so all feeds see the order of the log. It comes before
	// every other lock here.
	order   sync.Mutex
	repeats repeats // guarded by order

	mu    sync.Mutex
	links []*memoryLink // guarded by mu; replaced, never changed in place
}

// NewMemoryBroker makes an empty log that starts at the present.
func NewMemoryBroker(o *MemoryOptions) *MemoryBroker {
	limits := o.withDefaults()
	return &MemoryBroker{
		log:     newMemoryLog(limits),
		repeats: repeats{age: limits.IdempotencyAge, limit: limits.IdempotencyKeys, known: map[string]repeat{}},
	}
}

// Publish implements [Broker]. The receipt's durability is "memory", or "none"
// for a message that is not kept. It refuses a target without a route with
// [ErrInvalid]; all other validation is the hub's.
func (b *MemoryBroker) Publish(ctx context.Context, m Message) (Receipt, error) {
	if err := ctx.Err(); err != nil {
		return Receipt{}, fmt.Errorf("stentor: publish: %w", err)
	}
	route := m.Target.Route()
	if route == "" {
		return Receipt{}, fmt.Errorf("%w target: name a channel, user, session, key or subscription, or all", ErrInvalid)
	}
	b.order.Lock()
	defer b.order.Unlock()
	now, first := time.Now(), m
	if r, err := b.repeats.find(&m, now); r.Repeated || err != nil {
		return r, err
	}
	m.IdempotencyKey = ""
	r := Receipt{Durability: "none"}
	if m.Ephemeral {
		m.Position, m.Prev, m.Time = 0, 0, stamp(time.Now())
	} else if b.log.append(route, &m) {
		r.Durability = "memory"
	}
	r.Position = m.Position
	b.repeats.add(&first, r, now)
	for _, k := range b.attached() {
		k.give(route, &m)
	}
	return r, nil
}

// Attach implements [Broker]. The link must be closed, or the broker keeps
// calling the feed.
func (b *MemoryBroker) Attach(ctx context.Context, f Feed) (Link, error) {
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("stentor: attach: %w", err)
	}
	if f == nil {
		return nil, fmt.Errorf("%w feed: nil; give one to call", ErrInvalid)
	}
	k := &memoryLink{broker: b, feed: f, wants: make(map[Channel]struct{})}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.links = append(slices.Clone(b.links), k)
	return k, nil
}

func (b *MemoryBroker) detach(k *memoryLink) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.links = slices.DeleteFunc(slices.Clone(b.links), func(o *memoryLink) bool { return o == k })
}

func (b *MemoryBroker) attached() []*memoryLink {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.links
}

// stamp is a time as messages carry it: without the monotonic reading, so that
// what is replayed is equal to what was delivered.
func stamp(t time.Time) time.Time { return t.Round(0).UTC() }
