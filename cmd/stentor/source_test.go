package main

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// stream is one scripted answer.
type stream struct {
	status int // zero: 200
	header http.Header
	body   string
	then   error // after body; nil: a clean end; errHang: nothing more
}

var errHang = errors.New("hang")

// script answers requests in turn, without a network.
type script struct {
	answers []stream
	asked   []*http.Request
}

func (s *script) RoundTrip(r *http.Request) (*http.Response, error) {
	n := len(s.asked)
	s.asked = append(s.asked, r)
	if n >= len(s.answers) {
		return nil, errors.New("connection refused")
	}
	a := s.answers[n]
	h := a.header.Clone()
	if h == nil {
		h = http.Header{"Content-Type": {"text/event-stream; charset=utf-8"}}
	}
	if a.status == 0 {
		a.status = http.StatusOK
	}
	return &http.Response{
		StatusCode: a.status, Header: h, Request: r,
		Body: &body{Reader: strings.NewReader(a.body), then: a.then, ctx: r.Context()},
	}, nil
}

type body struct {
	io.Reader
	then error
	ctx  context.Context
}

func (b *body) Read(p []byte) (int, error) {
	n, err := b.Reader.Read(p)
	switch {
	case err != io.EOF || b.then == nil:
		return n, err
	case b.then == errHang:
		<-b.ctx.Done()
		return n, b.ctx.Err()
	}
	return n, b.then
}

func (b *body) Close() error { return nil }

// follow subscribes to the scripted answers until there were so many messages, it ends by
// itself or an hour is over.
func follow(t *testing.T, want int, answers ...stream) (s *script, out string, troubles []string, err error) {
	t.Helper()
	s = &script{answers: answers}
	ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
	defer cancel()
	client := newClient()
	client.Transport = s
	src, err := newSource(client, &url.URL{Scheme: "http", Host: "stentor.test"}, url.Values{"channel": {"home"}}, "7",
		func(err error) { troubles = append(troubles, err.Error()) })
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	sub := &subscriber{out: &b, count: want, warn: func(string, ...any) {}}
	err = sub.run(ctx, src)
	return s, b.String(), troubles, err
}

func TestSourceAsksForTheChannelsAndGoesOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, out, _, err := follow(t, 3,
			stream{body: "id: 8\ndata: a\n\nid: 9\ndata: b\n\nid: 10\ndata: cut off"},
			stream{body: "id: 10\ndata: c\n\n"},
		)
		if err != nil || out != "a\nb\nc\n" || len(s.asked) != 2 {
			t.Fatalf("it printed %q, %v", out, err)
		}
		first := s.asked[0]
		if first.URL.String() != "http://stentor.test/events?channel=home" || first.Header.Get("Accept") != "text/event-stream, application/problem+json" {
			t.Errorf("it asked %s with %v", first.URL, first.Header)
		}
		if a, b := first.Header.Get("Last-Event-ID"), s.asked[1].Header.Get("Last-Event-ID"); a != "7" || b != "9" {
			t.Errorf("it went on from %q and %q", a, b)
		}
	})
}

func TestSourceSaysWhatIsWrong(t *testing.T) {
	for name, tt := range map[string]struct {
		first stream
		want  string
	}{
		"an end":          {stream{}, "the server ended the stream; reconnecting in 1"},
		"a reason":        {stream{body: "event: stentor.end\ndata: {\"reason\":\"draining\"}\n\n"}, "the server ended the stream: draining; reconnecting in 1"},
		"an empty reason": {stream{body: "event: stentor.end\ndata: {}\n\n"}, "the server ended the stream; reconnecting in 1"},
		"no JSON":         {stream{body: "event: stentor.end\ndata: draining\n\n"}, "the server ended the stream; reconnecting in 1"},
		"a refusal":       {stream{status: 503, header: http.Header{"Retry-After": {"100"}}}, "503 Service Unavailable: is that a Stentor server? Name another with --url; reconnecting in 1m"},
		"silence":         {stream{body: "data: a\n\n", then: errHang}, "the connection to http://stentor.test was lost: nothing came for 1m0s; reconnecting in 1"},
		"a broken one":    {stream{then: io.ErrUnexpectedEOF}, "http://stentor.test: the connection was lost: sse: read: unexpected EOF; reconnecting in 1"},
		"a reason of old": {stream{body: "event: stentor.end\ndata: {\"reason\":\"draining\"}\n\n", then: io.ErrUnexpectedEOF}, "lost: sse: read: unexpected EOF; reconnecting in 1"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				_, _, troubles, _ := follow(t, 9, tt.first, stream{})
				if len(troubles) < 3 || !strings.Contains(troubles[0], tt.want) {
					t.Fatalf("it said %q, want %q", troubles[0], tt.want)
				}
				if !strings.HasPrefix(troubles[1], "the server ended the stream; ") || !strings.Contains(troubles[2], "http://stentor.test: connection refused; reconnecting") {
					t.Errorf("then it said %q", troubles[1:3])
				}
			})
		})
	}
}

func TestSourceGivesUp(t *testing.T) {
	document := http.Header{"Content-Type": {"application/problem+json"}}
	tests := []struct {
		name   string
		answer stream
		want   string
	}{
		{"refused", stream{status: 403, header: document, body: `{"status":403,"detail":"ask for a key"}`}, "403 Forbidden: ask for a key"},
		{"bad document", stream{status: 400, header: document, body: `{`}, "400 Bad Request"},
		{"another server", stream{status: 404, body: "<html>"}, "404 Not Found: is that a Stentor server?"},
		{"dismissed", stream{status: 204}, "not to come back"},
		{"moved", stream{status: 307, header: http.Header{"Location": {"https://e.example/events"}}}, "https://e.example/events"},
		{"a page", stream{header: http.Header{"Content-Type": {"text/html"}}, body: "data: a\n\n"}, `"text/html"`},
		{"no type", stream{header: http.Header{}, body: "data: a\n\n"}, "no event stream"},
		{"endless event", stream{body: "data: " + strings.Repeat("x", 17<<20)}, "sse: event too large"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s, out, troubles, err := follow(t, 1, tt.answer)
				if len(s.asked) != 1 || out != "" || len(troubles) > 0 || err == nil || !strings.Contains(err.Error(), tt.want) {
					t.Errorf("%d requests, %q, %q, %v; want one request and %q", len(s.asked), out, troubles, err, tt.want)
				}
			})
		})
	}
}

func TestSourceRefusesWhatItCannotAsk(t *testing.T) {
	if _, err := newSource(newClient(), &url.URL{Scheme: "ws", Host: "stentor.test"}, nil, "", nil); err == nil {
		t.Error("no error")
	}
	if got := endReason(`{"reason":"` + strings.Repeat("x", 99) + `"}`); len(got) > 70 {
		t.Errorf("a reason of %d letters", len(got))
	}
}
