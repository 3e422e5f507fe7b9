package peer_test

import (
	"bufio"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stentor-sse/stentor/bench/load/payload"
	"github.com/stentor-sse/stentor/bench/peer"
)

// published is what a server was told to publish.
type published struct {
	mu      sync.Mutex
	events  []string // channel and number
	sizes   []int
	flushes int
}

// start runs a server in this process and returns how to end it, which waits.
func start(t *testing.T, s *peer.Server) (peer.Ready, func() error) {
	t.Helper()
	return startInside(t, "", s)
}

// startInside is start with the flag -tls.
func startInside(t *testing.T, inside string, s *peer.Server) (peer.Ready, func() error) {
	t.Helper()
	in, end := io.Pipe()
	out, say := io.Pipe()
	done := make(chan error, 1)
	go func() { done <- peer.Run(in, say, inside, func() (*peer.Server, error) { return s, nil }) }()
	line, err := bufio.NewReader(out).ReadBytes('\n')
	if err != nil {
		t.Fatal(err)
	}
	var ready peer.Ready
	if err := json.Unmarshal(line, &ready); err != nil {
		t.Fatal(err)
	}
	return ready, sync.OnceValue(func() error {
		end.Close()
		return <-done
	})
}

func TestPublish(t *testing.T) {
	var p published
	s := &peer.Server{
		Events: http.NotFoundHandler(),
		Publish: func(channel, data string) error {
			p.mu.Lock()
			defer p.mu.Unlock()
			seq, at, ok := payload.Parse([]byte(data))
			if !ok || at == 0 {
				t.Errorf("data %q", data)
			}
			p.events = append(p.events, channel+" "+string(rune('0'+seq)))
			p.sizes = append(p.sizes, len(data))
			return nil
		},
		Flush: func() error { p.flushes++; return nil },
	}
	ready, end := start(t, s)
	defer end()
	if ready.PID == 0 || ready.Events == ready.Control {
		t.Errorf("ready: %+v", ready)
	}
	if status := post(t, ready, "/publish?channels=2&first=3&last=5&size=50&rate=1000000&window=0"); status != 200 {
		t.Errorf("status %d", status)
	}
	if want := []string{"c0 3", "c1 3", "c0 4", "c1 4", "c0 5", "c1 5"}; !slices.Equal(p.events, want) || p.flushes != 1 {
		t.Errorf("published %q, flushed %d times; want %q", p.events, p.flushes, want)
	}
	if slices.Min(p.sizes) != 50 || slices.Max(p.sizes) != 50 {
		t.Errorf("sizes %d", p.sizes)
	}
	for _, query := range []string{"", "channels=0&first=1&last=1&size=1&rate=1&window=0", "channels=1&first=2&last=1&size=1&rate=1&window=0", "channels=1&first=-1&last=1&size=1&rate=1&window=0"} {
		if status := post(t, ready, "/publish?"+query); status != 400 {
			t.Errorf("%q: status %d", query, status)
		}
	}
	file := filepath.Join(t.TempDir(), "cpu.prof")
	for _, query := range []string{url.QueryEscape(file), ""} {
		if status := post(t, ready, "/profile?file="+query); status != 200 {
			t.Errorf("profile %q: status %d", query, status)
		}
	}
	if info, err := os.Stat(file); err != nil || info.Size() == 0 {
		t.Errorf("profile: %v, %v", info, err)
	}
	if status := post(t, ready, "/gc"); status != 200 {
		t.Errorf("gc: status %d", status)
	}
}

func TestWindow(t *testing.T) {
	var sent, got atomic.Int64
	most := int64(0)
	ready, end := start(t, &peer.Server{
		Events: http.NotFoundHandler(),
		Publish: func(string, string) error {
			most = max(most, sent.Add(1)-got.Load())
			return nil
		},
		Behind: func() int {
			got.Add((sent.Load() - got.Load() + 1) / 2) // the readers get on when they are looked at
			return int(sent.Load() - got.Load())
		},
	})
	defer end()
	if status := post(t, ready, "/publish?channels=1&first=1&last=200&size=50&rate=0&window=10"); status != 200 {
		t.Errorf("status %d", status)
	}
	if sent.Load() != 200 || most > 12 {
		t.Errorf("%d sent, at most %d ahead", sent.Load(), most)
	}
}

func post(t *testing.T, ready peer.Ready, path string) int {
	t.Helper()
	resp, err := http.Post("http://"+ready.Control+path, "", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	return resp.StatusCode
}

func TestEndsWithItsInput(t *testing.T) {
	closed := false
	ready, end := start(t, &peer.Server{
		Events: http.NotFoundHandler(),
		Close:  func() error { closed = true; return nil },
	})
	if err := end(); err != nil || !closed {
		t.Errorf("ended with %v, closed is %v", err, closed)
	}
	for _, address := range []string{ready.Events, ready.Control} {
		if _, err := http.Get("http://" + address); err == nil || !strings.Contains(err.Error(), "refused") {
			t.Errorf("%s still answers: %v", address, err)
		}
	}
}
