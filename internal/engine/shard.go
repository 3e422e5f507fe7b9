package engine

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/stentor-sse/stentor/internal/deflate"
)

// Bounds of one pass, so that connections are written to while a shard reads a long
// log.
const (
	maxEntries = 1 << 14
	maxBytes   = 4 << 20
)

// keepQueue is how many commands and events a shard keeps room for.
const keepQueue = 256

// tick is the shard's clock: coarse, because keepalives and ends are.
const tick = 250 * time.Millisecond

func ticks(d time.Duration) uint32 { return uint32((d + tick - 1) / tick) }

// shard writes to its connections. All but what is said to be shared is its own
// goroutine's.
type shard struct {
	engine *Engine
	n      int
	poll   *poll

	// shared
	place     atomic.Uint64 // everything before was read
	written   atomic.Int64  // position of the newest that was written to all it was for
	delivered atomic.Uint64 // entries, over all connections
	lapped    atomic.Uint64 // after the newest entry for it that was forgotten unread
	wake      chan struct{}
	quit      chan struct{}
	mu        sync.Mutex
	queue     []command
	events    []event
	ended     bool // no command is carried out any more

	routes   map[string]*standing
	forms    map[formKey]*form
	slots    []*Conn
	free     []int32
	serial   uint32 // of connections, to know late events from theirs
	ends     []deadline
	now      uint32 // in ticks
	visited  int    // of slots, by keepAlive
	position int64  // of the newest entry that was read
	sent     uint64 // the place up to which all was written to whom it was for

	touched []*Conn // that this pass has something for
	spans   []span
	entries int
	bytes   int
	solo    form // for one connection that reads by itself
	joined  []byte
	deflate deflate.Shared
	zipped  []byte // what coats have made: compressed,
	framed  []byte // framed
	wire    []byte // and as it goes out
	spareQ  []command
	spareE  []event
}

// deadline is when the end of a connection has to be over.
type deadline struct {
	c     *Conn
	until uint32 // in ticks
}

func newShard(e *Engine, n int) (*shard, error) {
	p, err := newPoll()
	if err != nil {
		return nil, err
	}
	return &shard{
		engine: e, n: n, poll: p,
		wake: make(chan struct{}, 1), quit: make(chan struct{}),
		routes: map[string]*standing{}, forms: map[formKey]*form{},
	}, nil
}

func (s *shard) signal() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// stop ends both goroutines.
func (s *shard) stop() {
	close(s.quit)
	s.poll.interrupt()
}

// command queues what is to be done before the entry that is appended next.
func (s *shard) command(c command) {
	s.mu.Lock()
	over := s.ended
	if !over {
		c.at = s.engine.log.head.Load()
		s.queue = append(s.queue, c)
	}
	s.mu.Unlock()
	if over {
		c.abandon()
		return
	}
	s.signal()
}

// watch hands over what the kernel says of connections.
func (s *shard) watch() {
	defer s.poll.close()
	for {
		list := s.poll.wait()
		select {
		case <-s.quit:
			return
		default:
		}
		if len(list) > 0 {
			s.mu.Lock()
			s.events = append(s.events, list...)
			s.mu.Unlock()
			s.signal()
		}
	}
}

// run is the shard.
func (s *shard) run() {
	timer := time.NewTicker(tick)
	defer timer.Stop()
	for {
		select {
		case <-s.wake:
			for s.work() {
			}
		case <-timer.C:
			s.now++
			s.keepAlive()
			s.expire()
		case <-s.quit:
			s.finish()
			return
		}
	}
}

// finish closes everything.
func (s *shard) finish() {
	for _, c := range s.slots {
		if c != nil {
			s.gone(c, nil)
		}
	}
	s.mu.Lock()
	queue := s.queue
	s.queue, s.ended = nil, true
	s.mu.Unlock()
	for _, c := range queue {
		c.abandon()
	}
}

