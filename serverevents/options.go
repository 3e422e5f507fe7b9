package serverevents

import (
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/stentor-sse/stentor"
)

// off as a path switches an endpoint off.
const off = "-"

// Options configures [New]. The zero value has ServiceStack's defaults.
type Options struct {
	// Paths; "" is ServiceStack's default, "-" switches the endpoint off.
	// Clients are told no URL of an endpoint that is off; without a
	// HeartbeatPath they send no heartbeats, and nothing expires.
	StreamPath            string // /event-stream
	HeartbeatPath         string // /event-heartbeat
	UnRegisterPath        string // /event-unregister
	SubscribersPath       string // /event-subscribers
	UpdateSubscribersPath string // /event-subscribers/{id}; without {id} it takes the id as a parameter
	// HeartbeatInterval is told to clients, in whole milliseconds. Zero or
	// less means 10 s.
	HeartbeatInterval time.Duration
	// IdleTimeout ends a subscription that stopped its heartbeats; one that never
	// sent any is not ended. Zero means 30 s; negative means never (clients that
	// watch the answers to their heartbeats are then told three intervals).
	IdleTimeout time.Duration
	// LimitToAuthenticatedUsers answers stream requests and subscriber lists
	// with 401 unless Subscribe sets Authenticated.
	LimitToAuthenticatedUsers bool
	// OmitPresence sends no onJoin, onLeave and onUpdate.
	OmitPresence bool
	// Subscribe fills in who the request is from (User, UserName, DisplayName,
	// Authenticated, Meta, …), may trim the channels, and may refuse with a
	// [*stentor.Refusal]; [stentor.ErrFull] and errors of the application close
	// the connection of a stream request unanswered, and the client comes back.
	// o.Session is what the cookies say, and may be replaced. The dialect,
	// presence and cursor are the face's.
	//
	// It is also asked before channels are joined live, with these alone in
	// o.Channels, and before the members of channels are listed: whoever may not
	// subscribe to a channel does not see who is there. Nil: everyone is
	// anonymous and may subscribe to everything. It is called from many goroutines.
	Subscribe func(r *http.Request, o *stentor.SubscribeOptions) error
	// PublicURL is the base of the URLs told to clients, with the path under
	// which the face is mounted, if any: "https://app.example/live". Empty: the
	// scheme and host of each request. Behind a proxy that ends TLS it must be
	// set, for forwarded headers are not believed.
	PublicURL string
	// AllowOrigins are the origins that pages of other sites may call from, with
	// credentials: "https://app.example". "*" is everyone without credentials, which
	// ServiceStack's own clients do not get along with.
	AllowOrigins []string
	// Logger gets refusals at debug and failures at error. Nil: none.
	Logger *slog.Logger
}

func (o *Options) withDefaults() Options {
	var c Options
	if o != nil {
		c = *o
	}
	c.StreamPath = path(c.StreamPath, "/event-stream")
	c.HeartbeatPath = path(c.HeartbeatPath, "/event-heartbeat")
	c.UnRegisterPath = path(c.UnRegisterPath, "/event-unregister")
	c.SubscribersPath = path(c.SubscribersPath, "/event-subscribers")
	c.UpdateSubscribersPath = path(c.UpdateSubscribersPath, "/event-subscribers/{id}")
	// ServiceStack spells it so.
	c.UpdateSubscribersPath = strings.Replace(c.UpdateSubscribersPath, "{Id}", idPart, 1)
	if c.HeartbeatInterval <= 0 {
		c.HeartbeatInterval = 10 * time.Second
	}
	c.HeartbeatInterval = max(c.HeartbeatInterval, time.Millisecond) // 0 ms would be a storm
	if c.IdleTimeout == 0 {
		c.IdleTimeout = 30 * time.Second
	}
	c.PublicURL = strings.TrimRight(c.PublicURL, "/")
	c.AllowOrigins = slices.Clone(c.AllowOrigins)
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	return c
}

// path is p, or the default, from the root.
func path(p, def string) string {
	switch {
	case p == "":
		return def
	case p == off || p[0] == '/':
		return p
	}
	return "/" + p
}

// told is the idle timeout as clients hear of it.
func (o *Options) told() time.Duration {
	if o.IdleTimeout < 0 {
		return 3 * o.HeartbeatInterval
	}
	return o.IdleTimeout
}
