package main

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stentor-sse/stentor/sse"
)

// stream is one scripted answer.
type stream struct {
	status int // zero: 200
	header http.Header
	body   string
	then   error // after body; nil: a clean end; errHang: nothing more
}

var errHang = errors.New("hang")

// script answers requests in turn, without a network, and notes when they came
// and with which cursor.
type script struct {
	begin   time.Time
	answers []stream
	at      []time.Duration
	cursors []string
}

func (s *script) RoundTrip(r *http.Request) (*http.Response, error) {
	n := len(s.at)
	s.at = append(s.at, time.Since(s.begin))
	s.cursors = append(s.cursors, r.Header.Get("Last-Event-ID"))
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

// follow reads the scripted answers until want events came or it ends by itself
// or an hour is over.
func follow(t *testing.T, want int, answers ...stream) (s *script, data []string, troubles []string, err error) {
	t.Helper()
	s = &script{begin: time.Now(), answers: answers}
	ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
	defer cancel()
	client := newClient()
	client.Transport = s
	src := &source{
		client: client, server: &url.URL{Scheme: "http", Host: "stentor.test"},
		trouble: func(err error) { troubles = append(troubles, err.Error()) },
	}
	err = src.run(ctx, func(e sse.Event) error {
		if data = append(data, e.Data); len(data) == want {
			return errEnough
		}
		return nil
	})
	return s, data, troubles, err
}

func TestSourceResumes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, data, _, err := follow(t, 4,
			stream{body: "id: 1\ndata: a\n\nid: 2\ndata: b\n\nid: 3\ndata: cut off"},
			stream{body: "data: c\n\n", then: io.ErrUnexpectedEOF},
			stream{body: "id: 4\ndata: d\n\n"},
		)
		if !errors.Is(err, errEnough) || !slices.Equal(data, []string{"a", "b", "c", "d"}) {
			t.Errorf("got %q, %v", data, err)
		}
		if want := []string{"", "2", "2"}; !slices.Equal(s.cursors, want) {
			t.Errorf("cursors %q, want %q", s.cursors, want)
		}
	})
}

// between holds when each pause is in its range, in seconds.
func between(t *testing.T, at []time.Duration, ranges ...[2]float64) {
	t.Helper()
	if len(at) != len(ranges)+1 {
		t.Fatalf("requests at %v, want %d", at, len(ranges)+1)
	}
	for i, r := range ranges {
		if d := (at[i+1] - at[i]).Seconds(); d < r[0] || d > r[1] {
			t.Errorf("pause %d is %.3f s, want %.2f to %.2f", i+1, d, r[0], r[1])
		}
	}
}

func TestSourceHonoursRetry(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, _, _, _ := follow(t, 3,
			stream{body: "data: a\n\n"},
			stream{body: "retry: 4000\ndata: b\n\n"},
			stream{body: "data: c\n\n"},
		)
		between(t, s.at, [2]float64{0.75, 1.25}, [2]float64{3, 5})
	})
}

// A server that says retry: 0 is not hammered, and one that never comes back is
// asked once a minute.
func TestSourceBacksOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, _, troubles, err := follow(t, 2, stream{body: "retry: 0\ndata: a\n\n"})
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("ended with %v", err)
		}
		if n := len(s.at); n < 50 || n > 120 {
			t.Errorf("%d attempts within an hour", n)
		}
		between(t, s.at[:4], [2]float64{0.075, 0.125}, [2]float64{0.15, 0.25}, [2]float64{0.3, 0.5})
		last := s.at[len(s.at)-2:]
		between(t, last, [2]float64{45, 75})
		if !strings.Contains(troubles[1], "cannot reach http://stentor.test: connection refused; reconnecting in") {
			t.Errorf("it says %q", troubles[1])
		}
	})
}

func TestSourceWaitsAsLongAsAsked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, _, _, err := follow(t, 1,
			stream{status: 503, header: http.Header{"Retry-After": {"100"}}},
			stream{status: 429, header: http.Header{"Retry-After": {"99999999999"}}},
			stream{status: 502, header: http.Header{"Retry-After": {"soon"}}},
			stream{body: "retry: 30000\n\n: come back later\n\n"},
			stream{body: "data: a\n\n"},
		)
		if !errors.Is(err, errEnough) {
			t.Errorf("ended with %v", err)
		}
		between(t, s.at, [2]float64{100, 100}, [2]float64{1.5, 2.5}, [2]float64{3, 5}, [2]float64{45, 75})
	})
}

// A connection that is dead without a word is given up.
func TestSourceSilence(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, data, troubles, _ := follow(t, 2,
			stream{body: "id: 1\ndata: a\n\n", then: errHang},
			stream{body: "id: 2\ndata: b\n\n"},
		)
		if !slices.Equal(data, []string{"a", "b"}) || s.cursors[1] != "1" {
			t.Errorf("got %q, cursors %q", data, s.cursors)
		}
		between(t, s.at, [2]float64{60.75, 61.25})
		if !strings.Contains(troubles[0], "nothing came for 1m0s") {
			t.Errorf("it says %q", troubles[0])
		}
	})
}

func TestSourceSaysWhyItEnded(t *testing.T) {
	for data, want := range map[string]string{
		`{"reason":"draining"}`: "the server ended the stream: draining; reconnecting",
		`{}`:                    "the server ended the stream; reconnecting",
		`draining`:              "the server ended the stream; reconnecting",
	} {
		synctest.Test(t, func(t *testing.T) {
			_, _, troubles, _ := follow(t, 3,
				stream{body: ":\n\ndata: a\n\nevent: stentor.end\ndata: " + data + "\n\n"},
				stream{body: "data: b\n\n"},
			)
			if len(troubles) != 1 || !strings.HasPrefix(troubles[0], want) {
				t.Errorf("%s: it says %q, want %q", data, troubles, want)
			}
		})
	}
}

// A full server says so with a stream that ends at once: that is a failure, and the pauses
// grow.
func TestSourceBacksOffFromAFullServer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		full := stream{body: "retry: 1000\nevent: stentor.end\ndata: {\"reason\":\"full\"}\n\n"}
		s, _, _, _ := follow(t, 4, full, full, full, full)
		if pause := s.at[3] - s.at[2]; len(s.at) != 4 || pause < 3*time.Second {
			t.Errorf("it came at %v, want ever longer pauses", s.at)
		}
	})
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
		{"endless event", stream{body: "data: " + strings.Repeat("x", 17<<20)}, "sse:"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s, data, _, err := follow(t, 1, tt.answer)
				if len(s.at) != 1 || len(data) != 0 || err == nil || !strings.Contains(err.Error(), tt.want) {
					t.Errorf("%d requests, %d events, %v; want one request and %q", len(s.at), len(data), err, tt.want)
				}
			})
		})
	}
}
