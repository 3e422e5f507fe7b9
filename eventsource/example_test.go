package eventsource_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"

	"github.com/stentor-sse/stentor/eventsource"
)

// A server that has three events, two to a connection.
func numbers() *httptest.Server {
	return httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		switch r.Header.Get("Last-Event-ID") {
		case "":
			io.WriteString(w, "retry: 10\n\nid: 1\ndata: one\n\nid: 2\ndata: two\n\n")
		case "2":
			io.WriteString(w, "id: 3\ndata: three\n\n")
		default:
			w.WriteHeader(http.StatusNoContent)
		}
	}))
}

func Example() {
	server := numbers()
	defer server.Close()

	src, err := eventsource.New(server.URL, &eventsource.Options{MinRetry: -1})
	if err != nil {
		fmt.Println(err)
		return
	}
	for ev, err := range src.Events(context.Background()) {
		if errors.Is(err, eventsource.ErrDismissed) {
			fmt.Println("that was all")
			break
		}
		if err != nil {
			fmt.Println(err)
			break
		}
		fmt.Println(ev.ID, ev.Data)
	}
	// Output:
	// 1 one
	// 2 two
	// 3 three
	// that was all
}

// A service that answers a question with a stream: what fails before the answer is tried again,
// the answer is read to its end, and the question is not asked twice.
func ExampleOptions_once() {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		question, _ := io.ReadAll(r.Body)
		w.Header().Set("Content-Type", "text/event-stream")
		fmt.Fprintf(w, "data: You asked\n\ndata: %s\n\ndata: [DONE]\n\n", question)
	}))
	defer server.Close()

	src, err := eventsource.New(server.URL, &eventsource.Options{
		Method: http.MethodPost,
		Header: http.Header{"Content-Type": {"text/plain"}},
		Body:   []byte("why?"),
		Once:   true,
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	for ev, err := range src.Events(context.Background()) {
		if err != nil {
			fmt.Println(err)
			break
		}
		fmt.Println(ev.Data)
	}
	// Output:
	// You asked
	// why?
	// [DONE]
}

// A token that expires: it is renewed when the server no longer takes it.
func ExampleOptions_prepare() {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer 2" {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		w.Header().Set("Content-Type", "text/event-stream")
		io.WriteString(w, "data: welcome\n\n")
	}))
	defer server.Close()

	token := 0
	src, err := eventsource.New(server.URL, &eventsource.Options{
		Retry: -1,
		Prepare: func(r *http.Request, after error) error {
			if e, ok := errors.AsType[*eventsource.ResponseError](after); token == 0 || ok && e.Status == http.StatusUnauthorized {
				token++ // ask for one, with r.Context()
			}
			r.Header.Set("Authorization", fmt.Sprint("Bearer ", token))
			return nil
		},
		Change: func(c eventsource.Change) {
			if c.Err != nil {
				fmt.Println(c.Err)
			}
		},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	for ev, err := range src.Events(context.Background()) {
		fmt.Println(ev.Data, err)
		break
	}
	// Output:
	// eventsource: the server answered 401 Unauthorized
	// welcome <nil>
}
