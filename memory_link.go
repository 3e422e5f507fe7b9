package stentor

import (
	"context"
	"fmt"
	"sync"
)

// advanceEvery is how far a feed that got nothing may lag behind the head
// before it is told: a second's worth of positions.
const advanceEvery Position = 1_000_000

// memoryLink is one hub's side of a [MemoryBroker]. A feed whose channels a
// message did not match is told of the head with the first such message that
// is a second or more past what the feed knows: so an idle feed costs next to nothing.
type memoryLink struct {
	broker *MemoryBroker

	calls sync.Mutex // held while the feed is called; taken before mu
	feed  Feed
	told  Position // guarded by calls: the last position that the feed knows

	mu     sync.Mutex // guards the rest; never held while the feed is called
	wants  map[Channel]struct{}
	all    bool // wants has no say
	closed bool
}

// give hands a message to the feed if it wants its channel.
func (k *memoryLink) give(route Channel, m *Message) {
	k.calls.Lock()
	defer k.calls.Unlock()
	wanted, idle := k.wanted(route)
	switch {
	case wanted:
		k.told = max(k.told, m.Position)
		k.feed.Deliver([]Message{*m}) // a slice of its own: the feed may keep it
	case !idle && m.Position >= k.told+advanceEvery:
		k.told = m.Position
		k.feed.Advance(m.Position)
	}
}

// wanted says whether the feed wants the channel, and whether it wants none.
func (k *memoryLink) wanted(route Channel) (wanted, idle bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	_, wanted = k.wants[route]
	return wanted || k.all, len(k.wants) == 0 && !k.all
}

// WantAll implements [WholeLink].
func (k *memoryLink) WantAll(ctx context.Context) (Position, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if err := k.ready(ctx, "want"); err != nil {
		return 0, err
	}
	k.all = true
	return k.broker.log.top(), nil // as in Want
}

// Want implements [Link]. A channel both added and dropped is wanted after it.
func (k *memoryLink) Want(ctx context.Context, add, drop []Channel) (Position, error) {
	if err := k.change(ctx, add, drop); err != nil {
		return 0, err
	}
	// After the change: a message above this head is matched against it, and
	// all up to this head were kept when they raised it.
	return k.broker.log.top(), nil
}

func (k *memoryLink) change(ctx context.Context, add, drop []Channel) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if err := k.ready(ctx, "want"); err != nil {
		return err
	}
	for _, c := range drop {
		delete(k.wants, c)
	}
	for _, c := range add {
		k.wants[c] = struct{}{}
	}
	return nil
}

// Replay implements [Link]. A page has at most 256 messages and, unless it has
// only one, 256 KiB of data. What is published after the call began is not given,
// whatever upTo is. What is trimmed while it runs is left out: then the Prev of
// the next message on that channel is above the last one given.
// When ctx ends or the link is closed it returns the error between two pages.
func (k *memoryLink) Replay(ctx context.Context, channels []Channel, after, upTo Position, page func([]Message) bool) error {
	return k.pages(ctx, "replay", after, upTo, page, func(after, upTo Position) []Message {
		return k.broker.log.page(channels, after, upTo)
	})
}

// State implements [Link], with pages as those of Replay.
func (k *memoryLink) State(ctx context.Context, ch Channel, after, upTo Position, page func([]Message) bool) error {
	return k.pages(ctx, "state", after, upTo, page, func(after, upTo Position) []Message {
		return k.broker.log.stated(ch, after, upTo)
	})
}

// pages gives what read finds, until there is no more.
func (k *memoryLink) pages(ctx context.Context, what string, after, upTo Position, page func([]Message) bool, read func(after, upTo Position) []Message) error {
	upTo = min(upTo, k.broker.log.top())
	for {
		if err := k.open(ctx, what); err != nil {
			return err
		}
		p := read(after, upTo)
		if len(p) == 0 {
			return nil
		}
		after = p[len(p)-1].Position // before page has it and may change it
		if !page(p) {
			return nil
		}
	}
}

// Window implements [Link].
func (k *memoryLink) Window(ctx context.Context, channels []Channel) (Window, error) {
	if err := k.open(ctx, "window"); err != nil {
		return Window{}, err
	}
	return k.broker.log.window(channels), nil
}

// Next implements [Link]. The first 65,536 names count for themselves. All
// names beyond them share one counter: their numbers still increase and are
// never given twice, but have holes. A name has at most 255 bytes.
func (k *memoryLink) Next(ctx context.Context, name string) (int64, error) {
	if err := k.open(ctx, "next"); err != nil {
		return 0, err
	}
	if len(name) > maxName {
		return 0, fmt.Errorf("%w counter name: %d bytes, at most %d are allowed", ErrInvalid, len(name), maxName)
	}
	return k.broker.seqs.next(name), nil
}

// Alone implements [Link].
func (k *memoryLink) Alone() bool {
	links := k.broker.attached()
	return len(links) == 1 && links[0] == k
}

// Close implements [Link]. It ends the feed even when ctx has ended, for it
// waits for nothing but the call to the feed that may be running. A second
// call does nothing more and returns nil.
func (k *memoryLink) Close(context.Context) error {
	k.mu.Lock()
	k.closed = true
	clear(k.wants)
	k.all = false
	k.mu.Unlock()
	k.broker.detach(k)
	k.calls.Lock()
	defer k.calls.Unlock()
	return nil
}

func (k *memoryLink) open(ctx context.Context, what string) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.ready(ctx, what)
}

// ready refuses a call on a closed link or with an ended context. mu is held.
func (k *memoryLink) ready(ctx context.Context, what string) error {
	if k.closed {
		return ErrClosed
	}
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("stentor: %s: %w", what, err)
	}
	return nil
}

// maxCounters bounds the names with a counter of their own.
const maxCounters = 1 << 16

// sequences are the sequences of a broker. The zero value is ready to use.
type sequences struct {
	mu    sync.Mutex
	named map[string]int64
	rest  int64 // shared by the names that came after the table was full
}

func (c *sequences) next(name string) int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	n, known := c.named[name]
	if !known && len(c.named) >= maxCounters {
		c.rest++
		return c.rest
	}
	if c.named == nil {
		c.named = make(map[string]int64)
	}
	c.named[name] = n + 1
	return n + 1
}
