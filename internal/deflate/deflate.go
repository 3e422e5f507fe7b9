package deflate

import (
	"bytes"
	"compress/flate"
	"encoding/binary"
	"hash/crc32"
	"hash/maphash"
	"sync"
)

// windowSize is how far back a block refers. More makes blocks little smaller, and takes
// longer until those who have just come share them.
const windowSize = 1 << 10

// Bounds of what is kept to be shared.
const (
	maxWindows = 256
	maxBlocks  = 256
	maxBytes   = 1 << 20
)

// Stream is one body. The zero value is one that begins. It belongs to one goroutine at a time.
type Stream struct {
	sum, size uint32 // of all that was compressed
	window    uint64 // what came last, by its name in one Shared; zero if that doesn't know it
}

// Resume is a body that somebody else has begun, with the checksum and length of what it
// holds.
func Resume(sum, size uint32) Stream { return Stream{sum: sum, size: size} }

// Sum is the checksum and length (modulo 2^32) of what the body holds so far.
func (s *Stream) Sum() (sum, size uint32) { return s.sum, s.size }

func (s *Stream) add(p []byte) {
	s.sum = crc32.Update(s.sum, crc32.IEEETable, p)
	s.size += uint32(len(p))
}

// AppendHeader begins a body.
func AppendHeader(b []byte) []byte {
	return append(b, 0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255)
}

// AppendTrailer ends the body.
func (s *Stream) AppendTrailer(b []byte) []byte {
	b = append(b, 1, 0, 0, 0xff, 0xff) // the last block, empty
	b = binary.LittleEndian.AppendUint32(b, s.sum)
	return binary.LittleEndian.AppendUint32(b, s.size)
}

// Shared makes blocks. The zero value is ready to use, by any goroutine. It takes up to some
// 3 MB, however many streams there are.
type Shared struct {
	mu      sync.Mutex // guards all below
	writer  *flate.Writer
	out     bytes.Buffer
	seed    maphash.Seed
	last    uint64 // name of the newest window
	windows [maxWindows]window
	names   map[string]uint64 // of windows
	blocks  map[key]*block
	bytes   int // of blocks
}

// window is up to windowSize bytes that came last in some streams.
type window struct {
	name uint64
	text string
}

// key tells blocks apart: by the window before, and the hash of what they hold.
type key struct{ window, hash uint64 }

type block struct {
	text string
	wire []byte
	next uint64 // the window after it
}

// Append appends p as a block that others share, who get p after the same as s.
func (c *Shared) Append(b []byte, s *Stream, p []byte) []byte {
	if len(p) == 0 {
		return b
	}
	s.add(p)
	c.mu.Lock()
	defer c.mu.Unlock()
	found := c.find(s.window, p)
	s.window = found.next
	return append(b, found.wire...)
}

// AppendAlone appends p as a block that is for s alone, and that nothing will refer to.
func (c *Shared) AppendAlone(b []byte, s *Stream, p []byte) []byte {
	if len(p) == 0 {
		return b
	}
	s.add(p)
	s.window = 0
	c.mu.Lock()
	defer c.mu.Unlock()
	return append(b, c.compress("", p)...)
}

// find gives the block of p after a window, and makes it if it is not there.
func (c *Shared) find(name uint64, p []byte) *block {
	if c.blocks == nil {
		c.blocks, c.names, c.seed = map[key]*block{}, map[string]uint64{}, maphash.MakeSeed()
	}
	before := c.window(name)
	k := key{before.name, maphash.Bytes(c.seed, p)}
	if found := c.blocks[k]; found != nil && found.text == string(p) {
		return found
	}
	if len(c.blocks) >= maxBlocks || c.bytes > maxBytes {
		clear(c.blocks)
		c.bytes = 0
	}
	made := &block{text: string(p)}
	switch {
	case len(before.text) == windowSize:
		made.wire = bytes.Clone(c.compress(before.text, p))
	case before.name != 0: // too little in common yet
		made.wire = c.find(0, p).wire
	default:
		made.wire = bytes.Clone(c.compress("", p))
	}
	made.next = c.after(before.text, p)
	c.blocks[k] = made
	c.bytes += len(made.text) + len(made.wire)
	return made
}

// window is the one of that name; the empty one if it has been forgotten.
func (c *Shared) window(name uint64) window {
	if w := c.windows[name%maxWindows]; w.name == name {
		return w
	}
	return window{}
}

// after names what comes last after p.
func (c *Shared) after(before string, p []byte) uint64 {
	text := before + string(p[max(0, len(p)-windowSize):])
	text = text[max(0, len(text)-windowSize):]
	if name, ok := c.names[text]; ok {
		return name
	}
	c.last++
	at := &c.windows[c.last%maxWindows]
	delete(c.names, at.text)
	*at = window{c.last, text}
	c.names[text] = c.last
	return c.last
}

// compress gives p as blocks of its own that refer to before, up to an empty one, at which
// readers hand out what they have. It is valid until the next call.
func (c *Shared) compress(before string, p []byte) []byte {
	c.out.Reset()
	if c.writer == nil {
		c.writer, _ = flate.NewWriter(nil, flate.DefaultCompression) // an error is of a level that is none
	}
	c.writer.Reset(&c.out)
	if before != "" { // a dictionary would make a new writer necessary each time, which costs more
		c.writer.Write([]byte(before))
		c.writer.Flush()
	}
	start := c.out.Len()
	c.writer.Write(p) // no error: a buffer takes all
	c.writer.Flush()
	return c.out.Bytes()[start:]
}
