package eventhttp_test

import (
	"bytes"
	"log/slog"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stentor-sse/stentor"
	"github.com/stentor-sse/stentor/eventhttp"
	"github.com/stentor-sse/stentor/sse"
	"github.com/stentor-sse/stentor/ssetest"
)

// L-61, L-64, L-65, L-67, §3: when keepalives come is the hub's, what they are is the face's: never, when
// idle or always; a comment or an event of one's own.
func TestLibKeepAlive(t *testing.T) {
	rows := []struct {
		name   string
		ho     stentor.Options
		o      eventhttp.Options
		frame  string
		silent int // in 100 s of silence
	}{
		{"the default: an empty comment after 15 s", stentor.Options{}, eventhttp.Options{}, ":\n\n", 6},
		{"never", stentor.Options{KeepAlive: -1}, eventhttp.Options{}, "", 0},
		{"every 30 s, as there", stentor.Options{KeepAlive: 30 * time.Second}, eventhttp.Options{KeepAlive: sse.Event{Comment: "KEEPALIVE"}},
			": KEEPALIVE\n\n", 3},
		{"an event", stentor.Options{}, eventhttp.Options{KeepAlive: sse.Event{Type: "PING"}}, "event: PING\ndata: \n\n", 6},
		{"an event with data", stentor.Options{}, eventhttp.Options{KeepAlive: sse.Event{Type: "PING", Data: "a\nb"}},
			"event: PING\ndata: a\ndata: b\n\n", 6},
		{"a comment of several lines", stentor.Options{}, eventhttp.Options{KeepAlive: sse.Event{Comment: "a\ndata: b"}},
			": a\n: data: b\n\n", 6},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
				hub, srv := serve(t, p, &row.ho, &row.o)
				s, _ := member(t, hub, srv, "/events?channel=a")
				id, begun := s.LastEventID(), s.Raw()
				sleep(100)
				got := strings.TrimPrefix(s.Raw(), begun)
				n := 0
				if row.frame != "" {
					n = strings.Count(got, row.frame)
				}
				if got != strings.Repeat(row.frame, n) || n < row.silent || n > row.silent+1 {
					t.Errorf("in 100 s: %q, want about %d times %q", got, row.silent, row.frame)
				}
				if s.LastEventID() != id {
					t.Errorf("a keepalive moved the cursor from %s to %s", id, s.LastEventID())
				}
				publish(t, hub, to("a", "x"))
				if got := data(s); !slices.Contains(got, "x") {
					t.Errorf("after it: %q", got)
				}
			})
		})
	}
}

// L-62, L-63: always, at every interval, or after silence alone; each stream has its own clock, so a
// new one waits no longer than others.
func TestLibKeepAliveModes(t *testing.T) {
	for _, always := range []bool{true, false} {
		ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
			hub, srv := serve(t, p, &stentor.Options{KeepAlive: 30 * time.Second, KeepAliveAlways: always}, nil)
			s, _ := member(t, hub, srv, "/events?channel=a")
			for range 100 {
				sleep(1)
				publish(t, hub, to("a", "traffic"))
			}
			synctest.Wait()
			n := len(s.Comments())
			if always && (n < 3 || n > 4) || !always && n != 0 {
				t.Errorf("always %v: %d keepalives in 100 s of traffic", always, n)
			}
		})
	}
}

// L-66, §17 (14): a reader that is stuck or fails costs nobody else a keepalive.
func TestLibKeepAliveGoesOn(t *testing.T) {
	ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
		hub, srv := serve(t, p, &stentor.Options{QueueLength: 4}, nil)
		srv.OpenStalled(t, "/events?channel=a&channel=big")
		gone, _ := member(t, hub, srv, "/events?channel=a")
		s, _ := member(t, hub, srv, "/events?channel=a")
		for range 40 {
			publish(t, hub, to("big", strings.Repeat("x", 32<<10)))
		}
		gone.Close()
		sleep(100)
		if n := len(s.Comments()); n < 6 {
			t.Errorf("%d keepalives in 100 s", n)
		}
	})
}

// §3: what could not be written is left out, and said; the streams are kept warm all the same.
func TestBadKeepAliveIsLeftOut(t *testing.T) {
	for name, e := range map[string]sse.Event{
		"a line break in the type": {Type: "a\nid: 7"},
		"not text":                 {Comment: "\xff"},
		"an id":                    {ID: "7", Data: "x"},
		"a retry":                  {Retry: time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
				var log bytes.Buffer
				hub, srv := serve(t, p, nil, &eventhttp.Options{KeepAlive: e, Logger: slog.New(slog.NewTextHandler(&log, nil))})
				s, _ := member(t, hub, srv, "/events?channel=a")
				begun := s.Raw()
				sleep(20)
				if got := strings.TrimPrefix(s.Raw(), begun); got != ":\n\n" {
					t.Errorf("got %q", got)
				}
				if !strings.Contains(log.String(), "level=ERROR") || !strings.Contains(log.String(), "keepalive") {
					t.Errorf("log %q", log.String())
				}
			})
		})
	}
}

// L-19, L-53, L-54, L-55: the reconnection time, preset and changed at run time, for who is there now
// and for who comes later.
func TestLibReconnectInterval(t *testing.T) {
	about := func(t *testing.T, what string, s *ssetest.Recorder, d time.Duration) {
		t.Helper()
		synctest.Wait()
		if got := s.Retry(); got < d*2/3 || got > d*4/3 {
			t.Errorf("%s: %v, want %v spread by a third", what, got, d)
		}
	}
	ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
		hub, srv := serve(t, p, &stentor.Options{Retry: 12 * time.Second}, nil)
		if hub.Retry() != 12*time.Second {
			t.Errorf("Retry is %v", hub.Retry())
		}
		now, _ := member(t, hub, srv, "/events?channel=a")
		about(t, "preset", now, 12*time.Second)
		begun := now.Raw()
		hub.SetRetry(time.Minute)
		about(t, "changed", now, time.Minute)
		if got := strings.TrimPrefix(now.Raw(), begun); !regexp.MustCompile(`^retry: \d{5}\n\n$`).MatchString(got) {
			t.Errorf("the frame is %q", got)
		}
		later, _ := member(t, hub, srv, "/events?channel=a")
		about(t, "for one that comes later", later, time.Minute)
		begun = later.Raw()
		hub.SetRetry(-1) // L-54: nothing from now on
		synctest.Wait()
		if got := strings.TrimPrefix(later.Raw(), begun); got != "" {
			t.Errorf("switched off, it tells %q", got)
		}
		none, _ := member(t, hub, srv, "/events?channel=a")
		if strings.Contains(none.Raw(), "retry") {
			t.Errorf("switched off, one that comes is told %q", none.Raw())
		}
		hub.SetRetry(0)
		about(t, "the default", none, 3*time.Second)
	})
}

// L-54: those who lose a server together come back one by one.
func TestLibReconnectIntervalIsSpread(t *testing.T) {
	ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
		hub, srv := serve(t, p, nil, nil)
		seen := map[time.Duration]bool{}
		for range 20 {
			s, _ := member(t, hub, srv, "/events?channel=a")
			synctest.Wait()
			seen[s.Retry()] = true
		}
		if len(seen) < 5 {
			t.Errorf("20 readers were told %d times: %v", len(seen), seen)
		}
	})
}
