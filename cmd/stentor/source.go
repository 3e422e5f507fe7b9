package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/stentor-sse/stentor/eventsource"
)

// silence is how long a stream may say nothing: servers send a keepalive every 15 s, so it is
// the connection that is dead.
const silence = time.Minute

// source is a stream of the plain face, told about in this command's words.
type source struct {
	*eventsource.Source
	server  *url.URL
	trouble func(error) // told about each connection that failed or ended
	ended   string      // why, if the server has said so
}

func newSource(client *http.Client, server *url.URL, query url.Values, lastID string, trouble func(error)) (*source, error) {
	s := &source{server: server, trouble: trouble}
	u := server.JoinPath("events")
	u.RawQuery = query.Encode()
	var err error
	s.Source, err = eventsource.New(u.String(), &eventsource.Options{
		Client:      client,
		Header:      http.Header{"Accept": {"text/event-stream, application/problem+json"}},
		LastEventID: lastID,
		IdleTimeout: silence,
		Change:      s.changed,
	})
	return s, err
}

// changed tells about trouble that will pass.
func (s *source) changed(c eventsource.Change) {
	switch {
	case c.State == eventsource.Open:
		s.ended = ""
	case c.State == eventsource.Connecting && c.Err != nil:
		s.trouble(fmt.Errorf("%w; reconnecting in %v", s.explain(c.Err), c.Wait.Round(100*time.Millisecond)))
	}
}

// explain says what ended a connection as a user of this command needs it.
func (s *source) explain(err error) error {
	if r, ok := errors.AsType[*eventsource.ResponseError](err); ok {
		switch r.Status {
		case http.StatusNoContent:
			return errors.New("the server asks not to come back (204)")
		case http.StatusOK:
			return fmt.Errorf("the answer is %.64q and no event stream; is --url right?", r.Header.Get("Content-Type"))
		}
		return refused(&http.Response{StatusCode: r.Status, Header: r.Header, Body: io.NopCloser(bytes.NewReader(r.Body))})
	}
	text := strings.TrimPrefix(err.Error(), "eventsource: ")
	switch {
	case errors.Is(err, eventsource.ErrEnded):
		return errors.New(text + s.ended)
	case errors.Is(err, eventsource.ErrIdle):
		return fmt.Errorf("the connection to %s was lost: nothing came for %v", s.server.Redacted(), silence)
	}
	return fmt.Errorf("%s: %s", s.server.Redacted(), text)
}

// endReason is what a farewell says, to follow other words.
func endReason(data string) string {
	var end struct{ Reason string }
	if json.Unmarshal([]byte(data), &end) != nil || end.Reason == "" {
		return ""
	}
	return ": " + cut(end.Reason, 64)
}
