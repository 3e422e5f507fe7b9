package eventsource_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stentor-sse/stentor/eventsource"
	"github.com/stentor-sse/stentor/ssetest"
)

// logLength is the newest position of the log.
const logLength = 100

// chaos answers one request of a server with a log, and ends in every way there is.
type chaos struct{ rand *rand.Rand }

// frame is one event of the log, in one of the ways to write it.
func (c chaos) frame(n int) string {
	end := []string{"\n", "\r\n", "\r"}[c.rand.IntN(3)]
	frame := fmt.Sprintf("id: %d%sdata: €%d%s%s", n, end, n, end, end)
	switch c.rand.IntN(4) {
	case 0:
		frame = ": a comment" + end + frame
	case 1:
		frame = fmt.Sprintf("retry: %d%s", c.rand.IntN(3000), end) + frame
	case 2:
		frame = "unknown" + end + end + frame
	}
	return frame
}

func (c chaos) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch c.rand.IntN(10) {
	case 0:
		status(500)(w, r)
		return
	case 1:
		status(503, "Retry-After", "2")(w, r)
		return
	case 2:
		mute(w, r)
		return
	}
	after, err := strconv.Atoi(r.Header.Get("Last-Event-ID"))
	if err != nil {
		after = 0
	}
	text(w, []string{"", "\uFEFF"}[c.rand.IntN(2)])
	for n := after + 1; n <= logLength; n++ {
		frame := c.frame(n)
		if c.rand.IntN(8) == 0 { // the end, somewhere
			text(w, frame[:c.rand.IntN(len(frame))])
			switch c.rand.IntN(3) {
			case 0:
				return
			case 1:
				panic(http.ErrAbortHandler)
			}
			<-r.Context().Done()
			return
		}
		cut := c.rand.IntN(len(frame))
		text(w, frame[:cut], frame[cut:])
		if c.rand.IntN(8) == 0 {
			time.Sleep(time.Duration(c.rand.IntN(90)) * time.Second)
		}
	}
	<-r.Context().Done()
}

// However connections end, whoever restarts, and however often the loop is left: each event of the
// log is given once, in order.
func TestNothingIsMissedOrGivenTwice(t *testing.T) {
	ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
		for seed := range uint64(40) {
			random := rand.New(rand.NewPCG(seed, 0))
			var requests atomic.Uint64
			s := serve(t, p, func(w http.ResponseWriter, r *http.Request) {
				chaos{rand.New(rand.NewPCG(seed, requests.Add(1)))}.ServeHTTP(w, r)
			})
			src := s.source(t, eventsource.Options{IdleTimeout: time.Minute})
			ctx, cancel := context.WithCancel(t.Context())
			var restarts sync.WaitGroup
			restarts.Go(func() { // until the end of this seed
				for {
					select {
					case <-time.After(time.Duration(random.Int64N(int64(10 * time.Minute)))):
						src.Restart()
					case <-ctx.Done():
						return
					}
				}
			})
			next := 1
			for next <= logLength {
				for e, err := range src.Events(ctx) {
					if err != nil {
						cancel()
						t.Fatalf("seed %d: after %d: %v", seed, next-1, err)
					}
					if want := fmt.Sprint("€", next); e.Data != want || src.LastEventID() != strconv.Itoa(next) {
						cancel()
						t.Fatalf("seed %d: got %q at %s, want %q", seed, e.Data, src.LastEventID(), want)
					}
					if next++; next > logLength || next%17 == 0 {
						break
					}
				}
			}
			cancel()
			restarts.Wait()
			if n := requests.Load(); n < 10 {
				t.Errorf("seed %d: only %d requests", seed, n)
			}
		}
	})
}
