package ssetest

import (
	"bytes"
	"context"
	"io"
	"log"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
)

// Protocol is what a server and its client speak.
type Protocol string

const (
	HTTP1 Protocol = "HTTP1" // HTTP/1.1
	HTTP2 Protocol = "HTTP2" // HTTP/2 without encryption and without an upgrade
)

// Each runs f as the subtests HTTP1 and HTTP2, each in a synctest bubble of its
// own: time stands still while anything can run, and a goroutine that is left
// behind fails the test.
func Each(t *testing.T, f func(t *testing.T, p Protocol)) {
	for _, p := range []Protocol{HTTP1, HTTP2} {
		t.Run(string(p), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { f(t, p) })
		})
	}
}

// Server is an HTTP server without a network. Its methods are safe for any
// goroutine, but those that take a test end it only from the test's own.
type Server struct {
	// URL is the address without a path.
	URL string
	// Client sends to this server whatever the host. It follows no redirect,
	// asks for no compression, has no cookies, and over HTTP/1.1 uses a
	// connection once without saying so to the server.
	Client *http.Client
	// Config may be changed before the first request.
	Config *http.Server

	listener *listener
	once     sync.Once
	serving  sync.WaitGroup
	t        testing.TB

	mu      sync.Mutex // guards all below
	idle    *sync.Cond // no handler runs
	running int
	over    bool
	port    int
}

// NewServer makes a server that serves h from the first request on. When the
// test ends, it closes all connections and waits until they are and each handler has returned: a
// handler that doesn't, hangs the test, which a bubble reports with the
// goroutine's stack. What the server logs goes to the test's log; a panic of a
// handler and a second WriteHeader fail the test.
func NewServer(t testing.TB, p Protocol, h http.Handler) *Server {
	t.Helper()
	s := &Server{URL: "http://stentor.test", listener: newListener(), t: t, port: 50000}
	s.idle = sync.NewCond(&s.mu)
	protocols, transport := new(http.Protocols), &http.Transport{
		DisableCompression: true,
		DialContext:        s.dial,
	}
	switch p {
	case HTTP1:
		protocols.SetHTTP1(true)
		transport.MaxIdleConnsPerHost = -1
	case HTTP2:
		protocols.SetUnencryptedHTTP2(true)
		transport.HTTP2 = &http.HTTP2Config{MaxReceiveBufferPerStream: pipeSize}
	default:
		t.Fatalf("ssetest: protocol %q; use HTTP1 or HTTP2", p)
	}
	transport.Protocols = protocols
	s.Client = &http.Client{
		Transport:     transport,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	s.Config = &http.Server{Handler: h, Protocols: protocols, ErrorLog: log.New(logger{s}, "", 0)}
	t.Cleanup(s.close)
	return s
}

// start serves.
func (s *Server) start() {
	h := s.Config.Handler
	if h == nil {
		h = http.DefaultServeMux // as http.Server has it
	}
	s.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if s.enter() {
			defer s.leave()
			h.ServeHTTP(w, r)
		}
	})
	// net/http holds on to a connection for half a second after an answer that
	// did not wait for the request's body.
	report := s.Config.ConnState
	s.Config.ConnState = func(c net.Conn, state http.ConnState) {
		switch state {
		case http.StateNew:
			s.count(1)
		case http.StateClosed, http.StateHijacked:
			s.count(-1)
		}
		if report != nil {
			report(c, state)
		}
	}
	s.serving.Go(func() { s.Config.Serve(s.listener) })
}

func (s *Server) enter() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.over {
		s.running++
	}
	return !s.over
}

func (s *Server) leave() { s.count(-1) }

func (s *Server) count(n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.running += n; s.running == 0 {
		s.idle.Broadcast()
	}
}

func (s *Server) close() {
	s.once.Do(func() {}) // if nothing was sent, nothing will be
	s.listener.Close()
	s.Config.Close()
	s.Client.CloseIdleConnections()
	s.serving.Wait()
	s.mu.Lock()
	defer s.mu.Unlock()
	for s.running > 0 {
		s.idle.Wait()
	}
	s.over = true
}

// logger takes what a server logs, a line at a time.
type logger struct{ s *Server }

func (l logger) Write(p []byte) (int, error) {
	s := l.s
	s.mu.Lock()
	defer s.mu.Unlock()
	line := string(bytes.TrimSpace(p))
	switch {
	case s.over: // a test that has ended takes no more
	case strings.Contains(line, "panic"), strings.Contains(line, "superfluous"):
		s.t.Errorf("http.Server: %s", line)
	default:
		s.t.Logf("http.Server: %s", line)
	}
	return len(p), nil
}

// Dial connects and leaves it to the test what to send and what to read: over
// HTTP1 it may be a reader that never reads. The connection ends with the test.
func (s *Server) Dial(t testing.TB) net.Conn {
	t.Helper()
	c, err := s.dial(t.Context(), "", "")
	if err != nil {
		t.Fatalf("ssetest: dial: %v", err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

func (s *Server) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	s.once.Do(s.start)
	s.mu.Lock()
	s.port++ // so that two connections can be told apart
	port := s.port
	s.mu.Unlock()
	return s.listener.dial(ctx, port)
}

// Do sends a request with a body, none if it is empty, and reads the whole
// answer. A header is "Name: value"; Host is one.
func (s *Server) Do(t testing.TB, method, path, body string, header ...string) (*http.Response, string) {
	t.Helper()
	res, err := s.Client.Do(s.request(t, context.WithoutCancel(t.Context()), method, path, body, header))
	if err != nil {
		t.Fatalf("ssetest: %s %s: %v", method, path, err)
	}
	defer res.Body.Close()
	got, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatalf("ssetest: %s %s: answer cut after %d bytes: %v", method, path, len(got), err)
	}
	return res, string(got)
}

func (s *Server) request(t testing.TB, ctx context.Context, method, path, body string, header []string) *http.Request {
	t.Helper()
	var content io.Reader
	if body != "" {
		content = strings.NewReader(body)
	}
	req, err := http.NewRequestWithContext(ctx, method, s.URL+path, content)
	if err != nil {
		t.Fatalf("ssetest: %s %s: %v", method, path, err)
	}
	for _, h := range header {
		name, value, ok := strings.Cut(h, ":")
		if !ok {
			t.Fatalf("ssetest: header %q; write it as \"Name: value\"", h)
		}
		if value = strings.TrimPrefix(value, " "); strings.EqualFold(name, "Host") {
			req.Host = value
			continue
		}
		req.Header.Add(name, value)
	}
	return req
}
