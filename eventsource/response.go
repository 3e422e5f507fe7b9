package eventsource

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
)

var (
	// ErrBusy says that another loop runs over the events of the Source.
	ErrBusy = errors.New("eventsource: another loop reads the events; leave it first, or make a Source for each")
	// ErrDismissed says that the server answered 204: not to come back.
	ErrDismissed = errors.New("eventsource: the server asks not to come back (204)")
	// ErrEnded says that a stream came to a clean end.
	ErrEnded = errors.New("eventsource: the server ended the stream")
	// ErrIdle says that a stream was silent for longer than IdleTimeout.
	ErrIdle = errors.New("eventsource: the stream has been silent for too long")
	// ErrNoAnswer says that an attempt took longer than ConnectTimeout.
	ErrNoAnswer = errors.New("eventsource: no answer in time")
)

// maxBody is how much of an answer that is no stream is kept.
const maxBody = 16 << 10

// ResponseError is an answer that is no event stream. With status 204 it is an
// [ErrDismissed].
type ResponseError struct {
	Status int
	Header http.Header
	// Body is the beginning of the body, 16 KiB at most.
	Body []byte
}

func (e *ResponseError) Error() string {
	switch {
	case e.Status == http.StatusNoContent:
		return ErrDismissed.Error()
	case e.Status == http.StatusOK:
		return fmt.Sprintf("eventsource: the answer is %.64q and no event stream; is the URL right?", e.Header.Get("Content-Type"))
	case e.Status/100 == 3:
		return fmt.Sprintf("eventsource: the server answered %d %s, which leads nowhere; is the URL right?", e.Status, http.StatusText(e.Status))
	}
	return strings.TrimSpace(fmt.Sprintf("eventsource: the server answered %d %s", e.Status, http.StatusText(e.Status)))
}

// Is makes the error with status 204 an [ErrDismissed].
func (e *ResponseError) Is(target error) bool {
	return target == ErrDismissed && e.Status == http.StatusNoContent
}

// accept is nil if the response is a stream. Else it has read of it what there is to know.
func accept(r *http.Response) error {
	if r.StatusCode == http.StatusOK && isStream(r.Header.Get("Content-Type")) {
		return nil
	}
	body, _ := io.ReadAll(io.LimitReader(r.Body, maxBody)) // what there is of it
	return &ResponseError{Status: r.StatusCode, Header: r.Header, Body: body}
}

// isStream holds for the event stream's type, whatever its parameters: it is UTF-8 in
// any case.
func isStream(contentType string) bool {
	kind, _, _ := strings.Cut(contentType, ";")
	return strings.EqualFold(strings.TrimSpace(kind), "text/event-stream")
}

// passing says if what ended an attempt may be better the next time. before is what ended
// the one before it.
func (s *Source) passing(err, before error) bool {
	if _, ok := errors.AsType[*final](err); ok {
		return false
	}
	r, ok := errors.AsType[*ResponseError](err)
	switch {
	case !ok:
		return true
	case s.o.Strict:
		return false
	case r.Status == http.StatusUnauthorized:
		last, ok := errors.AsType[*ResponseError](before)
		return s.o.Prepare != nil && !(ok && last.Status == r.Status)
	}
	return r.Status == http.StatusRequestTimeout || r.Status == http.StatusTooManyRequests || r.Status >= 500
}

// final is an error that comes again with every attempt.
type final struct{ err error }

func (e *final) Error() string { return e.err.Error() }
func (e *final) Unwrap() error { return e.err }
