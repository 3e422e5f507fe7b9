package client_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"

	"github.com/stentor-sse/stentor/client"
	"github.com/stentor-sse/stentor/sse"
)

func ExampleOn() {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/events" { // it says that it has gone
			return
		}
		w.Header().Set("Content-Type", "text/event-stream")
		io.WriteString(w, "id: 1\nevent: stentor.open\ndata: {\"subscription\":\"s\"}\n\n"+
			"id: 2\nevent: placed\ndata: {\"customer\":\"Ada\",\"items\":3}\n\n"+
			"id: 3\nevent: note\ndata: closing soon\n\n")
		http.NewResponseController(w).Flush()
		<-r.Context().Done()
	}))
	defer server.Close()

	c, err := client.New(server.URL, &client.Options{Channels: []string{"orders"}})
	if err != nil {
		fmt.Println(err)
		return
	}
	type order struct {
		Customer string
		Items    int
	}
	client.On(c, "placed", func(o order, e sse.Event) {
		fmt.Println(e.ID, o.Customer, o.Items)
	})
	client.On(c, "*", func(text string, e sse.Event) {
		fmt.Println(e.ID, e.Type, text)
		c.Close()
	})
	if err := c.Run(context.Background()); err != nil {
		fmt.Println(err)
	}
	// Output:
	// 2 Ada 3
	// 3 note closing soon
}
