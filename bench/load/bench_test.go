package load_test

import (
	"strings"
	"testing"

	"github.com/stentor-sse/stentor/bench/load"
)

// BenchmarkFeed is what reading one event costs the load generator, at best.
func BenchmarkFeed(b *testing.B) {
	const events = 500
	chunk := []byte(inChunks(strings.Repeat("id: 123456\ndata: "+data(1)+strings.Repeat("x", 40)+"\n\n", events), 1<<20))
	var s load.Stream
	if err := s.Feed([]byte(chunked), nil); err != nil {
		b.Fatal(err)
	}
	n := 0
	on := func(load.Event) { n++ }
	b.ReportAllocs()
	for b.Loop() {
		if err := s.Feed(chunk, on); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(n), "ns/event")
}
