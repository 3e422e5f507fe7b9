//go:build linux

package load_test

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stentor-sse/stentor/bench/load"
	"github.com/stentor-sse/stentor/bench/load/payload"
)

// handle starts a server with a handler on an address of the given network.
func handle(t *testing.T, address string, h http.HandlerFunc) string {
	t.Helper()
	l, err := net.Listen("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	s := &httptest.Server{Listener: l, Config: &http.Server{Handler: h}}
	s.Start()
	t.Cleanup(func() {
		s.CloseClientConnections()
		s.Close()
	})
	return l.Addr().String()
}

func stream(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/event-stream")
	w.(http.Flusher).Flush()
	<-r.Context().Done()
}

func TestTheRequestSaysWhatItIsTold(t *testing.T) {
	var mu sync.Mutex
	seen := map[string]int{}
	address := handle(t, "127.0.0.1:0", func(w http.ResponseWriter, r *http.Request) {
		host, _, _ := net.SplitHostPort(r.RemoteAddr)
		mu.Lock()
		seen[fmt.Sprintf("%s %s %s from %s", r.Host, r.Header.Get("Authorization"), r.URL, host)]++
		mu.Unlock()
		stream(w, r)
	})
	l := newLoad(t, &load.Options{
		Address: address, Connections: 4, Sources: 2, Host: "events.example", Authorization: "Bearer x",
		Path: func(i int) string { return "/e?channel=a" },
	})
	if err := l.Open(t.Context()); err != nil {
		t.Fatal(err)
	}
	mu.Lock()
	defer mu.Unlock()
	for _, ip := range []string{"127.0.0.1", "127.0.0.2"} {
		if want := "events.example Bearer x /e?channel=a from " + ip; seen[want] != 2 {
			t.Errorf("%d times %q in %v", seen[want], want, seen)
		}
	}
}

func TestIPv6(t *testing.T) {
	l := newLoad(t, &load.Options{Address: handle(t, "[::1]:0", stream), Connections: 2, Ramp: time.Millisecond})
	if err := l.Open(t.Context()); err != nil {
		t.Fatal(err)
	}
	if r := l.Report(); r.Connected != 2 {
		t.Errorf("%d connected", r.Connected)
	}
}

// Two publishers of one channel are each in order, however theirs are mixed.
func TestLanes(t *testing.T) {
	for name, test := range map[string]struct {
		seqs       []int64
		lost, late uint64
	}{
		"mixed":               {[]int64{2, 4, 3, 6, 5, 7}, 0, 0},
		"one loses":           {[]int64{2, 3, 6, 5, 7}, 1, 0},
		"the other is turned": {[]int64{2, 4, 5, 3, 7, 6}, 0, 1},
	} {
		t.Run(name, func(t *testing.T) {
			address := handle(t, "127.0.0.1:0", func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Content-Type", "text/event-stream")
				for _, seq := range append([]int64{1}, test.seqs...) { // 0 and 1 are warm-up
					fmt.Fprintf(w, "data: %s\n\n", payload.Append(nil, seq, time.Now().UnixNano(), 40))
				}
				w.(http.Flusher).Flush()
				<-r.Context().Done()
			})
			l := newLoad(t, &load.Options{Address: address, Connections: 2, Lanes: 2})
			l.Expect(1, 3)
			if err := l.Open(t.Context()); err != nil {
				t.Fatal(err)
			}
			if err := l.Run(t.Context(), func() bool { return l.Complete() && l.Warm() }); err != nil {
				t.Fatal(err)
			}
			r := l.Report()
			if r.Lost != 2*test.lost || r.Late != 2*test.late || r.Deliveries != 2*uint64(len(test.seqs)) {
				t.Errorf("%d deliveries, %d lost, %d late", r.Deliveries, r.Lost, r.Late)
			}
		})
	}
}

func TestPartialOpeningCountsHowTheOthersFailed(t *testing.T) {
	address := handle(t, "127.0.0.1:0", func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Query().Get("i") {
		case "0":
			http.NotFound(w, r)
		case "1":
			panic(http.ErrAbortHandler)
		case "2":
			c, _, err := http.NewResponseController(w).Hijack()
			if err == nil {
				c.(*net.TCPConn).SetLinger(0)
				c.Close()
			}
		case "3":
			<-r.Context().Done() // never answers
		default:
			stream(w, r)
		}
	})
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	l := newLoad(t, &load.Options{
		Address: address, Connections: 6, Partial: true, Path: func(i int) string { return fmt.Sprintf("/?i=%d", i) },
		Progress: func(l *load.Load) {
			if r := l.Report(); r.Connected == 2 && r.Broken == 3 { // the last one never is
				cancel()
			}
		},
	})
	if err := l.Open(ctx); err != nil {
		t.Fatal(err)
	}
	r := l.Report()
	if want := (load.Failed{Answered: 1, EOF: 1, Reset: 1, Timeout: 1}); r.Failed != want || r.Connected != 2 || r.Broken != 4 {
		t.Errorf("%d connected, %d broken: %v; want %v", r.Connected, r.Broken, r.Failed, want)
	}
	if got := r.Failed.String(); got != "1 reset, 1 ended, 1 timed out, 1 answered otherwise" {
		t.Errorf("said as %q", got)
	}
	l = newLoad(t, &load.Options{Address: freePort(t), Connections: 3, Partial: true})
	if err := l.Open(t.Context()); err != nil {
		t.Fatal(err)
	}
	if r := l.Report(); r.Failed != (load.Failed{Refused: 3}) {
		t.Errorf("nobody listens: %v", r.Failed)
	}
}

func freePort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

func TestTooManyForTheLimitSaysWhatToChange(t *testing.T) {
	_, err := load.New(&load.Options{Address: "127.0.0.1:1", Connections: 1 << 40})
	if err == nil || !strings.Contains(err.Error(), "ulimit -n") {
		t.Errorf("got %v", err)
	}
}

func TestUsage(t *testing.T) {
	u := load.UsageOf(os.Getpid())
	if u.CPU <= 0 || u.Resident <= 0 || u.Peak < u.Resident {
		t.Errorf("of this process: %+v", u)
	}
	if u := load.UsageOf(1 << 22); u != (load.Usage{}) {
		t.Errorf("of nobody: %+v", u)
	}
}
