package engine

// Kind of a command.
const (
	doAttach = iota
	doJoin
	doLeave
	doMute
	doWrite
	doFeed
	doResume
	doPause
	doEnd
)

// command is what somebody wants of a shard's connection. It has its place in the log:
// before the entry at at.
type command struct {
	kind     int
	c        *Conn
	form     formKey
	bytes    []byte
	keep     []byte // of doAttach
	routes   []string
	mark     uint64
	position int64
	behind   bool
	lost     bool
	at       uint64
}

// abandon is for a command that comes too late.
func (cmd *command) abandon() {
	if cmd.kind == doAttach {
		closeFD(int(cmd.c.fd))
		cmd.c.owner.Gone(cmd.c, nil)
	}
}

// do carries a command out.
func (s *shard) do(cmd *command) {
	c := cmd.c
	if cmd.kind == doAttach {
		s.attach(c, cmd)
		return
	}
	if c.state.Load() >= lingers {
		if cmd.kind == doJoin {
			s.engine.off(cmd.routes[0], s.n)
		}
		return
	}
	switch cmd.kind {
	case doJoin:
		s.join(c, cmd.routes[0])
	case doLeave:
		s.leave(c, cmd.routes[0])
	case doMute:
		c.mute = true
		s.unseat(c)
	case doWrite:
		s.private(c, frame(nil, cmd.bytes, c.form.chunked))
	case doFeed:
		s.send() // so that c begins where all others are
		l := c.late()
		l.rest, l.ack = frame(l.rest, cmd.bytes, c.form.chunked), true
		s.flush(c)
	case doResume:
		s.send()
		c.state.Store(behind)
		c.goOn(cmd.mark, cmd.position)
		if c.lag.again {
			s.away(c)
		} else {
			s.flush(c)
		}
	case doPause:
		s.pause(c)
	case doEnd:
		s.end(c, cmd.bytes)
	}
}

// pause has the owner write to c before it reads on.
func (s *shard) pause(c *Conn) {
	switch c.state.Load() {
	case live:
		s.send()
		if c.is(live) {
			c.goOn(s.place.Load(), max(c.position.Load(), s.position))
			s.away(c)
			return
		}
		s.pause(c)
	case behind:
		s.away(c)
	case fed:
		c.lag.again = true
	}
}

func (s *shard) attach(c *Conn, cmd *command) {
	c.form = s.forms[cmd.form]
	if c.form == nil {
		c.form = &form{formKey: cmd.form}
		s.forms[cmd.form] = c.form
	}
	c.form.conns++
	if len(c.form.keep) == 0 {
		c.form.keep = frame(nil, cmd.keep, cmd.form.chunked)
	}
	s.serial++
	c.serial, c.wrote = s.serial, s.now
	c.position.Store(cmd.position)
	if n := len(s.free); n > 0 {
		c.slot = s.free[n-1]
		s.free = s.free[:n-1]
		s.slots[c.slot] = c
	} else {
		c.slot = int32(len(s.slots))
		s.slots = append(s.slots, c)
	}
	c.seats = make([]seat, 0, len(cmd.routes))
	for _, name := range cmd.routes {
		s.join(c, name)
	}
	if err := s.poll.add(int(c.fd), c.slot, c.serial); err != nil {
		s.gone(c, err)
		return
	}
	first := frame(nil, cmd.bytes, c.form.chunked)
	if !cmd.behind {
		s.private(c, first)
		return
	}
	c.lag = &lag{rest: first, lost: cmd.lost}
	s.away(c)
	s.flush(c)
}

func (s *shard) join(c *Conn, name string) {
	for _, t := range c.seats {
		if t.on.name == name {
			s.engine.off(name, s.n)
			return
		}
	}
	on := s.routes[name]
	if on == nil {
		on = &standing{name: name}
		s.routes[name] = on
	}
	on.seats = append(on.seats, occupant{c, int32(len(c.seats))})
	c.seats = append(c.seats, seat{on, int32(len(on.seats) - 1), s.place.Load()})
}

func (s *shard) leave(c *Conn, name string) {
	for i, t := range c.seats {
		if t.on.name == name {
			s.vacate(c, i)
			return
		}
	}
}

