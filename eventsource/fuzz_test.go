package eventsource_test

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stentor-sse/stentor/eventsource"
)

// transport is a server without HTTP.
type transport func(*http.Request) (*http.Response, error)

func (t transport) RoundTrip(r *http.Request) (*http.Response, error) { return t(r) }

// FuzzAnswer gives any answer, again and again: nothing panics, no wait leaves its limits, and
// what is sent next can be sent.
func FuzzAnswer(f *testing.F) {
	f.Add(200, "text/event-stream", "", "", "id: 1\ndata: a\n\nretry: 0\n\n")
	f.Add(503, "text/html", "120", "", "")
	f.Add(429, "", "Sat, 01 Jan 2000 00:01:40 GMT", "Fri, 31 Dec 1999 23:00:00 GMT", "")
	f.Add(503, "", "-1", "Mon, 01 Jan 0001 00:00:00 GMT", "\x00")
	f.Add(503, "", "Fri, 31 Dec 9999 23:59:59 GMT", "Sat, 01 Jan 0000 00:00:00 GMT", "")
	f.Add(200, "text/event-stream", "", "", "id: \x01\ndata: a\n\nid: …\xff\nretry: 99999999999999999999\n\n")
	f.Add(301, "", "", "", "")
	f.Fuzz(func(t *testing.T, code int, kind, after, date, body string) {
		synctest.Test(t, func(t *testing.T) {
			n := 0
			client := &http.Client{Transport: transport(func(r *http.Request) (*http.Response, error) {
				n++
				if id := r.Header.Get("Last-Event-ID"); strings.ContainsAny(id, "\x00\x01\x1f\x7f\r\n") || len(id) > 4096 {
					t.Errorf("Last-Event-ID %q", id)
				}
				h := http.Header{"Content-Type": {kind}, "Retry-After": {after}, "Date": {date}, "Location": {body}}
				return &http.Response{StatusCode: code, Header: h, Body: io.NopCloser(strings.NewReader(body)), Request: r}, nil
			})}
			waits := 0
			src, err := eventsource.New("http://host/", &eventsource.Options{
				Client: client, MaxFailures: 5,
				Change: func(c eventsource.Change) {
					if c.Wait < 0 || c.Wait > 15*time.Minute {
						t.Errorf("waits %v", c.Wait)
					}
					if c.Wait > 0 {
						waits++
					}
				},
			})
			if err != nil {
				t.Fatal(err)
			}
			events := 0
			for range src.Events(t.Context()) {
				if events++; events > 100 {
					break
				}
				if waits > 20 { // each of them got on to another place
					break
				}
			}
			if n == 0 || src.State() != eventsource.Closed {
				t.Errorf("%d requests, then %v", n, src.State())
			}
		})
	})
}
