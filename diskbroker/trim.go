package diskbroker

import (
	"container/heap"
	"time"

	"github.com/stentor-sse/stentor"
)

// class is the channels that are kept alike: a heap of those with something kept, the
// one with the oldest message first.
type class struct {
	rule  *Rule // nil: all that have no rule
	size  int
	age   time.Duration
	bytes int64
	heap  channelHeap
}

// added restores the order after a push to a channel.
func (k *class) added(c *channel) {
	if c.at < 0 {
		heap.Push(&k.heap, c)
	}
}

// popped restores the order after a pop from a channel.
func (k *class) popped(c *channel) {
	if c.kept.n == 0 {
		heap.Remove(&k.heap, c.at)
	} else {
		heap.Fix(&k.heap, c.at)
	}
}

// expired says that something of the class is too old. A position is a time in
// microseconds, or a little later.
func (k *class) expired(now time.Time) bool {
	return k.age > 0 && len(k.heap) > 0 && now.UnixMicro()-int64(k.heap[0].kept.front()) > k.age.Microseconds()
}

// channelHeap implements heap.Interface.
type channelHeap []*channel

func (h channelHeap) Len() int           { return len(h) }
func (h channelHeap) Less(i, j int) bool { return h[i].kept.front() < h[j].kept.front() }

func (h channelHeap) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].at, h[j].at = i, j
}

// Push implements heap.Interface.
func (h *channelHeap) Push(v any) {
	c := v.(*channel)
	c.at = len(*h)
	*h = append(*h, c)
}

// Pop implements heap.Interface.
func (h *channelHeap) Pop() any {
	last := len(*h) - 1
	c := (*h)[last]
	(*h)[last], c.at = nil, -1
	*h = (*h)[:last]
	return c
}

// expired gives a class with something that is too old.
func (x *index) expired(now time.Time) *class {
	for _, k := range x.classes {
		if k.expired(now) {
			return k
		}
	}
	return nil
}

// trim enforces the limits on the whole log.
func (x *index) trim(now time.Time) {
	for k := x.expired(now); k != nil; k = x.expired(now) {
		x.dropKept(k.heap[0])
	}
	for x.limits.Bytes > 0 && x.bytes > x.limits.Bytes && x.quiet.Len() > 0 {
		if c := x.quietest(); c.size() == 0 {
			x.forget(c)
		} else {
			x.drop(x.oldest())
		}
	}
	for x.limits.Channels > 0 && len(x.channels) > x.limits.Channels {
		x.forget(x.quietest())
	}
}

// trimChannel enforces the limits on one channel.
func (x *index) trimChannel(c *channel) {
	for c.size() > c.class.size || c.class.bytes > 0 && c.kept.bytes+c.words.bytes > c.class.bytes {
		x.drop(c)
	}
}

func (x *index) quietest() *channel { return x.quiet.Front().Value.(*channel) }

// oldest is the channel with the oldest message of the log; nil if nothing is kept.
func (x *index) oldest() (found *channel) {
	if w := x.words.front(); w != nil {
		found = w.channel
	}
	for _, k := range x.classes {
		if len(k.heap) > 0 && (found == nil || k.heap[0].front() < found.front()) {
			found = k.heap[0]
		}
	}
	return found
}

// size is how many messages are kept of it.
func (c *channel) size() int { return c.kept.n + c.words.n }

// front is the oldest that is kept of it; there must be one.
func (c *channel) front() stentor.Position {
	w := c.words.front()
	if w == nil || c.kept.n > 0 && c.kept.front() < w.position {
		return c.kept.front()
	}
	return w.position
}

// drop drops the oldest message of a channel. On disk it stays until the committer
// takes it away with others.
func (x *index) drop(c *channel) {
	if w := c.words.front(); w != nil && w.position == c.front() {
		c.floor = max(c.floor, w.position)
		x.unsay(w)
	} else {
		x.dropKept(c)
	}
}

// dropKept drops the oldest message of a channel that is not about a subject.
func (x *index) dropKept(c *channel) {
	at := c.kept.pop()
	c.class.popped(c)
	c.floor = max(c.floor, at.position)
	x.kept--
	x.bytes -= at.size
	x.gone = append(x.gone, gone{at.position, c})
}

// forget drops a channel with all that is kept of it. From now on nobody can
// say what it had, so the floor of all unknown channels rises to its last
// message.
func (x *index) forget(c *channel) {
	for c.size() > 0 {
		x.drop(c)
	}
	x.floor = max(x.floor, c.last)
	x.quiet.Remove(c.quiet)
	delete(x.channels, c.name)
	c.out = true
	x.bytes -= channelOverhead + int64(len(c.name))
	x.forgotten = append(x.forgotten, c.name)
}

// rubbish is what the committer takes away from disk next, and what it must know then.
type rubbish struct {
	gone      []gone
	emptied   map[stentor.Channel]stentor.Position // by name: its last message
	floors    map[stentor.Channel]stentor.Position // by name, where the messages don't tell
	forgotten []stentor.Channel
	bounds    bounds
}

// bounds is where the log begins, for channels that are known and for others.
type bounds struct{ start, floor stentor.Position }

// rubbish gives at most limit trimmed messages with what goes with them.
func (x *index) rubbish(limit int) (r rubbish) {
	x.mu.RLock()
	defer x.mu.RUnlock()
	r.bounds = bounds{x.start, x.floor}
	r.forgotten = x.forgotten[:len(x.forgotten):len(x.forgotten)]
	r.gone = x.gone[:min(limit, len(x.gone)):min(limit, len(x.gone))]
	for _, g := range r.gone {
		if g.position == g.channel.last && !g.channel.out {
			if r.emptied == nil {
				r.emptied = make(map[stentor.Channel]stentor.Position)
			}
			r.emptied[g.channel.name] = g.position
		}
		if g.channel.stateful && !g.channel.out {
			if r.floors == nil {
				r.floors = make(map[stentor.Channel]stentor.Position)
			}
			r.floors[g.channel.name] = g.channel.floor
		}
	}
	return r
}

// cleared notes that rubbish is gone from the disk.
func (x *index) cleared(r rubbish) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.forgotten = shift(x.forgotten, len(r.forgotten))
	x.gone = shift(x.gone, len(r.gone))
}

// shift takes n values from the front.
func shift[T any](list []T, n int) []T {
	if n == len(list) {
		return nil
	}
	return list[n:]
}

// lag is how many messages wait to be taken away.
func (x *index) lag() int {
	x.mu.RLock()
	defer x.mu.RUnlock()
	return len(x.gone) + len(x.forgotten)
}
