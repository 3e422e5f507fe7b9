package engine

import (
	"bytes"
	"net"
	"syscall"

	"github.com/stentor-sse/stentor/internal/deflate"
)

// Sealer is a connection whose bytes go out encrypted. One goroutine at a time calls
// it.
type Sealer interface {
	net.Conn
	syscall.Conn
	// LetGo closes its own descriptor without a word to the peer. From then on only Seal and
	// SealEnd are called.
	LetGo() error
	// Seal appends what p is on the wire.
	Seal(b, p []byte) ([]byte, error)
	// SealEnd appends what says there that nothing follows.
	SealEnd(b []byte) ([]byte, error)
}

// maxCoated is how much is brought into another form at once. What of it the kernel
// doesn't take has to wait as it is, for it can't be had a second time.
const maxCoated = 64 << 10

// coat is what a connection has beside its descriptor whose bytes don't go out as they
// are: compressed, encrypted, or both. While anything waits the connection is not live.
type coat struct {
	zip     *deflate.Stream // nil: not compressed
	chunked bool            // what was compressed is framed then
	seal    Sealer          // nil: in clear
	own     bool            // of what the pass has for it, something is for few
	ended   bool            // what says that nothing follows has been made
	waits   []byte          // for the kernel, before anything else
}

// letGo closes what nc itself has of a connection that was taken.
func letGo(nc net.Conn) {
	if c, ok := nc.(Sealer); ok {
		c.LetGo() // an error leaves nothing to do
		return
	}
	nc.Close()
}

// coated gives the coat of a connection that begins, if it needs one.
func coated(nc net.Conn, o *AttachOptions) *coat {
	seal, secure := nc.(Sealer)
	if !secure && o.Gzip == nil {
		return nil
	}
	return &coat{seal: seal, zip: o.Gzip, chunked: o.Chunked}
}

// put is for one with a coat what send is for others. Shared says that b is what
// others get too.
func (t *coat) put(s *shard, fd int, b []byte, shared bool) (n int, err error) {
	ok, err := t.push(fd)
	for ; ok && err == nil && n < len(b); ok, err = t.out(fd, s.wire) {
		piece := b[n:min(len(b), n+maxCoated)]
		if s.wire, err = t.make(s, piece, shared); err != nil {
			return n, err
		}
		n += len(piece)
	}
	return n, err
}

// make gives p as it goes out.
func (t *coat) make(s *shard, p []byte, shared bool) ([]byte, error) {
	if t.zip != nil {
		if shared {
			s.zipped = s.deflate.Append(s.zipped[:0], t.zip, p)
		} else {
			s.zipped = s.deflate.AppendAlone(s.zipped[:0], t.zip, p)
		}
		s.framed = frame(s.framed[:0], s.zipped, t.chunked)
		p = s.framed
	}
	if t.seal == nil {
		return append(s.wire[:0], p...), nil
	}
	return t.seal.Seal(s.wire[:0], p)
}

// finish gives what says that nothing follows.
func (t *coat) finish(s *shard) ([]byte, error) {
	var last []byte
	if t.zip != nil {
		last = frame(nil, t.zip.AppendTrailer(nil), t.chunked)
		if t.chunked {
			last = append(last, lastChunk...)
		}
	}
	if t.seal == nil {
		return append(s.wire[:0], last...), nil
	}
	wire, err := t.seal.Seal(s.wire[:0], last)
	if err != nil {
		return wire, err
	}
	return t.seal.SealEnd(wire)
}

// out writes what was made, and reports whether nothing waits.
func (t *coat) out(fd int, wire []byte) (ok bool, err error) {
	n, err := send(fd, wire)
	if n < len(wire) && err == nil {
		t.waits = bytes.Clone(wire[n:])
		return false, nil
	}
	return true, err
}

// push writes what waits, and reports whether nothing does any more.
func (t *coat) push(fd int) (ok bool, err error) {
	n, err := send(fd, t.waits)
	if t.waits = t.waits[n:]; len(t.waits) > 0 || err != nil {
		return false, err
	}
	t.waits = nil
	return true, nil
}

// end says to the peer that nothing follows, and reports whether all has gone out.
func (t *coat) end(s *shard, fd int) (ok bool, err error) {
	if ok, err = t.push(fd); !ok || t.ended {
		return ok, err
	}
	t.ended = true
	if s.wire, err = t.finish(s); err != nil {
		return false, err
	}
	return t.out(fd, s.wire)
}

// waits reports whether something that was taken from c's bytes has yet to go out.
func (c *Conn) waits() bool { return c.coat != nil && len(c.coat.waits) > 0 }

// push writes what waits of c, and reports whether it can go on.
func (s *shard) push(c *Conn) bool {
	if c.coat == nil {
		return true
	}
	ok, err := c.coat.push(int(c.fd))
	if err != nil {
		s.gone(c, err)
	}
	return ok
}

// few notes that what c gets in this pass is not what all others get.
func (c *Conn) few(own bool) {
	if c.coat != nil {
		c.coat.own = own
	}
}
