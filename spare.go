package stentor

import "sync"

// spare is room that writers lend each other: a burst needs much of it for a moment.
type spare struct{ buffers, lists sync.Pool }

// Sizes of what is lent. A write may get somewhat larger than writeSize before it goes.
const (
	spareBytes = writeSize + 8<<10
	spareItems = 1 << 8
	smallWrite = 1 << 10 // is not worth it, and may wait long for its reader
)

// get is an empty buffer for the frames of items, nil where little is needed.
func (p *spare) get(items []item) []byte {
	size := 0
	for i := range items {
		size += items[i].size()
	}
	if size < smallWrite {
		return nil
	}
	if b, ok := p.buffers.Get().(*[spareBytes]byte); ok {
		return b[:0]
	}
	return new([spareBytes]byte)[:0]
}

// put takes a buffer back. Any may be given.
func (p *spare) put(b []byte) {
	if cap(b) == spareBytes {
		p.buffers.Put((*[spareBytes]byte)(b[:spareBytes]))
	}
}

// list is an empty list for more items than n.
func (p *spare) list(n int) []item {
	if n < spareItems/8 {
		return make([]item, 0, 2*n)
	}
	if l, ok := p.lists.Get().(*[spareItems]item); ok {
		return l[:0]
	}
	return new([spareItems]item)[:0]
}

// putList takes a list back. Any may be given.
func (p *spare) putList(l []item) {
	if cap(l) == spareItems {
		l = l[:spareItems]
		clear(l)
		p.lists.Put((*[spareItems]item)(l))
	}
}
