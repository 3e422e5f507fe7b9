package client_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stentor-sse/stentor/client"
	"github.com/stentor-sse/stentor/eventsource"
	"github.com/stentor-sse/stentor/sse"
)

// answers is a server that gives one stream, and knows nothing else.
type answers func(r *http.Request) string

func (f answers) RoundTrip(r *http.Request) (*http.Response, error) {
	return &http.Response{
		StatusCode: 200, ProtoMajor: 1, ProtoMinor: 1, Request: r, ContentLength: -1,
		Header: http.Header{"Content-Type": {"text/event-stream"}}, Body: io.NopCloser(strings.NewReader(f(r))),
	}, nil
}

// Whatever a server sends, the client goes on, asks nobody else, and takes nothing for the server's own words that isn't.
func FuzzServiceStackFrames(f *testing.F) {
	for _, seed := range []string{
		serviceStackWords{}.connect(1, 1, 1), "data: a@cmd.onJoin {\"userId\":\"1\"}\n\n", "data: a@cmd.onUpdate {\"channels\":\"b\"}\n\n", "data: cmd.onEnd {\"reason\":\"replaced\"}\n\n",
		"data: stentor.open {}\n\n", "data: tv.watch$#x null\n\n", "data: cmd.onConnect {\"id\":\"x\",\"heartbeatUrl\":\"//other.test/x\"}\n\n",
		"event: stentor.open\ndata: {}\n\n", "data: @. \n\n", "data: cmd.onGap\ndata: {}\n\n", "id: x\ndata: cmd.onHeartbeat {\"a\":[1]}\n\n",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, stream string) {
		var c *client.Client
		transport := answers(func(r *http.Request) string {
			if r.URL.Host != "stentor.test" {
				t.Errorf("asked %s", r.URL)
			}
			if r.URL.Path != "/event-stream" {
				return "[]"
			}
			return "data: cmd.onConnect {\"id\":\"first\"}\n\n" + stream
		})
		c, err := client.New("http://stentor.test", &client.Options{
			Face: client.ServiceStack, Channels: []string{"a"}, Presence: true, HTTP: &http.Client{Transport: transport},
			Change: func(change eventsource.Change) {
				if change.Err != nil {
					c.Close()
				}
			},
			Event: func(e sse.Event) {
				if strings.HasPrefix(e.Type, "stentor.") && !strings.Contains(stream, "cmd.on") && e.Type != "stentor.open" {
					t.Errorf("%q said %+v", stream, e)
				}
			},
		})
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{"cmd", "tv", "css"} {
			receive(t, c, name, &tv{})
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if err := c.Run(ctx); errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("it hangs with %q", stream)
		}
	})
}
