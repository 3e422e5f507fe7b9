package chat

import (
	"log/slog"
	"net/http"

	"github.com/stentor-sse/stentor"
)

// Options configures [New].
type Options struct {
	// Channels that the page opens when its address names none. Nil means "home".
	Channels []string
	// History is how many messages are kept per channel. Zero means 500.
	History int
	// Logger gets failures at error. Nil: none.
	Logger *slog.Logger
}

// Chat is the Chat application over a hub: an http.Handler for the page and its
// services. The page needs the ServiceStack face of the same hub at its default
// paths on the same origin.
type Chat struct{}

// New makes the application.
func New(hub *stentor.Hub, o *Options) *Chat { panic("skeleton") }

// Register adds the page and the services to mux.
func (c *Chat) Register(mux *http.ServeMux) { panic("skeleton") }

// ServeHTTP serves the same routes.
func (c *Chat) ServeHTTP(w http.ResponseWriter, r *http.Request) { panic("skeleton") }
