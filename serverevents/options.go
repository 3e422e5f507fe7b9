package serverevents

import (
	"log/slog"
	"net"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/stentor-sse/stentor"
	"github.com/stentor-sse/stentor/sse"
)

// off as a path switches an endpoint off.
const off = "-"

// Options configures [New]. The zero value has ServiceStack's defaults.
type Options struct {
	// Paths; "" is ServiceStack's default, "-" switches the endpoint off, and what it is
	// called by under /api/ and /json/reply/ with it. Clients are told no URL of an
	// endpoint that is off; without a HeartbeatPath they send no heartbeats, and nothing
	// expires.
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
	// LimitSubscribersToMembers lists only the subscribers of channels that the caller is on:
	// with the session of its cookies, or as the user that Subscribe says it is, when
	// that is Authenticated. Of other channels, the list is empty. Clients without
	// cookies and users get none.
	LimitSubscribersToMembers bool
	// ValidateUserAddress answers heartbeats, unregistering and updates with 403 when they
	// come from another address than the stream. ServiceStack does so unless it is
	// told not to; here it is off, because a phone that changes networks and a proxy
	// with several ways out would lose their streams, and the id that
	// they show is a secret of 130 bits.
	ValidateUserAddress bool
	// OmitPresence sends no onJoin, onLeave and onUpdate.
	OmitPresence bool
	// Subscribe fills in who the request is from (User, UserName, DisplayName,
	// Authenticated, Meta, …), may trim the channels, and may refuse with a
	// [*stentor.Refusal]; [stentor.ErrFull] and errors of the application close
	// the connection of a stream request unanswered, and the client comes back.
	// o.Session is what the cookies say, and may be replaced. The dialect,
	// presence, cursor and address are the face's. A key that is dismissed is answered
	// with 204, one that [stentor.KeyRefuse] finds held with 409.
	//
	// It is also asked before channels are joined live, with these alone in
	// o.Channels, and before the members of channels are listed: whoever may not
	// subscribe to a channel does not see who is there. Nil: everyone is
	// anonymous and may subscribe to everything. It is called from many goroutines.
	Subscribe func(r *http.Request, o *stentor.SubscribeOptions) error
	// Prepare looks at a subscription that is registered and has not begun: its names and
	// ids are known, and s.Private holds all that onConnect will tell its client, URLs
	// and intervals included. It may add headers to the answer, set public and private
	// values, and refuse as Subscribe does; then the subscription ends, as if it had
	// never been, but for the key or place that it took. Nil does nothing. It is
	// called from many goroutines.
	Prepare func(h http.Header, r *http.Request, s *stentor.Subscription) error
	// Heartbeat is asked before the subscription of a heartbeat is looked up. An error
	// is the answer: a [*stentor.Refusal] as it says, any other a 500. A client
	// takes either for a reason to connect again. Nil takes all. It is called from many
	// goroutines.
	Heartbeat func(r *http.Request) error
	// Address says where a request comes from: behind a proxy, what that proxy wrote
	// into a header which it takes from nobody else. Nil is the host of
	// RemoteAddr; forwarded headers are not believed.
	Address func(r *http.Request) string
	// PublicURL is the base of the URLs told to clients, with the path under
	// which the face is mounted, if any: "https://app.example/live". Empty: the
	// scheme and host of each request. Behind a proxy that ends TLS it must be
	// set, for forwarded headers are not believed.
	PublicURL string
	// AllowOrigins are the origins that pages of other sites may call from, with
	// credentials: "https://app.example". "*" is everyone without credentials, which
	// ServiceStack's own clients do not get along with.
	AllowOrigins []string
	// Compress compresses streams with gzip for clients that accept it. Nil doesn't, as
	// ServiceStack's own server never does. The same one may serve other faces of the hub.
	Compress *sse.Compressor
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
	if c.Address == nil {
		c.Address = remoteHost
	}
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

// remoteHost is where the request comes from, without its port.
func remoteHost(r *http.Request) string {
	if host, _, err := net.SplitHostPort(r.RemoteAddr); err == nil {
		return host
	}
	return r.RemoteAddr
}

// told is the idle timeout as clients hear of it.
func (o *Options) told() time.Duration {
	if o.IdleTimeout < 0 {
		return 3 * o.HeartbeatInterval
	}
	return o.IdleTimeout
}
