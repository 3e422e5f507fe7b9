package chat

import (
	"log/slog"
	"net/http"
	"slices"

	"github.com/stentor-sse/stentor"
	"github.com/stentor-sse/stentor/internal/dto"
	"github.com/stentor-sse/stentor/internal/origin"
)

// Options configures [New]. The zero value is ready to use.
type Options struct {
	// Channels that the page opens when its address names none. Nil means "home".
	Channels []string
	// History is how many messages are kept per channel, and the most that one
	// request gets of it. Zero means 500; negative means none.
	History int
	// AllowReset lets anyone reset the hub by POST, which ends everybody's
	// subscription, as ServiceStack's Chat does. It is for tests and demonstrations.
	AllowReset bool
	// SignIn are the ways to sign in, in the order in which the page offers them. Nil: everyone is
	// anonymous, unless the application knows better (its own Subscribe hook of the faces). Those who
	// have signed in are known to the hub through [Chat.Subscribe].
	SignIn []Provider
	// LimitRemoteControl takes selectors other than cmd.chat from signed-in users alone.
	LimitRemoteControl bool
	// PublicURL is where the server is reached, when a proxy is in front. With https the
	// session's cookie is kept from plain HTTP. Empty: as requests come.
	PublicURL string
	// AllowOrigins are the origins whose pages may call the services, besides the
	// page's own: "https://app.example".
	AllowOrigins []string
	// Logger gets refusals at debug and failures at error. Nil: none.
	Logger *slog.Logger
}

func (o *Options) withDefaults() Options {
	var c Options
	if o != nil {
		c = *o
	}
	c.Channels = slices.Clone(c.Channels)
	if len(c.Channels) == 0 {
		c.Channels = []string{"home"}
	}
	if c.History == 0 {
		c.History = 500
	}
	c.History = max(c.History, 0)
	c.SignIn = slices.Clone(c.SignIn)
	c.AllowOrigins = slices.Clone(c.AllowOrigins)
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	return c
}

// Chat is the Chat application over a hub: an http.Handler for the page and its
// services. The page needs the plain face of the same hub at its default paths on the
// same origin, with [Chat.Subscribe], [Chat.Prepare] and [Chat.Presence]. It starts nothing and needs no
// closing; it is safe for any goroutine.
type Chat struct {
	hub      *stentor.Hub
	o        Options
	history  *history
	sessions sessions
	policy   *origin.Policy
	routes   []route
	mux      *http.ServeMux
}

// route is a pattern of http.ServeMux with what answers it.
type route struct {
	pattern string
	handler http.Handler
}

// New makes the application.
func New(hub *stentor.Hub, o *Options) *Chat {
	c := &Chat{hub: hub, o: o.withDefaults(), mux: http.NewServeMux()}
	c.history = newHistory(c.o.History)
	c.policy = origin.New(c.o.AllowOrigins, dto.Error)
	c.pages()
	c.services()
	c.signIn()
	c.Register(c.mux)
	c.mux.HandleFunc("/", notFound)
	return c
}

// Register adds the page and the services to mux: "/" alone, what is under
// /chat/, /channels/{channel}/ followed by chat, raw or object, /chathistory,
// /reset, /reset-serverevents, /account, /auth/logout, /auth/{provider} and what is below it,
// and under both /api/ and /json/reply/ PostChatToChannel, PostRawToChannel, PostObjectToChannel,
// GetChatHistory, ClearChatHistory, ResetServerEvents and GetUserDetails.
func (c *Chat) Register(mux *http.ServeMux) {
	for _, r := range c.routes {
		mux.Handle(r.pattern, r.handler)
	}
}

// ServeHTTP serves the same routes, and answers every other path with a 404.
func (c *Chat) ServeHTTP(w http.ResponseWriter, r *http.Request) { c.mux.ServeHTTP(w, r) }

// services adds the routes of the services. What changes something takes POST
// alone: a page elsewhere can have a browser send a GET, a link is enough.
func (c *Chat) services() {
	add := func(h service, methods []string, paths ...string) { c.add(c.answering(h), methods, paths...) }
	post := []string{http.MethodPost}
	read := []string{http.MethodGet, http.MethodPost}
	const room = "/channels/{channel}/"
	add(c.postChat, post, room+"chat", "/api/PostChatToChannel", "/json/reply/PostChatToChannel")
	add(c.postRaw, post, room+"raw", "/api/PostRawToChannel", "/json/reply/PostRawToChannel")
	add(c.postObject, post, room+"object", "/api/PostObjectToChannel", "/json/reply/PostObjectToChannel")
	add(c.readHistory, read, "/chathistory", "/api/GetChatHistory", "/json/reply/GetChatHistory")
	add(c.clearHistory, post, "/reset", "/api/ClearChatHistory", "/json/reply/ClearChatHistory")
	add(c.account, read, "/account", "/api/GetUserDetails", "/json/reply/GetUserDetails")
	add(c.resetHub, post, "/reset-serverevents", "/api/ResetServerEvents", "/json/reply/ResetServerEvents")
}

// add routes h at paths, for methods and OPTIONS, guarded against pages of other origins.
func (c *Chat) add(h http.Handler, methods []string, paths ...string) {
	guarded := c.policy.Handler(h, methods...)
	for _, path := range paths {
		for _, method := range append(methods[:len(methods):len(methods)], http.MethodOptions) {
			c.routes = append(c.routes, route{method + " " + path, guarded})
		}
	}
}

func notFound(w http.ResponseWriter, _ *http.Request) {
	dto.Error(w, http.StatusNotFound, "there is nothing here; the chat is at /")
}
