package eventhttp_test

import (
	"net/http"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/stentor-sse/stentor"
	"github.com/stentor-sse/stentor/eventhttp"
	"github.com/stentor-sse/stentor/sse"
	"github.com/stentor-sse/stentor/ssetest"
)

// L-10, L-25, L-26, L-27: media ranges as RFC 9110 §12.5.1 has them, case and
// parameters included. RequireAccept decides about a missing header alone.
func TestLibAccept(t *testing.T) {
	const no = http.StatusNotAcceptable
	rows := []struct {
		name, accept    string // a line each
		loose, required int
	}{
		{"L-25 no Accept", "", 200, no},
		{"L-25 exact", "text/event-stream", 200, 200},
		{"L-25 text/*", "text/*", 200, 200},
		{"L-25 */*", "*/*", 200, 200},
		{"L-25 one of several", "text/html, text/event-stream", 200, 200},
		{"L-25 several lines", "text/html\ntext/event-stream", 200, 200},
		{"L-25 only other values", "text/html, application/json", no, no},
		{"L-26 a weight", "text/event-stream;q=0.9", 200, 200},
		{"L-26 a weight of nothing", "text/event-stream;q=0, text/html", no, no},
		{"L-26 refused in particular", "*/*, text/event-stream;q=0", no, no},
		{"L-26 letter case", "Text/Event-Stream", 200, 200},
		{"L-26 a parameter", "text/event-stream; charset=UTF-8", 200, 200},
		{"L-27 a browser's address bar", "text/html,application/xhtml+xml,*/*;q=0.8", 200, 200},
		{"L-27 not a media range", "event-stream", no, no},
	}
	ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
		hub := newHub(t, nil)
		hooked := 0
		hook := func(*http.Request, *stentor.SubscribeOptions) error { hooked++; return nil }
		loose := ssetest.NewServer(t, p, eventhttp.New(hub, &eventhttp.Options{Subscribe: hook}))
		strict := ssetest.NewServer(t, p, eventhttp.New(hub, &eventhttp.Options{Subscribe: hook, RequireAccept: true}))
		for _, row := range rows {
			for srv, status := range map[*ssetest.Server]int{loose: row.loose, strict: row.required} {
				var header []string
				for line := range strings.SplitSeq(row.accept, "\n") {
					if line != "" {
						header = append(header, "Accept: "+line)
					}
				}
				hooked = 0
				r, _ := http.NewRequest("HEAD", srv.URL+"/events?channel=a", nil)
				for _, h := range header {
					r.Header.Add("Accept", strings.TrimPrefix(h, "Accept: "))
				}
				resp, err := srv.Client.Do(r)
				if err != nil {
					t.Fatal(err)
				}
				resp.Body.Close()
				if resp.StatusCode != status || hooked != 2-status/200 {
					t.Errorf("%s (required %v): %d, the hook ran %d times; want %d", row.name, srv == strict, resp.StatusCode, hooked, status)
				}
			}
		}
		// A stream, and a refusal that says what to send, before anything is registered.
		s := loose.Open(t, "/events?channel=a", "Accept: text/html, TEXT/*;q=0.1")
		opened(t, s)
		resp, body := strict.Do(t, "GET", "/events?channel=a", "")
		refused(t, resp, body, no, "Accept: text/event-stream")
		resp, body = loose.Do(t, "GET", "/events?channel=a", "", "Accept: application/json")
		refused(t, resp, body, no, "Accept: text/event-stream")
		if n := hub.Stats().Subscribed; n != 1 {
			t.Errorf("%d subscribed, want 1", n)
		}
	})
}

// L-28: only its own paths are the face's; a request without Accept for another goes
// to the program.
func TestLibFaceTakesNoOtherPath(t *testing.T) {
	ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
		mux := http.NewServeMux()
		eventhttp.New(newHub(t, nil), nil).Register(mux)
		mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTeapot) })
		srv := ssetest.NewServer(t, p, mux)
		for _, path := range []string{"/", "/events/", "/events/x", "/other"} {
			if resp, _ := srv.Do(t, "GET", path, ""); resp.StatusCode != http.StatusTeapot {
				t.Errorf("%s: %d, want the program's answer", path, resp.StatusCode)
			}
		}
	})
}

