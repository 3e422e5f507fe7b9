package serverevents_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"

	"github.com/stentor-sse/stentor"
	"github.com/stentor-sse/stentor/serverevents"
)

// ExampleNew serves a hub to ServiceStack clients.
func ExampleNew() {
	hub, err := stentor.New(context.Background(), nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer hub.Shutdown(context.Background())
	mux := http.NewServeMux()
	serverevents.New(hub, nil).Register(mux)
	w := httptest.NewRecorder()
	mux.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/event-subscribers", nil))
	fmt.Println(w.Code, w.Body)
	// Output: 200 []
}

// ExampleType maps what a ServiceStack client calls a selector.
func ExampleType() {
	typ, err := serverevents.Type("cmd.chat")
	fmt.Println(typ, err, serverevents.Selector(typ))
	_, err = serverevents.Type("chat")
	fmt.Println(err)
	// Output:
	// chat <nil> cmd.chat
	// stentor: invalid selector: "chat"; write op.target, as in cmd.chat
}
