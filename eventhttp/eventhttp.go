package eventhttp

import (
	"log/slog"
	"net/http"
	"slices"
	"strings"

	"github.com/stentor-sse/stentor"
	"github.com/stentor-sse/stentor/internal/origin"
	"github.com/stentor-sse/stentor/internal/problem"
	"github.com/stentor-sse/stentor/sse"
)

// Options configures [New]. The zero value serves anonymous subscribers and
// refuses to publish or to list presence over HTTP.
//
// Its functions are called from many goroutines. What they return is answered as a
// problem document: a [*stentor.Refusal] with its status and detail, an error
// that wraps [stentor.ErrInvalid] with 400, any other with a 500 that says nothing
// of it.
type Options struct {
	// Subscribe is asked before a stream opens and before a live subscription
	// is changed or ended; o holds what the request asks for, with the browser's cookie as
	// its Session (see Cookie). It fills in the identity (User, Key, Meta, …), replays with
	// o.Replay from a store of its own if there is one, and may trim the channels or refuse
	// with a [*stentor.Refusal]; [stentor.ErrFull] turns a stream away softly, as an
	// overloaded hub does. It doesn't set the Dialect. Nil: everyone may subscribe to
	// everything, anonymously.
	Subscribe func(r *http.Request, o *stentor.SubscribeOptions) error
	// Prepare is asked when s is registered and its header is about to go out, to
	// add to it. It may refuse as Subscribe does, and then s has ended; but who held the
	// key of s has been replaced by then, so refuse in Subscribe what can be. Nil: nothing is
	// added.
	Prepare func(h http.Header, r *http.Request, s *stentor.Subscription) error
	// Publish is asked before a message is published, once for each line of a
	// batch, and may change it. Nil: nobody may.
	Publish func(r *http.Request, m *stentor.Message) error
	// Presence is asked before the members of channels are listed. Nil: nobody may.
	Presence func(r *http.Request, channels []stentor.Channel) error
	// Address is where a request comes from, for hooks and logs. Nil: the host that
	// the connection is from, which behind a proxy is the proxy's.
	Address func(r *http.Request) string
	// Cookie is the name of the cookie that browsers are known by when they come back: its
	// value, 26 random letters and digits, is the Session of their subscriptions. It is
	// HttpOnly, SameSite=Lax, Secure over TLS, and ends with the browser's run. Requests
	// of other sites' pages get none, because a browser would not keep it. Empty means
	// "stentor"; "-" sets none, nor does what is no cookie's name, which is logged as an
	// error. A Subscribe function makes it the identity of one
	// receiver with o.Key = o.Session.
	Cookie string
	// PublicURL is where the face is reached, like "https://app.example", behind
	// a proxy that ends TLS: an https one makes the cookie Secure.
	PublicURL string
	// RequireAccept answers a stream request that has no Accept header with 406,
	// as one whose Accept header doesn't admit text/event-stream always is.
	RequireAccept bool
	// KeepAlive is what the hub's keepalives look like; when they come is set by
	// its Options.KeepAlive and KeepAliveAlways. The zero Event is an empty comment, which
	// readers skip; one with a Type or Data arrives as an event. One that can't
	// be written, or has an ID or a Retry, is left out, which is logged as an error: an
	// empty comment comes in its place.
	KeepAlive sse.Event
	// AllowOrigins are the origins that pages of other sites may call from,
	// like "https://app.example"; "*" is everyone, without credentials. An
	// entry that is not an origin allows nobody.
	AllowOrigins []string
	// Stream configures the responses. With a Compress of &sse.Compressor{} what goes to
	// many is compressed once, for readers that accept gzip. KeepAlive and Retry are the hub's and the
	// face's; IdleTimeout is not used, because it counts what handlers send.
	Stream sse.AcceptOptions
	// MaxBody bounds the body of a request in bytes. Zero means 1 MiB; negative
	// means no bound.
	MaxBody int64
	// Logger gets refusals at debug and failures at error. Nil: none.
	Logger *slog.Logger
}

