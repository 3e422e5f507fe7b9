package e2e_test

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stentor-sse/stentor"
	"github.com/stentor-sse/stentor/chat"
	"github.com/stentor-sse/stentor/eventhttp"
	"github.com/stentor-sse/stentor/serverevents"
)

// faces says how a server in the test's own process differs from the demo.
type faces struct {
	heartbeat    time.Duration
	keepAlive    time.Duration
	linger       time.Duration
	subscribe    func(*http.Request, *stentor.SubscribeOptions) error // who visitors are
	signedIn     bool                                                 // only those who have signed in
	omitPresence bool
	origins      []string          // of other sites, whose pages may call
	files        map[string]string // served besides: path to file
}

// site is a server in the test's own process.
type site struct {
	URL string
	hub *stentor.Hub
}

// Address is where it listens.
func (s *site) Address() string { return strings.TrimPrefix(s.URL, "http://") }

// here is serve for those who need no more than the URL.
func here(t *testing.T, f *faces) string {
	t.Helper()
	return serve(t, f).URL
}

// serve serves both faces and the Chat application on one origin.
func serve(t *testing.T, f *faces) *site {
	t.Helper()
	return serveHub(t, &stentor.Options{KeepAlive: f.keepAlive, Linger: f.linger}, func(hub *stentor.Hub, mux *http.ServeMux) {
		application := chat.New(hub, nil)
		application.Register(mux)
		eventhttp.New(hub, &eventhttp.Options{
			Subscribe: f.subscribe, Prepare: application.Prepare, Presence: application.Presence,
			Publish: func(*http.Request, *stentor.Message) error { return nil },
		}).Register(mux)
		serverevents.New(hub, &serverevents.Options{
			HeartbeatInterval: f.heartbeat, Subscribe: f.subscribe, Prepare: application.Prepare, LimitToAuthenticatedUsers: f.signedIn,
			OmitPresence: f.omitPresence, AllowOrigins: f.origins,
		}).Register(mux)
		for path, file := range f.files {
			mux.HandleFunc("GET "+path, func(w http.ResponseWriter, r *http.Request) { http.ServeFile(w, r, file) })
		}
	})
}

// serveHub serves what routes adds for a hub until the test ends.
func serveHub(t *testing.T, o *stentor.Options, routes func(*stentor.Hub, *http.ServeMux)) *site {
	t.Helper()
	hub, err := stentor.New(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	routes(hub, mux)
	s := &site{URL: serveHere(t, mux), hub: hub}
	t.Cleanup(func() { // before the server's own end
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if err := hub.Shutdown(ctx); err != nil {
			t.Error(err)
		}
	})
	return s
}
