package diskbroker_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stentor-sse/stentor"
	"github.com/stentor-sse/stentor/diskbroker"
)

// BenchmarkSync is what the disk can do: append 256 bytes, fdatasync.
func BenchmarkSync(b *testing.B) {
	f, err := os.Create(filepath.Join(b.TempDir(), "file"))
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	line := []byte(strings.Repeat("x", 256))
	for b.Loop() {
		if _, err := f.Write(line); err != nil {
			b.Fatal(err)
		}
		if err := f.Sync(); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "syncs/s")
}

// BenchmarkPublish has 256 bytes on one of 1,000 channels, with a number of publishers that each
// wait for the disk.
func BenchmarkPublish(b *testing.B) {
	for _, publishers := range []int{1, 10, 100, 1000} {
		b.Run(fmt.Sprintf("publishers=%d", publishers), func(b *testing.B) {
			broker := open(b, b.TempDir(), &diskbroker.Options{Size: 1000})
			data := strings.Repeat("x", 256)
			var left atomic.Int64
			left.Store(int64(b.N))
			b.ResetTimer()
			var wg sync.WaitGroup
			for range publishers {
				wg.Go(func() {
					for i := left.Add(-1); i >= 0; i = left.Add(-1) {
						m := stentor.Message{Target: stentor.Target{Channel: stentor.Channel(fmt.Sprint(i % 1000))}, Data: data}
						if _, err := broker.Publish(b.Context(), m); err != nil {
							b.Error(err)
							return
						}
					}
				})
			}
			wg.Wait()
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "messages/s")
		})
	}
}

// BenchmarkReplay reads a channel of 10,000 messages among 100,000 others.
func BenchmarkReplay(b *testing.B) {
	broker := open(b, b.TempDir(), nil)
	var wg sync.WaitGroup
	for i := range 100 {
		wg.Go(func() {
			for n := range 1100 {
				m := stentor.Message{Target: stentor.Target{Channel: "other"}, Data: strings.Repeat("x", 256)}
				m.Target.Channel = stentor.Channel(fmt.Sprint("other", i))
				if n%11 == 0 {
					m.Target.Channel = "one"
				}
				if _, err := broker.Publish(b.Context(), m); err != nil {
					b.Error(err)
				}
			}
		})
	}
	wg.Wait()
	link, err := broker.Attach(b.Context(), nobody{})
	if err != nil {
		b.Fatal(err)
	}
	n := 0
	b.ReportAllocs()
	for b.Loop() {
		err := link.Replay(b.Context(), []stentor.Channel{"one"}, 0, 1<<53, func(page []stentor.Message) bool {
			n += len(page)
			return true
		})
		if err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "messages/s")
}

// nobody is a feed that listens to nothing.
type nobody struct{}

func (nobody) Deliver([]stentor.Message)                                   {}
func (nobody) Advance(stentor.Position)                                    {}
func (nobody) Break(stentor.Position, stentor.Position, stentor.GapReason) {}

// BenchmarkResume reads the last five messages of a random channel in a log of 500,000 messages
// on 1,000 channels, as a client that comes back does.
func BenchmarkResume(b *testing.B) {
	const channels, each = 1000, 500
	dir := b.TempDir()
	broker := open(b, dir, nil)
	cursors := make([]stentor.Position, channels)
	var wg sync.WaitGroup
	for i := range channels {
		wg.Go(func() {
			ch := stentor.Channel(fmt.Sprint(i))
			for n := range each {
				r, err := broker.Publish(b.Context(), stentor.Message{Target: to(ch), Data: strings.Repeat("x", 256)})
				if err != nil {
					b.Error(err)
				}
				if n == each-6 {
					cursors[i] = r.Position
				}
			}
		})
	}
	wg.Wait()
	link := attach(b, broker)
	i := 0
	for b.Loop() {
		i++
		n := 0
		ch := i * 7919 % channels
		err := link.Replay(b.Context(), []stentor.Channel{stentor.Channel(fmt.Sprint(ch))}, cursors[ch], 1<<53, func(page []stentor.Message) bool {
			n += len(page)
			return true
		})
		if err != nil || n != 5 {
			b.Fatalf("%d messages, %v", n, err)
		}
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "resumes/s")
	shut(b, broker)
	began := time.Now()
	broker = open(b, dir, nil)
	b.ReportMetric(float64(broker.Stats().Messages)/time.Since(began).Seconds(), "opened-messages/s")
}
