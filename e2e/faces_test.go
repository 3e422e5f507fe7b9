package e2e_test

import (
	"context"
	"net/http"
	"testing"
	"time"

	"github.com/stentor-sse/stentor"
	"github.com/stentor-sse/stentor/chat"
	"github.com/stentor-sse/stentor/eventhttp"
	"github.com/stentor-sse/stentor/serverevents"
)

// faces says how a server in the test's own process differs from the demo.
type faces struct {
	heartbeat time.Duration
	subscribe func(*http.Request, *stentor.SubscribeOptions) error // who visitors are
	signedIn  bool                                                 // only those who have signed in
	files     map[string]string                                    // served besides: path to file
}

// here serves both faces and the Chat application on one origin until the test
// ends, and gives its URL.
func here(t *testing.T, f *faces) string {
	t.Helper()
	hub, err := stentor.New(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	eventhttp.New(hub, &eventhttp.Options{
		Publish: func(*http.Request, *stentor.Message) error { return nil },
	}).Register(mux)
	serverevents.New(hub, &serverevents.Options{
		HeartbeatInterval: f.heartbeat, Subscribe: f.subscribe, LimitToAuthenticatedUsers: f.signedIn,
	}).Register(mux)
	chat.New(hub, nil).Register(mux)
	for path, file := range f.files {
		mux.HandleFunc("GET "+path, func(w http.ResponseWriter, r *http.Request) { http.ServeFile(w, r, file) })
	}
	url := serveHere(t, mux)
	t.Cleanup(func() { // before the server's own end
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if err := hub.Shutdown(ctx); err != nil {
			t.Error(err)
		}
	})
	return url
}
