//go:build linux

package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
)

// board is a server with faults: what it is to write for the message that is published as the
// n-th of the counted ones, given the one before it.
type board struct {
	mu      sync.Mutex
	readers []http.ResponseWriter
	n       int
	before  string
	fault   func(n int, data, before string) []string
	refuse  int // streams from this one on
	full    int // publishing, after so many of the counted ones
}

func (b *board) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodPost {
		b.publish(w, r)
		return
	}
	b.mu.Lock()
	if b.refuse > 0 && len(b.readers) >= b.refuse {
		b.mu.Unlock()
		http.Error(w, "no", http.StatusServiceUnavailable)
		return
	}
	w.Header().Set("Content-Type", "text/event-stream")
	w.(http.Flusher).Flush()
	b.readers = append(b.readers, w)
	b.mu.Unlock()
	<-r.Context().Done()
	b.mu.Lock() // nobody may write to it from here on
	defer b.mu.Unlock()
	for i := range b.readers {
		if b.readers[i] == w {
			b.readers[i] = nil
		}
	}
}

func (b *board) publish(w http.ResponseWriter, r *http.Request) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.full > 0 && b.n >= b.full {
		http.Error(w, "no", http.StatusServiceUnavailable)
		return
	}
	for d := json.NewDecoder(r.Body); ; {
		var m struct{ Data string }
		if err := d.Decode(&m); err != nil {
			return // the end
		}
		send := []string{m.Data}
		if !strings.HasPrefix(m.Data, "0 ") { // no warm-up
			b.n++
			send = b.fault(b.n, m.Data, b.before)
			b.before = m.Data
		}
		for _, data := range send {
			for _, reader := range b.readers {
				if reader != nil {
					fmt.Fprintf(reader, "data: %s\n\n", data)
					reader.(http.Flusher).Flush()
				}
			}
		}
		fmt.Fprintln(w, `{"id":"1"}`)
	}
}

func benchBoard(t *testing.T, b *board) result {
	t.Helper()
	if b.fault == nil {
		b.fault = func(_ int, data, _ string) []string { return []string{data} }
	}
	s := httptest.NewServer(b)
	defer s.Close()
	defer s.CloseClientConnections()
	return call(t, "", "bench", s.URL, "--connections", "4", "--channels", "1", "--publishers", "1", "--rate", "100", "--duration", "200ms", "--warm-up", "20ms", "--json")
}

func TestBenchFindsFaults(t *testing.T) {
	for name, test := range map[string]struct {
		fault func(n int, data, before string) []string
		code  int
		want  string // in the summary
		said  string
	}{
		"none": {nil, exitOK, `"lost":0,"repeated":0,"outOfOrder":0`, ""},
		"lost": {func(n int, data, _ string) []string {
			if n == 3 {
				return nil
			}
			return []string{data}
		}, exitFailure, `"lost":4,"repeated":0,"outOfOrder":0`, "4 events lost"},
		"the last ones lost": {func(n int, data, _ string) []string {
			if n > 3 {
				return nil
			}
			return []string{data}
		}, exitFailure, `"delivered":12,`, "events lost"},
		"repeated": {func(n int, data, before string) []string {
			if n == 3 {
				return []string{data, before}
			}
			return []string{data}
		}, exitFailure, `"lost":0,"repeated":4,"outOfOrder":0`, "4 events repeated"},
		"swapped": {func(n int, data, before string) []string {
			switch n {
			case 3:
				return nil
			case 4:
				return []string{data, before}
			}
			return []string{data}
		}, exitFailure, `"lost":0,"repeated":0,"outOfOrder":4`, "4 events out of order"},
	} {
		t.Run(name, func(t *testing.T) {
			got := benchBoard(t, &board{fault: test.fault})
			if got.code != test.code || !strings.Contains(got.stdout, test.want) || !strings.Contains(got.stderr, test.said) {
				t.Errorf("%+v; want %d, %s, %s", got, test.code, test.want, test.said)
			}
		})
	}
}

func TestBenchCountsBrokenConnections(t *testing.T) {
	got := benchBoard(t, &board{refuse: 3})
	if got.code != exitFailure || !strings.Contains(got.stdout, `"connected":3,"failed":"1 answered otherwise"`) ||
		!strings.Contains(got.stdout, `"lost":0`) || !strings.Contains(got.stderr, "1 connections broken") {
		t.Errorf("%+v", got)
	}
}

func TestBenchSaysWhyPublishingFails(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost {
			http.Error(w, "no", http.StatusForbidden)
			return
		}
		w.Header().Set("Content-Type", "text/event-stream")
		w.(http.Flusher).Flush()
		<-r.Context().Done()
	}))
	defer s.Close()
	defer s.CloseClientConnections()
	got := call(t, "", "bench", s.URL, "--connections", "2", "--channels", "1")
	if got.code != exitFailure || !strings.Contains(got.stderr, "publishing: the server answered 403") || got.stdout != "" {
		t.Errorf("%+v", got)
	}
}

// What came before publishing failed is told, and why it did.
func TestBenchTellsWhatCameBeforeAnError(t *testing.T) {
	got := benchBoard(t, &board{full: 5})
	if got.code != exitFailure || !strings.Contains(got.stderr, "publishing: the server answered 503") ||
		!strings.Contains(got.stdout, `"lost":0,`) || strings.Contains(got.stdout, `"delivered":0,`) {
		t.Errorf("%+v", got)
	}
}

// children are the processes that one has started.
func children(t *testing.T, parent int) (pids []int) {
	t.Helper()
	stats, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		t.Fatal(err)
	}
	for _, stat := range stats {
		text, err := os.ReadFile(stat)
		if err != nil {
			continue // it has ended
		}
		_, rest, _ := strings.Cut(string(text), ") ")
		if f := strings.Fields(rest); len(f) > 1 && f[1] == strconv.Itoa(parent) {
			pid, _ := strconv.Atoi(filepath.Base(filepath.Dir(stat)))
			pids = append(pids, pid)
		}
	}
	return pids
}

// An interrupt while messages are on their way loses none of them, and ends the server too.
func TestBenchInterrupt(t *testing.T) {
	cmd := exec.Command("stentor", "bench", "--connections", "50", "--duration", "1h", "--warm-up", "0s")
	cmd.Env = append(cleanEnv(), "GORACE="+raceQuick)
	var out bytes.Buffer
	cmd.Stdout = &out
	stderr, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cmd.Process.Kill() })
	lines := bufio.NewScanner(stderr)
	for lines.Scan() && !strings.Contains(lines.Text(), "publishing for 1h") {
	}
	servers := children(t, cmd.Process.Pid)
	if len(servers) != 1 {
		t.Errorf("it has the processes %d, want one", servers)
	}
	cmd.Process.Signal(os.Interrupt)
	rest, err := io.ReadAll(stderr)
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil || !strings.Contains(out.String(), "interrupted") || !strings.Contains(out.String(), "lost           0\n") {
		t.Errorf("ended with %v: %s%s", err, out.String(), rest)
	}
	for _, pid := range servers {
		if err := syscall.Kill(pid, 0); !errors.Is(err, syscall.ESRCH) {
			t.Errorf("its server is still there: %v", err)
		}
	}
}
