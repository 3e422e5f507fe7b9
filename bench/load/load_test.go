//go:build linux

package load_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stentor-sse/stentor/bench/load"
	"github.com/stentor-sse/stentor/bench/load/payload"
)

// serve starts a server whose handler writes the events that come for each
// connection, after the head and a warm-up.
func serve(t *testing.T, seqs ...int64) string {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		fmt.Fprint(w, "event: hello\ndata: {}\n\n")
		for _, seq := range append([]int64{0}, seqs...) {
			fmt.Fprintf(w, "data: %s\n\n", payload.Append(nil, seq, time.Now().UnixNano(), 40))
		}
		w.(http.Flusher).Flush()
		<-r.Context().Done()
	}))
	t.Cleanup(func() {
		s.CloseClientConnections()
		s.Close()
	})
	return s.Listener.Addr().String()
}

func newLoad(t *testing.T, o *load.Options) *load.Load {
	t.Helper()
	l, err := load.New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l
}

func TestEverythingIsCounted(t *testing.T) {
	l := newLoad(t, &load.Options{Address: serve(t, 1, 2, 3), Connections: 20, Expected: 3, Window: 3})
	l.Expect(1, 3)
	if err := l.Open(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := l.Run(t.Context(), func() bool { return l.Complete() && l.Warm() }); err != nil {
		t.Fatal(err)
	}
	r := l.Report()
	if r.Deliveries != 60 || r.Foreign != 20 || r.Latency.Count() != 60 || r.Faults() != "" {
		t.Errorf("%d deliveries, %d foreign, %d latencies, faults %q", r.Deliveries, r.Foreign, r.Latency.Count(), r.Faults())
	}
	if r.ServedMedian() <= 0 || r.Last.IsZero() || r.Opening <= 0 || r.Bytes == 0 || r.Rate() <= 0 {
		t.Errorf("served %v, last %v, opening %v, %d bytes", r.ServedMedian(), r.Last, r.Opening, r.Bytes)
	}
}

func TestFaultsAreFound(t *testing.T) {
	for name, test := range map[string]struct {
		seqs                 []int64
		lost, repeated, late uint64
	}{
		"lost":           {[]int64{1, 3, 4}, 2, 0, 0},
		"repeated":       {[]int64{1, 2, 2, 3, 4}, 0, 2, 0},
		"swapped":        {[]int64{1, 3, 2, 4}, 0, 0, 2},
		"lost the first": {[]int64{2, 3, 4}, 2, 0, 0},
	} {
		t.Run(name, func(t *testing.T) {
			l := newLoad(t, &load.Options{Address: serve(t, test.seqs...), Connections: 2})
			l.Expect(1, 4)
			if err := l.Open(t.Context()); err != nil {
				t.Fatal(err)
			}
			if err := l.Run(t.Context(), l.Complete); err != nil {
				t.Fatal(err)
			}
			if r := l.Report(); r.Lost != test.lost || r.Repeated != test.repeated || r.Late != test.late || r.Faults() == "" {
				t.Errorf("%d lost, %d repeated, %d late, faults %q; want %d, %d and %d", r.Lost, r.Repeated, r.Late, r.Faults(), test.lost, test.repeated, test.late)
			}
		})
	}
}

func TestLossAtTheEndIsNeverComplete(t *testing.T) {
	l := newLoad(t, &load.Options{Address: serve(t, 1, 2), Connections: 2})
	l.Expect(1, 3)
	if err := l.Open(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := l.Run(t.Context(), func() bool { return l.Report().Deliveries == 4 }); err != nil {
		t.Fatal(err)
	}
	if l.Complete() {
		t.Error("complete without the last event")
	}
}

func TestRefusals(t *testing.T) {
	s := httptest.NewServer(http.NotFoundHandler())
	defer s.Close()
	l := newLoad(t, &load.Options{Address: s.Listener.Addr().String(), Connections: 1})
	if err := l.Open(t.Context()); err == nil || !strings.Contains(err.Error(), "404") {
		t.Errorf("404: %v", err)
	}
	s.Close()
	l = newLoad(t, &load.Options{Address: s.Listener.Addr().String(), Connections: 1})
	if err := l.Open(t.Context()); err == nil || !strings.Contains(err.Error(), "refused") {
		t.Errorf("nobody listens: %v", err)
	}
	for _, o := range []load.Options{{}, {Address: "127.0.0.1:1"}, {Address: "[::1]:1", Connections: 1, Sources: 2}, {Address: "localhost:1", Connections: 1}, {Address: "127.0.0.1:1", Connections: 1, Stalled: 2}, {Address: "127.0.0.1:1", Connections: 1 << 30}} {
		if _, err := load.New(&o); err == nil {
			t.Errorf("%+v is accepted", o)
		}
	}
}

func TestContextEndsIt(t *testing.T) {
	l := newLoad(t, &load.Options{Address: serve(t), Connections: 1})
	ctx, cancel := context.WithCancelCause(t.Context())
	enough := errors.New("enough")
	cancel(enough)
	if err := l.Run(ctx, func() bool { return false }); !errors.Is(err, enough) {
		t.Errorf("got %v", err)
	}
}

func TestStalledReadNothing(t *testing.T) {
	l := newLoad(t, &load.Options{Address: serve(t), Connections: 4, Stalled: 3})
	if err := l.Open(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := l.Run(t.Context(), l.Warm); err != nil {
		t.Fatal(err)
	}
}

func TestBrokenConnectionsAreFound(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		if r.URL.Query().Get("i") == "2" {
			return // ends at once
		}
		w.(http.Flusher).Flush()
		<-r.Context().Done()
	}))
	defer s.Close()
	defer s.CloseClientConnections()
	path := func(i int) string { return fmt.Sprintf("/?i=%d", i) }
	l := newLoad(t, &load.Options{Address: s.Listener.Addr().String(), Connections: 3, Path: path})
	err := l.Open(t.Context())
	if err == nil {
		err = l.Run(t.Context(), func() bool { return l.Report().Broken > 0 })
	}
	if r := l.Report(); r.Broken != 1 || r.Faults() == "" {
		t.Errorf("%d broken, faults %q, %v", r.Broken, r.Faults(), err)
	}
}

func TestChurn(t *testing.T) {
	var open atomic.Int64
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		open.Add(1)
		defer open.Add(-1)
		w.Header().Set("Content-Type", "text/event-stream")
		w.(http.Flusher).Flush()
		<-r.Context().Done()
	}))
	defer s.Close()
	defer s.CloseClientConnections()
	l := newLoad(t, &load.Options{Address: s.Listener.Addr().String(), Connections: 4, Churned: 3})
	if err := l.Open(t.Context()); err != nil {
		t.Fatal(err)
	}
	l.Churn(1000)
	if err := l.Run(t.Context(), func() bool { return l.Report().Reconnects >= 20 }); err != nil {
		t.Fatal(err)
	}
	l.Churn(0)
	if err := l.Run(t.Context(), func() bool { return open.Load() == 4 }); err != nil {
		t.Fatal(err)
	}
	if r := l.Report(); r.Reconnects < 20 || r.Faults() != "" {
		t.Errorf("%d reconnects, faults %q", r.Reconnects, r.Faults())
	}
}
