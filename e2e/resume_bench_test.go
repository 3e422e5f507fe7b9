package e2e_test

import (
	"bufio"
	"fmt"
	"net"
	"strings"
	"sync"
	"testing"
	"time"
)

// BenchmarkResumeStorm has 10,000 clients come back to a server with its history on disk at the same moment, each
// with a cursor that has missed the last ten messages of one of 100 channels, and counts until each has them.
func BenchmarkResumeStorm(b *testing.B) {
	const clients, channels, each = 10_000, 100, 10
	p := start(b, "serve", "--data", b.TempDir())
	cursors := make([]string, channels)
	for i := range channels {
		cursors[i], _ = stormPublish(p.Addr, fmt.Sprint("c", i), "before")
		for n := range each {
			stormPublish(p.Addr, fmt.Sprint("c", i), fmt.Sprint("missed ", n))
		}
	}
	for b.Loop() {
		conns := make([]net.Conn, clients)
		var done sync.WaitGroup
		began := time.Now()
		for i := range clients {
			done.Go(func() {
				c, err := net.Dial("tcp", p.Addr)
				if err != nil {
					b.Error(err)
					return
				}
				conns[i] = c
				fmt.Fprintf(c, "GET /events?channel=c%d HTTP/1.1\r\nHost: %s\r\nLast-Event-ID: %s\r\n\r\n", i%channels, p.Addr, cursors[i%channels])
				for r, got := bufio.NewReader(c), 0; got < each; {
					line, err := r.ReadString('\n')
					if err != nil {
						b.Error(err)
						return
					}
					if strings.HasPrefix(line, "data: missed") {
						got++
					}
				}
			})
		}
		done.Wait()
		b.ReportMetric(time.Since(began).Seconds(), "s/all")
		for _, c := range conns {
			if c != nil {
				c.Close()
			}
		}
	}
}
