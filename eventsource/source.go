package eventsource

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/stentor-sse/stentor/sse"
)

var (
	errClosed    = errors.New("eventsource: closed")
	errRestarted = errors.New("eventsource: restarted")
)

// Source is a stream of events that is connected again whenever it ends. Its methods are
// safe for any goroutine. It has none of its own, and nothing to be released while no
// loop runs over its events.
type Source struct {
	o      Options
	url    *url.URL
	client *http.Client

	// the loop's
	retry  time.Duration
	sentID string // the newest last event id that a header can carry
	stale  bool   // the connections that are kept may be dead

	mu     sync.Mutex // guards all below
	state  State
	lastID string
	busy   bool
	closed bool
	end    context.CancelCauseFunc // of the loop
	drop   context.CancelCauseFunc // of the attempt, and of the wait after it
}

// New makes a Source of the stream at an http or https address. It connects when a loop over
// [Source.Events] begins. An error says which of the options can't be sent.
func New(address string, o *Options) (*Source, error) {
	u, err := url.Parse(address)
	if err != nil {
		return nil, errors.New("eventsource: the address is no URL") // url.Error would repeat its password
	}
	if u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return nil, fmt.Errorf("eventsource: %q is no address of a stream; it begins with http:// or https:// and a host", u.Redacted())
	}
	s := &Source{o: o.withDefaults(), url: u}
	s.o.Header = s.o.Header.Clone()
	if _, err := http.NewRequest(s.o.Method, address, nil); err != nil {
		return nil, fmt.Errorf("eventsource: method %q is none", s.o.Method)
	}
	if err := checkHeader(s.o.Header); err != nil {
		return nil, err
	}
	if len(s.o.LastEventID) > maxID || !sendable(s.o.LastEventID) {
		return nil, fmt.Errorf("eventsource: LastEventID %.64q fits no header; leave it out to begin with what is new", s.o.LastEventID)
	}
	s.client = newClient(s.o.Client)
	s.retry, s.lastID, s.sentID = s.o.Retry, s.o.LastEventID, s.o.LastEventID
	return s, nil
}

// Events connects and gives the events as they come, over as many connections as it
// takes. Of an Event, ID is what came with it, which is mostly, but not always,
// [Source.LastEventID].
//
// A connection that fails or ends is followed by another one, after a wait; [Options.Change] is
// told. The sequence ends with one pair that has an error when that won't help: a
// [ResponseError], one that wraps [sse.ErrTooLarge], or what else the options say; and with
// context.Cause(ctx) when ctx ends. After Close, and with Once after a clean end, it ends
// without one.
//
// There may be one loop at a time; a second one gets [ErrBusy]. When a loop has ended,
// whatever the reason, its connection has too, and another one goes on from the last event that
// it was given, unless the Source is closed.
func (s *Source) Events(ctx context.Context) iter.Seq2[sse.Event, error] {
	return func(yield func(sse.Event, error) bool) {
		ctx, cancel := context.WithCancelCause(ctx)
		defer cancel(nil)
		if err := s.begin(cancel); err != nil {
			if err != errClosed {
				yield(sse.Event{}, err)
			}
			return
		}
		l := &loop{s: s, yield: yield}
		err := l.run(ctx)
		if err != nil && !l.left {
			yield(sse.Event{}, err)
		}
	}
}

// begin takes the Source for a loop.
func (s *Source) begin(end context.CancelCauseFunc) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.closed:
		return errClosed
	case s.busy:
		return ErrBusy
	}
	s.busy, s.end = true, end
	return nil
}

// State says what the Source is about at the moment.
func (s *Source) State() State {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.state
}

// LastEventID is the place in the stream: the newest id up to the event that the loop was
// given last. Kept and given as [Options.LastEventID], it is where another process goes on.
func (s *Source) LastEventID() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.lastID
}

// Restart drops the connection, or cuts the wait for the next attempt short, and connects at
// once: when the network has changed, the machine has woken up, or Prepare has something new to
// say. Events that were read already still come. Without a loop there is nothing to do.
func (s *Source) Restart() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.drop != nil {
		s.drop(errRestarted)
	}
}

// Close ends the loop, and every one to come: no event is given after it, and no request
// made. It doesn't wait for the loop, which may be the caller's own. Twice is harmless.
func (s *Source) Close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	if s.end != nil {
		s.end(errClosed)
	}
}
