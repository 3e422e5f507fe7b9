package diskbroker

import (
	"cmp"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"path/filepath"
	"slices"

	"github.com/stentor-sse/stentor"
	bolt "go.etcd.io/bbolt"
)

// maxProblems bounds what a report lists.
const maxProblems = 100

// Report is what [Verify] found.
type Report struct {
	Stats
	// Problems are what is wrong, the first 100; empty when all is well.
	Problems []string
}

// Verify reads a whole history, changes nothing, and reports what is wrong with it: the
// structure of the file, the checksum of each message, their order. An error means that
// it could not look, or ([ErrDamaged]) that the file is too damaged to be opened. progress, if
// there is one, is told how many messages it has read of how many.
func Verify(ctx context.Context, dir string, progress func(n, of int)) (Report, error) {
	b, err := Open(dir, &Options{ReadOnly: true})
	if err != nil {
		return Report{}, err
	}
	defer b.Close()
	var r Report
	note := func(format string, args ...any) {
		if len(r.Problems) < maxProblems {
			r.Problems = append(r.Problems, fmt.Sprintf(format, args...))
		}
	}
	n, of := 0, b.Stats().Messages
	err = b.store.view(func(tx *bolt.Tx) error {
		for err := range tx.Check() { // read to its end: it is a goroutine
			note("structure: %v", err)
		}
		var last stentor.Position
		c := tx.Bucket([]byte(bucketMessages)).Cursor()
		for key, value := c.First(); key != nil && ctx.Err() == nil; key, value = c.Next() {
			if n++; progress != nil {
				progress(n, of)
			}
			m, err := readRecord(key, value)
			if err != nil {
				note("message %d: can't be read", readKey(key))
				continue
			}
			if m.Position <= last {
				note("message %d: comes after %d", m.Position, last)
			}
			last = m.Position
		}
		return ctx.Err()
	})
	if err != nil {
		return r, fmt.Errorf("diskbroker: verify: %w", err)
	}
	r.Stats = b.Stats()
	return r, nil
}

// Salvage reads what can be read of a damaged file, page by page: every message
// whose checksum is right, in order, some that were trimmed already included.
// Nothing may write meanwhile.
func Salvage(ctx context.Context, dir string) iter.Seq2[stentor.Message, error] {
	return func(yield func(stentor.Message, error) bool) {
		f, err := os.Open(filepath.Join(dir, fileName))
		if err != nil {
			yield(stentor.Message{}, wrapOpen(err))
			return
		}
		defer f.Close()
		found, err := salvageable(ctx, f)
		if err != nil {
			yield(stentor.Message{}, fmt.Errorf("diskbroker: salvage: %w", err))
			return
		}
		for i, at := range found {
			if i > 0 && found[i-1].position == at.position {
				continue // an older copy of the page
			}
			m, err := at.read(f)
			if err == nil {
				err = ctx.Err()
			}
			if !yield(m, err) || err != nil {
				return
			}
		}
	}
}

// piece is where in a file there is a message.
type piece struct {
	position stentor.Position
	offset   int64 // of the key
	size     int   // of the record
}

func (p piece) read(f io.ReaderAt) (stentor.Message, error) {
	b := make([]byte, keySize+p.size)
	if _, err := f.ReadAt(b, p.offset); err != nil {
		return stentor.Message{}, err
	}
	return readRecord(b[:keySize], b[keySize:])
}

// salvageable looks at every page that says that it is a leaf.
func salvageable(ctx context.Context, f *os.File) (found []piece, err error) {
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	page := int64(os.Getpagesize())
	if m, ok := readMeta(f); ok {
		page = m.pageSize
	}
	for offset := int64(0); offset < info.Size(); offset += page {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		pieces, err := leaf(f, offset, page)
		if err != nil && !errors.Is(err, io.EOF) {
			return nil, err
		}
		found = append(found, pieces...)
	}
	slices.SortStableFunc(found, func(a, b piece) int { return cmp.Compare(a.position, b.position) })
	return found, nil
}

// leaf finds the messages of the leaf page that begins at an offset, if one does. An element has
// its flags, the distance from itself to its key, and the sizes of key and value.
func leaf(f io.ReaderAt, offset, size int64) (pieces []piece, err error) {
	const element = 16
	b := make([]byte, size)
	n, err := f.ReadAt(b, offset)
	order := binary.NativeEndian
	if b = b[:n]; n < pageHead || order.Uint64(b) != uint64(offset/size) || order.Uint16(b[8:]) != boltLeafPage {
		return nil, err
	}
	for i := range int(order.Uint16(b[10:])) {
		at := pageHead + i*element
		if at+element > n {
			break
		}
		key := offset + int64(at) + int64(order.Uint32(b[at+4:]))
		value := int(order.Uint32(b[at+12:]))
		if order.Uint32(b[at+8:]) != keySize || value > 2*maxData {
			continue
		}
		p := piece{offset: key, size: value}
		if m, err := p.read(f); err == nil {
			p.position = m.Position
			pieces = append(pieces, p)
		}
	}
	return pieces, err
}
