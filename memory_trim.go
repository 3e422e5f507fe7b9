package stentor

import "time"

// expired says that something is kept that is too old.
func (l *memoryLog) expired(now time.Duration) bool {
	return l.limits.Age > 0 && l.kept > 0 && now-l.all.at(0).at > l.limits.Age
}

// trim enforces the limits on the whole log.
func (l *memoryLog) trim(now time.Duration) {
	l.settle()
	for l.expired(now) {
		l.dropKept(l.all.at(0).channel)
		l.settle()
	}
	for l.limits.Bytes > 0 && l.bytes > l.limits.Bytes && l.oldest != nil {
		if l.oldest.size() == 0 {
			l.forget(l.oldest)
		} else {
			l.dropOldest()
		}
	}
	for l.limits.Channels > 0 && len(l.channels) > l.limits.Channels {
		l.forget(l.oldest)
	}
	l.settle()
	l.compact()
}

// trimChannel enforces the limit on one channel.
func (l *memoryLog) trimChannel(c *channelLog) {
	for c.size() > max(l.limits.Size, 0) {
		l.drop(c)
	}
}

// dropOldest drops the oldest message of the log; there must be one.
func (l *memoryLog) dropOldest() {
	if w := l.states.front(); w != nil && (l.all.n == 0 || w.m.Position < l.all.at(0).position) {
		l.drop(w.channel)
	} else {
		l.drop(l.all.at(0).channel)
	}
	l.settle()
}

// size is how many messages are kept of it.
func (c *channelLog) size() int { return c.kept.n + c.state.n }

// drop drops the oldest message of a channel. Its slot stays until it comes to
// the front or is compacted.
func (l *memoryLog) drop(c *channelLog) {
	if w := c.state.front(); w != nil && (c.kept.n == 0 || w.m.Position < c.kept.at(0).Position) {
		c.floor = max(c.floor, w.m.Position)
		l.unsay(w)
		return
	}
	l.dropKept(c)
}

// dropKept drops the oldest message of a channel that has no subject.
func (l *memoryLog) dropKept(c *channelLog) {
	m := c.kept.pop()
	c.floor = max(c.floor, m.Position)
	l.kept--
	l.bytes -= messageBytes(&m)
}

// forget drops a channel with all that is kept of it. From now on nobody can
// say what it had, so the floor of all unknown channels rises to its last
// message.
func (l *memoryLog) forget(c *channelLog) {
	for c.size() > 0 {
		l.drop(c)
	}
	c.floor = c.last
	l.floor = max(l.floor, c.floor)
	l.unlink(c)
	delete(l.channels, c.name)
	l.bytes -= memoryOverhead + int64(len(c.name))
}

// settle makes the first slot that of the oldest kept message.
func (l *memoryLog) settle() {
	for l.all.n > 0 && l.all.at(0).gone() {
		l.all.pop()
	}
}

// compact takes out the slots of messages that are gone when they are more
// than half: so each costs a constant, and there are never more of them than
// of kept messages, but for a few.
func (l *memoryLog) compact() {
	if l.all.n > 2*l.kept+64 {
		l.all.retain(func(s *memorySlot) bool { return !s.gone() })
	}
}
