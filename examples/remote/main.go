// Remote is two windows that remote-control each other: each shows slides, and turns, colours, scrolls and
// captions those of the other one.
//
//	go run ./examples/remote
//
// Open http://127.0.0.1:8080/, and then the other window with the button there. What the two say to each
// other goes over one channel, whose name is the pair's code: 130 random bits, which the first window
// makes up and the link to the other one holds. Who doesn't know it can neither control nor see
// anything (pair.go).
package main

import (
	"context"
	"embed"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"os"
	"os/signal"
	"time"

	"github.com/stentor-sse/stentor"
	"github.com/stentor-sse/stentor/eventhttp"
	"github.com/stentor-sse/stentor/js"
)

// web is the page. It is a package variable because the compiler fills in no other.
//
//go:embed web
var web embed.FS

// contentPolicy lets the page run its own scripts and styles and talk to its own server.
const contentPolicy = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; " +
	"base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'"

func main() {
	listen := flag.String("listen", "127.0.0.1:8080", "address to listen on")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, *listen); err != nil {
		fmt.Fprintln(os.Stderr, "remote:", err)
		os.Exit(1)
	}
}

// newHub makes one that keeps commands for as long as a window may be away, and lets nobody be on more
// than the channel of one pair.
func newHub(ctx context.Context) (*stentor.Hub, error) {
	kept := &stentor.MemoryOptions{Size: 100, Age: time.Hour, Channels: 10_000}
	return stentor.New(ctx, &stentor.Options{
		Broker: stentor.NewMemoryBroker(kept), MaxChannels: 1, MaxSubscriptions: 10_000, MaxData: 1024,
	})
}

func routes(hub *stentor.Hub) (*http.ServeMux, error) {
	files, err := fs.Sub(web, "web")
	if err != nil {
		return nil, err
	}
	p := &pairs{hub: hub}
	mux := http.NewServeMux()
	eventhttp.New(hub, &eventhttp.Options{
		Subscribe: p.subscribe, Prepare: p.prepare, Publish: p.command, Presence: p.list,
	}).Register(mux)
	mux.Handle("GET /stentor.js", js.Client())
	page := http.FileServerFS(files)
	mux.HandleFunc("GET /", func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", contentPolicy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cache-Control", "no-cache")
		page.ServeHTTP(w, r)
	})
	return mux, nil
}

func run(ctx context.Context, listen string) error {
	hub, err := newHub(ctx)
	if err != nil {
		return err
	}
	mux, err := routes(hub)
	if err != nil {
		return errors.Join(err, hub.Shutdown(ctx))
	}
	l, err := net.Listen("tcp", listen)
	if err != nil {
		return errors.Join(err, hub.Shutdown(ctx))
	}
	fmt.Fprintf(os.Stderr, "listening addr=%s open http://%[1]s/\n", l.Addr())
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
