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
