package engine

import (
	"net"
	"sync/atomic"

	"github.com/stentor-sse/stentor/internal/deflate"
)

// Owner is whose connection it is. Its methods are called by the shard and must not
// block.
type Owner interface {
	// Behind says that the log has forgotten what c was to get next, or that c was paused: its owner writes
	// what follows position with Feed, and then lets it go on with Resume. Lost says that
	// entries without a position may be among what was forgotten.
	// Slow says that c itself was waited for, and not its shard.
	Behind(c *Conn, position int64, lost, slow bool)
	// Fed says that all given to Feed has been written.
	Fed(c *Conn)
	// Gone says that c is closed, and why: nil after End. It is the last call.
	Gone(c *Conn, err error)
}

// state is how a connection is served.
const (
	live    = uint32(iota) // was given all that its shard has read
	behind                 // waits to be writable, to read the log by itself
	fed                    // its owner writes
	ending                 // writes its last bytes
	lingers                // has written them; its peer may be reading
	closed
)

// Conn is one connection. Its methods may be called from any goroutine; its fields are its
// shard's, but for those that never change and the counters. There may be a hundred thousand:
// what only some of them need is elsewhere.
type Conn struct {
	shard    *shard
	owner    Owner
	position atomic.Int64 // all up to here was written, and nothing up to here is written again
	messages atomic.Uint64
	bytes    atomic.Uint64

	form   *form
	coat   *coat // nil where bytes go out as they are
	seats  []seat
	lag    *lag // nil while live
	state  atomic.Uint32
	fd     int32
	slot   int32  // in shard.slots
	serial uint32 // so that a late event is not taken for its
	wrote  uint32 // when, in ticks

	first   int32 // in shard.spans, what the pass has for it; -1 for nothing
	pending int32 // entries of that

	quiet  bool // it is not kept warm
	mute   bool // nothing of the log is for it any more
	ending bool // the last bytes have been given
}

// lag is what a connection has yet to get.
type lag struct {
	rest    []byte // framed, to be written before anything else
	private int    // bytes of rest that are for it alone
	seq     uint64 // while behind: where it reads the log on
	ack     bool   // Fed is due when rest is written
	lost    bool   // something without a position was dropped
	stuck   bool   // it could not take all that there was
	again   bool   // it was paused while fed
}

// late is what c has yet to get, from now on if it was live.
func (c *Conn) late() *lag {
	if c.lag == nil {
		c.lag = &lag{}
	}
	return c.lag
}

func (c *Conn) is(state uint32) bool { return c.state.Load() == state }

// goOn says where c goes on to read, and up to where it has all.
func (c *Conn) goOn(seq uint64, position int64) {
	c.late().seq = seq
	c.position.Store(position)
}

// caughtUp makes c live.
func (c *Conn) caughtUp() {
	c.lag = nil
	c.state.Store(live)
}

// after reports whether e comes after what c has.
func (c *Conn) after(e *Entry) bool { return e.Position == 0 || e.Position > c.position.Load() }

// Reached is a position up to which everything was written.
func (c *Conn) Reached() int64 {
	written := c.shard.written.Load() // first: it holds for c if c is live after that
	if at := c.position.Load(); !c.is(live) || at > written {
		return at
	}
	return written
}

// seat is where a connection stands on a route, and since which entry.
type seat struct {
	on   *standing
	at   int32
	from uint64
}

// standing is who of a shard is on a route.
type standing struct {
	name  string
	seats []occupant
}

// occupant is a connection and which of its seats this is.
type occupant struct {
	c    *Conn
	seat int32
}

// AttachOptions is how a connection begins.
type AttachOptions struct {
	// Form is what items are encoded in; connections of equal forms share bytes.
	Form any
	// Chunked frames what is written as chunks of an HTTP/1.1 body.
	Chunked bool
	// Gzip is what a body that is compressed holds so far; nil where it isn't. Items for
	// all on a route are compressed once.
	Gzip *deflate.Stream
	// KeepAlive is what keeps it warm, the same in all of a form; empty is nothing.
	KeepAlive []byte
	// First is written before anything else.
	First []byte
	// Position is the one up to which it has everything.
	Position int64
	// Behind says that it lacks what came after: the owner's Behind is called at
	// once, with Lost.
	Behind, Lost bool
	// Routes it is on from here.
	Routes []string
}

// Attach takes a connection over: the engine writes to it and closes it. What is appended to
// the log from now on reaches it. An error leaves nc alone; that it can't be taken is
// one that wraps [errors.ErrUnsupported].
func (e *Engine) Attach(nc net.Conn, owner Owner, o *AttachOptions) (*Conn, error) {
	fd, err := take(nc)
	if err != nil {
		return nil, err
	}
	s := e.shardOf()
	if s == nil {
		closeFD(fd)
		return nil, errClosed
	}
	c := &Conn{shard: s, owner: owner, fd: int32(fd), first: -1, quiet: len(o.KeepAlive) == 0, coat: coated(nc, o)}
	for _, name := range o.Routes {
		e.on(name, s.n)
	}
	letGo(nc) // the engine's is another descriptor of it
	s.command(command{kind: doAttach, c: c, form: formKey{o.Form, o.Chunked && o.Gzip == nil}, keep: o.KeepAlive, bytes: o.First, routes: o.Routes, position: o.Position, behind: o.Behind, lost: o.Lost})
	return c, nil
}

// Join puts c on a route: it gets what is appended from now on.
func (c *Conn) Join(route string) {
	c.shard.engine.on(route, c.shard.n)
	c.shard.command(command{kind: doJoin, c: c, routes: []string{route}})
}

// Leave takes c off a route: it gets nothing that is appended from now on.
func (c *Conn) Leave(route string) {
	c.shard.command(command{kind: doLeave, c: c, routes: []string{route}})
}

// Mute takes c off all routes: of what is appended from now on it gets nothing.
func (c *Conn) Mute() { c.shard.command(command{kind: doMute, c: c}) }

// Write writes bytes that are for c alone, after what has been appended so far. While
// c is behind a few thousand of them wait; what is more is dropped and counts as lost.
func (c *Conn) Write(b []byte) { c.shard.command(command{kind: doWrite, c: c, bytes: b}) }

// Feed writes what the log has forgotten, after Behind was called. The owner hears Fed when
// it is written.
func (c *Conn) Feed(b []byte) { c.shard.command(command{kind: doFeed, c: c, bytes: b}) }

// Resume lets c read the log again from a Mark, with all up to position written.
func (c *Conn) Resume(mark uint64, position int64) {
	c.shard.command(command{kind: doResume, c: c, mark: mark, position: position})
}

// Pause has the owner write next: Behind is called, though the log has forgotten nothing.
func (c *Conn) Pause() { c.shard.command(command{kind: doPause, c: c}) }

// End writes the last bytes, closes in good order and tells the owner. One that is
// behind gets them after the frame it is in.
func (c *Conn) End(farewell []byte) { c.shard.command(command{kind: doEnd, c: c, bytes: farewell}) }

// Sent is how many entries and bytes were written so far.
func (c *Conn) Sent() (messages, bytes uint64) { return c.messages.Load(), c.bytes.Load() }

// Owner is whose connection it is.
func (c *Conn) Owner() Owner { return c.owner }
