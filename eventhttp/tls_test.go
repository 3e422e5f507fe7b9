//go:build linux

package eventhttp_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/stentor-sse/stentor"
	"github.com/stentor-sse/stentor/eventhttp"
	"github.com/stentor-sse/stentor/sse"
)

// secureServer serves a hub over TLS and HTTP/1.1, on connections that can be handed over.
func secureServer(t *testing.T, o *stentor.Options) (*stentor.Hub, *httptest.Server, *handedOver) {
	t.Helper()
	hub, err := stentor.New(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewUnstartedServer(eventhttp.New(hub, nil))
	over := &handedOver{}
	server.Config.ConnState = over.note
	server.Listener = sse.Listener(server.Listener)
	server.StartTLS()
	t.Cleanup(server.Close)
	t.Cleanup(func() { hub.Shutdown(context.WithoutCancel(t.Context())) })
	return hub, server, over
}

// handedOver counts connections that the server has let go of.
type handedOver struct {
	mu sync.Mutex
	n  int
}

func (h *handedOver) note(_ net.Conn, state http.ConnState) {
	if state == http.StateHijacked {
		h.mu.Lock()
		defer h.mu.Unlock()
		h.n++
	}
}

func (h *handedOver) count() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.n
}

// trickle reads at most a byte at a time, or not before it may.
type trickle struct {
	io.Reader
	wait <-chan struct{}
	most int
}

func (r *trickle) Read(p []byte) (int, error) {
	<-r.wait
	return r.Reader.Read(p[:min(len(p), r.most)])
}

// Over TLS too the hub takes connections over: readers that stall, that read byte by byte and that
// come and go cost the others nothing, and each gets every message once, in order, to the
// farewell.
func TestTLS(t *testing.T) {
	hub, server, over := secureServer(t, nil)
	const last = 1000
	now, later := make(chan struct{}), make(chan struct{})
	close(now)
	var readers, reading sync.WaitGroup
	read := func(name string, wait <-chan struct{}, most int) {
		resp, err := server.Client().Get(server.URL + "/events?channel=home")
		if err != nil {
			t.Fatal(err)
		}
		reading.Add(1)
		readers.Go(func() {
			defer resp.Body.Close()
			done := sync.OnceFunc(reading.Done)
			defer done()
			lines := bufio.NewReader(&trickle{resp.Body, wait, most})
			want := 1
			for {
				line, err := lines.ReadString('\n')
				if err != nil {
					t.Errorf("%s: %v, before message %d", name, err, want)
					return
				}
				if strings.Contains(line, "shutdown") {
					break
				}
				if n, ok := strings.CutPrefix(line, "data: message "); ok {
					if got, _, _ := strings.Cut(n, " "); got != fmt.Sprint(want) {
						t.Errorf("%s: message %s in place of %d", name, got, want)
						return
					}
					if want++; want > last {
						done()
					}
				}
			}
			if want != last+1 {
				t.Errorf("%s has read %d messages", name, want-1)
			}
		})
	}
	read("one that reads", now, 1<<16)
	read("one that reads byte by byte", now, 1)
	read("one that stalls", later, 1<<16)
	pad := strings.Repeat("x", 2000)
	for n := range last {
		if n%100 == 0 { // one that goes at once
			if resp, err := server.Client().Get(server.URL + "/events?channel=home"); err == nil {
				resp.Body.Close()
			}
		}
		if _, err := hub.Publish(t.Context(), stentor.Message{
			Target: stentor.Target{Channel: "home"}, Data: fmt.Sprint("message ", n+1, " ", pad),
		}); err != nil {
			t.Fatal(err)
		}
	}
	if n := over.count(); n < 3 {
		t.Errorf("%d connections were taken over", n)
	}
	close(later)
	reading.Wait() // a stream that is behind when it ends gets no more than its farewell
	if err := hub.Shutdown(t.Context()); err != nil {
		t.Error(err)
	}
	readers.Wait()
}
