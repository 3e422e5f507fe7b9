package eventsource

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"time"
)

const (
	maxRedirects = 20
	// maxID is the longest id that is sent: servers refuse long headers, for good.
	maxID = 4 << 10
)

// request is that of one attempt, complete. An id that no header can carry isn't sent: the one
// before it is, so that nothing is missed.
func (s *Source) request(ctx context.Context, after error) (*http.Request, error) {
	r, err := http.NewRequestWithContext(ctx, s.o.Method, s.url.String(), bytes.NewReader(s.o.Body))
	if err != nil {
		return nil, fmt.Errorf("eventsource: %w", err)
	}
	if s.o.Header != nil {
		r.Header = s.o.Header.Clone()
	}
	if host := r.Header.Get("Host"); host != "" {
		r.Host = host
	}
	for name, value := range map[string]string{"Accept": "text/event-stream", "Cache-Control": "no-cache"} {
		if _, ok := r.Header[name]; !ok {
			r.Header.Set(name, value)
		}
	}
	if s.sentID != "" {
		r.Header.Set("Last-Event-ID", s.sentID)
	}
	if s.o.Prepare != nil {
		if err := s.o.Prepare(r, after); err != nil {
			return nil, fmt.Errorf("eventsource: prepare: %w", err)
		}
	}
	if err := checkHeader(r.Header); err != nil {
		return nil, &final{err}
	}
	return r, nil
}

// checkHeader finds what net/http would refuse, each time anew.
func checkHeader(h http.Header) error {
	for name, values := range h {
		for _, v := range values {
			if !sendable(v) {
				return fmt.Errorf("eventsource: the value of header %q holds a line break or another control character; trim it", name)
			}
		}
	}
	return nil
}

// sendable holds for what a header can carry (RFC 9110 §5.5).
func sendable(value string) bool {
	for i := range len(value) {
		if c := value[i]; c < ' ' && c != '\t' || c == 0x7f {
			return false
		}
	}
	return true
}

// send gives the answer to r, whatever it is.
func (s *Source) send(r *http.Request) (*http.Response, error) {
	resp, err := s.client.Do(r)
	if err == nil {
		return resp, nil
	}
	if u, ok := errors.AsType[*url.Error](err); ok {
		err = u.Err // without the URL, which may hold a token
	}
	return nil, fmt.Errorf("eventsource: %w", err)
}

// newClient makes the client of a Source of the one it was given.
func newClient(given *http.Client) *http.Client {
	var c http.Client
	if given != nil {
		c = *given
	} else {
		c.Transport = NewTransport()
	}
	c.Timeout = 0
	check := c.CheckRedirect
	if check == nil {
		check = func(_ *http.Request, via []*http.Request) error {
			if len(via) > maxRedirects {
				return &final{fmt.Errorf("more than %d redirects", maxRedirects)}
			}
			return nil
		}
	}
	c.CheckRedirect = func(r *http.Request, via []*http.Request) error {
		keepToOrigin(r, via)
		return check(r, via)
	}
	return &c
}

// keepToOrigin takes from a redirected request what is meant for the first one's origin alone,
// once it has left it: all but what every request for a stream has.
func keepToOrigin(r *http.Request, via []*http.Request) {
	at := func(r *http.Request) string { return r.URL.Scheme + "://" + r.URL.Host }
	left := at(r) != at(via[0])
	for _, v := range via {
		left = left || at(v) != at(via[0])
	}
	if !left {
		return
	}
	for name := range r.Header {
		switch name {
		case "Accept", "Accept-Language", "Cache-Control", "Content-Type", "Last-Event-Id", "User-Agent":
		default: // the Referer too: its query may hold a token
			r.Header.Del(name)
		}
	}
}

// NewTransport makes what the client of a Source's own sends with: it bounds what precedes
// a stream, and finds peers that are gone while nothing is to be sent, as after a laptop's sleep or
// behind a NAT that forgot. Whoever makes it closes its idle connections.
func NewTransport() *http.Transport {
	d := &net.Dialer{
		Timeout:         10 * time.Second,
		KeepAliveConfig: net.KeepAliveConfig{Enable: true, Idle: 15 * time.Second, Interval: 15 * time.Second, Count: 2},
	}
	return &http.Transport{
		Proxy:               http.ProxyFromEnvironment,
		DialContext:         d.DialContext,
		ForceAttemptHTTP2:   true,
		TLSHandshakeTimeout: 10 * time.Second,
		DisableCompression:  true,
		HTTP2:               &http.HTTP2Config{SendPingTimeout: 30 * time.Second, PingTimeout: 15 * time.Second},
	}
}
