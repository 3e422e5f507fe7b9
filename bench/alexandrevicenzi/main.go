// Alexandrevicenzi serves with github.com/alexandrevicenzi/go-sse, its log discarded.
package main

import (
	"io"
	"log"
	"net/http"

	"github.com/alexandrevicenzi/go-sse"
	"github.com/stentor-sse/stentor/bench/peer"
)

func main() {
	peer.Main(func() (*peer.Server, error) {
		s := sse.NewServer(&sse.Options{
			Logger:          log.New(io.Discard, "", 0),
			ChannelNameFunc: func(r *http.Request) string { return r.URL.Query().Get("channel") },
		})
		publish := func(channel, data string) error {
			s.SendMessage(channel, sse.SimpleMessage(data))
			return nil
		}
		return &peer.Server{Events: s, Publish: publish}, nil
	})
}
