package load

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"

	"github.com/stentor-sse/stentor/bench/load/payload"
)

// Event is one event of a stream, as far as the load generator looks at it.
type Event struct {
	Seq, At int64 // of the payload
	Known   bool  // the data is a payload; else it is something that the server says of itself
}

// Stream reads one HTTP/1.1 response that is an event stream, in whatever pieces it
// comes. The zero value is at the beginning of the head. It keeps nothing of what it
// was fed but a line that is not whole yet.
type Stream struct {
	phase   phase
	data    bool   // the event has a data line
	known   bool   // and that is a payload
	digits  uint8  // of the chunk size
	left    int    // of the chunk
	seq, at int64  // of the payload
	part    []byte // of the head, or of a line
}

type phase uint8

const (
	phaseHead  phase = iota
	phasePlain       // a body without framing
	phaseSize        // a chunk's size
	phaseExtension
	phaseChunk
	phaseAfter // the CRLF after a chunk
	phaseLast  // after the last chunk
)

const maxPart = 1 << 20 // of a line, or of a head: a server that sends more is not one of ours

// ErrEnded is what Feed returns after the last chunk.
var ErrEnded = errors.New("load: the response ended")

// ErrNoStream is what Feed returns, wrapped, for an answer that is something else.
var ErrNoStream = errors.New("not an event stream")

// Open reports whether the head was read and was that of an event stream.
func (s *Stream) Open() bool { return s.phase != phaseHead }

// Feed takes what was read next, and calls on for each event that it ends. After an
// error the stream is of no more use.
func (s *Stream) Feed(p []byte, on func(Event)) error {
	for len(p) > 0 {
		switch s.phase {
		case phaseHead:
			rest, err := s.head(p)
			if err != nil {
				return err
			}
			p = rest
		case phasePlain:
			return s.lines(p, on)
		case phaseSize:
			c := p[0]
			p = p[1:]
			if digit, ok := hex(c); ok && s.digits < 7 {
				s.left, s.digits = s.left<<4|digit, s.digits+1
				continue
			}
			if s.digits == 0 || c != '\r' && c != ';' {
				return fmt.Errorf("load: %q in a chunk size", c)
			}
			s.phase = phaseExtension
		case phaseExtension:
			i := bytes.IndexByte(p, '\n')
			if i < 0 {
				return nil
			}
			p = p[i+1:]
			s.phase, s.digits = phaseChunk, 0
			if s.left == 0 {
				s.phase = phaseLast
			}
		case phaseChunk:
			n := min(s.left, len(p))
			if err := s.lines(p[:n], on); err != nil {
				return err
			}
			p = p[n:]
			if s.left -= n; s.left == 0 {
				s.phase, s.digits = phaseAfter, 0
			}
		case phaseAfter:
			if want := "\r\n"[s.digits]; p[0] != want {
				return fmt.Errorf("load: %q after a chunk", p[0])
			}
			p = p[1:]
			if s.digits++; s.digits == 2 {
				s.phase, s.digits = phaseSize, 0
			}
		case phaseLast:
			return ErrEnded
		}
	}
	if s.phase == phaseLast {
		return ErrEnded
	}
	return nil
}

func hex(c byte) (int, bool) {
	switch {
	case '0' <= c && c <= '9':
		return int(c - '0'), true
	case 'a' <= c|0x20 && c|0x20 <= 'f':
		return int(c|0x20-'a') + 10, true
	}
	return 0, false
}

// head collects the head, and returns what comes after it.
func (s *Stream) head(p []byte) ([]byte, error) {
	before := len(s.part)
	s.part = append(s.part, p...)
	i := bytes.Index(s.part, []byte("\r\n\r\n"))
	if i < 0 {
		if len(s.part) > maxPart {
			return nil, errors.New("load: the head of the response does not end")
		}
		return nil, nil
	}
	first, _, _ := bytes.Cut(s.part, []byte("\r\n"))
	head := bytes.ToLower(s.part[:i+2])
	s.part = nil
	if status, _ := strconv.Atoi(field(head, " ", " ")); status != 200 {
		return nil, fmt.Errorf("load: the server answers %q: %w", first, ErrNoStream)
	}
	if kind := field(head, "\r\ncontent-type:", "\r\n"); !bytes.HasPrefix([]byte(kind), []byte("text/event-stream")) {
		return nil, fmt.Errorf("load: content type %q: %w", kind, ErrNoStream)
	}
	if length := field(head, "\r\ncontent-length:", "\r\n"); length != "" {
		return nil, fmt.Errorf("load: an answer of %s bytes: %w", length, ErrNoStream)
	}
	s.phase = phasePlain
	if field(head, "\r\ntransfer-encoding:", "\r\n") == "chunked" {
		s.phase = phaseSize
	}
	return p[i+4-before:], nil
}

// field is what stands between two marks, without the space around it.
func field(head []byte, before, after string) string {
	_, rest, _ := bytes.Cut(head, []byte(before))
	value, _, _ := bytes.Cut(rest, []byte(after))
	return string(bytes.TrimSpace(value))
}

// lines reads a piece of the body.
func (s *Stream) lines(p []byte, on func(Event)) error {
	for {
		if len(p) > 0 && p[0] == '\n' && len(s.part) == 0 { // a third of all lines: not worth a search
			s.line(nil, on)
			p = p[1:]
			continue
		}
		i := bytes.IndexByte(p, '\n')
		if i < 0 {
			break
		}
		line := p[:i]
		p = p[i+1:]
		if len(s.part) > 0 {
			s.part = append(s.part, line...)
			s.line(s.part, on)
			s.part = s.part[:0]
			continue
		}
		s.line(line, on)
	}
	if len(s.part)+len(p) > maxPart {
		return errors.New("load: a line of the stream does not end")
	}
	s.part = append(s.part, p...)
	return nil
}

// line reads one whole line, which may end in CR.
func (s *Stream) line(line []byte, on func(Event)) {
	if n := len(line); n > 0 && line[n-1] == '\r' {
		line = line[:n-1]
	}
	if len(line) == 0 {
		if s.data {
			on(Event{Seq: s.seq, At: s.at, Known: s.known})
		}
		s.data, s.known, s.seq, s.at = false, false, 0, 0
		return
	}
	if len(line) < 5 || string(line[:5]) != "data:" || s.data {
		return
	}
	value := line[5:]
	if len(value) > 0 && value[0] == ' ' {
		value = value[1:]
	}
	s.data = true
	s.seq, s.at, s.known = payload.Parse(value)
}
