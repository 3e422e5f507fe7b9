package stentor_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stentor-sse/stentor"
)

// nothing is a feed that does nothing.
type nothing struct{}

func (nothing) Deliver([]stentor.Message)                                   {}
func (nothing) Advance(stentor.Position)                                    {}
func (nothing) Break(stentor.Position, stentor.Position, stentor.GapReason) {}

func BenchmarkMemoryPublish(b *testing.B) {
	for _, feeds := range []int{0, 1} {
		for _, channels := range []int{1, 10_000} {
			b.Run(fmt.Sprintf("feeds=%d/channels=%d", feeds, channels), func(b *testing.B) {
				broker := stentor.NewMemoryBroker(&stentor.MemoryOptions{Size: 100})
				targets := make([]stentor.Target, channels)
				wants := make([]stentor.Channel, channels)
				for i := range targets {
					wants[i] = stentor.Channel(fmt.Sprint("channel-", i))
					targets[i].Channel = wants[i]
				}
				for range feeds {
					link, err := broker.Attach(b.Context(), nothing{})
					if err != nil {
						b.Fatal(err)
					}
					if _, err := link.Want(b.Context(), wants, nil); err != nil {
						b.Fatal(err)
					}
				}
				ctx, data := b.Context(), strings.Repeat("x", 100)
				b.ReportAllocs()
				for i := 0; b.Loop(); i++ {
					m := stentor.Message{Target: targets[i%channels], Data: data}
					if _, err := broker.Publish(ctx, m); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}

// BenchmarkMemoryReplay replays 10,000 kept messages; ns/message is the figure.
func BenchmarkMemoryReplay(b *testing.B) {
	const total = 10_000
	for _, channels := range []int{1, 8, 128} {
		b.Run(fmt.Sprintf("channels=%d", channels), func(b *testing.B) {
			broker := stentor.NewMemoryBroker(nil)
			link, _ := attach(b, broker)
			names := make([]stentor.Channel, channels)
			for i := range names {
				names[i] = stentor.Channel(fmt.Sprint("channel-", i))
			}
			for i := range total {
				put(b, broker, names[i%channels], "hello")
			}
			n := 0
			b.ReportAllocs()
			for b.Loop() {
				err := link.Replay(b.Context(), names, 0, 1<<53, func(page []stentor.Message) bool {
					n += len(page)
					return true
				})
				if err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(n), "ns/message")
		})
	}
}
