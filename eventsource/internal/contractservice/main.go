// Contractservice lets the LaunchDarkly SSE contract tests drive package eventsource: it
// speaks the protocol of their harness, opens the streams that the harness asks for and
// tells it what comes out of them. It is run by hand:
//
//	make contract-service PORT=8000
//	sse-contract-tests --url http://localhost:8000
//
// It serves whoever reaches it, and so listens on loopback alone.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/signal"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stderr); err != nil {
		fmt.Fprintln(os.Stderr, "contractservice:", err)
		os.Exit(1)
	}
}

// run serves until ctx ends or the harness asks to stop.
func run(ctx context.Context, args []string, out io.Writer) error {
	flags := flag.NewFlagSet("contractservice", flag.ContinueOnError)
	flags.SetOutput(out)
	port := flags.String("port", "8000", "listen on this port of loopback; 0 picks one")
	if err := flags.Parse(args); err != nil {
		return err
	}
	ln, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", *port))
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "listening on http://%s\n", ln.Addr())
	s := newService()
	server := &http.Server{Handler: s}
	served := make(chan error, 1)
	go func() { served <- server.Serve(ln) }() // ended by Shutdown below
	select {
	case err = <-served:
	case <-s.quit:
	case <-ctx.Done():
	}
	s.close()
	server.Shutdown(context.WithoutCancel(ctx)) // what is answered last is answered whole
	return err
}
