package client

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"sync"
	"time"

	"github.com/stentor-sse/stentor/eventsource"
)

// ErrReplaced says that a newer stream has this one's key: coming back would end that one.
var ErrReplaced = errors.New("client: a newer stream has taken the place of this one; give each its own Key")

// Client is a subscriber of one hub. Its methods are safe for any goroutine, handlers included.
type Client struct {
	o      Options
	face   face
	server *url.URL
	http   *http.Client
	source *eventsource.Source
	turn   chan struct{} // holds one while channels are changed

	still context.CancelFunc // the loop's: ends the heartbeats of the stream; nil: there are none

	mu        sync.Mutex // guards all below
	handlers  map[string][]*handler
	receivers map[string]*receiver
	want      []string // the channels
	asked     []string // those of the stream, or of the request for it
	id        string   // the subscription's; empty while there is none
	left      []string // while there was none: the next one may be on them again
	leaving   string   // the subscription that Close has to end
	busy      bool     // with an event
	heard     time.Time
	rooms     map[string]*room
	counting  bool // lists are asked for again
	unlisted  bool // the server doesn't say who is there
}

// New makes a client of a server at an http or https address, which is that of the server or of
// the path that the face is under: "https://example.com" has its stream at
// "https://example.com/events", on the ServiceStack face at "https://example.com/event-stream". It
// connects when Run is called.
func New(server string, o *Options) (*Client, error) {
	c := &Client{
		o: o.withDefaults(), turn: make(chan struct{}, 1),
		handlers: map[string][]*handler{}, receivers: map[string]*receiver{}, rooms: map[string]*room{},
	}
	if err := checkChannels(c.o.Channels); err != nil {
		return nil, err
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
	if err := c.connect(server); err != nil {
		return nil, err
	}
	if c.http.CheckRedirect == nil { // the source has its own way with them
		c.http.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	}
	return c, nil
}

// connect makes the face of a server and the source of its streams.
func (c *Client) connect(server string) (err error) {
	if c.server, err = url.Parse(server); err != nil {
		_, err = eventsource.New(server, nil) // which says it without a password
		return err
	}
	if c.server.Path == "" {
		c.server.Path = "/" // else what is joined to it has no slash in front
	}
	if c.face, err = newFace(&c.o, c.server); err != nil {
		return err
	}
	if c.o.IdleTimeout == 0 {
		c.o.IdleTimeout = c.face.idle()
	}
	c.source, err = eventsource.New(server, &eventsource.Options{
		Client: c.http, Header: c.o.Header, Prepare: c.prepare,
		LastEventID: c.o.LastEventID, IdleTimeout: c.o.IdleTimeout,
		Change: c.changed,
	})
	return err
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
	r := &run{Client: c}
	var cancel context.CancelFunc
	r.ctx, cancel = context.WithCancel(ctx)
	defer r.aside.Wait()
	defer cancel()
	for e, err := range c.source.Events(ctx) {
		if err != nil {
			return refusal(err)
		}
		if err := r.take(e); err != nil {
			return err
		}
	}
	c.sayGoodbye(ctx)
	return nil
}

// Close ends Run, which does nothing any more, but tells the server that this client has gone, so
// that the others know at once rather than when the linger is over. It doesn't wait. Twice is
// harmless. Run's context has to last until then; to pause, end that instead.
func (c *Client) Close() {
	c.mu.Lock()
	if c.leaving == "" {
		c.leaving = c.id
	}
	c.mu.Unlock()
	c.source.Close()
}

// goodbyeTimeout bounds what Close has Run do.
const goodbyeTimeout = 2 * time.Second

// sayGoodbye ends the subscription that was open when Close was called. Where that fails, the linger ends
// it.
func (c *Client) sayGoodbye(ctx context.Context) {
	c.mu.Lock()
	id := c.leaving
	c.leaving = ""
	c.mu.Unlock()
	if id == "" {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, goodbyeTimeout)
	defer cancel()
	c.do(ctx, c.face.end(id)) // nobody is left to hear of an error
}

// Restart connects anew at once, without losing the place: with another token, on another network.
func (c *Client) Restart() { c.source.Restart() }

// State is that of the connection.
func (c *Client) State() eventsource.State { return c.source.State() }

// LastEventID is the position of the newest message, to go on after in another process.
func (c *Client) LastEventID() string { return c.source.LastEventID() }

// prepare completes the request for a stream.
func (c *Client) prepare(r *http.Request, after error) error {
	c.mu.Lock()
	asked := slices.Clone(c.want)
	c.asked = asked
	c.mu.Unlock()
	r.URL = c.face.stream(asked)
	refused, ok := errors.AsType[*eventsource.ResponseError](after)
	return c.authorize(r, ok && refused.Status == http.StatusUnauthorized)
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
		if c.still != nil {
			c.still()
			c.still = nil
		}
		c.mu.Lock()
		c.id = ""
		c.mu.Unlock()
	}
	if c.o.Change != nil {
		c.o.Change(change)
	}
}

func (c *Client) trouble(err error) {
	if c.o.Error != nil {
		c.o.Error(err)
	}
}
