package serverevents_test

import (
	"bufio"
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"

	"github.com/stentor-sse/stentor"
	"github.com/stentor-sse/stentor/serverevents"
)

// SayRequest is a message that is sent without naming a selector.
type SayRequest struct {
	From string `json:"from"`
	Text string `json:"text"`
}

// Example is what somebody who comes from ServiceStack writes first: a hub with its face, the
// users of the application, and messages to a channel, to a user and by their type.
func Example() {
	ctx := context.Background()
	plan := stentor.NewProperty[string]("plan") // what was ServerArgs
	hub, err := stentor.New(ctx, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	face := serverevents.New(hub, &serverevents.Options{
		Subscribe: func(r *http.Request, o *stentor.SubscribeOptions) error {
			if slices.Contains(o.Channels, "staff") {
				return &stentor.Refusal{Status: http.StatusForbidden, Detail: "the channel staff is for staff"}
			}
			o.User, o.UserName, o.Authenticated = "42", "ann", true // by whatever signs users in
			plan.Preset(o, "free")
			return nil
		},
		Prepare: func(h http.Header, r *http.Request, s *stentor.Subscription) error {
			s.SetMeta("profileUrl", "https://app.example/pictures/"+s.Member().User)
			return nil
		},
	})
	mux := http.NewServeMux()
	face.Register(mux)
	server := httptest.NewServer(mux)
	defer server.Close()
	defer hub.Shutdown(ctx) // first the streams, then the server

	res, err := http.Get(server.URL + "/event-stream?channels=home")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer res.Body.Close()
	selectors := make(chan string)
	go func() {
		defer close(selectors)
		for lines := bufio.NewScanner(res.Body); lines.Scan(); {
			if data, ok := strings.CutPrefix(lines.Text(), "data: "); ok {
				if strings.Contains(data, "cmd.on") {
					data, _, _ = strings.Cut(data, " ")
				}
				selectors <- strings.TrimSpace(data) // null has no body
			}
		}
	}()
	fmt.Println(<-selectors)
	fmt.Println(<-selectors)

	typed, err := stentor.Typed(stentor.Target{User: "42", Channel: "home"}, SayRequest{"bob", "hi"})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, m := range []stentor.Message{
		{Target: stentor.Target{Channel: "home"}, Type: "announce", Data: "hello"}, // NotifyChannel("home", "cmd.announce", …)
		{Target: stentor.Target{UserName: "ann"}, Type: "tv.off", JSON: true},      // NotifyUserName("ann", "tv.off", null)
		typed, // NotifyUserId("42", new SayRequest { … }, channel: "home")
	} {
		if _, err := hub.Publish(ctx, m); err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(<-selectors)
	}
	for s := range hub.Subscriptions(stentor.Target{User: "42"}) {
		name, _ := plan.Get(s)
		fmt.Println(name, s.Channels())
	}
	// Output:
	// cmd.onConnect
	// home@cmd.onJoin
	// home@cmd.announce "hello"
	// tv.off
	// cmd.SayRequest {"from":"bob","text":"hi"}
	// free [home]
}

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
