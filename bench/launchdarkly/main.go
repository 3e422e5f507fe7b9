// Launchdarkly serves with github.com/launchdarkly/eventsource. Its buffer is raised, because
// it disconnects a reader that is further behind.
package main

import (
	"net/http"

	"github.com/launchdarkly/eventsource"
	"github.com/stentor-sse/stentor/bench/peer"
)

// buffer holds what one plan publishes without a pause.
const buffer = 600

func main() {
	peer.Main(func() (*peer.Server, error) {
		s := eventsource.NewServer()
		s.BufferSize = buffer
		events := func(w http.ResponseWriter, r *http.Request) {
			s.Handler(r.URL.Query().Get("channel"))(w, r)
		}
		publish := func(channel, data string) error {
			s.Publish([]string{channel}, event(data))
			return nil
		}
		return &peer.Server{Events: http.HandlerFunc(events), Publish: publish}, nil
	})
}

// event is data alone.
type event string

func (event) Id() string     { return "" }
func (event) Event() string  { return "" }
func (e event) Data() string { return string(e) }
