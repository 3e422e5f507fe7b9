package stentor

import (
	"sync"
	"time"
)

// memoryOverhead is the allowance for a kept message or a remembered channel
// beside its texts: the structs, their share of slack, the index.
const memoryOverhead = 256

// memoryLog is the history of a [MemoryBroker]. Its lock is held for the length
// of one append or of one page, never while anyone else's code runs.
type memoryLog struct {
	limits MemoryOptions
	began  time.Time // with the monotonic reading: ages are immune to clock steps
	start  Position

	mu   sync.RWMutex // guards all below
	head Position
	// floor is the highest position that may be missing on a channel that is
	// not in channels: the start, or the last message of a forgotten one.
	floor    Position
	channels map[Channel]*channelLog
	// oldest … newest are all channels in the order of their last message.
	// Those with nothing kept come first, because messages go in order of
	// position, but for those over Size, which leave newer ones behind.
	oldest, newest *channelLog
	// all refers to every kept message in order, and to some that are gone
	// (see [memorySlot.gone]): never the first, and never more than the kept ones.
	// Those with a subject are not among them.
	all  memoryRing[memorySlot]
	kept int
	// states refers to what is kept about subjects, in order.
	states memoryState
	bytes  int64
}

// channelLog is what is known of one channel.
type channelLog struct {
	name  Channel
	floor Position // highest position that may be missing
	last  Position // of its newest message, or floor if there never was one
	kept  memoryRing[Message]
	state memoryState // what is kept about subjects, which no age ends
	about map[string]*memoryWord

	older, newer *channelLog
}

// memorySlot is the place of a message in the order of the whole log.
type memorySlot struct {
	position Position
	at       time.Duration // since the log began
	channel  *channelLog
}

// gone says that the message is not kept any more.
func (s *memorySlot) gone() bool { return s.position <= s.channel.floor }

func newMemoryLog(limits MemoryOptions) *memoryLog {
	now := time.Now()
	start := Position(now.UnixMicro())
	return &memoryLog{
		limits: limits, began: now, start: start,
		head: start, floor: start,
		channels: make(map[Channel]*channelLog),
	}
}

// append gives m its place in the log and keeps it as far as the limits allow.
// It reports whether m is kept.
func (l *memoryLog) append(route Channel, m *Message) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	at := now.Sub(l.began)
	m.Time = stamp(now)
	c := l.touch(route)
	m.Position, m.Prev = max(l.head+1, Position(m.Time.UnixMicro())), c.last
	l.head, c.last = m.Position, m.Position
	if m.Subject != "" {
		l.supersede(c, m.Subject)
	}
	if l.limits.Size < 0 {
		c.floor = m.Position
	} else if m.Subject != "" && !m.Remove {
		l.say(c, m)
	} else {
		c.kept.push(*m)
		l.all.push(memorySlot{m.Position, at, c})
		l.kept++
		l.bytes += messageBytes(m)
	}
	l.trimChannel(c)
	l.trim(at)
	return c.floor < m.Position
}

// touch finds or makes the channel and puts it last in the order of channels.
func (l *memoryLog) touch(name Channel) *channelLog {
	c := l.channels[name]
	if c == nil {
		c = &channelLog{name: name, floor: l.floor, last: l.floor}
		l.channels[name] = c
		l.bytes += memoryOverhead + int64(len(name))
	} else if c == l.newest {
		return c
	} else {
		l.unlink(c)
	}
	if c.older = l.newest; c.older != nil {
		c.older.newer = c
	} else {
		l.oldest = c
	}
	l.newest = c
	return c
}

func (l *memoryLog) unlink(c *channelLog) {
	if c.older != nil {
		c.older.newer = c.newer
	} else {
		l.oldest = c.newer
	}
	if c.newer != nil {
		c.newer.older = c.older
	} else {
		l.newest = c.older
	}
	c.older, c.newer = nil, nil
}

func (l *memoryLog) top() Position {
	l.mu.RLock()
	defer l.mu.RUnlock()
	return l.head
}

// view runs look with the log locked for reading, after what is too old is gone.
func (l *memoryLog) view(look func()) {
	now := time.Since(l.began)
	l.mu.RLock()
	if l.expired(now) {
		l.mu.RUnlock()
		l.mu.Lock()
		l.trim(now)
		l.mu.Unlock()
		l.mu.RLock()
	}
	defer l.mu.RUnlock()
	look()
}

// window is the [Window] of the channels; without any, that of an empty log.
func (l *memoryLog) window(channels []Channel) (w Window) {
	l.view(func() {
		w = Window{Floor: l.start, Start: l.start, Head: l.head}
		for _, name := range channels {
			floor := l.floor
			if c := l.channels[name]; c != nil {
				floor = c.floor
			}
			w.Floor = max(w.Floor, floor)
		}
	})
	return w
}

func messageBytes(m *Message) int64 {
	t := &m.Target
	return memoryOverhead + int64(len(m.Data)+len(m.Type)+len(m.Subject)+len(t.Channel)+len(t.User)+
		len(t.UserName)+len(t.Session)+len(t.Key)+len(t.Subscription))
}
