// Hello is a whole server on the plain face: it says the time on the channel
// "clock" and lets everyone who can reach it publish.
//
//	go run ./examples/hello
//
// In another terminal, listen:
//
//	curl -N 'http://127.0.0.1:8080/events?channel=clock&channel=home'
//
// In a third, speak:
//
//	curl -d 'channel=home&type=greet&data=hello' http://127.0.0.1:8080/publish
//	curl -H 'Content-Type: application/json' -d '{"channel":"home","data":{"n":1}}' http://127.0.0.1:8080/publish
//
// In a page of the same origin:
//
//	const source = new EventSource("/events?channel=home");
//	source.addEventListener("greet", event => console.log(event.data));
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/signal"
	"time"

	"github.com/stentor-sse/stentor"
	"github.com/stentor-sse/stentor/eventhttp"
)

func main() {
	listen := flag.String("listen", "127.0.0.1:8080", "address to listen on")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, *listen); err != nil {
		fmt.Fprintln(os.Stderr, "hello:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, listen string) error {
	hub, err := stentor.New(ctx, nil)
	if err != nil {
		return err
	}
	face := eventhttp.New(hub, &eventhttp.Options{
		Publish: func(*http.Request, *stentor.Message) error { return nil }, // everyone: this is for loopback
	})
	l, err := net.Listen("tcp", listen)
	if err != nil {
		return errors.Join(err, hub.Shutdown(ctx))
	}
	fmt.Fprintln(os.Stderr, "listening on", l.Addr())
	server := &http.Server{Handler: face, ReadHeaderTimeout: 5 * time.Second}
	ctx, cancelTell := context.WithCancel(ctx)
	served := make(chan error, 1)
	go func() {
		defer cancelTell()
		served <- server.Serve(l)
	}()

	tell(ctx, hub)
	// The hub ends the streams, which the server would wait for.
	end, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	err = hub.Shutdown(end)
	if server.Shutdown(end) != nil {
		server.Close() // browsers hold connections that they have yet to use
	}
	if e := <-served; !errors.Is(e, http.ErrServerClosed) {
		err = errors.Join(err, e)
	}
	return err
}

// tell publishes the time every second until ctx ends.
func tell(ctx context.Context, hub *stentor.Hub) {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case now := <-tick.C:
			m := stentor.Message{Target: stentor.Target{Channel: "clock"}, Type: "tick", Data: now.Format(time.TimeOnly)}
			if _, err := hub.Publish(ctx, m); err != nil {
				fmt.Fprintln(os.Stderr, "hello: publish:", err)
			}
		}
	}
}
