package engine

import (
	"math/bits"
	"sync"
	"sync/atomic"
)

// Item is what is written, to all connections alike. Its methods are called from
// several goroutines and must not block.
type Item interface {
	// AppendFrame appends the item's frame in a form; nothing if it is not shown
	// in that.
	AppendFrame(b []byte, form any) []byte
	// Covers reports whether the item, which is at that place in the log, is for c, which
	// is on its route. It may ask c for its owner, and for other routes.
	Covers(c *Conn, seq uint64) bool
}

// Entry is one item in the log. It must not be changed once it was appended.
type Entry struct {
	// Position is the item's place in the history; zero if it is in none.
	Position int64
	// Route is which connections may get it.
	Route string
	// Whole says that all of them do: Covers is not asked.
	Whole bool
	// Silent entries are not counted as messages.
	Silent bool
	// Size is what the entry counts for in the log's bytes.
	Size int
	Item Item

	seq  uint64
	mask uint64 // shards that had a connection on the route
}

// journal is the log: a ring that forgets its oldest entries when it has too many or too
// large ones. Appending takes its lock; reading takes none.
type journal struct {
	slots []atomic.Pointer[Entry]
	head  atomic.Uint64 // of the next entry
	tail  atomic.Uint64 // of the oldest that is kept
	gone  atomic.Uint64 // after the newest entry without a position that was forgotten

	mu       sync.Mutex // guards the rest
	bytes    int
	maxBytes int
}

func newJournal(length, maxBytes int) *journal {
	size := 1 << bits.Len(uint(max(length, 2)-1))
	return &journal{slots: make([]atomic.Pointer[Entry], size), maxBytes: maxBytes}
}

func (j *journal) slot(seq uint64) *atomic.Pointer[Entry] {
	return &j.slots[seq&uint64(len(j.slots)-1)]
}

// at is the entry of that place, nil if it has been forgotten.
func (j *journal) at(seq uint64) *Entry {
	if e := j.slot(seq).Load(); e != nil && e.seq == seq {
		return e
	}
	return nil
}

// append gives e its place. Whoever is overtaken is told before its entry goes.
func (j *journal) append(e *Entry, overtaken func(*Entry)) {
	j.mu.Lock()
	defer j.mu.Unlock()
	e.seq = j.head.Load()
	j.bytes += e.Size
	for tail := j.tail.Load(); tail < e.seq && (e.seq-tail >= uint64(len(j.slots)) || j.bytes > j.maxBytes); tail++ {
		old := j.slot(tail).Load()
		overtaken(old)
		if old.Position == 0 {
			j.gone.Store(tail + 1)
		}
		j.bytes -= old.Size
		j.tail.Store(tail + 1)
		j.slot(tail).Store(nil)
	}
	j.slot(e.seq).Store(e)
	j.head.Store(e.seq + 1)
}
