// Progress shows how far jobs are that run on the server: start one, watch it in any number
// of windows, leave and come back, cancel it, have its result or its error.
//
//	go run ./examples/progress
//
// Then open http://127.0.0.1:8080/ in two windows. With curl, as one browser:
//
//	curl -sc jar -N --max-time 1 'http://127.0.0.1:8080/events?channel=jobs'; curl -b jar -d kind=report http://127.0.0.1:8080/jobs
//
// What a hub gives to it:
//
//   - Each job has a channel, job:ID, and each message on it says all of how the job is. They are about one
//     subject, so the newest one is kept and no other: whoever comes has the state at
//     once, and whoever was away gets what it is now (TestComesBackToTheState).
//   - The browser's cookie of the plain face is who owns a job. Before a job starts, all windows of
//     its owner are put on its channel by the server: nothing falls between (TestWindowsOfTheOwner).
//   - Whoever has the link of a job may watch it, and only its owner may cancel it (TestCancel).
//   - A job says how far it is as often as it likes; it is published ten times a second at most.
//
// Jobs are bounded: so many run at a time, the others wait; so many of one owner; so many in all
// (jobs.go). They live in this process, and end with it.
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
	step := flag.Duration("step", 40*time.Millisecond, "how long each step of a job takes")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, *listen, *step); err != nil {
		fmt.Fprintln(os.Stderr, "progress:", err)
		os.Exit(1)
	}
}

// app is the whole application.
type app struct {
	hub  *stentor.Hub
	jobs *jobs
	mux  *http.ServeMux
}

func newApp(ctx context.Context, step time.Duration) (*app, error) {
	hub, err := stentor.New(ctx, &stentor.Options{
		Broker:      stentor.NewMemoryBroker(&stentor.MemoryOptions{Channels: 2 * maxJobs}),
		MaxChannels: 2 * maxOwned,
	})
	if err != nil {
		return nil, err
	}
	a := &app{hub: hub, jobs: newJobs(hub, kinds(step)), mux: http.NewServeMux()}
	eventhttp.New(hub, &eventhttp.Options{Subscribe: a.subscribe, Prepare: a.prepare, Logger: slog.Default()}).Register(a.mux)
	a.routes()
	a.mux.Handle("GET /stentor.js", js.Client())
	a.mux.Handle("GET /stentor-bindings.js", js.Bindings())
	return a, nil
}

// Shutdown ends the jobs, whose ends are still told, and then the hub.
func (a *app) Shutdown(ctx context.Context) error {
	a.jobs.Close()
	return a.hub.Shutdown(ctx)
}

func run(ctx context.Context, listen string, step time.Duration) error {
	a, err := newApp(ctx, step)
	if err != nil {
		return err
	}
	l, err := net.Listen("tcp", listen)
	if err != nil {
		return errors.Join(err, a.Shutdown(ctx))
	}
	slog.Info("listening", "addr", l.Addr(), "open", "http://"+l.Addr().String()+"/")
	server := &http.Server{Handler: a.mux, ReadHeaderTimeout: 5 * time.Second}
	served := make(chan error, 1)
	go func() { served <- server.Serve(l) }() // ends with the server
	select {
	case err = <-served:
		return errors.Join(err, a.Shutdown(context.Background()))
	case <-ctx.Done():
	}
	// The hub ends the streams, which the server would wait for.
	end, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	err = a.Shutdown(end)
	if server.Shutdown(end) != nil {
		server.Close() // browsers hold connections that they have yet to use
	}
	<-served
	return err
}
