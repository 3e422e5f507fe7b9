package diskbroker

import (
	"encoding/binary"
	"hash/fnv"
	"io"
	"os"
)

// What bbolt's file begins with (its format 2): two pages that each describe the whole,
// written in turn. The newest whose checksum is right holds.
const (
	pageHead     = 16
	metaBytes    = 64
	metaMagic    = 0xED0CDAED
	metaFormat   = 2
	minPageSize  = 512
	maxPageSize  = 64 << 10
	boltLeafPage = 0x02
)

// fileMeta is what one of the two pages says.
type fileMeta struct {
	pageSize int64
	pages    int64 // in use: the file has as many, or more
	written  uint64
}

// checkFile finds out that a file was cut before the store reads beyond its end.
func checkFile(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return wrapOpen(err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return wrapOpen(err)
	}
	m, ok := readMeta(f)
	if !ok {
		return damaged("%s has lost its beginning", path)
	}
	if need := m.pages * m.pageSize; info.Size() < need {
		return damaged("%s was cut: it has %d bytes and had %d", path, info.Size(), need)
	}
	return nil
}

// readMeta finds the newest description.
func readMeta(f io.ReaderAt) (newest fileMeta, ok bool) {
	at := func(offset int64) {
		if m, good := readMetaAt(f, offset); good && (!ok || m.written > newest.written) {
			newest, ok = m, true
		}
	}
	at(0)
	if ok {
		at(newest.pageSize)
		return newest, ok
	}
	for size := int64(minPageSize); size <= maxPageSize && !ok; size *= 2 {
		at(size)
	}
	return newest, ok
}

func readMetaAt(f io.ReaderAt, offset int64) (m fileMeta, ok bool) {
	b := make([]byte, pageHead+metaBytes)
	if _, err := f.ReadAt(b, offset); err != nil {
		return m, false
	}
	b = b[pageHead:]
	order := binary.NativeEndian
	sum := fnv.New64a()
	sum.Write(b[:56]) // a hash never fails
	m = fileMeta{
		pageSize: int64(order.Uint32(b[8:])), pages: int64(order.Uint64(b[40:])), written: order.Uint64(b[48:]),
	}
	ok = order.Uint32(b) == metaMagic && order.Uint32(b[4:]) == metaFormat && order.Uint64(b[56:]) == sum.Sum64() &&
		m.pageSize >= minPageSize && m.pageSize <= maxPageSize && m.pages > 0 && m.pages < 1<<48/m.pageSize
	return m, ok
}
