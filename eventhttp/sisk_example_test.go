package eventhttp_test

import (
	"context"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"
	"time"

	"github.com/stentor-sse/stentor"
	"github.com/stentor-sse/stentor/eventhttp"
	"github.com/stentor-sse/stentor/sse"
)

// events is what docs/coming-from/sisk.md comes to: a handler that is found by the name
// its reader has, keeps itself warm, and ends after a quarter of an hour without an event.
func events(hub *stentor.Hub, access *log.Logger) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Header-Key", "header-value")
		h, err := eventhttp.Accept(hub, w, r, &eventhttp.AcceptOptions{
			SubscribeOptions: stentor.SubscribeOptions{Key: r.FormValue("name")},
			Stream: sse.AcceptOptions{
				IdleTimeout: 15 * time.Minute,
				KeepAlive: sse.KeepAlive{
					Interval: 5 * time.Second,
					AtOnce:   true,
					Event:    sse.Event{Type: "ping", Data: "ping-message"},
				},
			},
		})
		if err != nil {
			eventhttp.Refuse(w, err)
			return
		}
		h.Send(r.Context(), sse.Event{Data: "Hello, world!"})
		cause := h.Wait(r.Context()) // gone, idle, replaced, dropped, shut down
		access.Printf("%s: %d bytes, then %v", h.Key(), h.Sent().Bytes, cause)
	}
}

// For whoever comes from Sisk: an event source with an identifier, and others that
// look for it.
func ExampleAccept_identified() {
	ctx := context.Background()
	hub, err := stentor.New(ctx, nil)
	if err != nil {
		log.Fatal(err)
	}
	defer hub.Shutdown(ctx)
	server := httptest.NewServer(events(hub, log.New(io.Discard, "", 0)))
	defer server.Close()
	stream, err := http.Get(server.URL + "/?name=my-connection-1")
	if err != nil {
		log.Fatal(err)
	}
	defer stream.Body.Close()

	for e, err := range sse.NewDecoder(stream.Body, nil).Events() {
		if err != nil {
			log.Fatal(err)
		}
		if e.Type != "stentor.open" { // its data is a secret
			fmt.Println(e.Type, e.Data)
		}
		switch e.Data {
		case "Hello, world!":
			// By identifier: nil if nobody has it, and never one that has ended.
			if s := hub.Holder("my-connection-1"); s != nil {
				s.Publish(ctx, stentor.Message{Data: "Hello again!"})
			}
		case "Hello again!":
			// By predicate. One reader that stalls holds up nobody.
			hub.PublishFunc(ctx, stentor.Message{Data: "Broadcasting"}, func(s *stentor.Subscription) bool {
				return strings.HasPrefix(s.Key(), "my-connection-")
			})
		case "Broadcasting":
			fmt.Println(hub.Count(stentor.Target{}), "before,", hub.Drop(stentor.Target{}, nil), "dropped")
		}
		if e.Type == "stentor.end" {
			break
		}
	}
	// Output:
	// ping ping-message
	//  Hello, world!
	//  Hello again!
	//  Broadcasting
	// 1 before, 1 dropped
	// stentor.end {"reason":"unregistered"}
}
