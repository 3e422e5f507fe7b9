package client

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"path"
	"time"

	"github.com/stentor-sse/stentor/eventsource"
)

// minBeat is the shortest interval of heartbeats, whatever a server asks for.
const minBeat = 100 * time.Millisecond

// beat sends heartbeats until the stream ends.
func (r *run) beat(h Heartbeat) {
	at, err := r.near(h.URL)
	if err != nil {
		r.trouble(err)
		return
	}
	h.Interval = max(h.Interval, minBeat)
	ctx, still := context.WithCancel(r.ctx)
	r.still = still
	r.aside.Go(func() { r.pulse(ctx, at, h) })
}

// pulse is the heartbeats of one stream. One that is refused or gets no answer ends the stream, and so does a
// stream on which nothing came for a whole lease: the answers to the heartbeats come there too.
func (c *Client) pulse(ctx context.Context, at *url.URL, h Heartbeat) {
	timer := time.NewTimer(h.Interval)
	defer timer.Stop()
	for {
		select {
		case <-timer.C:
		case <-ctx.Done():
			return
		}
		err := c.do(ctx, call{method: http.MethodPost, url: at})
		if err == nil && c.silent(h.Lease) {
			err = eventsource.ErrIdle
		}
		if ctx.Err() != nil {
			return
		}
		if err != nil {
			c.trouble(fmt.Errorf("client: heartbeat: %w", err))
			c.source.Restart()
			return
		}
		timer.Reset(h.Interval)
	}
}

// silent says if nothing came for a whole lease. A handler that takes its time is no silence.
func (c *Client) silent(lease time.Duration) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return lease > 0 && !c.busy && time.Since(c.heard) > lease
}

// near is a URL of the server's where this client has found it. Behind a proxy a server may not
// know its own name, and nobody else is to get the token: of another origin it is the last element of the path, beside
// that of the stream.
func (c *Client) near(told string) (*url.URL, error) {
	u, err := c.server.Parse(told)
	if err != nil || len(u.Path) < 2 || u.Opaque != "" {
		return nil, fmt.Errorf("client: the server asks for heartbeats to %.200q, which is no URL of a service", told)
	}
	if u.Scheme == c.server.Scheme && u.Host == c.server.Host {
		u.User, u.Fragment = c.server.User, ""
		return u, nil
	}
	return address(c.server, path.Base(u.Path), u.Query()), nil
}
