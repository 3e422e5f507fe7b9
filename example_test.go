package stentor_test

import (
	"context"
	"fmt"

	"github.com/stentor-sse/stentor"
)

func Example() {
	ctx := context.Background()
	hub, err := stentor.New(ctx, nil)
	if err != nil {
		panic(err)
	}
	defer hub.Shutdown(ctx)
	sub, err := hub.Subscribe(ctx, &stentor.SubscribeOptions{Channels: []stentor.Channel{"home"}})
	if err != nil {
		panic(err)
	}
	hub.Publish(ctx, stentor.Message{Target: stentor.Target{Channel: "home"}, Type: "greet", Data: "hello"})
	for m, err := range sub.Messages(ctx) {
		fmt.Println(m.Type, m.Data, err)
		break
	}
	// Output: greet hello <nil>
}

// A subscriber that comes back with the position of the last message it saw
// gets what it missed.
func ExampleSubscribeOptions_cursor() {
	ctx := context.Background()
	hub, err := stentor.New(ctx, nil)
	if err != nil {
		panic(err)
	}
	defer hub.Shutdown(ctx)
	home := stentor.Target{Channel: "home"}
	seen, _ := hub.Publish(ctx, stentor.Message{Target: home, Data: "one"})
	hub.Publish(ctx, stentor.Message{Target: home, Data: "two"})
	sub, err := hub.Subscribe(ctx, &stentor.SubscribeOptions{
		Channels: []stentor.Channel{"home"},
		Cursor:   seen.Position.String(),
	})
	if err != nil {
		panic(err)
	}
	for m, err := range sub.Messages(ctx) {
		fmt.Println(m.Data, err)
		break
	}
	// Output: two <nil>
}
