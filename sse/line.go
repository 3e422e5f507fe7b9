package sse

import (
	"bytes"
	"fmt"
	"io"
)

const (
	firstBuffer = 4 << 10   // what a decoder reads into at first
	keepBuffer  = 256 << 10 // a larger one is given up when it is empty
)

// liner cuts what a reader gives into lines that end at LF, CR or CRLF. A CR
// ends its line at once: an LF that follows is skipped when it comes, so that
// nothing waits for a byte that may not.
type liner struct {
	r   io.Reader
	buf []byte // buf[start:] is unread
	err error  // what the reader ended with, io.EOF included

	start  int
	noLF   int // no LF in buf[start:noLF]
	noCR   int // no CR in buf[start:noCR]; with noLF, each byte is looked at once
	skipLF bool
	begun  bool // past the place of the byte order mark
}

// next gives the next whole line without its end; not ok, it takes more bytes.
// It is valid until fill.
func (l *liner) next() (line []byte, ok bool) {
	if !l.begin() {
		return nil, false
	}
	if l.skipLF && l.start < len(l.buf) {
		l.skipLF = false
		if l.buf[l.start] == '\n' {
			l.start++
		}
	}
	l.noLF = find(l.buf, max(l.noLF, l.start), '\n')
	l.noCR = find(l.buf, max(l.noCR, l.start), '\r')
	end := min(l.noLF, l.noCR)
	if end == len(l.buf) {
		return nil, false
	}
	line = l.buf[l.start:end]
	l.skipLF = l.buf[end] == '\r'
	l.start = end + 1
	return line, true
}

// find gives the index of the first c in b from an index on, or the length of b.
func find(b []byte, from int, c byte) int {
	if from >= len(b) {
		return len(b)
	}
	if i := bytes.IndexByte(b[from:], c); i >= 0 {
		return from + i
	}
	return len(b)
}

// begin skips one byte order mark; false, it can't tell yet.
func (l *liner) begin() bool {
	const mark = "\xEF\xBB\xBF"
	if l.begun {
		return true
	}
	n := min(len(l.buf), len(mark))
	if string(l.buf[:n]) == mark[:n] {
		if n < len(mark) {
			return false
		}
		l.start = n
	}
	l.begun = true
	return true
}

// partial is the line that has not ended yet.
func (l *liner) partial() []byte { return l.buf[l.start:] }

// fill reads once more, after making room for at least one byte.
func (l *liner) fill() {
	n := len(l.buf) - l.start
	if l.start > 0 { // else moving a long line to where it is, for each few bytes of it
		copy(l.buf, l.buf[l.start:])
		l.noLF, l.noCR = max(l.noLF-l.start, 0), max(l.noCR-l.start, 0)
		l.buf, l.start = l.buf[:n], 0
	}
	if n == 0 && cap(l.buf) > keepBuffer {
		l.buf = nil
	}
	if n == cap(l.buf) {
		l.buf = append(make([]byte, 0, max(2*n, firstBuffer)), l.buf...)
	}
	for range 100 {
		m, err := l.r.Read(l.buf[n:cap(l.buf)])
		l.buf, l.err = l.buf[:n+m], err
		if m > 0 || err != nil {
			break
		}
		l.err = io.ErrNoProgress
	}
	if l.err != nil && l.err != io.EOF {
		l.err = fmt.Errorf("sse: read: %w", l.err)
	}
}
