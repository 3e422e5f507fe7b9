package client_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/stentor-sse/stentor/client"
	"github.com/stentor-sse/stentor/ssetest"
)

// request is what the server was asked.
type request struct {
	what   string // the same whatever the face: "stream a b", "change s1 +c -a", "members a", "end s1", "publish"
	line   string // method, path, query
	header http.Header
	body   string
	cursor string
}

// server is a face that does what a test says.
type server struct {
	*ssetest.Server
	words
	begin    func(n int, w http.ResponseWriter, r *http.Request) // the n-th stream, from 1 on
	presence func(channel string) (int, string)
	change   func(id string) int
	publish  func() (int, string)
	beat     func(id string) int

	mu       sync.Mutex // guards all below
	requests []request
	streams  int
}

// each runs f with both faces, over HTTP/1.1 and HTTP/2, each time in a bubble.
func each(t *testing.T, f func(t *testing.T, s *server)) {
	for _, w := range []words{plainWords{}, serviceStackWords{}} {
		t.Run(w.name(), func(t *testing.T) {
			ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) { f(t, newServer(t, p, w)) })
		})
	}
}

// eachPlain is for what is the plain face's alone.
func eachPlain(t *testing.T, f func(t *testing.T, s *server)) {
	ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) { f(t, newServer(t, p, plainWords{})) })
}

// eachServiceStack is for what is the other's.
func eachServiceStack(t *testing.T, f func(t *testing.T, s *server)) {
	ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) { f(t, newServer(t, p, serviceStackWords{})) })
}

func newServer(t *testing.T, p ssetest.Protocol, w words) *server {
	s := &server{
		words:    w,
		begin:    func(_ int, w http.ResponseWriter, r *http.Request) { <-r.Context().Done() },
		presence: func(string) (int, string) { return 200, w.list() },
		change:   func(string) int { return 200 },
		publish:  func() (int, string) { return 200, `{"id":"7","matched":2}` },
		beat:     func(string) int { return 200 },
	}
	s.Server = ssetest.NewServer(t, p, http.HandlerFunc(s.serve))
	s.Client.CheckRedirect = nil
	return s
}

func (s *server) serve(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	verb, arguments := s.words.request(r, body)
	line := r.Method + " " + r.URL.Path
	if r.URL.RawQuery != "" {
		line += "?" + r.URL.RawQuery
	}
	s.mu.Lock()
	s.requests = append(s.requests, request{
		what: strings.TrimSpace(verb + " " + arguments), line: line,
		header: r.Header, body: string(body), cursor: r.Header.Get("Last-Event-ID"),
	})
	if verb == "stream" {
		s.streams++
	}
	n := s.streams
	s.mu.Unlock()
	answer := func(code int, text string) {
		w.WriteHeader(code)
		io.WriteString(w, text)
	}
	switch verb {
	case "stream":
		s.begin(n, w, r)
	case "members":
		answer(s.presence(arguments))
	case "publish":
		answer(s.publish())
	case "change", "end":
		answer(s.change(arguments), s.words.problem("because"))
	case "beat":
		answer(s.beat(arguments), "")
	default:
		answer(404, s.words.problem("no such path"))
	}
}

// asked gives the requests so far.
func (s *server) asked() []request {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.requests)
}

// heard gives what the server was asked, but for heartbeats.
func (s *server) heard() (all []string) {
	for _, r := range s.asked() {
		if !strings.HasPrefix(r.what, "beat") {
			all = append(all, r.what)
		}
	}
	return all
}

// stay opens a stream that stays.
func (s *server) stay(n int, w http.ResponseWriter, r *http.Request) {
	say(w, s.opening(n))
	<-r.Context().Done()
}

// feed gives each stream what is sent to it after its beginning.
func (s *server) feed() chan<- string {
	more := make(chan string)
	s.begin = func(n int, w http.ResponseWriter, r *http.Request) {
		say(w, s.opening(n))
		for {
			select {
			case text := <-more:
				say(w, text)
			case <-r.Context().Done():
				return
			}
		}
	}
	return more
}

// say writes a piece of a stream.
func say(w http.ResponseWriter, text string) {
	w.Header().Set("Content-Type", "text/event-stream")
	io.WriteString(w, text)
	http.NewResponseController(w).Flush()
}

// run starts a client and gives what ends it and waits. In a bubble, everything has happened when
// it returns that can.
func run(t *testing.T, c *client.Client) (end func() error) {
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- c.Run(ctx) }()
	synctest.Wait()
	var once sync.Once
	var err error
	end = func() error {
		once.Do(func() {
			cancel()
			err = <-done
		})
		return err
	}
	t.Cleanup(func() { end() })
	return end
}

// client makes one of the server's face.
func (s *server) client(t *testing.T, o client.Options) *client.Client {
	t.Helper()
	o.HTTP, o.Face = s.Client, s.face()
	if o.Error == nil {
		o.Error = func(err error) { t.Errorf("told of %v", err) }
	}
	c, err := client.New(s.URL, &o)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func users(c *client.Client, channel string) (all []string) {
	for _, m := range c.Members(channel) {
		all = append(all, m.User)
	}
	return all
}

func status(err error) int {
	if r, ok := errors.AsType[*client.Refusal](err); ok {
		return r.Status
	}
	return 0
}

func toJSON(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return string(b)
}
