package engine

import (
	"slices"
	"sort"
)

// formKey tells forms apart.
type formKey struct {
	key     any
	chunked bool
}

// form holds what a pass has encoded in one way, for all connections that want it so.
type form struct {
	formKey
	conns  int
	keep   []byte // keepalive, framed
	buf    []byte
	frames []encoded
	newest *Entry // that was encoded last
	off    int32  // and where
	raw    []byte
}

// encoded is one frame in a form's bytes; it begins where the one before ends.
type encoded struct {
	end      int32
	private  bool   // for one connection, and not in the log
	seq      uint64 // of the entry; of a private one, where the log was read to
	before   int64  // position of all that came before
	position int64  // and of this
}

// span is a stretch of a form's bytes for one connection, which may have more: the first of
// its spans knows the last.
type span struct{ off, end, next, last int32 }

// add encodes an entry.
func (f *form) add(e *Entry, before int64) {
	f.raw = e.Item.AppendFrame(f.raw[:0], f.key)
	if len(f.raw) == 0 {
		return
	}
	f.buf = frame(f.buf, f.raw, f.chunked)
	f.added(e, before)
}

// addFramed adds an entry that others may have encoded.
func (f *form) addFramed(e *Entry, before int64) {
	if b := e.framed(f.formKey); len(b) > 0 {
		f.buf = append(f.buf, b...)
		f.added(e, before)
	}
}

func (f *form) added(e *Entry, before int64) {
	f.frames = append(f.frames, encoded{
		end: int32(len(f.buf)), seq: e.seq, before: before, position: max(before, e.Position),
	})
}

// addPrivate adds bytes that are framed already.
func (f *form) addPrivate(b []byte, place uint64, position int64) (off, end int32) {
	off = int32(len(f.buf))
	f.buf = append(f.buf, b...)
	f.newest = nil // what follows stands elsewhere
	f.frames = append(f.frames, encoded{
		end: int32(len(f.buf)), private: true, seq: place, before: position, position: position,
	})
	return off, int32(len(f.buf))
}

// keepBuf is the most that a form keeps of its buffer between passes.
const keepBuf = 256 << 10

func (f *form) reset() {
	f.newest = nil
	f.buf, f.frames = f.buf[:0], f.frames[:0]
	if cap(f.buf) > keepBuf {
		f.buf, f.frames = nil, nil
	}
	if cap(f.raw) > keepBuf {
		f.raw = nil
	}
}

// find is the index of the frame that holds the byte at off.
func (f *form) find(off int32) int {
	return sort.Search(len(f.frames), func(i int) bool { return f.frames[i].end > off })
}

func (f *form) start(i int) int32 {
	if i == 0 {
		return 0
	}
	return f.frames[i-1].end
}

// lastChunk ends a chunked body.
const lastChunk = "0\r\n\r\n"

// frame appends b as it goes over the wire.
func frame(to, b []byte, chunked bool) []byte {
	if !chunked || len(b) == 0 {
		return append(to, b...)
	}
	to = slices.Grow(to, len(b)+len("ffffffff\r\n\r\n"))
	to = appendHex(to, len(b))
	to = append(to, "\r\n"...)
	to = append(to, b...)
	return append(to, "\r\n"...)
}

func appendHex(b []byte, n int) []byte {
	const digits = "0123456789abcdef"
	var d [16]byte
	i := len(d)
	for {
		i--
		d[i] = digits[n&15]
		if n >>= 4; n == 0 {
			return append(b, d[i:]...)
		}
	}
}
