// Stentor serves a hub's plain face, as a program with the library would. Nothing is set
// that is not needed to do what the others do.
package main

import (
	"context"
	"crypto/tls"
	"flag"
	"fmt"
	"net"

	"github.com/stentor-sse/stentor"
	"github.com/stentor-sse/stentor/bench/peer"
	"github.com/stentor-sse/stentor/eventhttp"
	"github.com/stentor-sse/stentor/sse"
)

func main() {
	engine := flag.String("engine", "auto", "auto or attached: who writes the streams, as of stentor serve")
	zip := flag.Bool("gzip", false, "compress for those who accept it")
	peer.Main(func() (*peer.Server, error) {
		if *engine != "auto" && *engine != "attached" {
			return nil, fmt.Errorf("stentor: engine %q: give auto or attached", *engine)
		}
		ctx := context.Background()
		hub, err := stentor.New(ctx, &stentor.Options{Attached: *engine == "attached", GiveBack: true})
		if err != nil {
			return nil, err
		}
		face := &eventhttp.Options{}
		if *zip {
			face.Stream.Compress = &sse.Compressor{}
		}
		publish := func(channel, data string) error {
			_, err := hub.Publish(ctx, stentor.Message{Target: stentor.Target{Channel: stentor.Channel(channel)}, Data: data})
			return err
		}
		return &peer.Server{
			Events:  eventhttp.New(hub, face),
			Publish: publish,
			Secure: func(l net.Listener, c *tls.Config) net.Listener {
				return tls.NewListener(sse.Listener(l), c)
			},
			Behind: func() int { return behind(hub.Stats()) },
			Close:  func() error { return hub.Shutdown(ctx) },
		}, nil
	})
}

// behind is how far the average reader is, when all were there from the beginning and on
// one channel.
func behind(s stentor.Stats) int {
	if s.Subscriptions == 0 {
		return 0
	}
	return int(s.Published) - int(s.Delivered)/s.Subscriptions
}
