// Readme is the example of README.md as a whole program: a web shop that tells every
// open page of an order.
//
//	go run ./examples/readme
//
// In another terminal, listen and then order:
//
//	curl -N 'http://127.0.0.1:8080/events?channel=shop'
//	curl -d what=tea http://127.0.0.1:8080/orders
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
		fmt.Fprintln(os.Stderr, "readme:", err)
		os.Exit(1)
	}
}

// routes is what README.md shows.
func routes(ctx context.Context) (*stentor.Hub, *http.ServeMux, error) {
	mux := http.NewServeMux()
	hub, err := stentor.New(ctx, nil)
	if err != nil {
		return nil, nil, err
	}
	eventhttp.New(hub, nil).Register(mux) // new EventSource("/events?channel=shop")
	mux.HandleFunc("POST /orders", func(w http.ResponseWriter, r *http.Request) {
		shop := stentor.Target{Channel: "shop"}
		hub.Publish(r.Context(), stentor.Message{Target: shop, Type: "order", Data: r.FormValue("what")})
	})
	return hub, mux, nil
}

func run(ctx context.Context, listen string) error {
	hub, mux, err := routes(ctx)
	if err != nil {
		return err
	}
	l, err := net.Listen("tcp", listen)
	if err != nil {
		return errors.Join(err, hub.Shutdown(ctx))
	}
	fmt.Fprintln(os.Stderr, "listening on", l.Addr())
	server := &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second}
	served := make(chan error, 1)
	go func() { served <- server.Serve(l) }() // ends with the server
	select {
	case err = <-served:
		return errors.Join(err, hub.Shutdown(context.Background()))
	case <-ctx.Done():
	}
	// The hub ends the streams, which the server would wait for.
	end, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	err = hub.Shutdown(end)
	if server.Shutdown(end) != nil {
		server.Close() // browsers hold connections that they have yet to use
	}
	<-served
	return err
}
