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
)

// Of the second that an interrupt may take, what the hub gets to tell every
// stream, and what open requests get to finish. The rest is for the system.
const (
	farewellTime = 500 * time.Millisecond
	finishTime   = 300 * time.Millisecond
)

var errStopped = errors.New("serve: stopped at once by a second signal; streams were cut")

// server is an HTTP server and its hub, which end together.
type server struct {
	hub          *stentor.Hub
	http         *http.Server
	log          logger
	end          context.CancelFunc // ends every request
	drainTimeout time.Duration
}

// run serves ln, calls ready, and returns when the server has ended: by the end of
// ctx, by a signal, or because ln failed.
func (s *server) run(ctx context.Context, ln net.Listener, signals <-chan os.Signal, ready func()) error {
	failed := make(chan error, 1)
	go func() { failed <- s.http.Serve(ln) }() // ends with s.http, in stop
	ready()
	var drain bool
	select {
	case err := <-failed:
		return errors.Join(fmt.Errorf("serve: %w", err), s.stop(context.Background()))
	case <-ctx.Done():
	case sig := <-signals:
		drain = sig == syscall.SIGTERM
		s.log.Info("ending", "signal", sig.String(), "streams", s.hub.Stats().Subscriptions)
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

// drain ends the streams one after the other. Publishing goes on.
func (s *server) drain(ctx context.Context) {
	s.log.Info("draining", "streams", s.hub.Stats().Subscriptions, "over", s.drainTimeout)
	if err := s.hub.Drain(ctx, s.drainTimeout); err != nil {
		s.log.Warn("draining was cut short", "cause", context.Cause(ctx))
	}
}

// stop ends everything, in order as long as there is time, and at once when
// ctx ends. Its error is ctx's cause.
func (s *server) stop(ctx context.Context) error {
	defer s.end()
	defer s.http.Close() // closes what is still open; twice is harmless
	farewell, cancel := context.WithTimeout(ctx, farewellTime)
	defer cancel()
	if err := s.hub.Shutdown(farewell); err != nil {
		s.log.Warn("streams were cut without a farewell", "cause", err)
	}
	s.end()
	finish, cancel := context.WithTimeout(ctx, finishTime)
	defer cancel()
	if err := s.http.Shutdown(finish); err != nil {
		s.log.Warn("requests were cut", "cause", err)
	}
	return context.Cause(ctx)
}
