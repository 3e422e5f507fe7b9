package main

import (
	"context"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"

	"github.com/stentor-sse/stentor"
)

// What /metrics says is what the hub counts, one row each, and the limits of the process.
func TestMetrics(t *testing.T) {
	hub, err := stentor.New(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer hub.Shutdown(context.Background())
	m := newMetrics(hub)
	m.starved.Inc()
	if _, err := hub.Subscribe(t.Context(), &stentor.SubscribeOptions{Channels: []stentor.Channel{"home"}}); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		if _, err := hub.Publish(t.Context(), stentor.Message{Target: stentor.Target{Channel: "home"}}); err != nil {
			t.Fatal(err)
		}
	}
	w := httptest.NewRecorder()
	m.handler().ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
	said := w.Body.String()
	if w.Code != 200 || !strings.HasPrefix(w.Header().Get("Content-Type"), "text/plain; version=0.0.4") {
		t.Errorf("%d %q", w.Code, w.Header().Get("Content-Type"))
	}
	for _, row := range []string{
		"stentor_accept_starved_total 1", "stentor_subscriptions 1", "stentor_subscriptions_lingering 0", "stentor_channels 1",
		"stentor_dismissed_keys 0", "stentor_subscribed_total 1", "stentor_ended_total 0", "stentor_published_total 3",
		"stentor_delivered_total 0", "stentor_behind_total 0", "stentor_gaps_total 0", "stentor_dropped_total 0", "stentor_lost_total 0",
		`process_max_fds \S+`, `process_open_fds \S+`, `go_goroutines \S+`,
	} {
		if n := len(regexp.MustCompile("(?m)^"+row+"$").FindAllString(said, -1)); n != 1 {
			t.Errorf("%d rows of %q in:\n%s", n, row, said)
		}
	}
}
