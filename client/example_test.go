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

// television receives messages whose type begins with "tv.".
type television struct{}

func (television) Watch(url string, e sse.Event) { fmt.Println("watch", url, "on", e.Channel) }
func (television) Off()                          { fmt.Println("off") }

func ExampleReceive() {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/event-stream" {
			return
		}
		w.Header().Set("Content-Type", "text/event-stream")
		io.WriteString(w, "id: 1\ndata: cmd.onConnect {\"id\":\"s\",\"displayName\":\"Ada\"}\n\n"+
			"id: 2\ndata: home@tv.watch \"https://example.com/film\"\n\n"+
			"id: 3\ndata: home@tv.off \n\n"+
			"id: 4\ndata: home@trigger.saved {\"id\":7}\n\n")
		http.NewResponseController(w).Flush()
		<-r.Context().Done()
	}))
	defer server.Close()

	c, err := client.New(server.URL, &client.Options{Face: client.ServiceStack, Channels: []string{"home"}})
	if err != nil {
		fmt.Println(err)
		return
	}
	if _, err := client.Receive(c, "tv", television{}); err != nil {
		fmt.Println(err)
		return
	}
	client.On(c, "stentor.open", func(o client.Open, _ sse.Event) { fmt.Println("I am", o.Member.Name) })
	client.On(c, "trigger.saved", func(v struct{ ID int }, _ sse.Event) {
		fmt.Println("saved", v.ID)
		c.Close()
	})
	if err := c.Run(context.Background()); err != nil {
		fmt.Println(err)
	}
	// Output:
	// I am Ada
	// watch https://example.com/film on home
	// off
	// saved 7
}
