package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"mime"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/stentor-sse/stentor/sse"
)

const (
	// The reconnection time while the server has told none, and the bounds of
	// what it may tell.
	firstRetry = time.Second
	minRetry   = 100 * time.Millisecond
	maxRetry   = 10 * time.Minute
	// maxBackOff bounds the wait after failures that follow each other, unless
	// the server asks for more.
	maxBackOff = time.Minute
	// silence is how long a stream may say nothing: servers send a keepalive
	// every 15 s, so it is the connection that is dead.
	silence = time.Minute
)

// source reads a stream and reconnects by itself, as the living standard says of
// EventSource (HTML §9.2), with the reconnection time spread and backed off. It
// is what this command needs until there is a package for everyone. One
// goroutine at a time.
type source struct {
	client  *http.Client
	server  *url.URL
	query   url.Values
	lastID  string
	retry   time.Duration // zero: firstRetry
	trouble func(error)   // told about each connection that failed or ended
	ended   string        // why, if the server has said so
}

// fatal is an error that no reconnecting helps.
type fatal struct{ err error }

func (e *fatal) Error() string { return e.err.Error() }
func (e *fatal) Unwrap() error { return e.err }

// run calls each with every event until each returns an error, ctx ends or the
// server refuses for good, and returns why.
func (s *source) run(ctx context.Context, each func(sse.Event) error) error {
	failures := 0
	for {
		events, pause, err := s.connect(ctx, each)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if f, ok := errors.AsType[*fatal](err); ok {
			return f.err
		}
		if events > 0 {
			failures = 0
		}
		pause = max(pause, s.pause(failures))
		failures++
		if err == nil {
			err = fmt.Errorf("the server ended the stream%s", s.ended)
		}
		s.trouble(fmt.Errorf("%w; reconnecting in %v", err, pause.Round(100*time.Millisecond)))
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// pause is how long to wait after that many failures before: the reconnection
// time, doubled for each, and spread so that clients of one server don't come
// back together.
func (s *source) pause(failures int) time.Duration {
	d := s.retry
	if d == 0 {
		d = firstRetry
	}
	d = min(max(d, minRetry), maxRetry)
	limit := max(d, maxBackOff)
	for range failures {
		if d *= 2; d >= limit {
			d = limit
			break
		}
	}
	return d - d/4 + rand.N(d/2+1)
}

// connect reads one response to its end. It returns how many events it had, and
// how long the server asked to wait if it did.
func (s *source) connect(ctx context.Context, each func(sse.Event) error) (events int, pause time.Duration, err error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	resp, err := s.request(ctx)
	if err != nil {
		return 0, 0, unreachable(s.server, err)
	}
	defer resp.Body.Close()
	if err := acceptable(resp); err != nil {
		return 0, retryAfter(resp), err
	}
	body := &watched{r: resp.Body, timer: time.AfterFunc(silence, cancel)}
	defer body.timer.Stop()
	s.ended = ""
	d := sse.NewDecoder(body, &sse.DecoderOptions{LastEventID: s.lastID})
	for e, err := range d.Events() {
		switch {
		case err == nil:
		case body.err != nil:
			return events, 0, fmt.Errorf("the connection to %s was lost: %w", s.server.Redacted(), body.err)
		default: // the same would come again
			return events, 0, &fatal{err}
		}
		s.learn(d)
		if e.Type == "stentor.end" {
			s.ended = endReason(e.Data)
		} else {
			events++
		}
		if err := each(e); err != nil {
			return events, 0, &fatal{err}
		}
	}
	s.learn(d)
	return events, 0, nil
}

// learn takes over what the stream has said so far.
func (s *source) learn(d *sse.Decoder) {
	s.lastID = d.LastEventID()
	if retry, ok := d.Retry(); ok {
		s.retry = max(retry, minRetry)
	}
}

// endReason is what a farewell says, to follow other words.
func endReason(data string) string {
	var end struct{ Reason string }
	if json.Unmarshal([]byte(data), &end) != nil || end.Reason == "" {
		return ""
	}
	return ": " + cut(end.Reason, 64)
}

func (s *source) request(ctx context.Context) (*http.Response, error) {
	u := s.server.JoinPath("events")
	u.RawQuery = s.query.Encode()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return nil, err
	}
	r.Header.Set("Accept", "text/event-stream, application/problem+json")
	r.Header.Set("Cache-Control", "no-store")
	if s.lastID != "" {
		r.Header.Set("Last-Event-ID", s.lastID)
	}
	return s.client.Do(r)
}

// acceptable says what is wrong with an answer. What may pass is worth another try.
func acceptable(resp *http.Response) error {
	switch code := resp.StatusCode; {
	case code == http.StatusNoContent:
		return &fatal{errors.New("the server asks not to come back (204)")}
	case code == http.StatusRequestTimeout, code == http.StatusTooManyRequests, code >= 500:
		return refused(resp)
	case code != http.StatusOK:
		return &fatal{refused(resp)}
	}
	if kind, _, err := mime.ParseMediaType(resp.Header.Get("Content-Type")); err != nil || kind != "text/event-stream" {
		return &fatal{fmt.Errorf("the answer is %.64q and no event stream; is --url right?", resp.Header.Get("Content-Type"))}
	}
	return nil
}

// retryAfter is what the answer asks for in seconds (RFC 9110 §10.2.3), within bounds.
func retryAfter(resp *http.Response) time.Duration {
	n, err := strconv.ParseUint(resp.Header.Get("Retry-After"), 10, 31)
	if err != nil {
		return 0
	}
	return min(time.Duration(n)*time.Second, maxRetry)
}

// watched is a body whose silence ends the request, and which remembers its error.
type watched struct {
	r     io.Reader
	timer *time.Timer
	err   error
}

func (w *watched) Read(p []byte) (int, error) {
	n, err := w.r.Read(p)
	w.timer.Reset(silence)
	if err != nil && err != io.EOF {
		if errors.Is(err, context.Canceled) {
			err = fmt.Errorf("nothing came for %v", silence)
		}
		w.err = err
	}
	return n, err
}
