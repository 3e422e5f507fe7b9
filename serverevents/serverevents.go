package serverevents

import (
	"log/slog"
	"net/http"
	"time"

	"github.com/stentor-sse/stentor"
)

// Options configures [New]. The zero value has ServiceStack's defaults.
type Options struct {
	// Paths; "" is ServiceStack's default, "-" switches the endpoint off.
	StreamPath            string // /event-stream
	HeartbeatPath         string // /event-heartbeat
	UnRegisterPath        string // /event-unregister
	SubscribersPath       string // /event-subscribers
	UpdateSubscribersPath string // /event-subscribers/{id}
	// HeartbeatInterval is told to clients. Zero means 10 s.
	HeartbeatInterval time.Duration
	// IdleTimeout ends a subscription that stopped its heartbeats. Zero means 30 s.
	IdleTimeout time.Duration
	// LimitToAuthenticatedUsers answers anonymous stream requests with 401.
	LimitToAuthenticatedUsers bool
	// OmitPresence sends no onJoin, onLeave and onUpdate.
	OmitPresence bool
	// Subscribe fills in who the request is from and may refuse with a
	// [*stentor.Refusal]. Nil: everyone is anonymous.
	Subscribe func(r *http.Request, o *stentor.SubscribeOptions) error
	// PublicURL is the base of the URLs told to clients. Empty: the scheme and
	// host of each request.
	PublicURL string
	// AllowOrigins are the origins that pages of other sites may call from, with
	// credentials.
	AllowOrigins []string
	// Logger gets refusals at debug and failures at error. Nil: none.
	Logger *slog.Logger
}

// Face is the ServiceStack face of a hub: an http.Handler.
type Face struct{}

// New makes the ServiceStack face of hub.
func New(hub *stentor.Hub, o *Options) *Face { panic("skeleton") }

// Register adds the face's routes to mux: its paths, and /api/ and /json/reply/
// followed by UpdateEventSubscriber, GetEventSubscribers and
// UnRegisterEventSubscriber.
func (f *Face) Register(mux *http.ServeMux) { panic("skeleton") }

// ServeHTTP serves the same routes.
func (f *Face) ServeHTTP(w http.ResponseWriter, r *http.Request) { panic("skeleton") }

// Selector is the selector of a message type: "cmd.t" for t without a dot, the
// type itself with one, "cmd.message" for none.
func Selector(typ string) string { panic("skeleton") }

// Type is the message type of a selector, the reverse of Selector.
func Type(selector string) (string, error) { panic("skeleton") }
