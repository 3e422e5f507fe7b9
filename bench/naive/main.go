// Naive is the event server that everybody writes first: a net/http handler with a
// channel of 16 strings, and one Fprintf and Flush an event. The comparisons are
// made against it. With -gzip each connection has a compressor of its own.
package main

import (
	"compress/gzip"
	"flag"
	"fmt"
	"io"
	"net/http"
	"slices"
	"sync"

	"github.com/stentor-sse/stentor/bench/peer"
)

func main() {
	zip := flag.Bool("gzip", false, "compress what it sends")
	peer.Main(func() (*peer.Server, error) {
		b := &board{readers: map[string][]chan string{}, zip: *zip}
		return &peer.Server{Events: b, Publish: b.publish}, nil
	})
}

type board struct {
	mu      sync.RWMutex
	readers map[string][]chan string
	zip     bool
}

func (b *board) publish(channel, data string) error {
	b.mu.RLock()
	defer b.mu.RUnlock()
	for _, c := range b.readers[channel] {
		c <- data
	}
	return nil
}

func (b *board) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	channel := r.URL.Query().Get("channel")
	c := make(chan string, 16)
	b.mu.Lock()
	b.readers[channel] = append(b.readers[channel], c)
	b.mu.Unlock()
	defer b.forget(channel, c)
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("Cache-Control", "no-cache")
	out, flush := io.Writer(w), w.(http.Flusher).Flush
	if b.zip {
		w.Header().Set("Content-Encoding", "gzip")
		zip := gzip.NewWriter(w)
		out, flush = zip, func() { zip.Flush(); w.(http.Flusher).Flush() } // an error: the reader has gone
	}
	flush()
	for {
		select {
		case data := <-c:
			fmt.Fprintf(out, "data: %s\n\n", data)
			flush()
		case <-r.Context().Done():
			return
		}
	}
}

// forget takes c off the list. It drains c meanwhile: a publisher that waits for room
// holds the lock.
func (b *board) forget(channel string, c chan string) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		b.mu.Lock()
		defer b.mu.Unlock()
		list := b.readers[channel]
		if i := slices.Index(list, c); i >= 0 {
			list[i] = list[len(list)-1]
			b.readers[channel] = list[:len(list)-1]
		}
	}()
	for {
		select {
		case <-c:
		case <-done:
			return
		}
	}
}
