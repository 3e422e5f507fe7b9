package chat_test

import (
	"context"
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"

	"github.com/stentor-sse/stentor"
	"github.com/stentor-sse/stentor/chat"
	"github.com/stentor-sse/stentor/eventhttp"
	"github.com/stentor-sse/stentor/serverevents"
)

// An application with the chat at its root: the page is a client of the plain face. The other face is for
// ServiceStack's clients, and may be left out.
func Example() {
	hub, err := stentor.New(context.Background(), nil)
	if err != nil {
		log.Fatal(err)
	}
	defer hub.Shutdown(context.Background())

	c := chat.New(hub, &chat.Options{Channels: []string{"home", "news"}, SignIn: []chat.Provider{chat.ByName{}}})
	mux := http.NewServeMux()
	c.Register(mux)
	eventhttp.New(hub, &eventhttp.Options{Subscribe: c.Subscribe, Prepare: c.Prepare, Presence: c.Presence}).Register(mux)
	serverevents.New(hub, &serverevents.Options{Subscribe: c.Subscribe, Prepare: c.Prepare}).Register(mux)

	for _, path := range []string{"/", "/chat/app.js", "/chat/stentor.js", "/presence?channel=home"} {
		w := httptest.NewRecorder()
		mux.ServeHTTP(w, httptest.NewRequest("GET", path, nil))
		fmt.Println(path, w.Code, w.Header().Get("Content-Type"))
	}

	// Output:
	// / 200 text/html; charset=utf-8
	// /chat/app.js 200 text/javascript; charset=utf-8
	// /chat/stentor.js 200 text/javascript; charset=utf-8
	// /presence?channel=home 200 application/json
}