// work does what there is to do. It reports whether there is more.
func (s *shard) work() bool {
	s.mu.Lock()
	queue, events := s.queue, s.events
	s.queue, s.events = s.spareQ[:0], s.spareE[:0]
	head := s.engine.log.head.Load() // no command that comes later is for what is before
	s.mu.Unlock()
	for _, ev := range events {
		s.happened(ev)
	}
	for i := range queue {
		s.read(queue[i].at)
		s.do(&queue[i])
		queue[i] = command{}
	}
	if s.spareQ, s.spareE = queue, events; cap(queue)+cap(events) > keepQueue {
		s.spareQ, s.spareE = nil, nil // what a storm needed
	}
	s.read(head)
	s.send()
	return s.engine.log.head.Load() > s.place.Load()
}

// read gathers what the entries before limit are for whom, and sends when that is much.
func (s *shard) read(limit uint64) {
	log := s.engine.log
	bit := uint64(1) << s.n
	for seq := max(s.place.Load(), log.tail.Load()); seq < limit; seq++ {
		e := log.at(seq)
		if e == nil || e.mask&bit == 0 {
			continue // forgotten, which lapped tells if it matters, or for others
		}
		s.gather(e)
		if s.entries >= maxEntries || s.bytes >= maxBytes {
			s.place.Store(seq + 1)
			s.send()
		}
	}
	s.place.Store(max(limit, s.place.Load()))
}

// gather notes what of e goes to whom.
func (s *shard) gather(e *Entry) {
	s.entries++
	before := s.position
	s.position = max(s.position, e.Position)
	switch {
	case e.All:
		for _, c := range s.slots {
			if c != nil {
				s.offer(c, e, before)
			}
		}
	case e.To != nil:
		for _, c := range e.To {
			if c.shard == s {
				s.offer(c, e, before)
			}
		}
	default:
		if on := s.routes[e.Route]; on != nil { // else the last one has left meanwhile
			for _, t := range on.seats {
				s.offer(t.c, e, before)
			}
		}
	}
}

// offer gives e to c in this pass if c can take it now.
func (s *shard) offer(c *Conn, e *Entry, before int64) {
	if !c.is(live) || c.mute || !c.after(e) {
		return
	}
	if off, end := s.encode(c.form, e, before); off < end {
		s.give(c, off, end)
		if e.To != nil {
			c.few(true)
		}
		if !e.Silent {
			c.pending++
		}
	}
}

// encode gives where the frame of e, the newest entry of the pass, stands in f.
func (s *shard) encode(f *form, e *Entry, before int64) (off, end int32) {
	if f.newest != e {
		f.newest, f.off = e, int32(len(f.buf))
		f.add(e, before)
		s.bytes += len(f.buf) - int(f.off)
	}
	return f.off, int32(len(f.buf))
}

// give adds a stretch of its form's bytes to what c gets in this pass.
func (s *shard) give(c *Conn, off, end int32) {
	n := int32(len(s.spans))
	if c.first < 0 {
		c.first = n
		s.touched = append(s.touched, c)
	} else {
		first := &s.spans[c.first]
		last := &s.spans[first.last]
		if last.end == off {
			last.end = end
			return
		}
		last.next, first.last = n, n
	}
	s.spans = append(s.spans, span{off, end, -1, n})
}

// send writes what was gathered, with one call to each, and begins the next pass.
func (s *shard) send() {
	overtaken := s.lapped.Load() > s.sent
	for _, c := range s.touched {
		if c.is(live) && overtaken {
			floor := c.position.Load()
			s.cut(c, c.form, c.first, s.spans[c.first].off)
			s.fallBack(c, floor)
		} else if c.is(live) {
			s.sendTo(c)
		}
		c.first, c.pending = -1, 0
	}
	if overtaken {
		for _, c := range s.slots {
			if c != nil && c.is(live) {
				s.fallBack(c, c.position.Load())
			}
		}
	}
	s.sent = s.place.Load()
	s.written.Store(s.position)
	for key, f := range s.forms {
		if f.reset(); f.conns == 0 {
			delete(s.forms, key)
		}
	}
	clear(s.touched)
	s.touched, s.spans, s.entries, s.bytes = s.touched[:0], s.spans[:0], 0, 0
}

// fallBack returns c to where all was written: something after it was forgotten, and
// nobody knows for whom it was. Up to floor it has everything all the same.
func (s *shard) fallBack(c *Conn, floor int64) {
	c.goOn(s.sent, max(floor, s.written.Load()))
	if c.ending {
		s.flush(c)
		return
	}
	s.away(c)
}
