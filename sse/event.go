package sse

import "time"

// Event is one event of a stream, as it stands on the wire. All fields of one
// Event are written as one block.
//
// An Event with Data, with a Type, or with nothing at all is dispatched by the
// reader; the zero Event is a message with empty data. An Event that has only
// an ID, a Retry or a Comment carries no data line: readers take the id, the
// reconnection time or nothing from it and dispatch no event. To send an id
// with empty data, set Type to "message", which is what readers call an event
// without a type.
type Event struct {
	// ID becomes the reader's last event id. Empty means no id line.
	// It must be valid UTF-8 without CR, LF and NUL.
	ID string
	// Type is what the reader dispatches on. Empty means no event line.
	// It must be valid UTF-8 without CR and LF.
	Type string
	// Channel is the channel that a message was published to. It is no field of the
	// standard but Stentor's own, which other readers ignore. Empty means no channel
	// line. It must be valid UTF-8 without CR and LF.
	Channel string
	// Data is the payload, valid UTF-8. It is split into data lines at LF, CR
	// and CRLF, and arrives with LF for each of them.
	Data string
	// Retry is the reader's new reconnection time, sent in whole milliseconds.
	// Zero means no retry line; negative or under a millisecond is an error.
	Retry time.Duration
	// Comment is written before the fields, one comment line per line of
	// text. Readers ignore it. A decoder hands it to its Comment callback.
	Comment string
}

// dispatched says if readers make an event of e, which takes a data line.
func (e *Event) dispatched() bool {
	return e.Data != "" || e.Type != "" || e.ID == "" && e.Retry == 0 && e.Comment == ""
}
