package diskbroker

import (
	"context"
	"fmt"
	"sync"

	"github.com/stentor-sse/stentor"
)

// advanceEvery is how far a feed that got nothing may lag behind the head
// before it is told: a second's worth of positions.
const advanceEvery stentor.Position = 1_000_000

// link is one hub's side of a [Broker].
type link struct {
	broker *Broker

	calls sync.Mutex // held while the feed is called; taken before mu
	feed  stentor.Feed
	told  stentor.Position // guarded by calls: the last position that the feed knows

	mu     sync.Mutex // guards the rest; never held while the feed is called
	wants  map[stentor.Channel]struct{}
	all    bool // wants has no say
	closed bool
}

// give hands the feed what it wants of a batch, in one call.
func (k *link) give(batch []*request) {
	k.calls.Lock()
	defer k.calls.Unlock()
	list, head, idle := k.wanted(batch)
	if len(list) > 0 {
		k.told = max(k.told, list[len(list)-1].Position)
		k.feed.Deliver(list)
	}
	if !idle && head >= k.told+advanceEvery {
		k.told = head
		k.feed.Advance(head)
	}
}

// wanted gives the messages that the feed wants, in a slice of its own, the last
// position of the batch, and whether the feed wants nothing at all.
func (k *link) wanted(batch []*request) (list []stentor.Message, head stentor.Position, idle bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, r := range batch {
		if _, ok := k.wants[r.route]; ok || k.all {
			list = append(list, r.m)
		}
		head = max(head, r.m.Position)
	}
	return list, head, len(k.wants) == 0 && !k.all
}

// WantAll implements [stentor.WholeLink]: hubs are in this process.
func (k *link) WantAll(ctx context.Context) (stentor.Position, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if err := k.ready(ctx, "want"); err != nil {
		return 0, err
	}
	k.all = true
	return k.broker.index.top(), nil // as in Want
}

// Want implements [stentor.Link]. A channel both added and dropped is wanted after it.
func (k *link) Want(ctx context.Context, add, drop []stentor.Channel) (stentor.Position, error) {
	if err := k.change(ctx, add, drop); err != nil {
		return 0, err
	}
	// After the change: a message above this head is matched against it, and
	// all up to this head were kept when they raised it.
	return k.broker.index.top(), nil
}

func (k *link) change(ctx context.Context, add, drop []stentor.Channel) error {
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

// Replay implements [stentor.Link]. A page has at most 256 messages and, unless it has
// only one, 256 KiB. What is published after the call began is not given,
// whatever upTo is. What is trimmed while it runs is left out: then the Prev of
// the next message on that channel is above the last one given. A record that can't be
// read is left out too, and raises the floor of the whole log.
// When ctx ends or the link is closed it returns the error between two pages.
func (k *link) Replay(ctx context.Context, channels []stentor.Channel, after, upTo stentor.Position, page func([]stentor.Message) bool) error {
	return k.pages(ctx, "replay", after, upTo, page, func(after, upTo stentor.Position) ([]stentor.Message, stentor.Position, error) {
		return k.broker.page(channels, after, upTo)
	})
}

// State implements [stentor.Link], with pages as those of Replay.
func (k *link) State(ctx context.Context, ch stentor.Channel, after, upTo stentor.Position, page func([]stentor.Message) bool) error {
	return k.pages(ctx, "state", after, upTo, page, func(after, upTo stentor.Position) ([]stentor.Message, stentor.Position, error) {
		return k.broker.stated(ch, after, upTo)
	})
}

// pages gives what read finds, until there is no more.
func (k *link) pages(ctx context.Context, what string, after, upTo stentor.Position, page func([]stentor.Message) bool,
	read func(after, upTo stentor.Position) ([]stentor.Message, stentor.Position, error),
) error {
	upTo = min(upTo, k.broker.index.top())
	for {
		if err := k.open(ctx, what); err != nil {
			return err
		}
		p, last, err := read(after, upTo)
		if err != nil {
			if k.open(ctx, what) != nil {
				err = stentor.ErrClosed // and the file with it
			}
			return err
		}
		if after = last; last == 0 {
			return nil
		}
		if len(p) > 0 && !page(p) {
			return nil
		}
	}
}

// Window implements [stentor.Link].
func (k *link) Window(ctx context.Context, channels []stentor.Channel) (stentor.Window, error) {
	if err := k.open(ctx, "window"); err != nil {
		return stentor.Window{}, err
	}
	return k.broker.index.window(channels), nil
}

// Next implements [stentor.Link]. The first 65,536 names count for themselves. All
// names beyond them share one counter: their numbers still increase and are
// never given twice, but have holes. So do all after a process that ended without Close, of
// up to 1,000 numbers. A name has at most 255 bytes.
func (k *link) Next(ctx context.Context, name string) (int64, error) {
	if err := k.open(ctx, "next"); err != nil {
		return 0, err
	}
	return k.broker.next(ctx, name)
}

// Alone implements [stentor.Link].
func (k *link) Alone() bool {
	links := k.broker.attached()
	return len(links) == 1 && links[0] == k
}

// Close implements [stentor.Link]. It ends the feed even when ctx has ended, for it
// waits for nothing but the call to the feed that may be running. A second
// call does nothing more and returns nil.
func (k *link) Close(context.Context) error {
	k.mu.Lock()
	k.closed = true
	clear(k.wants)
	k.mu.Unlock()
	k.broker.detach(k)
	k.calls.Lock()
	defer k.calls.Unlock()
	return nil
}

func (k *link) open(ctx context.Context, what string) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.ready(ctx, what)
}

// ready refuses a call on a closed link or with an ended context. mu is held.
func (k *link) ready(ctx context.Context, what string) error {
	if k.closed {
		return stentor.ErrClosed
	}
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("diskbroker: %s: %w", what, err)
	}
	return nil
}
