package stentor

import (
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"sync"
	"sync/atomic"
	"time"
)

// Hub is the fan-out engine. All methods may be called from any goroutine.
type Hub struct {
	o        Options
	link     Link
	interest *interest
	index    index
	presence presence
	count    counters

	// place is how far the log is known: everything up to it has been
	// delivered by the feed or can be replayed. It is raised before a message
	// is spread, so that a subscription which begins to collect at a place
	// finds all that it was not offered at or below it.
	place  atomic.Int64
	broken atomic.Pointer[Notice] // the newest break of the feed
	writer writers                // of the streams that were taken over
	spare  spare
	settle settler
	retry  atomic.Int64 // the reconnection time to tell, a time.Duration; zero for none

	mu        sync.Mutex // guards the rest
	state     error      // nil, ErrDraining or ErrClosed
	subs      map[string]*Subscription
	keys      map[string]map[*Subscription]struct{} // who holds each key
	dismissed dismissed
	lingering map[string]map[*Subscription]struct{} // by session
	serving   int                                   // Serve and Messages that run
	quiet     chan struct{}                         // closed when serving falls to zero after Shutdown
	down      chan struct{}                         // closed when Shutdown begins
	gone      chan struct{}                         // closed when it is through
}

// New makes a hub and attaches it to its broker. End it with Shutdown.
func New(ctx context.Context, o *Options) (*Hub, error) {
	h := &Hub{
		o:         o.withDefaults(),
		index:     index{channels: map[Channel]*standing{}, people: map[uint64]*Subscription{}, seed: maphash.MakeSeed()},
		presence:  presence{rooms: map[Channel]*room{}},
		subs:      map[string]*Subscription{},
		keys:      map[string]map[*Subscription]struct{}{},
		dismissed: dismissed{keys: map[string]*tombstone{}},
		lingering: map[string]map[*Subscription]struct{}{},
		down:      make(chan struct{}),
		gone:      make(chan struct{}),
	}
	h.index.everyone.name, h.index.byID = everyone, h.Subscription
	h.settle.giveBack = h.o.givesBack()
	h.retry.Store(int64(max(h.o.Retry, 0)))
	link, err := h.o.Broker.Attach(ctx, feed{h})
	if err != nil {
		return nil, fmt.Errorf("stentor: attach to the broker: %w", err)
	}
	h.link = link
	var at Position
	if h.interest, at, err = newInterest(ctx, link); err != nil {
		return nil, fmt.Errorf("stentor: attach to the broker: %w", errors.Join(err, link.Close(context.WithoutCancel(ctx))))
	}
	h.complete(at)
	return h, nil
}

// Next counts 1, 2, 3, … for each name, over all hubs of the broker.
func (h *Hub) Next(ctx context.Context, name string) (int64, error) {
	n, err := h.link.Next(ctx, name)
	if err != nil {
		return 0, fmt.Errorf("stentor: next %q: %w", name, err)
	}
	return n, nil
}

// State is nil while the hub takes subscriptions; else [ErrDraining] or [ErrClosed].
func (h *Hub) State() error {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.state
}

func (h *Hub) closed() bool { return h.State() == ErrClosed }

// raise moves place up to p.
func (h *Hub) raise(p Position) {
	for {
		old := h.place.Load()
		if int64(p) <= old || h.place.CompareAndSwap(old, int64(p)) {
			return
		}
	}
}

// Stats are counters since the hub was made, and gauges.
type Stats struct {
	Subscriptions int    // registered now, lingering ones included
	Lingering     int    // of them, without a reader
	Channels      int    // channels with a live subscription, reserved ones not counted
	Dismissed     int    // keys that are refused now
	Subscribed    uint64 // subscriptions ever registered
	Ended         uint64 // of them, those whose delivery has ended
	Published     uint64 // messages this hub published
	Delivered     uint64 // messages handed to readers
	Behind        uint64 // times a reader fell back on its cursor
	Gaps          uint64 // gap notices
	Dropped       uint64 // feed messages dropped for being out of order
	Lost          uint64 // ephemeral messages and notices that slow readers lost
}

type counters struct {
	subscribed, ended, published, delivered, behind, gaps, dropped, lost atomic.Uint64
}

// Stats counts what the hub did since New.
func (h *Hub) Stats() Stats {
	h.mu.Lock()
	h.dismissed.sweep(time.Now())
	subs, lingering, dismissed := len(h.subs), 0, len(h.dismissed.keys)
	for _, l := range h.lingering {
		lingering += len(l)
	}
	h.mu.Unlock()
	return Stats{
		Subscriptions: subs, Lingering: lingering, Channels: h.index.size(), Dismissed: dismissed,
		Subscribed: h.count.subscribed.Load(), Ended: h.count.ended.Load(), Published: h.count.published.Load(),
		Delivered: h.count.delivered.Load() + h.writer.delivered(), Behind: h.count.behind.Load(), Gaps: h.count.gaps.Load(),
		Dropped: h.count.dropped.Load(), Lost: h.count.lost.Load(),
	}
}
