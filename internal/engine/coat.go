package engine

import (
	"bytes"
	"net"
	"syscall"
)

// Sealer is a connection whose bytes go out encrypted. One goroutine at a time calls
// it.
type Sealer interface {
	net.Conn
	// SyscallConn gives the descriptor. From then on nothing is written but what Seal and
	// SealEnd give, and Close says nothing to the peer.
	syscall.Conn
	// Seal appends what p is on the wire.
	Seal(b, p []byte) ([]byte, error)
	// SealEnd appends what says there that nothing follows.
	SealEnd(b []byte) ([]byte, error)
}

// maxCoated is how much is brought into another form at once. What of it the kernel
// doesn't take has to wait as it is, for it can't be had a second time.
const maxCoated = 64 << 10

// coat is what a connection has beside its descriptor whose bytes don't go out as they
// are. While anything waits the connection is not live.
type coat struct {
	seal  Sealer
	waits []byte // for the kernel, before anything else
	ended bool   // what says that nothing follows has been made
}

// put is for one with a coat what send is for others.
func (t *coat) put(s *shard, fd int, b []byte) (n int, err error) {
	ok, err := t.push(fd)
	for ; ok && err == nil && n < len(b); ok, err = t.out(fd, s.wire) {
		piece := b[n:min(len(b), n+maxCoated)]
		if s.wire, err = t.seal.Seal(s.wire[:0], piece); err != nil {
			return n, err
		}
		n += len(piece)
	}
	return n, err
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
	if s.wire, err = t.seal.SealEnd(s.wire[:0]); err != nil {
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
