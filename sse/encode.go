package sse

import (
	"encoding"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// ErrInvalid says that an [Event] has a field that no stream can carry. What is
// wrong and with which field is in the text of the error that wraps it.
var ErrInvalid = errors.New("sse: invalid event")

var _ encoding.TextAppender = Event{}

// AppendText appends e as one block, blank line included, in the order comment,
// retry, id, event, channel, data. It allocates nothing beyond b. An event that can't be
// sent as it is gives an error that wraps [ErrInvalid], and b as it was.
//
// It implements [encoding.TextAppender].
func (e Event) AppendText(b []byte) ([]byte, error) {
	if err := e.check(); err != nil {
		return b, err
	}
	b = slices.Grow(b, len(e.Comment)+len(e.ID)+len(e.Type)+len(e.Channel)+len(e.Data)+len("\n\n\n\n\n\n: retry: id: event: channel: data: ")+20)
	if e.Comment != "" {
		b = appendLines(b, ": ", e.Comment)
	}
	if e.Retry != 0 {
		b = append(b, "retry: "...)
		b = strconv.AppendInt(b, e.Retry.Milliseconds(), 10)
		b = append(b, '\n')
	}
	if e.ID != "" {
		b = appendLine(b, "id: ", e.ID)
	}
	if e.Type != "" {
		b = appendLine(b, "event: ", e.Type)
	}
	if e.Channel != "" {
		b = appendLine(b, "channel: ", e.Channel)
	}
	if e.dispatched() {
		b = appendLines(b, "data: ", e.Data)
	}
	return append(b, '\n'), nil
}

// check refuses what would change the meaning of the block, or arrive as
// something else.
func (e *Event) check() error {
	if i := strings.IndexAny(e.ID, "\r\n\x00"); i >= 0 {
		return fmt.Errorf("%w: the id has a CR, LF or NUL at byte %d; leave it out", ErrInvalid, i)
	}
	if i := strings.IndexAny(e.Type, "\r\n"); i >= 0 {
		return fmt.Errorf("%w: the type has a CR or LF at byte %d; leave it out", ErrInvalid, i)
	}
	if i := strings.IndexAny(e.Channel, "\r\n"); i >= 0 {
		return fmt.Errorf("%w: the channel has a CR or LF at byte %d; leave it out", ErrInvalid, i)
	}
	for _, f := range [...]struct{ name, text string }{
		{"id", e.ID}, {"type", e.Type}, {"channel", e.Channel}, {"data", e.Data}, {"comment", e.Comment},
	} {
		if !utf8.ValidString(f.text) {
			return fmt.Errorf("%w: the %s is not valid UTF-8; send bytes in an encoding such as base64", ErrInvalid, f.name)
		}
	}
	if e.Retry != 0 && e.Retry < time.Millisecond {
		return fmt.Errorf("%w: retry is %v; the least is 1ms", ErrInvalid, e.Retry)
	}
	return nil
}

func appendLine(b []byte, prefix, text string) []byte {
	b = append(b, prefix...)
	b = append(b, text...)
	return append(b, '\n')
}

// appendLines appends a line for each line of text, which ends at LF, CR or
// CRLF as it does for readers; text that ends in one has an empty last line.
func appendLines(b []byte, prefix, text string) []byte {
	next := func(text string) int { return strings.IndexAny(text, "\r\n") }
	if strings.IndexByte(text, '\r') < 0 { // as mostly; LF alone is found much faster
		next = func(text string) int { return strings.IndexByte(text, '\n') }
	}
	for {
		i := next(text)
		if i < 0 {
			return appendLine(b, prefix, text)
		}
		b = appendLine(b, prefix, text[:i])
		if text[i] == '\r' && i+1 < len(text) && text[i+1] == '\n' {
			i++
		}
		text = text[i+1:]
	}
}
