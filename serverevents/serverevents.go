package serverevents

import (
	"net/http"

	"github.com/stentor-sse/stentor"
	"github.com/stentor-sse/stentor/internal/dto"
	"github.com/stentor-sse/stentor/internal/origin"
)

// Face is the ServiceStack face of a hub: an http.Handler. It holds nothing of its
// own but counters: it needs no closing, and hub.Shutdown ends its streams. It is safe
// for any goroutine.
type Face struct {
	hub    *stentor.Hub
	o      Options
	routes []route
	mux    *http.ServeMux
	count  counters
}

// route is one path with everything around it.
type route struct {
	path    string
	handler http.Handler
}

// New makes the ServiceStack face of hub.
func New(hub *stentor.Hub, o *Options) *Face {
	f := &Face{hub: hub, o: o.withDefaults(), mux: http.NewServeMux()}
	policy := origin.New(f.o.AllowOrigins, dto.Error)
	add := func(path string, h http.HandlerFunc, aliases ...string) {
		if path == off {
			return
		}
		guarded := policy.Handler(h, verbs()...)
		for _, p := range append(aliases, path) {
			f.routes = append(f.routes, route{p, guarded})
			f.mux.Handle(p, guarded)
		}
	}
	add(f.o.StreamPath, f.stream)
	add(f.o.HeartbeatPath, acting(f.heartbeat))
	add(f.o.UnRegisterPath, acting(f.unregister), aliases("UnRegisterEventSubscriber")...)
	add(f.o.SubscribersPath, f.subscribers, aliases("GetEventSubscribers")...)
	add(f.o.UpdateSubscribersPath, acting(f.update), aliases("UpdateEventSubscriber")...)
	f.mux.Handle("/", policy.Handler(http.HandlerFunc(notFound)))
	return f
}

// aliases are what the clients for TypeScript, C# and Java call a service by, whatever
// its path.
func aliases(name string) []string { return []string{"/api/" + name, "/json/reply/" + name} }

// Register adds the face's routes to mux: its paths, and /api/ and /json/reply/
// followed by UpdateEventSubscriber, GetEventSubscribers and
// UnRegisterEventSubscriber. Each is registered for the common methods by
// name, so that it can stand beside a "GET /".
func (f *Face) Register(mux *http.ServeMux) {
	for _, r := range f.routes {
		for _, method := range append(verbs(), http.MethodOptions) {
			if method == http.MethodHead {
				continue // GET covers it
			}
			mux.Handle(method+" "+r.path, r.handler)
		}
	}
}

// ServeHTTP serves the same routes, and answers every other path with a 404.
func (f *Face) ServeHTTP(w http.ResponseWriter, r *http.Request) { f.mux.ServeHTTP(w, r) }

// verbs are the methods that every endpoint takes: the clients of one protocol
// do not agree on them.
func verbs() []string {
	return []string{
		http.MethodGet, http.MethodHead, http.MethodPost,
		http.MethodPut, http.MethodPatch, http.MethodDelete,
	}
}

// acting is for endpoints that change something: GET does, because a client for
// Java sends it, but HEAD does not.
func acting(next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodHead {
			w.Header().Set("Allow", "GET, POST, PUT, PATCH, DELETE, OPTIONS")
			dto.Error(w, http.StatusMethodNotAllowed, "use POST")
			return
		}
		next(w, r)
	}
}

func notFound(w http.ResponseWriter, _ *http.Request) {
	dto.Error(w, http.StatusNotFound, "there is nothing here; the stream is at /event-stream unless it was moved")
}
