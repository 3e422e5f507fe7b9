package diskbroker

import (
	"container/list"
	"sync"
	"time"

	"github.com/stentor-sse/stentor"
)

const (
	// messageOverhead is the allowance for a message beside its texts: key,
	// record, its part of the page.
	messageOverhead = 64
	// channelOverhead is the allowance for a remembered channel.
	channelOverhead = 256
)

// index is what is known of the log without reading it: which messages of which
// channels are kept and where. Its lock is held for the length of one step, never
// while the disk or anyone else's code is at work.
type index struct {
	limits Options

	mu sync.RWMutex // guards all below
	// start is the latest discontinuity: what was before it may be missing on any channel.
	start stentor.Position
	head  stentor.Position
	// floor is the highest position that may be missing on a channel that is
	// not in channels: the start, or the last message of a forgotten one.
	floor    stentor.Position
	channels map[stentor.Channel]*channel
	quiet    list.List // of *channel, the one that was quiet for longest first
	classes  []*class  // one per rule, and the last for all others
	words    words     // of all channels
	kept     int
	bytes    int64
	// held are the newest messages in order while they aren't on disk yet.
	held      []*request
	heldBytes int64
	once      map[string]*request // of held, by idempotency key
	// gone are trimmed messages that are still on disk.
	gone []gone
	// forgotten are channels whose records are still on disk.
	forgotten []stentor.Channel
	damaged   uint64 // records that could not be read
}

// channel is what is known of one channel.
type channel struct {
	name  stentor.Channel
	class *class
	floor stentor.Position // highest position that may be missing
	last  stentor.Position // of its newest message, or floor if there never was one; the committer's to change
	kept  places
	// words are what is kept about subjects, which no age ends; about has them by subject. One that
	// has ever had any is stateful: its messages may name others before them that are gone
	// though nothing is missing.
	words    words
	about    map[string]*word
	stateful bool

	quiet *list.Element
	at    int // in the heap of its class; -1 while nothing is kept
	out   bool
}

// gone is a message that was trimmed.
type gone struct {
	position stentor.Position
	channel  *channel
}

func newIndex(limits Options) *index {
	x := &index{limits: limits, channels: make(map[stentor.Channel]*channel), once: make(map[string]*request)}
	for i := range limits.Rules {
		r := &limits.Rules[i]
		x.classes = append(x.classes, &class{rule: r, size: max(r.Size, 0), age: r.Age, bytes: r.Bytes})
	}
	x.classes = append(x.classes, &class{size: max(limits.Size, 0), age: limits.Age})
	return x
}

// begin makes the index one of a log that starts at a position.
func (x *index) begin(at stentor.Position) {
	x.start = max(x.start, at)
	x.head, x.floor = max(x.head, at), max(x.floor, at)
}

// classOf finds how a channel is kept.
func (x *index) classOf(name stentor.Channel) *class {
	for _, c := range x.classes {
		if c.rule == nil || c.rule.matches(name) {
			return c
		}
	}
	return nil // the last has no rule
}

// last is the position that the next message of a channel names as the one before it.
func (x *index) last(name stentor.Channel) stentor.Position {
	x.mu.RLock()
	defer x.mu.RUnlock()
	if c := x.channels[name]; c != nil {
		return c.last
	}
	return x.floor
}

// apply takes messages up that have a place. held says that they aren't on disk yet.
func (x *index) apply(batch []*request, now time.Time, held bool) {
	x.mu.Lock()
	defer x.mu.Unlock()
	for _, r := range batch {
		r.channel = x.touch(r.route)
		x.add(r.channel, &r.m, r.size)
		if held {
			x.held = append(x.held, r)
			x.heldBytes += r.size
			if r.once != "" {
				x.once[r.once] = r
			}
		}
	}
	x.trim(now)
	for _, r := range batch {
		r.stored = r.m.Position > r.channel.floor
	}
}

// add makes a message the newest of its channel, and of all. When it names another one before
// it than the newest that is known, what is kept before it may have a hole behind.
func (x *index) add(c *channel, m *stentor.Message, size int64) {
	c.stateful = c.stateful || m.Subject != ""
	if m.Prev > max(c.last, x.start) && !c.stateful {
		for c.size() > 0 {
			x.drop(c)
		}
		c.floor = m.Prev
	}
	x.head, c.last = max(x.head, m.Position), max(c.last, m.Position)
	if m.Subject != "" {
		x.supersede(c, m.Subject)
	}
	if c.class.size == 0 {
		c.floor = m.Position
		return
	}
	if m.Subject != "" && !m.Remove {
		x.say(c, m.Subject, place{m.Position, size})
	} else {
		c.kept.push(place{m.Position, size})
		c.class.added(c)
	}
	x.kept++
	x.bytes += size
	x.trimChannel(c)
}

// unwritten is what is held.
func (x *index) unwritten() []*request {
	x.mu.RLock()
	defer x.mu.RUnlock()
	return x.held
}

// written notes that the first n that were held are on disk.
func (x *index) written(n int) {
	x.mu.Lock()
	defer x.mu.Unlock()
	for _, r := range x.held[:n] {
		x.heldBytes -= r.size
		delete(x.once, r.once)
	}
	x.held = shift(x.held, n)
}

func (x *index) heldSize() int64 {
	x.mu.RLock()
	defer x.mu.RUnlock()
	return x.heldBytes
}

// touch finds or makes the channel and puts it last in the order of channels.
func (x *index) touch(name stentor.Channel) *channel {
	c := x.channels[name]
	if c == nil {
		return x.remember(name, x.floor)
	}
	x.quiet.MoveToBack(c.quiet)
	return c
}

// remember makes a channel of which nothing is kept.
func (x *index) remember(name stentor.Channel, floor stentor.Position) *channel {
	c := &channel{name: name, class: x.classOf(name), floor: floor, last: floor, at: -1}
	c.quiet = x.quiet.PushBack(c)
	x.channels[name] = c
	x.bytes += channelOverhead + int64(len(name))
	return c
}

func (x *index) top() stentor.Position {
	x.mu.RLock()
	defer x.mu.RUnlock()
	return x.head
}

// view runs look with the index locked for reading, after what is too old is gone.
func (x *index) view(look func()) {
	now := time.Now()
	x.mu.RLock()
	if x.expired(now) != nil {
		x.mu.RUnlock()
		x.mu.Lock()
		x.trim(now)
		x.mu.Unlock()
		x.mu.RLock()
	}
	defer x.mu.RUnlock()
	look()
}

// window is the [stentor.Window] of the channels; without any, that of an empty log.
func (x *index) window(channels []stentor.Channel) (w stentor.Window) {
	x.view(func() {
		w = stentor.Window{Floor: x.start, Start: x.start, Head: x.head}
		for _, name := range channels {
			floor := x.floor
			if c := x.channels[name]; c != nil {
				floor = c.floor
			}
			w.Floor = max(w.Floor, floor)
		}
	})
	return w
}

// damage notes that the record at a position can't be read. What else is missing nobody
// knows, so the log is taken to have begun there.
func (x *index) damage(p stentor.Position) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.damaged++
	x.begin(p)
}

// sizeOf is what a message counts for in Bytes.
func sizeOf(m *stentor.Message) int64 {
	n := messageOverhead + int64(len(m.Data))
	for _, s := range texts(m) {
		n += int64(len(*s))
	}
	return n
}
