package diskbroker

import (
	"encoding/binary"
	"sort"

	"github.com/stentor-sse/stentor"
)

// runLength is how many places share a run: what is searched from its front.
const runLength = 256

// places is where the kept messages of one channel are: their positions and
// sizes, in order, at about five bytes each. The zero value is empty.
type places struct {
	n     int
	bytes int64
	runs  []run
}

// run is up to runLength places. data has the size of the first and, for each
// further one, the distance from the one before and its size.
type run struct {
	first, last stentor.Position
	n           int
	data        []byte
}

// place is one message of a channel.
type place struct {
	position stentor.Position
	size     int64
}

func (p *places) push(at place) {
	p.n++
	p.bytes += at.size
	if len(p.runs) == 0 || p.runs[len(p.runs)-1].n == runLength {
		p.runs = append(p.runs, run{first: at.position, last: at.position})
	}
	r := &p.runs[len(p.runs)-1]
	if r.n++; r.n > 1 {
		r.data = binary.AppendUvarint(r.data, uint64(at.position-r.last))
	}
	r.data = binary.AppendUvarint(r.data, uint64(at.size))
	r.last = at.position
}

// front is the first place; there must be one.
func (p *places) front() stentor.Position { return p.runs[0].first }

// pop takes the first place out.
func (p *places) pop() place {
	r := &p.runs[0]
	at := place{position: r.first}
	size, n := binary.Uvarint(r.data)
	r.data = r.data[n:]
	at.size = int64(size)
	if r.n--; r.n == 0 {
		p.runs[0] = run{}
		if p.runs = p.runs[1:]; len(p.runs) == 0 {
			p.runs = nil
		}
	} else {
		gap, n := binary.Uvarint(r.data)
		r.data = r.data[n:]
		r.first += stentor.Position(gap)
	}
	p.n--
	p.bytes -= at.size
	return at
}

// walk is a place in places that steps forward. It is good until the next change.
type walk struct {
	place
	runs []run
	rest []byte // of the first run, after this place
	left int    // further places of the first run
}

// after finds the first place behind a position.
func (p *places) after(position stentor.Position) (w walk, ok bool) {
	i := sort.Search(len(p.runs), func(i int) bool { return p.runs[i].last > position })
	if i == len(p.runs) {
		return w, false
	}
	w.enter(p.runs[i:])
	for w.position <= position {
		w.next()
	}
	return w, true
}

func (w *walk) enter(runs []run) {
	r := &runs[0]
	w.runs, w.rest, w.left = runs, r.data, r.n-1
	w.position = r.first
	w.size = int64(w.uvarint())
}

// next steps on; it reports false at the end.
func (w *walk) next() bool {
	if w.left == 0 {
		if len(w.runs) == 1 {
			return false
		}
		w.enter(w.runs[1:])
		return true
	}
	w.left--
	w.position += stentor.Position(w.uvarint())
	w.size = int64(w.uvarint())
	return true
}

func (w *walk) uvarint() uint64 {
	v, n := binary.Uvarint(w.rest)
	w.rest = w.rest[n:]
	return v
}