func (o *Options) withDefaults() Options {
	var c Options
	if o != nil {
		c = *o
	}
	if c.Address == nil {
		c.Address = address
	}
	switch c.Cookie {
	case "":
		c.Cookie = "stentor"
	case "-":
		c.Cookie = ""
	}
	c.AllowOrigins = slices.Clone(c.AllowOrigins)
	c.Stream = streamOptions(c.Stream)
	c.Stream.IdleTimeout = 0
	if c.MaxBody == 0 {
		c.MaxBody = 1 << 20
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	return c
}

// streamOptions leaves the keepalive to the hub and the retry to the open notice.
func streamOptions(o sse.AcceptOptions) sse.AcceptOptions {
	o.Header = o.Header.Clone()
	o.KeepAlive, o.Retry = sse.KeepAlive{Interval: -1}, 0
	return o
}

// Face is the plain face of a hub: an http.Handler. It holds nothing of its own:
// it needs no closing, and hub.Shutdown ends its streams. It is safe for any
// goroutine.
type Face struct {
	hub      *stentor.Hub
	o        Options
	dialect  stentor.Dialect
	named    stentor.Dialect             // the same with channels
	newcomer *stentor.Property[struct{}] // see greet
	routes   []route
	mux      *http.ServeMux
}

const (
	eventsPath        = "/events"
	subscriptionsPath = "/subscriptions/"
)

// route is one path with everything around it.
type route struct {
	path    string
	handler http.Handler
}

// New makes the plain face of hub.
func New(hub *stentor.Hub, o *Options) *Face {
	f := &Face{
		hub: hub, o: o.withDefaults(), mux: http.NewServeMux(),
		newcomer: stentor.NewProperty[struct{}]("its session was made up for it"),
	}
	d, err := newDialect(f.o.KeepAlive)
	if err != nil {
		f.o.Logger.Error("keepalive left out", "err", err)
	}
	f.dialect = d
	d.named = true
	f.named = d
	if c := (http.Cookie{Name: f.o.Cookie}); c.Name != "" && c.Valid() != nil {
		f.o.Logger.Error("cookie left out", "name", c.Name, "err", c.Valid())
		f.o.Cookie = ""
	}
	policy := origin.New(f.o.AllowOrigins, problem.Write)
	add := func(path string, m methods) {
		h := policy.Handler(m, m.names()...)
		f.routes = append(f.routes, route{path, h})
		f.mux.Handle(path, h)
	}
	add(eventsPath, methods{http.MethodGet: f.events})
	add("/publish", methods{http.MethodPost: f.publish})
	add(subscriptionsPath+"{id}", methods{http.MethodPost: f.change, http.MethodDelete: f.end})
	add("/presence", methods{http.MethodGet: f.presence})
	add("/healthz", methods{http.MethodGet: f.healthz})
	add("/readyz", methods{http.MethodGet: f.readyz})
	f.mux.Handle("/", policy.Handler(http.HandlerFunc(notFound)))
	return f
}

// Register adds the face's routes to mux:
// GET /events, POST /publish, POST and DELETE /subscriptions/{id},
// GET /presence, GET /healthz, GET /readyz, and OPTIONS for each. It takes the
// other common methods on these paths too, to answer them with a 405 problem;
// always with the method in the pattern, so that it can stand beside a "GET /".
func (f *Face) Register(mux *http.ServeMux) {
	for _, r := range f.routes {
		for _, method := range []string{
			http.MethodGet, http.MethodPost, http.MethodPut,
			http.MethodPatch, http.MethodDelete, http.MethodOptions,
		} {
			mux.Handle(method+" "+r.path, r.handler)
		}
	}
}

// Events serves what GET /events is, for a path of the program's own, whose
// wildcards the functions of the options see:
//
//	mux.Handle("/updates/{app}", face.Events())
func (f *Face) Events() http.Handler { return f.routes[0].handler }

// ServeHTTP serves the same routes, and answers every other path with a 404
// problem. It can be mounted with [http.StripPrefix].
func (f *Face) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	// The mux finds the handler and no more: its own ServeHTTP would hide the
	// wildcards of the pattern that led here.
	h, _ := f.mux.Handler(r)
	h.ServeHTTP(w, r)
}

func notFound(w http.ResponseWriter, _ *http.Request) {
	problem.Write(w, http.StatusNotFound,
		"there is nothing here; the paths are /events, /publish, /subscriptions/{id}, /presence, /healthz and /readyz")
}

// methods serves one path by method; GET covers HEAD.
type methods map[string]http.HandlerFunc

func (m methods) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	method := r.Method
	if method == http.MethodHead {
		method = http.MethodGet
	}
	serve, ok := m[method]
	if !ok {
		allowed := strings.Join(m.names(), ", ") + ", " + http.MethodOptions
		w.Header().Set("Allow", allowed)
		problem.Write(w, http.StatusMethodNotAllowed, "use one of "+allowed)
		return
	}
	serve(w, r)
}

// names are the methods for Allow, in a fixed order.
func (m methods) names() []string {
	var names []string
	for _, name := range []string{http.MethodGet, http.MethodPost, http.MethodDelete} {
		if m[name] == nil {
			continue
		}
		names = append(names, name)
		if name == http.MethodGet {
			names = append(names, http.MethodHead)
		}
	}
	return names
}

// refuse answers with the problem that err is and logs it once: what the caller
// can mend at debug, what only the operator can at error. The query stays out of the
// log: it may hold what is nobody's business.
func (f *Face) refuse(w http.ResponseWriter, r *http.Request, err error) {
	d := problem.Of(err)
	level := slog.LevelDebug
	if d.Status == http.StatusInternalServerError && r.Context().Err() == nil {
		level = slog.LevelError
	}
	f.o.Logger.Log(r.Context(), level, "request refused",
		"method", r.Method, "path", clip(r.URL.Path), "status", d.Status, "err", clip(err.Error()))
	problem.Error(w, err)
}

// clip bounds what a caller can make a log line hold.
func clip(s string) string { return s[:min(len(s), 256)] }
