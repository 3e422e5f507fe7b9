// Tmaxmax serves with github.com/tmaxmax/go-sse and its default provider.
package main

import (
	"net/http"

	"github.com/stentor-sse/stentor/bench/peer"
	"github.com/tmaxmax/go-sse"
)

func main() {
	peer.Main(func() (*peer.Server, error) {
		s := &sse.Server{OnSession: session}
		publish := func(channel, data string) error {
			m := &sse.Message{}
			m.AppendData(data)
			return s.Publish(m, channel)
		}
		return &peer.Server{Events: s, Publish: publish}, nil
	})
}

// session says what the request is for, and sends the head at once: by itself the library
// sends it with the first event.
func session(w http.ResponseWriter, r *http.Request) (topics []string, allowed bool) {
	w.Header().Set("Content-Type", "text/event-stream")
	w.WriteHeader(http.StatusOK)
	return []string{r.URL.Query().Get("channel")}, http.NewResponseController(w).Flush() == nil
}
