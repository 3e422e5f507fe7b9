package diskbroker_test

import (
	"context"
	"fmt"
	"log"
	"os"
	"time"

	"github.com/stentor-sse/stentor"
	"github.com/stentor-sse/stentor/diskbroker"
)

// What was published before a restart is there after it.
func Example() {
	dir, err := os.MkdirTemp("", "history-")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	ctx := context.Background()

	for _, text := range []string{"before the restart", "after it"} {
		broker, err := diskbroker.Open(dir, &diskbroker.Options{Age: 30 * 24 * time.Hour})
		if err != nil {
			log.Fatal(err)
		}
		hub, err := stentor.New(ctx, &stentor.Options{Broker: broker})
		if err != nil {
			log.Fatal(err)
		}
		r, err := hub.Publish(ctx, stentor.Message{Target: stentor.Target{Channel: "home"}, Data: text})
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(r.Durability)
		if err := hub.Shutdown(ctx); err != nil {
			log.Fatal(err)
		}
		for m, err := range broker.Messages(ctx) {
			if err != nil {
				log.Fatal(err)
			}
			fmt.Println(" ", m.Data)
		}
		if err := broker.Close(); err != nil {
			log.Fatal(err)
		}
	}
	// Output:
	// disk
	//   before the restart
	// disk
	//   before the restart
	//   after it
}

// Some channels are kept longer than others.
func ExampleOptions_rules() {
	o := &diskbroker.Options{
		Size: 1000,
		Age:  time.Hour,
		Rules: []diskbroker.Rule{
			{Pattern: "audit.*", Size: 1_000_000, Age: -1},
			{Pattern: "cursors.*", Size: -1},
		},
	}
	dir, err := os.MkdirTemp("", "history-")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	broker, err := diskbroker.Open(dir, o)
	if err != nil {
		log.Fatal(err)
	}
	defer broker.Close()
	for _, ch := range []stentor.Channel{"audit.login", "cursors.ada", "chat"} {
		r, err := broker.Publish(context.Background(), stentor.Message{Target: stentor.Target{Channel: ch}})
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(ch, r.Durability)
	}
	// Output:
	// audit.login disk
	// cursors.ada none
	// chat disk
}
