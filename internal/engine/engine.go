package engine

import (
	"errors"
	"fmt"
	"sync"
	"time"
)

// Options configures [New]. All fields must be set but those that say otherwise.
type Options struct {
	// Shards is how many goroutines write, at most 64.
	Shards int
	// Length and Bytes bound the log.
	Length int
	Bytes  int
	// KeepAlive is how long a connection may be silent; zero or less for ever.
	KeepAlive time.Duration
	// Always writes keepalives whatever else was written.
	Always bool
	// Linger is how long a connection that was ended may take to read the rest.
	Linger time.Duration
}

// Engine is a log with its shards. All methods may be called from any goroutine.
type Engine struct {
	o      Options
	log    *journal
	shards []*shard
	next   uint32 // shard of the next connection; guarded by mu

	mu     sync.RWMutex
	routes map[string]*route
	closed bool
	wg     sync.WaitGroup
}

// route counts the connections of each shard on a route, as far as commands that are
// on their way have come: a shard is woken for it from before the first has joined
// until after the last has left.
type route struct {
	mask   uint64
	counts []int32 // by shard
}

// New starts the shards. End them with Close.
func New(o Options) (*Engine, error) {
	e := &Engine{o: o, log: newJournal(o.Length, o.Bytes), routes: map[string]*route{}}
	for n := range min(max(o.Shards, 1), 64) {
		s, err := newShard(e, n)
		if err != nil {
			e.Close()
			return nil, fmt.Errorf("engine: %w", err)
		}
		e.shards = append(e.shards, s)
		e.wg.Go(s.run)
		e.wg.Go(s.watch)
	}
	return e, nil
}

// Close ends the shards and every connection, without a farewell, and waits for
// them.
func (e *Engine) Close() {
	e.mu.Lock()
	first := !e.closed
	e.closed = true
	e.mu.Unlock()
	if first {
		for _, s := range e.shards {
			s.stop()
		}
	}
	e.wg.Wait()
}

// Append puts an entry at the end of the log and wakes whom it is for. It never
// waits for a connection. Entries are written in the order in which they were
// appended. It reports whether this one was: without anybody on its route it is not.
func (e *Engine) Append(entry *Entry) bool {
	if !e.append(entry) {
		return false
	}
	for n, s := range e.shards {
		if entry.mask&(1<<n) != 0 {
			s.signal()
		}
	}
	return true
}

// append keeps the routes as they are meanwhile: whoever joins is before the entry or
// after it.
func (e *Engine) append(entry *Entry) bool {
	e.mu.RLock()
	defer e.mu.RUnlock()
	if entry.mask = e.mask(entry); entry.mask == 0 {
		return false
	}
	if len(entry.To) > long {
		entry.to = make(map[*Conn]struct{}, len(entry.To))
		for _, c := range entry.To {
			entry.to[c] = struct{}{}
		}
	}
	e.log.append(entry, e.unread, e.overtaken)
	return true
}

// mask says which shards have connections that entry is for. The caller holds mu.
func (e *Engine) mask(entry *Entry) (mask uint64) {
	switch {
	case entry.All:
		return 1<<len(e.shards) - 1
	case entry.To != nil:
		for _, c := range entry.To {
			mask |= 1 << c.shard.n
		}
		return mask
	}
	if r := e.routes[entry.Route]; r != nil {
		mask = r.mask
	}
	return mask
}

// unread reports whether a shard that an entry is for has yet to read it.
func (e *Engine) unread(old *Entry) bool {
	for n, s := range e.shards {
		if old.mask&(1<<n) != 0 && s.place.Load() <= old.seq {
			return true
		}
	}
	return false
}

// overtaken tells the shards that an entry is about to go which they have yet to
// read.
func (e *Engine) overtaken(old *Entry) {
	for n, s := range e.shards {
		if old.mask&(1<<n) != 0 && s.place.Load() <= old.seq {
			s.lapped.Store(old.seq + 1)
		}
	}
}

// Delivered is how many entries were written, over all connections.
func (e *Engine) Delivered() (n uint64) {
	for _, s := range e.shards {
		n += s.delivered.Load()
	}
	return n
}

// Mark is the place in the log that the next entry gets.
func (e *Engine) Mark() uint64 { return e.log.head.Load() }

// on counts a connection of shard n on the route.
func (e *Engine) on(name string, n int) {
	e.mu.Lock()
	defer e.mu.Unlock()
	r := e.routes[name]
	if r == nil {
		r = &route{counts: make([]int32, len(e.shards))}
		e.routes[name] = r
	}
	r.counts[n]++
	r.mask |= 1 << n
}

// off counts it no longer.
func (e *Engine) off(name string, n int) {
	e.mu.Lock()
	defer e.mu.Unlock()
	r := e.routes[name]
	if r.counts[n]--; r.counts[n] > 0 {
		return
	}
	if r.mask &^= 1 << n; r.mask == 0 {
		delete(e.routes, name)
	}
}

// errClosed is returned after Close.
var errClosed = errors.New("engine: closed")

// shardOf gives connections to the shards in turn; nil after Close.
func (e *Engine) shardOf() *shard {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closed {
		return nil
	}
	s := e.shards[int(e.next)%len(e.shards)]
	e.next++
	return s
}
