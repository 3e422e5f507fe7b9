package e2e_test

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stentor-sse/stentor"
	"github.com/stentor-sse/stentor/eventhttp"
	"github.com/stentor-sse/stentor/serverevents"
)

const (
	crowd   = 1000
	farTime = 5 * time.Second // far more than the second that is promised: only the end is asserted
)

// streams are many open streams, half on each face, and readers of them.
type streams struct {
	readers  sync.WaitGroup
	farewell atomic.Int64 // plain streams that said why they ended
	ended    atomic.Int64
}

func openStreams(t *testing.T, addr string) *streams {
	t.Helper()
	s := &streams{}
	for i := range crowd {
		path := "/events?channel=home"
		if i%2 == 1 {
			path = "/event-stream?channels=crowd" // joins, which each other one is told
			path = fmt.Sprintf("%s-%d", path, i/50)
		}
		one := dial(t, addr, "HTTP/1.1", path)
		one.Frame(t)
		s.readers.Go(func() { // ends with its stream
			text, err := one.Rest()
			if err == nil {
				s.ended.Add(1)
			}
			if strings.Contains(text, `{"reason":"shutdown"}`) {
				s.farewell.Add(1)
			}
		})
	}
	return s
}

// check waits for the readers: every stream has ended, and well.
func (s *streams) check(t *testing.T) {
	t.Helper()
	s.readers.Wait()
	if n := s.ended.Load(); n != crowd {
		t.Errorf("%d of %d streams ended well", n, crowd)
	}
	if n := s.farewell.Load(); n != crowd/2 {
		t.Errorf("%d of %d plain streams said why they ended", n, crowd/2)
	}
}

func TestInterruptEndsAThousandStreams(t *testing.T) {
	server := start(t, "demo")
	s := openStreams(t, server.Addr)
	ctx, cancel := context.WithTimeout(t.Context(), farTime)
	defer cancel()
	began := time.Now()
	server.Signal(t, syscall.SIGINT)
	if err := server.Wait(ctx); err != nil {
		t.Errorf("with %d open streams, after SIGINT: %v", crowd, err)
	}
	t.Logf("SIGINT with %d open streams took %v", crowd, time.Since(began))
	s.check(t)
}

func TestServerShutdownEndsAThousandStreams(t *testing.T) {
	hub, err := stentor.New(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	eventhttp.New(hub, nil).Register(mux)
	serverevents.New(hub, nil).Register(mux)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	server := &http.Server{Handler: mux}
	hubEnded := make(chan error, 1)
	server.RegisterOnShutdown(func() { hubEnded <- hub.Shutdown(ctx) })
	served := make(chan error, 1)
	go func() { served <- server.Serve(l) }() // ends with the server
	s := openStreams(t, l.Addr().String())

	end, stop := context.WithTimeout(ctx, farTime)
	defer stop()
	began := time.Now()
	if err := server.Shutdown(end); err != nil {
		t.Errorf("http.Server.Shutdown: %v", err)
	}
	t.Logf("http.Server.Shutdown with %d open streams took %v", crowd, time.Since(began))
	if err := <-hubEnded; err != nil {
		t.Errorf("Hub.Shutdown: %v", err)
	}
	if err := <-served; err != http.ErrServerClosed {
		t.Errorf("Serve: %v", err)
	}
	s.check(t)
}
