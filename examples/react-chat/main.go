// React-chat is a chat whose page is written in TypeScript and React, with the package
// stentor-client: channels, who is there, private messages, history, sending that shows at once.
//
//	go run ./examples/react-chat
//
// and then open http://127.0.0.1:8080/ in two browsers. The page is built into dist, which is
// committed, so that Go alone runs it; README.md says how to change it.
//
// Publishing, listing and subscribing go through the plain face of a hub; what this program adds
// is who somebody is (people.go), what may be said (say.go) and the page (page.go).
package main

import (
	"context"
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

func main() {
	listen := flag.String("listen", "127.0.0.1:8080", "address to listen on")
	dir := flag.String("page", "", "directory to serve the page from, in place of the one that is built in")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, *listen, *dir); err != nil {
		fmt.Fprintln(os.Stderr, "react-chat:", err)
		os.Exit(1)
	}
}

// newHub makes one that keeps the newest 500 messages of each channel, and of each user's
// private ones: newcomers get them, because the page asks from the beginning.
func newHub(ctx context.Context) (*stentor.Hub, error) {
	kept := &stentor.MemoryOptions{Size: 500, Channels: 10_000, Bytes: 64 << 20}
	return stentor.New(ctx, &stentor.Options{
		Broker: stentor.NewMemoryBroker(kept), MaxChannels: 32, MaxSubscriptions: 10_000, MaxData: 16 << 10,
	})
}

// routes serves the hub and the page.
func routes(hub *stentor.Hub, files fs.FS) (*http.ServeMux, error) {
	page, err := newPage(files)
	if err != nil {
		return nil, err
	}
	c := &chat{hub: hub}
	mux := http.NewServeMux()
	eventhttp.New(hub, &eventhttp.Options{
		Subscribe: c.subscribe, Prepare: c.prepare, Publish: c.say, Presence: c.list,
	}).Register(mux)
	mux.Handle("GET /stentor.js", js.Client())
	mux.Handle("GET /", page)
	return mux, nil
}

func run(ctx context.Context, listen, dir string) error {
	files, err := fs.Sub(dist, "dist")
	if err != nil {
		return err
	}
	if dir != "" {
		files = os.DirFS(dir)
	}
	hub, err := newHub(ctx)
	if err != nil {
		return err
	}
	mux, err := routes(hub, files)
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
