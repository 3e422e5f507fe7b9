package eventhttp_test

import (
	"context"
	"fmt"
	"iter"
	"log"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"time"

	"github.com/stentor-sse/stentor"
	"github.com/stentor-sse/stentor/eventhttp"
	"github.com/stentor-sse/stentor/sse"
)

// A service as users of Lib.AspNetCore.ServerSentEvents build one: an endpoint with a route
// value, who a request is from, groups, hooks, keepalives of one's own, and the end for good.
func Example_service() {
	ctx := context.Background()
	role := stentor.NewProperty[string]("role") // client.SetProperty, client.User
	disconnected := make(chan error, 1)

	hub, err := stentor.New(ctx, &stentor.Options{ // AddServerSentEvents(options => …)
		KeepAlive:       30 * time.Second, // KeepaliveInterval
		KeepAliveAlways: true,             // KeepaliveMode.Always
		Retry:           5 * time.Second,  // ReconnectInterval
		Linger:          -1,               // who vanished has gone
		Hooks: stentor.Hooks{
			Open: func(s *stentor.Subscription) error { // OnClientConnected
				name, _ := role.Get(s)
				_, err := s.Publish(ctx, stentor.Message{Type: "welcome", Data: name, Ephemeral: true})
				return err
			},
			Close: func(_ *stentor.Subscription, cause error) { // OnClientDisconnected
				disconnected <- cause
			},
		},
	})
	if err != nil {
		log.Fatal(err)
	}
	defer hub.Shutdown(ctx)

	face := eventhttp.New(hub, &eventhttp.Options{
		KeepAlive:     sse.Event{Type: "PING"}, // KeepaliveKind, KeepaliveContent
		RequireAccept: true,                    // RequireAcceptHeader
		Subscribe: func(r *http.Request, o *stentor.SubscribeOptions) error { // Authorization
			if r.Header.Get("Authorization") == "" {
				return &stentor.Refusal{Status: http.StatusUnauthorized, Detail: "sign in"}
			}
			role.Preset(o, "editor")
			o.Key = o.Session                                                   // the client id: a cookie, the newest wins
			o.Channels = []stentor.Channel{stentor.Channel(r.PathValue("app"))} // AddToGroup
			o.Replay = fromStore                                                // OnReconnectAsync
			return nil
		},
		Prepare: func(h http.Header, _ *http.Request, _ *stentor.Subscription) error { // OnPrepareAccept
			h.Set("X-App", "demo")
			return nil
		},
	})
	mux := http.NewServeMux()
	mux.Handle("/updates/{app}", face.Events()) // endpoints.MapServerSentEvents("/updates/{app}")
	server := httptest.NewServer(mux)
	defer server.Close()

	// A browser: it keeps its cookie, and comes back with the last id it has.
	jar, err := cookiejar.New(nil)
	if err != nil {
		log.Fatal(err)
	}
	browser := &http.Client{Jar: jar}
	get := func(lastID string) *http.Response {
		r, err := http.NewRequest("GET", server.URL+"/updates/shop", nil)
		if err != nil {
			log.Fatal(err)
		}
		r.Header.Set("Accept", "text/event-stream")
		r.Header.Set("Authorization", "Bearer t")
		if lastID != "" {
			r.Header.Set("Last-Event-ID", lastID)
		}
		resp, err := browser.Do(r)
		if err != nil {
			log.Fatal(err)
		}
		return resp
	}

	stream := get("order-17")
	fmt.Println(stream.Status, stream.Header.Get("X-App"))
	for e, err := range sse.NewDecoder(stream.Body, nil).Events() {
		if err != nil {
			log.Fatal(err)
		}
		if e.Type != "stentor.open" { // which holds a random id
			fmt.Println(e.Type, e.Data)
		}
		switch e.Type {
		case "welcome":
			hub.Publish(ctx, stentor.Message{Target: stentor.Target{Channel: "shop"}, Data: "to the group"}) // SendEventAsync("shop", …)
			editors := func(s *stentor.Subscription) bool { name, _ := role.Get(s); return name == "editor" }
			hub.PublishFunc(ctx, stentor.Message{Type: "hint", Data: "to some"}, editors) // SendEventAsync(…, client => …)
		case "hint":
			for s := range hub.Subscriptions(stentor.Target{Channel: "shop"}) { // GetClients("shop")
				s.Dismiss(time.Hour) // DisconnectAsync
			}
		}
	}
	fmt.Println("disconnected:", <-disconnected)
	fmt.Println(get("").Status)
	// Output:
	// 200 OK demo
	// missed after order-17
	// welcome editor
	//  to the group
	// hint to some
	// stentor.end {"reason":"dismissed"}
	// disconnected: stentor: dismissed
	// 204 No Content
}

// fromStore gives what a reader missed, from wherever the application keeps it.
func fromStore(_ context.Context, s *stentor.Subscription) iter.Seq2[stentor.Message, error] {
	return func(yield func(stentor.Message, error) bool) {
		yield(stentor.Message{Type: "missed", Data: "after " + s.Cursor()}, nil)
	}
}
