//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stentor-sse/stentor/bench/peer"
)

// TestMain makes a server of the test program where it is asked to be one.
func TestMain(m *testing.M) {
	if faulty := os.Getenv("BENCH_SERVER"); faulty != "" {
		peer.Main(func() (*peer.Server, error) { return testServer(faulty) })
		return
	}
	os.Exit(m.Run())
}

// testServer is one that everything goes through, with a fault.
func testServer(fault string) (*peer.Server, error) {
	var mu sync.Mutex
	var readers []http.ResponseWriter
	s := &peer.Server{}
	s.Events = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		w.Header().Set("Content-Type", "text/event-stream")
		w.(http.Flusher).Flush()
		readers = append(readers, w)
		mu.Unlock()
		<-r.Context().Done()
		mu.Lock() // a handler that has returned may not be written to
		defer mu.Unlock()
		for i := range readers {
			if readers[i] == w {
				readers[i] = nil
			}
		}
	})
	n := 0
	s.Publish = func(channel, data string) error {
		mu.Lock()
		defer mu.Unlock()
		if n++; fault == "loses" && n == 5 {
			return nil
		}
		for _, w := range readers {
			if w != nil {
				fmt.Fprintf(w, "data: %s\n\n", data)
				w.(http.Flusher).Flush()
			}
		}
		return nil
	}
	if fault == "dies" {
		return nil, errors.New("I would rather not")
	}
	return s, nil
}

func measureTest(t *testing.T, fault string, p plan, r row) (sample, error) {
	t.Helper()
	bin, s := program(t, fault)
	return measure(t.Context(), bin, p, r, s, "", nil)
}

// program is the test program as a server with a fault, and where it is.
func program(t *testing.T, fault string) (bin string, s server) {
	t.Helper()
	t.Setenv("BENCH_SERVER", fault)
	t.Setenv("GORACE", "atexit_sleep_ms=0") // else it sleeps a second before it ends
	path, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return filepath.Dir(path), server{name: "test", folder: filepath.Base(path)}
}

func small() plan { return plan{connections: 8, channels: 1, events: 10, size: 50} }

func TestMeasure(t *testing.T) {
	got, err := measureTest(t, "none", small(), row{})
	if err != nil || got.fault != "" {
		t.Fatal(err, got.fault)
	}
	for _, name := range []metric{cpuPerEvent, loadPerEvent, rate, servedMedian, latency50, latency99, connectRate, connectCPU} {
		if got.numbers[name] <= 0 {
			t.Errorf("%s: %v", name, got.numbers[name])
		}
	}
}

func TestMeasureIdleChurnAndStalled(t *testing.T) {
	idle, churn := small(), small()
	idle.idle = time.Millisecond
	churn.rate, churn.churned, churn.churn = 100, 4, 500
	for _, test := range []struct {
		plan    plan
		stalled int
		want    []metric
	}{
		{idle, 0, []metric{residentPer, residentGC, connectRate}},
		{churn, 0, []metric{reconnects, reconnectCPU}},
		{small(), 50, []metric{latency99, stalledKernel, stalledOwn}},
	} {
		got, err := measureTest(t, "none", test.plan, row{stalled: test.stalled})
		if err != nil || got.fault != "" {
			t.Fatal(err, got.fault)
		}
		for _, name := range test.want {
			if _, ok := got.numbers[name]; !ok {
				t.Errorf("%s is not measured", name)
			}
		}
	}
}

func TestFaultsAreReported(t *testing.T) {
	got, err := measureTest(t, "loses", small(), row{})
	if err != nil || !strings.Contains(got.fault, "8 lost") {
		t.Errorf("fault %q, %v", got.fault, err)
	}
	if _, err = measureTest(t, "dies", small(), row{}); err == nil || !strings.Contains(err.Error(), "I would rather not") {
		t.Errorf("a server that dies: %v", err)
	}
}

func TestNoProcessIsLeft(t *testing.T) {
	bin, s := program(t, "none")
	for name, interrupted := range map[string]bool{"stopped": false, "interrupted": true} {
		ctx, cancel := context.WithCancel(t.Context())
		p, err := begin(ctx, bin, s, false)
		if err != nil {
			t.Fatal(err)
		}
		if u := p.used(); u.CPU <= 0 || u.Resident <= 0 {
			t.Errorf("used %+v", u)
		}
		if interrupted {
			cancel()
		}
		p.stop()
		cancel()
		if err := syscall.Kill(p.ready.PID, 0); !errors.Is(err, syscall.ESRCH) {
			t.Errorf("%s: still there: %v", name, err)
		}
	}
}
