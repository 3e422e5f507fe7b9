package eventhttp_test

import (
	"context"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"

	"github.com/stentor-sse/stentor"
	"github.com/stentor-sse/stentor/eventhttp"
	"github.com/stentor-sse/stentor/sse"
)

// A whole server: everyone may subscribe, and whoever has the token may publish.
func Example() {
	ctx := context.Background()
	hub, err := stentor.New(ctx, nil)
	if err != nil {
		log.Fatal(err)
	}
	face := eventhttp.New(hub, &eventhttp.Options{
		Publish: func(r *http.Request, m *stentor.Message) error {
			if r.Header.Get("Authorization") != "Bearer s3cret" {
				return &stentor.Refusal{Status: http.StatusUnauthorized, Detail: "send the publishing token"}
			}
			return nil
		},
	})
	server := httptest.NewServer(face)
	defer server.Close()
	defer hub.Shutdown(ctx) // ends the streams, so that the server can close

	stream, err := http.Get(server.URL + "/events?channel=home")
	if err != nil {
		log.Fatal(err)
	}
	defer stream.Body.Close()

	for _, token := range []string{"guess", "s3cret"} {
		body := strings.NewReader(`{"channel":"home","type":"greet","data":{"text":"hello"}}`)
		r, err := http.NewRequest("POST", server.URL+"/publish", body)
		if err != nil {
			log.Fatal(err)
		}
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("Authorization", "Bearer "+token)
		answer, err := http.DefaultClient.Do(r)
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(answer.Status)
		answer.Body.Close()
	}

	for e, err := range sse.NewDecoder(stream.Body, nil).Events() {
		if err != nil {
			log.Fatal(err)
		}
		if e.Type == "greet" {
			fmt.Println(e.Type, e.Data)
			break
		}
	}
	// Output:
	// 401 Unauthorized
	// 200 OK
	// greet {"text":"hello"}
}

// A handler that streams an answer of its own, and that others can reach meanwhile
// by its key.
func ExampleAccept() {
	ctx := context.Background()
	hub, err := stentor.New(ctx, nil)
	if err != nil {
		log.Fatal(err)
	}
	defer hub.Shutdown(ctx)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h, err := eventhttp.Accept(hub, w, r, &eventhttp.AcceptOptions{
			SubscribeOptions: stentor.SubscribeOptions{Key: "job-7"},
		})
		if err != nil {
			eventhttp.Refuse(w, err)
			return
		}
		h.Send(r.Context(), sse.Event{Type: "progress", Data: "50 %"})
		hub.Publish(r.Context(), stentor.Message{Target: stentor.Target{Key: "job-7"}, Type: "note", Data: "from elsewhere"})
		h.Close(sse.Event{Type: "done", Data: "bye"})
	}))
	defer server.Close()

	stream, err := http.Get(server.URL)
	if err != nil {
		log.Fatal(err)
	}
	defer stream.Body.Close()
	for e, err := range sse.NewDecoder(stream.Body, nil).Events() {
		if err != nil && err != io.EOF {
			log.Fatal(err)
		}
		if e.Type != "stentor.open" {
			fmt.Println(e.Type+":", e.Data)
		}
	}
	// Output:
	// progress: 50 %
	// note: from elsewhere
	// done: bye
	// stentor.end: {"reason":"unregistered"}
}
