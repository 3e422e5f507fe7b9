package sse

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"iter"
	"math"
	"time"
	"unicode/utf8"
)

// ErrTooLarge says that an event went beyond [DecoderOptions.MaxEventSize].
var ErrTooLarge = errors.New("sse: event too large")

// DecoderOptions configures [NewDecoder]. The zero value is ready to use.
type DecoderOptions struct {
	// MaxEventSize is the most bytes that the lines of one event may have on
	// the wire, line ends and comments apart, and that one comment line may
	// have. Beyond it the sequence ends with ErrTooLarge. Zero means 16 MiB;
	// negative means no limit, for a sender that is trusted with the memory.
	MaxEventSize int
	// Comment is called with each comment as soon as its line ends, in its place
	// among the events, without the colon and one space after it. Nil: comments
	// are skipped. It must not use the decoder.
	Comment func(text string)
	// LastEventID is what LastEventID gives before the stream has set an id.
	LastEventID string
}

func (o *DecoderOptions) withDefaults() DecoderOptions {
	var c DecoderOptions
	if o != nil {
		c = *o
	}
	if c.MaxEventSize == 0 {
		c.MaxEventSize = 16 << 20
	} else if c.MaxEventSize < 0 {
		c.MaxEventSize = math.MaxInt
	}
	return c
}

// Decoder reads a stream of events as the HTML Standard says (§9.2.5 and
// §9.2.6). It is for one goroutine at a time and starts none. It reads ahead of
// the event that it yields, by up to 4 KiB or the length of the longest line.
type Decoder struct {
	o     DecoderOptions
	lines liner

	// the event being read
	event Event
	data  []byte // its data lines, each with LF after it
	last  []byte // and the last one, while it is in the buffer alone
	held  bool   // there is one
	size  int    // the bytes of its lines
	id    string // the last event id from its end on

	lastID   string
	lastType string // mostly the next one's too: one string for both
	lastChan string // the same of channels
	retry    time.Duration
	retrySet bool
	err      error // what ended it; sticks
}

// NewDecoder makes a decoder that reads from r. It never closes r: to end a
// blocked read, close what r reads from.
func NewDecoder(r io.Reader, o *DecoderOptions) *Decoder {
	d := &Decoder{o: o.withDefaults(), lines: liner{r: r}}
	d.id, d.lastID = d.o.LastEventID, d.o.LastEventID
	return d
}

// Events gives the events of the stream as they are complete. Their Comment is
// empty; their ID is the one that came with them, so that an event without an id
// line has none. The sequence ends without an error where the reader does
// (io.EOF), and else with one pair that has the error: the reader's, wrapped, or
// one that wraps [ErrTooLarge]. An event that was not ended by a blank line is
// discarded, as the standard says, and its id with it.
//
// A loop that was left can be taken up again by another call; after the end it
// gives the same end.
func (d *Decoder) Events() iter.Seq2[Event, error] {
	return func(yield func(Event, error) bool) {
		for {
			e, err := d.next()
			if err != nil {
				if err != io.EOF {
					yield(Event{}, err)
				}
				return
			}
			if !yield(e, nil) {
				return
			}
		}
	}
}

// LastEventID is what a client sends as Last-Event-ID when it reconnects: the id
// of the newest block that set one, with or without data.
func (d *Decoder) LastEventID() string { return d.lastID }

// Retry is the reconnection time that the stream asked for last; not ok, it
// asked for none. It may be zero, and is as long as a Duration can hold at most:
// it comes from outside, so a client should keep it within limits of its own.
func (d *Decoder) Retry() (t time.Duration, ok bool) { return d.retry, d.retrySet }

// next gives the next event that is dispatched.
func (d *Decoder) next() (Event, error) {
	for d.err == nil {
		line, ok := d.lines.next()
		if !ok {
			d.more()
			continue
		}
		if len(line) == 0 {
			if e, ok := d.dispatch(); ok {
				return e, nil
			}
			continue
		}
		if !d.fits(line) {
			break
		}
		d.line(line)
	}
	return Event{}, d.err
}

// more reads on, unless there is nothing more to read or too much already.
func (d *Decoder) more() {
	if p := d.lines.partial(); len(p) > 0 && !d.fits(p) {
		return
	}
	if d.err = d.lines.err; d.err == nil {
		d.keep()
		d.lines.fill()
	}
}

// fits says if a line, or what there is of it, is within the limit.
func (d *Decoder) fits(line []byte) bool {
	size := len(line)
	if line[0] != ':' {
		size += d.size
	}
	if size > d.o.MaxEventSize {
		d.err = fmt.Errorf("%w: over %d bytes; raise MaxEventSize if the sender is right", ErrTooLarge, d.o.MaxEventSize)
		return false
	}
	return true
}

// line takes one line that is not blank.
func (d *Decoder) line(line []byte) {
	name, value := line, line[len(line):]
	if i := bytes.IndexByte(line, ':'); i >= 0 {
		name, value = line[:i], line[i+1:]
		if len(value) > 0 && value[0] == ' ' {
			value = value[1:]
		}
	}
	if len(name) == 0 { // a comment
		if d.o.Comment != nil {
			d.o.Comment(text(value))
		}
		return
	}
	d.size += len(line)
	switch string(name) {
	case "data":
		d.keep()
		d.last, d.held = value, true
	case "event":
		if string(value) != d.lastType {
			d.lastType = text(value)
		}
		d.event.Type = d.lastType
	case "id":
		if bytes.IndexByte(value, 0) < 0 {
			d.id = text(value)
			d.event.ID = d.id
		}
	case "channel":
		if string(value) != d.lastChan {
			d.lastChan = text(value)
		}
		d.event.Channel = d.lastChan
	case "retry":
		if t, ok := milliseconds(value); ok {
			d.retry, d.retrySet = t, true
			d.event.Retry = t
		}
	}
}

// keep takes the last data line out of the buffer.
func (d *Decoder) keep() {
	if !d.held {
		return
	}
	if utf8.Valid(d.last) {
		d.data = append(d.data, d.last...)
	} else {
		d.data = appendValid(d.data, d.last)
	}
	d.data = append(d.data, '\n')
	d.last, d.held = nil, false
}

// dispatch ends a block; not ok, it was no event.
func (d *Decoder) dispatch() (e Event, ok bool) {
	d.lastID = d.id
	switch {
	case d.held && len(d.data) == 0: // most have one line: it is copied once
		e, ok = d.event, true
		e.Data = text(d.last)
		d.last, d.held = nil, false
	case d.held || len(d.data) > 0:
		d.keep()
		e, ok = d.event, true
		e.Data = string(d.data[:len(d.data)-1])
	}
	d.event, d.size, d.data = Event{}, 0, d.data[:0]
	if cap(d.data) > keepBuffer {
		d.data = nil
	}
	return e, ok
}

// text makes a string of outside bytes.
func text(p []byte) string {
	if utf8.Valid(p) {
		return string(p)
	}
	return string(appendValid(nil, p))
}

// milliseconds reads a number of decimal digits only, and of more than a
// Duration can hold makes the longest that it can.
func milliseconds(p []byte) (t time.Duration, ok bool) {
	const most = math.MaxInt64 / int64(time.Millisecond)
	var n int64
	for _, c := range p {
		if c < '0' || c > '9' {
			return 0, false
		}
		if n = n*10 + int64(c-'0'); n > most {
			n = most // and again for each further digit: ten times it still fits
		}
	}
	return time.Duration(n) * time.Millisecond, len(p) > 0
}
