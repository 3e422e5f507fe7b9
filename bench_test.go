package stentor_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"testing"

	"github.com/stentor-sse/stentor"
)

// sink is a response that takes everything at once.
type sink struct{ done chan struct{} }

func (s sink) WriteFrames(p []byte) error      { return nil }
func (s sink) Done() <-chan struct{}           { return s.done }
func (s sink) Detach() (net.Conn, bool, error) { return nil, false, errors.ErrUnsupported }

func benchHub(b *testing.B) *stentor.Hub {
	h, err := stentor.New(b.Context(), nil)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { h.Shutdown(context.Background()) })
	return h
}

func benchServe(b *testing.B, h *stentor.Hub, ch stentor.Channel) {
	sub, err := h.Subscribe(b.Context(), &stentor.SubscribeOptions{Channels: []stentor.Channel{ch}, Dialect: plain{}})
	if err != nil {
		b.Fatal(err)
	}
	go sub.Serve(sink{})
}

// One channel with n subscriptions: the cost of a publish, fan-out included.
func BenchmarkPublish(b *testing.B) {
	for _, n := range []int{0, 1, 1000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			h := benchHub(b)
			for range n {
				benchServe(b, h, "a")
			}
			b.ReportAllocs()
			for b.Loop() {
				say(b, h, "a", "hello")
			}
		})
	}
}

// One subscription to each of n channels: publishing to one must not cost more
// when there are others.
func BenchmarkPublishManyChannels(b *testing.B) {
	for _, n := range []int{100, 10_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			h := benchHub(b)
			for i := range n {
				benchServe(b, h, stentor.Channel(fmt.Sprint("c", i)))
			}
			b.ReportAllocs()
			for b.Loop() {
				say(b, h, "c7", "hello")
			}
		})
	}
}

func BenchmarkSubscribe(b *testing.B) {
	h := benchHub(b)
	b.ReportAllocs()
	for b.Loop() {
		sub, err := h.Subscribe(b.Context(), &stentor.SubscribeOptions{Channels: []stentor.Channel{"a"}})
		if err != nil {
			b.Fatal(err)
		}
		sub.Close(nil)
	}
}