// vacate takes c off its seat i.
func (s *shard) vacate(c *Conn, i int) {
	t := c.seats[i]
	end := len(t.on.seats) - 1
	moved := t.on.seats[end]
	t.on.seats[t.at] = moved
	moved.c.seats[moved.seat].at = t.at
	t.on.seats[end] = occupant{}
	if t.on.seats = t.on.seats[:end]; end == 0 {
		delete(s.routes, t.on.name)
	}
	last := len(c.seats) - 1
	if i < last {
		c.seats[i] = c.seats[last]
		c.seats[i].on.seats[c.seats[i].at].seat = int32(i)
	}
	c.seats[last] = seat{}
	c.seats = c.seats[:last]
	s.engine.off(t.on.name, s.n)
}

// private gives c framed bytes of its own, after what it has been given.
func (s *shard) private(c *Conn, b []byte) {
	switch {
	case len(b) == 0:
	case c.is(live):
		off, end := c.form.addPrivate(b, s.place.Load(), s.position)
		s.give(c, off, end)
		c.few(true)
		s.bytes += len(b)
	default:
		c.wait(b)
	}
}

// end gives c its last bytes. What waits for one that is behind is dropped, but for the
// rest of a frame.
func (s *shard) end(c *Conn, farewell []byte) {
	if c.ending {
		return
	}
	c.ending = true
	s.ends = append(s.ends, deadline{c, s.now + ticks(s.engine.o.Linger)})
	b := frame(nil, farewell, c.form.chunked)
	if c.form.chunked {
		b = append(b, lastChunk...)
	}
	if c.is(live) {
		if s.private(c, b); c.first < 0 { // nothing to say
			s.over(c)
		}
		return
	}
	c.wait(b)
	c.state.Store(ending)
	s.flush(c)
}

// over ends c's side of the connection: everything was written. The peer has to close
// before its descriptor is, or what it has yet to read would be lost with a reset.
func (s *shard) over(c *Conn) {
	if c.coat != nil {
		if ok, err := c.coat.end(s, int(c.fd)); err != nil {
			s.gone(c, err)
			return
		} else if !ok {
			c.state.Store(ending)
			return
		}
	}
	s.unseat(c)
	c.state.Store(lingers)
	if shutdown(int(c.fd)) != nil || drained(int(c.fd)) {
		s.gone(c, nil)
	}
}

func (s *shard) unseat(c *Conn) {
	for len(c.seats) > 0 {
		s.vacate(c, len(c.seats)-1)
	}
	c.seats = nil
}

// happened is what the kernel says of a connection.
func (s *shard) happened(ev event) {
	if int(ev.slot) >= len(s.slots) {
		return
	}
	c := s.slots[ev.slot]
	if c == nil || c.serial != ev.serial {
		return // late: it has been closed since
	}
	switch {
	case c.is(lingers):
		if ev.gone || drained(int(c.fd)) {
			s.gone(c, nil)
		}
	case ev.gone:
		s.gone(c, errPeer)
	case ev.writable && !c.is(live):
		s.flush(c)
	}
}

// gone closes c.
func (s *shard) gone(c *Conn, err error) {
	if c.ending && err != errSlow {
		err = nil
	}
	s.unseat(c)
	c.state.Store(closed)
	c.form.conns--
	s.slots[c.slot] = nil
	s.free = append(s.free, c.slot)
	drained(int(c.fd))
	closeFD(int(c.fd))
	c.lag, c.coat = nil, nil
	c.owner.Gone(c, err)
}

// keepAlive visits some of the connections, each four times in an interval, and keeps
// those warm that were silent for three quarters of it or more: so it is spread, and
// costs no timers.
func (s *shard) keepAlive() {
	interval := ticks(s.engine.o.KeepAlive)
	if s.engine.o.KeepAlive <= 0 || len(s.slots) == 0 {
		return
	}
	for range len(s.slots)*4/int(max(interval, 4)) + 1 {
		if s.visited++; s.visited >= len(s.slots) {
			s.visited = 0
		}
		c := s.slots[s.visited]
		if c == nil || !c.is(live) || c.quiet || s.now-c.wrote < interval*3/4 {
			continue
		}
		c.wrote = s.now
		s.private(c, c.form.keep)
		c.few(false) // it is what many get
	}
	s.send()
}

// expire closes those that did not take their end in time.
func (s *shard) expire() {
	keep := s.ends[:0]
	for _, d := range s.ends {
		switch {
		case d.c.is(closed):
		case s.now < d.until:
			keep = append(keep, d)
		case d.c.is(lingers):
			s.gone(d.c, nil) // it has all; that it stays connected is its affair
		default:
			s.gone(d.c, errSlow)
		}
	}
	clear(s.ends[len(keep):])
	s.ends = keep
}
