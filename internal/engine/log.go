package engine

import (
	"math/bits"
	"slices"
	"sync"
	"sync/atomic"
)

// Item is what is written, to all connections alike. Its method is called from
// several goroutines and must not block.
type Item interface {
	// AppendFrame appends the item's frame in a form; nothing if it is not shown
	// in that.
	AppendFrame(b []byte, form any) []byte
}

// Entry is one item in the log. It must not be changed once it was appended.
type Entry struct {
	// Position is the item's place in the history; zero if it is in none.
	Position int64
	// All says that it is for every connection.
	All bool
	// To is whom it is for, each once, if not for all. The list is the entry's to keep.
	To []*Conn
	// Route is for those that are on it, where neither All nor To says otherwise.
	Route string
	// Silent entries are not counted as messages.
	Silent bool
	// Size is what the entry counts for in the log's bytes.
	Size int
	Item Item

	seq  uint64
	mask uint64             // shards that had a connection it is for
	to   map[*Conn]struct{} // as To, where that is long

	frames atomic.Pointer[rendering] // see framed
}

// rendering is an entry's frame in one form, and the next one.
type rendering struct {
	key   formKey
	frame []byte
	next  *rendering
}

// framed is e's frame in a form, encoded once for all who read the log by themselves: where there
// is much, most can't take at once what a pass has for them. It is kept as long as e.
func (e *Entry) framed(key formKey) []byte {
	for r := e.frames.Load(); r != nil; r = r.next {
		if r.key == key {
			return r.frame
		}
	}
	r := &rendering{key: key, frame: frame(nil, e.Item.AppendFrame(nil, key.key), key.chunked)}
	for {
		r.next = e.frames.Load()
		if e.frames.CompareAndSwap(r.next, r) {
			return r.frame
		}
	}
}

// long is how many a list may have to be searched from its beginning.
const long = 16

// names reports whether e is for c by name.
func (e *Entry) names(c *Conn) bool {
	if e.to != nil {
		_, ok := e.to[c]
		return ok
	}
	return slices.Contains(e.To, c)
}

// journal is the log: a ring that forgets its oldest entries when it has too many or too
// large ones. What all have read goes early; what some have yet to read makes the ring grow,
// up to its bounds. Appending takes its lock; reading takes none.
type journal struct {
	ring atomic.Pointer[ring]
	head atomic.Uint64 // of the next entry
	tail atomic.Uint64 // of the oldest that is kept
	gone atomic.Uint64 // after the newest entry without a position that was forgotten

	mu        sync.Mutex // guards the rest
	bytes     int
	maxLength int
	maxBytes  int
}

// ring has an entry for each place, modulo its length, which is a power of two.
type ring []atomic.Pointer[Entry]

// What is kept of what all have read, for connections that are behind their shard.
const (
	keepLength = 1 << 14
	keepBytes  = 16 << 20
)

func newJournal(length, maxBytes int) *journal {
	j := &journal{maxLength: 1 << bits.Len(uint(max(length, 2)-1)), maxBytes: maxBytes}
	r := make(ring, min(j.maxLength, keepLength))
	j.ring.Store(&r)
	return j
}

func (r ring) slot(seq uint64) *atomic.Pointer[Entry] { return &r[seq&uint64(len(r)-1)] }

// at is the entry of that place, nil if it has been forgotten.
func (j *journal) at(seq uint64) *Entry {
	if e := j.ring.Load().slot(seq).Load(); e != nil && e.seq == seq {
		return e
	}
	return nil
}

// append gives e its place. Before an entry goes that unread is true for, overtaken is called.
func (j *journal) append(e *Entry, unread func(*Entry) bool, overtaken func(*Entry)) {
	j.mu.Lock()
	defer j.mu.Unlock()
	e.seq = j.head.Load()
	j.bytes += e.Size
	for tail := j.tail.Load(); tail < e.seq; tail++ {
		length := int(e.seq - tail)
		if length < min(j.maxLength, keepLength) && j.bytes <= min(j.maxBytes, keepBytes) {
			break
		}
		old := j.at(tail)
		if unread(old) {
			if length < j.maxLength && j.bytes <= j.maxBytes {
				j.grow(length)
				break
			}
			overtaken(old)
		}
		j.forget(old)
	}
	j.ring.Load().slot(e.seq).Store(e)
	j.head.Store(e.seq + 1)
}

func (j *journal) forget(old *Entry) {
	if old.Position == 0 {
		j.gone.Store(old.seq + 1)
	}
	j.bytes -= old.Size
	j.tail.Store(old.seq + 1)
	j.ring.Load().slot(old.seq).Store(nil)
}

// grow makes room for one more than length entries.
func (j *journal) grow(length int) {
	r := *j.ring.Load()
	if length < len(r) {
		return
	}
	bigger := make(ring, 2*len(r))
	for seq := j.tail.Load(); seq < j.head.Load(); seq++ {
		bigger.slot(seq).Store(r.slot(seq).Load())
	}
	j.ring.Store(&bigger)
}
