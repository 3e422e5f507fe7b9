package main

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stentor-sse/stentor"
	"github.com/stentor-sse/stentor/chat"
	"github.com/stentor-sse/stentor/eventhttp"
	"github.com/stentor-sse/stentor/serverevents"
	"github.com/stentor-sse/stentor/ssetest"
)

// server is a chat, as the demo has it.
type server struct {
	*ssetest.Server
	t      *testing.T
	hub    *stentor.Hub
	routes atomic.Pointer[http.ServeMux] // of the hub
}

// each runs f with both faces, over HTTP/1.1 and HTTP/2.
func each(t *testing.T, f func(t *testing.T, s *server, face string)) {
	for _, face := range []string{"plain", "servicestack"} {
		t.Run(face, func(t *testing.T) {
			ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) { f(t, newServer(t, p), face) })
		})
	}
}

func newServer(t *testing.T, p ssetest.Protocol) *server {
	s := &server{t: t}
	s.Server = ssetest.NewServer(t, p, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { s.routes.Load().ServeHTTP(w, r) }))
	s.Client.CheckRedirect = nil
	s.restart()
	t.Cleanup(func() { s.shutdown() })
	return s
}

func (s *server) restart() {
	hub, err := stentor.New(context.Background(), nil)
	if err != nil {
		s.t.Fatal(err)
	}
	app := chat.New(hub, &chat.Options{SignIn: []chat.Provider{chat.ByName{}}})
	mux := http.NewServeMux()
	app.Register(mux)
	eventhttp.New(hub, &eventhttp.Options{Subscribe: app.Subscribe, Prepare: app.Prepare, Presence: app.Presence}).Register(mux)
	serverevents.New(hub, &serverevents.Options{Subscribe: app.Subscribe, Prepare: app.Prepare}).Register(mux)
	s.hub = hub
	s.routes.Store(mux)
}

func (s *server) shutdown() {
	if err := s.hub.Shutdown(context.Background()); err != nil {
		s.t.Errorf("shutdown: %v", err)
	}
}

// terminal is a termchat and who sits in front of it.
type terminal struct {
	t    *testing.T
	in   *io.PipeWriter
	done chan struct{} // closed when it has ended
	err  error         // how; after done
	stop context.CancelFunc

	mu   sync.Mutex // guards text
	text bytes.Buffer
}

func (w *terminal) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.text.Write(p)
}

// open starts one with arguments and settles.
func (s *server) open(args ...string) *terminal {
	s.t.Helper()
	return s.openAt(s.URL, args...)
}

func (s *server) openAt(url string, args ...string) *terminal {
	s.t.Helper()
	o, err := parse(append(args, url), io.Discard, false)
	if err != nil {
		s.t.Fatal(err)
	}
	client := *s.Client // each has its own cookies
	o.http = &client
	r, in := io.Pipe()
	w := &terminal{t: s.t, in: in, done: make(chan struct{})}
	ctx, stop := context.WithCancel(context.Background())
	w.stop = stop
	go func() {
		defer close(w.done)
		w.err = run(ctx, o, r, w)
	}()
	s.t.Cleanup(func() {
		in.Close()
		stop()
		<-w.done
	})
	settle()
	return w
}

func settle() {
	time.Sleep(1500 * time.Millisecond)
	synctest.Wait()
}

// types lines and settles after each.
func (w *terminal) types(lines ...string) {
	w.t.Helper()
	for _, line := range lines {
		if _, err := io.WriteString(w.in, line+"\n"); err != nil {
			w.t.Fatal(err)
		}
		settle()
	}
}

// shows gives what came since the last time, without the times of day.
func (w *terminal) shows() string {
	settle()
	w.mu.Lock()
	defer w.mu.Unlock()
	text := regexp.MustCompile(`(?m)^(\x1b\[2m)?\d\d:\d\d `).ReplaceAllString(w.text.String(), "$1")
	w.text.Reset()
	return text
}

// expect compares that with lines.
func (w *terminal) expect(what string, lines ...string) {
	w.t.Helper()
	want := strings.Join(append(lines, ""), "\n")
	if got := w.shows(); got != want {
		w.t.Errorf("%s:\n%s\nwant\n%s", what, got, want)
	}
}
