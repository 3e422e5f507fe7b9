package client

import (
	"context"
	"net/http"
	"time"

	"github.com/stentor-sse/stentor/eventsource"
	"github.com/stentor-sse/stentor/sse"
)

// Options configures [New]. The zero value is ready to use, once there is a channel.
type Options struct {
	// Face is the protocol. Zero is the plain face.
	Face Face
	// StreamPath is where the stream is, under the server's address. Empty means "events", and
	// "event-stream" on the ServiceStack face.
	StreamPath string

	// Channels are those to begin with; Join and Leave change them.
	Channels []string
	// User, Session and Key say who this is, on a server without keys that believes it. Else the token does, or
	// the cookies.
	User    string
	Session string
	Key     string
	// Token gives the bearer token of each request; ctx ends with it. Where renew is set, the
	// server has refused the last one, and one that was kept is no good any more. It is called on the
	// goroutine of what needs one. Nil: none.
	Token func(ctx context.Context, renew bool) (string, error)
	// Header is sent with each request.
	Header http.Header
	// HTTP sends the requests. Nil means a client of one's own, whose connections end when
	// Run does. One without a Jar is given one: the server knows a browser by its cookie.
	HTTP *http.Client

	// LastEventID is the position to go on after; "0" begins with the oldest message that is
	// kept. Empty begins with what is new.
	LastEventID string
	// Presence asks for joins and leaves, and keeps lists for Members.
	Presence bool
	// MaxMembers bounds the list of one channel; who joins beyond it is not in it. Zero means
	// 10,000.
	MaxMembers int
	// IdleTimeout is how long a stream may be silent before the connection is taken for dead.
	// Zero means 45 s, which is three keepalives, and 5 min on the ServiceStack face: there a stream is given up
	// when nothing came for the lease that the server told, 30 s mostly. Negative means no limit.
	IdleTimeout time.Duration
	// CallTimeout bounds one request that is no stream. Zero means 10 s; negative means no limit.
	CallTimeout time.Duration

	// Change is told when the connection changes, as [eventsource.Options.Change] is.
	Change func(c eventsource.Change)
	// Event is called with every event before its handlers, also with those that have none: messages, and the
	// server's own as On has them.
	Event func(e sse.Event)
	// Error is told about what went wrong beside the stream: data that a handler's type doesn't
	// take, a list of members that could not be had, a heartbeat without an answer. It is called on whatever
	// goroutine that happened, one call beside another perhaps.
	Error func(err error)
}

func (o *Options) withDefaults() Options {
	var c Options
	if o != nil {
		c = *o
	}
	if c.MaxMembers <= 0 {
		c.MaxMembers = 10_000
	}
	if c.CallTimeout == 0 {
		c.CallTimeout = 10 * time.Second
	}
	c.Header = c.Header.Clone()
	return c
}
