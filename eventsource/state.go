package eventsource

import (
	"net/http"
	"time"
)

// State is what a Source is about.
type State int

const (
	// Closed: no loop runs over the events. A Source begins with it.
	Closed State = iota
	// Connecting: an attempt is being made, or waited for.
	Connecting
	// Open: a stream is being read.
	Open
)

// String gives the state's name in lower case.
func (s State) String() string {
	switch s {
	case Closed:
		return "closed"
	case Connecting:
		return "connecting"
	case Open:
		return "open"
	}
	return "unknown"
}

// Change is one step in the life of a Source, as [Options.Change] is told of it: Connecting
// when the loop begins, Open with each answer that is a stream, Connecting with each attempt
// that has ended, Closed when the loop has.
type Change struct {
	State State
	// Err is what ended the attempt before, or the loop: nil when it begins, was left, was
	// closed, or with Once came to its end.
	Err error
	// Header is the answer's when the state is Open. It must not be changed.
	Header http.Header
	// Wait is how long it is until the next attempt.
	Wait time.Duration
	// Failures is how many attempts have failed one after another.
	Failures int
}

// set takes a step and tells of it.
func (s *Source) set(c Change) {
	s.mu.Lock()
	s.state = c.State
	s.mu.Unlock()
	if s.o.Change != nil {
		s.o.Change(c)
	}
}
