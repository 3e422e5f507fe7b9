package engine

import "errors"

// errSlow is why a connection was closed that did not take its last bytes in time.
var errSlow = errors.New("engine: the last bytes were not taken in time")

// maxPrivate bounds the private bytes that wait for one connection.
const maxPrivate = 4 << 10

// soloBytes is how much a connection that reads by itself is given at once.
const soloBytes = 64 << 10

// sendTo writes what the pass has for c.
func (s *shard) sendTo(c *Conn) {
	sp := &s.spans[c.first]
	b := c.form.buf[sp.off:sp.end]
	if sp.next >= 0 { // not in one piece: copying costs less than a list of pieces
		s.joined = s.joined[:0]
		for i := c.first; i >= 0; i = s.spans[i].next {
			s.joined = append(s.joined, c.form.buf[s.spans[i].off:s.spans[i].end]...)
		}
		b = s.joined
	}
	shared := c.coat != nil && !c.coat.own
	c.few(false)
	n, err := c.put(b, shared)
	switch {
	case err != nil:
		s.gone(c, err)
		return
	case n < len(b):
		i := c.first
		for left := int32(n); ; i = s.spans[i].next {
			sp := &s.spans[i]
			if size := sp.end - sp.off; left >= size {
				left -= size
				continue
			}
			s.cut(c, c.form, i, sp.off+left)
			return
		}
	}
	c.count(int(c.pending))
	switch {
	case c.ending:
		s.over(c)
	case c.waits():
		c.goOn(s.place.Load(), max(c.position.Load(), s.position))
		c.state.Store(behind)
	}
}

// put writes as much of b as the kernel takes now. Shared says that others get b too.
func (c *Conn) put(b []byte, shared bool) (int, error) {
	var n int
	var err error
	if c.coat != nil {
		n, err = c.coat.put(c.shard, int(c.fd), b, shared)
	} else {
		n, err = send(int(c.fd), b)
	}
	if err == nil && (n < len(b) || c.waits()) {
		c.late().stuck = true
	}
	if n > 0 {
		c.bytes.Add(uint64(n))
		if !c.shard.engine.o.Always {
			c.wrote = c.shard.now
		}
	}
	return n, err
}

// cut turns c behind: of what f holds for it, all before off in span i was written. It
// goes on with the rest of that frame, then with private frames, then with the log.
func (s *shard) cut(c *Conn, f *form, i, off int32) {
	at := f.find(off)
	fr := f.frames[at]
	if off > f.start(at) {
		l := c.late()
		l.rest = append(l.rest, f.buf[off:fr.end]...)
		seq := fr.seq + 1
		if fr.private {
			seq = fr.seq
		}
		c.goOn(seq, max(c.position.Load(), fr.position))
		at++
	} else {
		c.goOn(fr.seq, max(c.position.Load(), fr.before))
	}
	for first := true; i >= 0; i, first = s.spans[i].next, false {
		sp := s.spans[i]
		if !first {
			at = f.find(sp.off)
		}
		for ; at < len(f.frames) && f.frames[at].end <= sp.end; at++ {
			if f.frames[at].private {
				c.wait(f.buf[f.start(at):f.frames[at].end])
			}
		}
	}
	c.state.Store(behind)
	if c.ending {
		c.state.Store(ending)
	}
}

// wait keeps framed private bytes until what is before them is written.
func (c *Conn) wait(b []byte) {
	l := c.late()
	if l.private+len(b) > maxPrivate && !c.ending {
		l.lost = true
		return
	}
	l.private += len(b)
	l.rest = append(l.rest, b...)
}

// flush writes what waits, and goes on with what comes after it.
func (s *shard) flush(c *Conn) {
	if !s.push(c) {
		return
	}
	if l := c.late(); len(l.rest) > 0 {
		n, err := c.put(l.rest, false)
		if err != nil {
			s.gone(c, err)
			return
		}
		if n < len(l.rest) {
			l.rest = append(l.rest[:0], l.rest[n:]...)
			return
		}
		l.rest, l.private = nil, 0
		if c.waits() {
			return
		}
	}
	switch c.state.Load() {
	case behind:
		s.readOn(c)
	case fed:
		if l := c.lag; l.ack {
			l.ack = false
			c.owner.Fed(c)
		}
	case ending:
		s.over(c)
	}
}

// readOn lets c, which has written all that waited, read the log by itself up to where
// its shard is.
func (s *shard) readOn(c *Conn) {
	log, f := s.engine.log, &s.solo
	limit := s.place.Load()
	for c.is(behind) {
		from := c.lag.seq
		if from < log.tail.Load() {
			s.away(c)
			return
		}
		f.formKey = c.form.formKey
		seq, position, messages := from, c.position.Load(), 0
		for ; seq < limit && len(f.buf) < soloBytes; seq++ {
			e := log.at(seq)
			if e == nil {
				break
			}
			if c.after(e) && c.wants(e) {
				f.addFramed(e, position)
				if !e.Silent {
					messages++
				}
				position = max(position, e.Position)
			}
		}
		if from < log.tail.Load() { // forgotten while it was read
			f.reset()
			s.away(c)
			return
		}
		n, err := c.put(f.buf, false)
		switch {
		case err != nil:
			s.gone(c, err)
		case n < len(f.buf):
			s.spans = append(s.spans, span{end: int32(len(f.buf)), next: -1})
			s.cut(c, f, int32(len(s.spans)-1), int32(n))
			s.spans = s.spans[:len(s.spans)-1]
			f.reset()
			return
		default:
			c.count(messages)
			c.goOn(seq, position)
			switch {
			case c.waits():
				f.reset()
				return
			case seq == limit && c.lag.lost:
				s.away(c) // to be told
			case seq == limit:
				c.caughtUp()
			}
		}
		f.reset()
	}
}

func (c *Conn) count(n int) {
	c.messages.Add(uint64(n))
	c.shard.delivered.Add(uint64(n))
}

// wants reports whether e is for c.
func (c *Conn) wants(e *Entry) bool {
	if c.mute || e.mask&(1<<c.shard.n) == 0 {
		return false
	}
	switch {
	case e.All:
		return true
	case e.To != nil:
		return e.names(c)
	}
	for _, t := range c.seats {
		if t.on.name == e.Route {
			return e.seq >= t.from
		}
	}
	return false
}

// away asks the owner for what the log has forgotten.
func (s *shard) away(c *Conn) {
	c.state.Store(fed)
	l := c.late()
	lost := l.lost || s.engine.log.gone.Load() > l.seq
	slow := l.stuck
	l.lost, l.stuck, l.again = false, false, false
	c.owner.Behind(c, c.position.Load(), lost, slow)
}
