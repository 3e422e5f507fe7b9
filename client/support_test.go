package client_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/stentor-sse/stentor/client"
	"github.com/stentor-sse/stentor/ssetest"
)

// request is what the face was asked.
type request struct {
	line   string // method, path, query
	token  string
	body   string
	cursor string
	key    string
}

// face is a plain face that does what a test says.
type face struct {
	*ssetest.Server
	begin    func(n int, w http.ResponseWriter, r *http.Request) // the n-th stream, from 1 on
	presence func(channel string) (int, string)
	change   func(id string) int
	publish  func() (int, string)

	mu       sync.Mutex // guards all below
	requests []request
	streams  int
}

func newFace(t *testing.T, p ssetest.Protocol) *face {
	f := &face{
		begin:    func(_ int, w http.ResponseWriter, r *http.Request) { <-r.Context().Done() },
		presence: func(string) (int, string) { return 200, `{"members":[]}` },
		change:   func(string) int { return 200 },
		publish:  func() (int, string) { return 200, `{"id":"7","matched":2}` },
	}
	f.Server = ssetest.NewServer(t, p, http.HandlerFunc(f.serve))
	f.Client.CheckRedirect = nil
	return f
}

func (f *face) serve(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	query, _ := url.QueryUnescape(r.URL.RawQuery)
	f.mu.Lock()
	f.requests = append(f.requests, request{
		line:  fmt.Sprintf("%s %s?%s", r.Method, r.URL.Path, query),
		token: r.Header.Get("Authorization"), body: string(body), cursor: r.Header.Get("Last-Event-ID"), key: r.Header.Get("Idempotency-Key"),
	})
	if r.URL.Path == "/events" {
		f.streams++
	}
	n := f.streams
	f.mu.Unlock()
	answer := func(code int, text string) {
		w.WriteHeader(code)
		io.WriteString(w, text)
	}
	switch {
	case r.URL.Path == "/events":
		f.begin(n, w, r)
	case r.URL.Path == "/presence":
		answer(f.presence(r.URL.Query().Get("channel")))
	case r.URL.Path == "/publish":
		answer(f.publish())
	default:
		answer(f.change(r.URL.Path), `{"detail":"because"}`)
	}
}

// asked gives the requests so far.
func (f *face) asked() []request {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.requests)
}

// lines gives those requests that are no stream, with their bodies.
func (f *face) lines() (all []string) {
	for _, r := range f.asked() {
		all = append(all, r.line+r.body)
	}
	return all
}

// say writes a piece of a stream.
func say(w http.ResponseWriter, text string) {
	w.Header().Set("Content-Type", "text/event-stream")
	io.WriteString(w, text)
	http.NewResponseController(w).Flush()
}

// opening is the first event of the n-th stream.
func opening(n int) string {
	return fmt.Sprintf("retry: 1000\nid: %d00\nevent: stentor.open\ndata: {\"subscription\":\"s%d\"}\n\n", n, n)
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

func (f *face) client(t *testing.T, o client.Options) *client.Client {
	t.Helper()
	o.HTTP = f.Client
	if o.Error == nil {
		o.Error = func(err error) { t.Errorf("told of %v", err) }
	}
	c, err := client.New(f.URL, &o)
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

// members is an answer of /presence.
func members(names ...string) string {
	type member struct {
		User string `json:"user"`
	}
	list := []member{}
	for _, n := range names {
		list = append(list, member{n})
	}
	b, _ := json.Marshal(map[string]any{"members": list})
	return string(b)
}

func status(err error) int {
	if r, ok := errors.AsType[*client.Refusal](err); ok {
		return r.Status
	}
	return 0
}