// Every orderly end is an event with a name for its cause, and a reconnection time
// where coming back is of use.
func TestEndSaysWhy(t *testing.T) {
	rows := []struct {
		name  string
		end   func(t *testing.T, hub *stentor.Hub, srv *ssetest.Server, sub *stentor.Subscription)
		event string
	}{
		{"replaced: a day, or two tabs would evict each other for ever", func(t *testing.T, _ *stentor.Hub, srv *ssetest.Server, _ *stentor.Subscription) {
			opened(t, srv.Open(t, "/events?channel=a&key=k"))
		}, "retry: 86400000\nevent: stentor.end\ndata: {\"reason\":\"replaced\"}\n\n"},
		{"dismissed: 204 follows", func(t *testing.T, _ *stentor.Hub, _ *ssetest.Server, sub *stentor.Subscription) {
			if err := sub.Dismiss(0); err != nil {
				t.Error(err)
			}
		}, "event: stentor.end\ndata: {\"reason\":\"dismissed\"}\n\n"},
		{"draining", func(t *testing.T, hub *stentor.Hub, _ *ssetest.Server, _ *stentor.Subscription) {
			if err := hub.Drain(t.Context(), 0); err != nil {
				t.Error(err)
			}
		}, "retry: R\nevent: stentor.end\ndata: {\"reason\":\"draining\"}\n\n"},
		{"shutdown", func(t *testing.T, hub *stentor.Hub, _ *ssetest.Server, _ *stentor.Subscription) {
			if err := hub.Shutdown(t.Context()); err != nil {
				t.Error(err)
			}
		}, "retry: R\nevent: stentor.end\ndata: {\"reason\":\"shutdown\"}\n\n"},
		{"expired", func(_ *testing.T, _ *stentor.Hub, _ *ssetest.Server, sub *stentor.Subscription) {
			sub.Heartbeat(1)
			sleep(1)
		}, "event: stentor.end\ndata: {\"reason\":\"expired\"}\n\n"},
		{"unregistered", func(_ *testing.T, _ *stentor.Hub, _ *ssetest.Server, sub *stentor.Subscription) {
			sub.Close(nil)
		}, "event: stentor.end\ndata: {\"reason\":\"unregistered\"}\n\n"},
		{"reset", func(_ *testing.T, hub *stentor.Hub, _ *ssetest.Server, _ *stentor.Subscription) {
			hub.Reset()
		}, "retry: R\nevent: stentor.end\ndata: {\"reason\":\"reset\"}\n\n"},
		{"the application's own cause stays here", func(_ *testing.T, _ *stentor.Hub, _ *ssetest.Server, sub *stentor.Subscription) {
			sub.Close(&stentor.Refusal{Status: 403, Detail: "password hunter2 leaked"})
		}, "event: stentor.end\ndata: {\"reason\":\"ended\"}\n\n"},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
				hub, srv := serve(t, p, nil, open())
				s := srv.Open(t, "/events?channel=a&key=k")
				sub := hub.Subscription(opened(t, s))
				begun := s.Raw()
				row.end(t, hub, srv, sub)
				if err := s.Wait(t); err != nil {
					t.Errorf("the stream ended with %v, want a clean end", err)
				}
				got := digits(t, strings.TrimPrefix(s.Raw(), begun), row.event)
				if got != row.event {
					t.Errorf("it ended with %q, want %q", got, row.event)
				}
			})
		})
	}
}

// digits is text with R for the number of its first retry, if that is what is
// wanted.
func digits(t *testing.T, text, wanted string) string {
	t.Helper()
	rest, ok := strings.CutPrefix(text, "retry: ")
	number, rest, _ := strings.Cut(rest, "\n")
	if !ok || !strings.HasPrefix(wanted, "retry: R\n") {
		return text
	}
	if len(number) != 4 || number < "1000" || number > "6000" {
		t.Errorf("retry %s ms, want 1 to 6 s", number)
	}
	return "retry: R\n" + rest
}

// A replaced stream's reader stays away long enough, and the newer one is told the
// usual time again.
func TestReplacedStaysAway(t *testing.T) {
	ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
		_, srv := serve(t, p, nil, open())
		one := srv.Open(t, "/events?channel=a&key=k")
		opened(t, one)
		two := srv.Open(t, "/events?channel=a&key=k")
		opened(t, two)
		one.Wait(t)
		if d := one.Retry(); d.Hours() != 24 {
			t.Errorf("the replaced one comes back after %v, want a day", d)
		}
		if d := two.Retry(); d.Seconds() < 2 || d.Seconds() > 4 {
			t.Errorf("the newer one comes back after %v, want 2 to 4 s", d)
		}
		want(t, one, sse.Event{Type: "stentor.end", Data: `{"reason":"replaced"}`})
		synctest.Wait()
		if two.Ended() {
			t.Error("the newer one has ended too")
		}
	})
}
