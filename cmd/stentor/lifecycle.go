package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"syscall"
	"time"

	"github.com/stentor-sse/stentor"
	"github.com/stentor-sse/stentor/sse"
)

// endTime is what ending in order may take of the second that an interrupt has.
// Three quarters of it are the hub's, to tell every stream.
const endTime = 900 * time.Millisecond

var errStopped = errors.New("serve: stopped at once by a second signal; streams were cut")

// server is an HTTP server and its hub, which end together.
type server struct {
	hub          *stentor.Hub
	http         *http.Server
	secure       bool // speaks TLS
	log          logger
	end          context.CancelFunc // ends every request, as the last resort
	drainTimeout time.Duration
	endTime      time.Duration
}

// run serves ln, calls ready, and returns when the server has ended: by the end of
// ctx, by a signal, or because ln failed.
func (s *server) run(ctx context.Context, ln net.Listener, signals <-chan os.Signal, ready func()) error {
	failed := make(chan error, 1)
	go func() { failed <- s.serve(ln) }() // ends with s.http, in stop
	ready()
	var drain bool
	select {
	case err := <-failed:
		return errors.Join(fmt.Errorf("serve: %w", err), s.stop(context.Background()))
	case <-ctx.Done():
	case sig := <-signals:
		drain = sig == syscall.SIGTERM
		s.log.Info("ending", "signal", sig.String(), "streams", s.streams())
	}
	// A further signal is an order to stop at once.
	hurry, stop := context.WithCancelCause(context.WithoutCancel(ctx))
	watched := make(chan struct{})
	go func() {
		defer close(watched)
		select {
		case <-signals:
			stop(errStopped)
		case <-hurry.Done():
		}
	}()
	defer func() { stop(nil); <-watched; <-failed }()
	if drain {
		s.drain(hurry)
	}
	return s.stop(hurry)
}

func (s *server) serve(ln net.Listener) error {
	if s.secure {
		return s.http.ServeTLS(sse.Listener(ln), "", "")
	}
	return s.http.Serve(ln)
}

// streams are those that are open, without the ones whose reader may come back.
func (s *server) streams() int {
	n := s.hub.Stats()
	return n.Subscriptions - n.Lingering
}

// drain ends the streams one after the other. Publishing goes on.
func (s *server) drain(ctx context.Context) {
	s.log.Info("draining", "streams", s.streams(), "over", s.drainTimeout)
	if err := s.hub.Drain(ctx, s.drainTimeout); err != nil {
		s.log.Warn("draining was cut short", "cause", context.Cause(ctx))
	}
}

// stop takes no more connections and ends everything, in order as long as there
// is time, and at once when ctx ends. Its error is ctx's cause.
func (s *server) stop(ctx context.Context) error {
	all, cancel := context.WithTimeout(ctx, s.endTime)
	defer cancel()
	closed := make(chan error, 1)
	// First, because clients of HTTP/2 must be told before their last stream ends.
	go func() { closed <- s.http.Shutdown(all) }()
	farewell, cancel := context.WithTimeout(ctx, s.endTime*3/4)
	defer cancel()
	if err := s.hub.Shutdown(farewell); err != nil {
		s.log.Warn("streams were cut without a farewell", "cause", context.Cause(farewell))
	}
	s.end()
	if err := <-closed; err != nil {
		s.log.Warn("connections were cut", "cause", context.Cause(all))
	}
	s.http.Close() // what is still open; its error would be about one of those
	return context.Cause(ctx)
}
