// Drawing is a shared drawing: everyone in a room sees the strokes of the others while
// they are drawn, their pointers with names, and who is there; and one can watch
// somebody, as over their shoulder.
//
//	go run ./examples/drawing
//
// Then open http://127.0.0.1:8080/ in two windows, each of which is somebody of its own;
// http://127.0.0.1:8080/?room=attic is another room.
//
// What a hub gives to it:
//
//   - A room is a channel. A stroke is published once, when it ends, and kept; a page
//     that is opened replays them from position 0, and so has the picture.
//   - What changes while one draws, new points and the pointer, goes out in ephemeral
//     messages, at most some thirty a second for each user, and is never kept. So the history
//     has one message for each stroke, however long it took.
//   - Who is there, with names and colours, is presence and its public values.
//   - Who watches whom is told to the watched alone: a channel and a user, as one target.
//   - Each message is checked and made anew by the server (shape.go), which says whose it
//     is: nobody draws, or takes away, in another's name (TestNobodyDrawsForAnother).
//
// The picture lives in the memory of this process. When it starts anew, the pages that are
// still open put back what their users have drawn.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
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
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, *listen); err != nil {
		fmt.Fprintln(os.Stderr, "drawing:", err)
		os.Exit(1)
	}
}

// routes is the whole application.
func routes(ctx context.Context) (*stentor.Hub, *http.ServeMux, error) {
	hub, err := stentor.New(ctx, &stentor.Options{
		// A picture of four thousand strokes; a thousand rooms; and not more than that, whoever draws.
		Broker:      stentor.NewMemoryBroker(&stentor.MemoryOptions{Size: 4000, Bytes: 64 << 20, Channels: 1000}),
		MaxData:     16 << 10,
		MaxChannels: 1,
	})
	if err != nil {
		return nil, nil, err
	}
	mux := http.NewServeMux()
	rooms := &rooms{hub: hub, pace: &pace{users: map[string]*bucket{}}}
	eventhttp.New(hub, &eventhttp.Options{
		Subscribe: rooms.subscribe,
		Publish:   rooms.publish,
		Presence:  func(*http.Request, []stentor.Channel) error { return nil }, // everyone sees who is there
		Cookie:    "-",                                                         // a page says who it is by its token
		MaxBody:   32 << 10,
		Logger:    slog.Default(),
	}).Register(mux)
	mux.HandleFunc("POST /me", rooms.me)
	mux.Handle("GET /stentor.js", js.Client())
	mux.Handle("GET /", page())
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
	slog.Info("listening", "addr", l.Addr(), "open", "http://"+l.Addr().String()+"/")
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
