package diskbroker

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/stentor-sse/stentor"
)

// Bounds of a message beside what the hub allows.
const (
	maxRoute = 4 << 10
	maxName  = 255 // of a counter, and of an idempotency key
	maxData  = 16 << 20
)

// Broker is a [stentor.Broker] that keeps its history in a directory. Several hubs of
// one process may be attached to it. Make one with [Open], end it with Close.
type Broker struct {
	dir      string
	options  Options
	store    *store
	index    *index
	counters counters
	queue    queue
	failed   atomic.Pointer[fault] // the disk has failed for good
	full     atomic.Pointer[fault] // what is held could not be written
	close    func() error          // once
	state    state                 // as it is on disk; the committer's
	end      chan struct{}         // closed for the committer to end
	done     chan struct{}         // closed when it has

	// order is held while feeds are called: so all see the order of the log. It comes
	// before every other lock here.
	order sync.Mutex

	mu     sync.Mutex // guards the rest
	links  []*link    // replaced, never changed in place
	closed bool
}

// Open opens the history in a directory, and makes both when there are none. It
// reads all that is kept once. It fails when another process has the directory
// ([ErrLocked]), when the file was damaged ([ErrDamaged]) or can't be written.
func Open(dir string, o *Options) (*Broker, error) {
	options, err := o.withDefaults()
	if err != nil {
		return nil, err
	}
	s, err := openStore(dir, options.ReadOnly)
	if err != nil {
		return nil, err
	}
	b := &Broker{
		dir: dir, options: options, store: s, index: newIndex(options),
		queue: queue{wake: make(chan struct{}, 1)},
		end:   make(chan struct{}), done: make(chan struct{}),
	}
	b.close = sync.OnceValue(b.shut)
	if err := b.load(); err != nil {
		return nil, errors.Join(err, s.close())
	}
	if options.ReadOnly {
		close(b.done)
		b.queue.close()
		return b, nil
	}
	hold(dir)
	left, _ := filepath.Glob(filepath.Join(dir, newPattern)) // the pattern is good
	for _, name := range left {
		_ = os.Remove(name) // of a process that died while it made the file: in nobody's way
	}
	go b.run() // ends with Close
	return b, nil
}

// Close writes what is left to write, ends every link and lets go of the directory.
// Publish calls that wait get their outcome first. A second call gives the same.
func (b *Broker) Close() error { return b.close() }

func (b *Broker) shut() error {
	b.queue.close()
	if !b.options.ReadOnly {
		close(b.end)
	}
	<-b.done
	b.mu.Lock()
	b.closed = true
	b.mu.Unlock()
	for _, k := range b.attached() {
		_ = k.Close(context.Background()) // has no errors
	}
	var err error
	if !b.options.ReadOnly {
		err = b.settle()
	}
	if !b.options.ReadOnly {
		release(b.dir) // before the next one can be there
	}
	if err = errors.Join(err, b.store.close()); err != nil {
		err = fmt.Errorf("diskbroker: close: %w", err)
	}
	return err
}

// Publish implements [stentor.Broker]. The receipt's durability is "disk" when the message is on
// disk, "disk-async" with [Options].Interval, and "none" for a message that is not
// kept. It refuses a target without a route with [stentor.ErrInvalid], data over 16 MiB with
// [stentor.ErrTooLarge]; all other validation is the hub's. When ctx ends while the message is being
// written it returns how that ended.
func (b *Broker) Publish(ctx context.Context, m stentor.Message) (stentor.Receipt, error) {
	if err := ctx.Err(); err != nil {
		return stentor.Receipt{}, fmt.Errorf("diskbroker: publish: %w", err)
	}
	r := newRequest()
	r.m, r.route, r.size = m, m.Target.Route(), sizeOf(&m)
	switch {
	case r.route == "":
		return stentor.Receipt{}, fmt.Errorf("%w target: name a channel, user, session, key or subscription, or all", stentor.ErrInvalid)
	case len(m.IdempotencyKey) > maxName:
		return stentor.Receipt{}, fmt.Errorf("%w idempotency key: %d bytes, at most %d are allowed", stentor.ErrInvalid, len(m.IdempotencyKey), maxName)
	case len(r.route) > maxRoute:
		return stentor.Receipt{}, fmt.Errorf("%w target: %d bytes, at most %d are allowed", stentor.ErrInvalid, len(r.route), maxRoute)
	case r.size > maxData:
		return stentor.Receipt{}, fmt.Errorf("%w: %d bytes of data, at most %d are allowed", stentor.ErrTooLarge, len(m.Data), maxData)
	case m.Ephemeral:
		return b.pass(m, r.route)
	}
	if r.once = m.IdempotencyKey; r.once != "" {
		r.print, r.m.IdempotencyKey = m.Fingerprint(), ""
	}
	receipt, err := b.wait(ctx, r)
	if err != nil {
		return receipt, fmt.Errorf("diskbroker: publish: %w", err)
	}
	return receipt, nil
}

// pass hands an ephemeral message on.
func (b *Broker) pass(m stentor.Message, route stentor.Channel) (stentor.Receipt, error) {
	select {
	case <-b.done:
		return stentor.Receipt{}, stentor.ErrClosed
	default:
	}
	m.Position, m.Prev, m.Time, m.IdempotencyKey = 0, 0, stamp(time.Now()), ""
	b.deliver([]*request{{m: m, route: route}})
	return stentor.Receipt{Durability: "none"}, nil
}

// wait gives a request to the committer and waits for the outcome.
func (b *Broker) wait(ctx context.Context, r *request) (stentor.Receipt, error) {
	if b.options.ReadOnly {
		return stentor.Receipt{}, errors.New("the history was opened for reading only")
	}
	if f := b.failed.Load(); f != nil {
		return stentor.Receipt{}, f
	}
	if err := b.queue.add(r); err != nil {
		return stentor.Receipt{}, err
	}
	select {
	case o := <-r.done:
		return o.receipt, o.err
	case <-ctx.Done():
	}
	if b.queue.cancel(r) {
		return stentor.Receipt{}, ctx.Err()
	}
	o := <-r.done // being written: only the disk knows
	return o.receipt, o.err
}

// Attach implements [stentor.Broker]. The link ends with its Close or that of the broker.
func (b *Broker) Attach(ctx context.Context, f stentor.Feed) (stentor.Link, error) {
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("diskbroker: attach: %w", err)
	}
	if f == nil {
		return nil, fmt.Errorf("%w feed: nil; give one to call", stentor.ErrInvalid)
	}
	k := &link{broker: b, feed: f, wants: make(map[stentor.Channel]struct{})}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		return nil, stentor.ErrClosed
	}
	b.links = append(slices.Clone(b.links), k)
	return k, nil
}

func (b *Broker) detach(k *link) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.links = slices.DeleteFunc(slices.Clone(b.links), func(o *link) bool { return o == k })
}

func (b *Broker) attached() []*link {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.links
}

// deliver hands messages that have a place, or are ephemeral, to every feed.
func (b *Broker) deliver(batch []*request) {
	b.order.Lock()
	defer b.order.Unlock()
	for _, k := range b.attached() {
		k.give(batch)
	}
}

// stamp is a time as messages carry it: without the monotonic reading, so that
// what is replayed is equal to what was delivered.
func stamp(t time.Time) time.Time { return t.Round(0).UTC() }
