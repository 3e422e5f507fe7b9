// R3labs serves with github.com/r3labs/sse. Replay is off: by default it keeps every event for
// ever.
package main

import (
	"net/http"
	"net/url"

	"github.com/r3labs/sse/v2"
	"github.com/stentor-sse/stentor/bench/peer"
)

func main() {
	peer.Main(func() (*peer.Server, error) {
		s := sse.New()
		s.AutoReplay = false
		s.AutoStream = true
		events := func(w http.ResponseWriter, r *http.Request) {
			r.URL.RawQuery = url.Values{"stream": {r.URL.Query().Get("channel")}}.Encode()
			s.ServeHTTP(w, r)
		}
		publish := func(channel, data string) error {
			s.Publish(channel, &sse.Event{Data: []byte(data)})
			return nil
		}
		return &peer.Server{Events: http.HandlerFunc(events), Publish: publish}, nil
	})
}
