package client

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"sync"

	"github.com/stentor-sse/stentor/eventsource"
	"github.com/stentor-sse/stentor/sse"
)

// ErrReplaced says that a newer stream has this one's key: coming back would end that one.
var ErrReplaced = errors.New("client: a newer stream has taken the place of this one; give each its own Key")

// Client is a subscriber of one hub. Its methods are safe for any goroutine, handlers included.
type Client struct {
	o      Options
	server *url.URL
	http   *http.Client
	source *eventsource.Source
	turn   chan struct{} // holds one while channels are changed

	mu       sync.Mutex // guards all below
	handlers map[string]handler
	want     []string // the channels
	asked    []string // those of the stream, or of the request for it
	id       string   // the subscription's; empty while there is none
	rooms    map[string]*room
}

// New makes a client of the plain face at an http or https address, which is that of the server or of
// the path that the face is under: "https://example.com" has its stream at
// "https://example.com/events". It connects when Run is called.
func New(server string, o *Options) (*Client, error) {
	c := &Client{
		o: o.withDefaults(), turn: make(chan struct{}, 1),
		handlers: map[string]handler{}, rooms: map[string]*room{},
	}
	c.want = union(nil, c.o.Channels)
	c.http = &http.Client{Transport: eventsource.NewTransport()}
	if c.o.HTTP != nil {
		given := *c.o.HTTP
		c.http = &given
	}
	c.http.Timeout = 0
	if c.http.Jar == nil {
		c.http.Jar = &jar{}
	}
	source, err := eventsource.New(server, &eventsource.Options{
		Client: c.http, Header: c.o.Header, Prepare: c.prepare,
		LastEventID: c.o.LastEventID, IdleTimeout: c.o.IdleTimeout,
		Change: c.changed,
	})
	if err != nil {
		return nil, err
	}
	c.source = source
	if c.http.CheckRedirect == nil { // the source has its own way with them
		c.http.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	}
	if c.server, err = url.Parse(server); err != nil {
		return nil, err // the source has parsed it
	}
	if c.server.Path == "" {
		c.server.Path = "/" // else what is joined to it has no slash in front
	}
	return c, nil
}

// Run connects, and calls the handlers of what comes, one after the other, until it helps
// nothing to go on: ctx has ended (its cause is the error), after Close (nil), or the server refuses
// for good: a [Refusal], [eventsource.ErrDismissed] or [ErrReplaced]. Afterwards
// it may be called again, and goes on after the last message. One Run at a time; a second one gets
// [eventsource.ErrBusy].
func (c *Client) Run(ctx context.Context) error {
	if c.o.HTTP == nil {
		defer c.http.CloseIdleConnections()
	}
	for e, err := range c.source.Events(ctx) {
		if err != nil {
			return refusal(err)
		}
		if err := c.take(ctx, e); err != nil {
			return err
		}
	}
	return nil
}

// Close ends Run, which does nothing any more. It doesn't wait. To be gone for the others at
// once, rather than when the linger is over, Leave all channels before.
func (c *Client) Close() { c.source.Close() }

// Restart connects anew at once, without losing the place: with another token, on another network.
func (c *Client) Restart() { c.source.Restart() }

// State is that of the connection.
func (c *Client) State() eventsource.State { return c.source.State() }

// LastEventID is the position of the newest message, to go on after in another process.
func (c *Client) LastEventID() string { return c.source.LastEventID() }

// prepare completes the request for a stream.
func (c *Client) prepare(r *http.Request, after error) error {
	c.mu.Lock()
	c.asked = slices.Clone(c.want)
	query := url.Values{"channel": c.asked}
	c.mu.Unlock()
	c.identify(query)
	if c.o.Presence {
		query.Set("presence", "true")
	}
	r.URL = c.server.JoinPath("events")
	r.URL.RawQuery = query.Encode()
	refused, ok := errors.AsType[*eventsource.ResponseError](after)
	return c.authorize(r, ok && refused.Status == http.StatusUnauthorized)
}

// identify says who this is.
func (c *Client) identify(query url.Values) {
	for name, value := range map[string]string{"user": c.o.User, "session": c.o.Session, "key": c.o.Key} {
		if value != "" {
			query.Set(name, value)
		}
	}
}

// authorize sets the token.
func (c *Client) authorize(r *http.Request, renew bool) error {
	if c.o.Token == nil {
		return nil
	}
	token, err := c.o.Token(r.Context(), renew)
	if err != nil {
		return fmt.Errorf("client: token: %w", err)
	}
	r.Header.Set("Authorization", "Bearer "+token)
	return nil
}

func (c *Client) changed(change eventsource.Change) {
	if change.State != eventsource.Open {
		c.mu.Lock()
		c.id = ""
		c.mu.Unlock()
	}
	if c.o.Change != nil {
		c.o.Change(change)
	}
}

// take does with an event what is to be done, and then calls its handler.
func (c *Client) take(ctx context.Context, e sse.Event) error {
	var end error
	switch e.Type {
	case "stentor.open":
		c.opened(ctx, e)
	case "stentor.gap":
		if c.o.Presence { // joins and leaves may be among what is missing
			c.reload(ctx, c.Channels())
		}
	case "stentor.join", "stentor.leave", "stentor.update":
		c.seen(e)
	case "stentor.end":
		var why End
		if json.Unmarshal([]byte(e.Data), &why) == nil && why.Reason == "replaced" {
			end = ErrReplaced
		}
	}
	c.dispatch(e)
	return end
}

// opened takes over the subscription's id. Where the channels have changed since the request
// was made, another request has to be.
func (c *Client) opened(ctx context.Context, e sse.Event) {
	var open struct{ Subscription string }
	if err := json.Unmarshal([]byte(e.Data), &open); err != nil {
		c.trouble(fmt.Errorf("client: %s: %w", e.Type, err))
		return
	}
	c.mu.Lock()
	c.id = open.Subscription
	late := !slices.Equal(c.asked, c.want)
	list := slices.Clone(c.asked)
	c.mu.Unlock()
	if late {
		c.source.Restart()
	} else if c.o.Presence {
		c.reload(ctx, list)
	}
}

func (c *Client) trouble(err error) {
	if c.o.Error != nil {
		c.o.Error(err)
	}
}
