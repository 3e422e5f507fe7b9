package eventhttp

import (
	"log/slog"
	"net/http"

	"github.com/stentor-sse/stentor"
	"github.com/stentor-sse/stentor/sse"
)

// Options configures [New] and [Accept]. The zero value serves anonymous
// subscribers and refuses to publish or to list presence over HTTP.
type Options struct {
	// Subscribe is asked before a stream opens and before a live subscription
	// is changed; o holds what the request asks for. It fills in the identity
	// (User, Session, Key, Meta, …) and may trim the channels or refuse with a
	// [*stentor.Refusal]. Nil: everyone may subscribe to everything, anonymously.
	Subscribe func(r *http.Request, o *stentor.SubscribeOptions) error
	// Publish is asked before a message is published. Nil: nobody may.
	Publish func(r *http.Request, m *stentor.Message) error
	// Presence is asked before the members of channels are listed. Nil: nobody may.
	Presence func(r *http.Request, channels []stentor.Channel) error
	// AllowOrigins are the origins that pages of other sites may call from,
	// like "https://app.example"; "*" is everyone, without credentials.
	AllowOrigins []string
	// Stream configures the responses; KeepAlive and Retry are the hub's and the face's.
	Stream sse.AcceptOptions
	// MaxBody bounds the body of a publish request. Zero means 1 MiB.
	MaxBody int64
	// Logger gets refusals at debug and failures at error. Nil: none.
	Logger *slog.Logger
}

// Face is the plain face of a hub: an http.Handler.
type Face struct{}

// New makes the plain face of hub.
func New(hub *stentor.Hub, o *Options) *Face { panic("skeleton") }

// Register adds the face's routes to mux:
// GET /events, POST /publish, POST and DELETE /subscriptions/{id},
// GET /presence, GET /healthz, GET /readyz, and OPTIONS for each.
func (f *Face) Register(mux *http.ServeMux) { panic("skeleton") }

// ServeHTTP serves the same routes.
func (f *Face) ServeHTTP(w http.ResponseWriter, r *http.Request) { panic("skeleton") }

// QuerySubscribe is a Subscribe function for development: it believes the query
// parameters user, session and key.
func QuerySubscribe(r *http.Request, o *stentor.SubscribeOptions) error { panic("skeleton") }
