package eventhttp_test

import (
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/stentor-sse/stentor"
	"github.com/stentor-sse/stentor/eventhttp"
	"github.com/stentor-sse/stentor/sse"
	"github.com/stentor-sse/stentor/ssetest"
)

// L-01, L-02: a service is a hub: a value of one's own, as many as one likes, each with its
// clients, groups, keepalive and options. Nothing has to be registered for it.
func TestLibSeveralHubs(t *testing.T) {
	ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
		news := newHub(t, &stentor.Options{KeepAlive: 5 * time.Second, Retry: 9 * time.Second})
		jobs := newHub(t, &stentor.Options{KeepAlive: -1, Retry: -1})
		mux := http.NewServeMux()
		mux.Handle("/news/", http.StripPrefix("/news", eventhttp.New(news, &eventhttp.Options{KeepAlive: sse.Event{Comment: "news"}})))
		mux.Handle("/jobs/", http.StripPrefix("/jobs", eventhttp.New(jobs, nil)))
		srv := ssetest.NewServer(t, p, mux)

		a, sub := member(t, news, srv, "/news/events?channel=a")
		b, _ := member(t, jobs, srv, "/jobs/events?channel=a")
		if jobs.Subscription(sub.ID()) != nil || jobs.Count(stentor.Target{}) != 1 || news.Count(stentor.Target{}) != 1 {
			t.Error("the hubs share a subscription")
		}
		at := publish(t, news, stentor.Message{Target: stentor.Target{All: true}, Data: "news"})
		want(t, a, sse.Event{ID: at.String(), Data: "news"})
		sleep(6)
		if got := a.Comments(); !slices.Equal(got, []string{"news"}) {
			t.Errorf("keepalives %q, want one of the news", got)
		}
		if len(data(b)) != 0 || len(b.Comments()) != 0 || b.Retry() != 0 {
			t.Errorf("the other hub's reader got %q", b.Raw())
		}
		if r := a.Retry(); r < 6*time.Second || r > 12*time.Second {
			t.Errorf("retry %v, want 9 s spread by a third", r)
		}
	})
}

// L-03, L-04, L-05: several endpoints of one hub share its clients, each with options of its own;
// path values are visible to the hooks; and a subscription knows through which one it came, if
// the application notes that.
func TestLibSeveralEndpoints(t *testing.T) {
	through := stentor.NewProperty[string]("endpoint")
	app := stentor.NewProperty[string]("app key")
	face := func(hub *stentor.Hub, name string, prefix stentor.Channel) *eventhttp.Face {
		return eventhttp.New(hub, &eventhttp.Options{
			Subscribe: func(r *http.Request, o *stentor.SubscribeOptions) error {
				through.Preset(o, name)
				app.Preset(o, r.PathValue("app"))
				o.Channels = append(o.Channels, prefix, "both")
				return nil
			},
			Prepare: func(h http.Header, r *http.Request, s *stentor.Subscription) error {
				got, _ := through.Get(s)
				h.Set("X-Endpoint", got+" "+r.PathValue("app"))
				return nil
			},
		})
	}
	ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
		hub := newHub(t, nil)
		one, two := face(hub, "one", "first"), face(hub, "two", "second")
		mux := http.NewServeMux()
		mux.Handle("/updates/{app}", one.Events())
		mux.Handle("/two/{app}/", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			http.StripPrefix("/two/"+r.PathValue("app"), two).ServeHTTP(w, r)
		}))
		srv := ssetest.NewServer(t, p, mux)

		a, sa := member(t, hub, srv, "/updates/k1")
		b, sb := member(t, hub, srv, "/two/k2/events")
		for _, row := range []struct {
			s        *ssetest.Recorder
			sub      *stentor.Subscription
			endpoint string
			app      string
			channels []stentor.Channel
		}{
			{a, sa, "one", "k1", []stentor.Channel{"first", "both"}},
			{b, sb, "two", "k2", []stentor.Channel{"second", "both"}},
		} {
			endpoint, _ := through.Get(row.sub)
			key, _ := app.Get(row.sub)
			if endpoint != row.endpoint || key != row.app || !slices.Equal(row.sub.Channels(), row.channels) {
				t.Errorf("through %q, app %q, on %v; want %+v", endpoint, key, row.sub.Channels(), row)
			}
			if got := row.s.Response.Header.Get("X-Endpoint"); got != row.endpoint+" "+row.app {
				t.Errorf("X-Endpoint %q", got)
			}
		}
		at := publish(t, hub, to("both", "x"))
		want(t, a, sse.Event{ID: at.String(), Data: "x"})
		want(t, b, sse.Event{ID: at.String(), Data: "x"})
		if n := hub.Count(stentor.Target{Channel: "both"}); n != 2 {
			t.Errorf("%d on the shared channel, want 2", n)
		}
		// The whole face works under its prefix.
		if resp, body := srv.Do(t, "POST", "/two/k2/subscriptions/"+sb.ID(), `{"join":["late"]}`, jsonType, cookie(t, b.Response)); resp.StatusCode != 200 {
			t.Errorf("a change under the prefix: %d %s", resp.StatusCode, body)
		}
		if !slices.Contains(sb.Channels(), "late") {
			t.Errorf("channels %v", sb.Channels())
		}
		resp, body := srv.Do(t, "GET", "/two/k2/nowhere", "")
		refused(t, resp, body, 404, "/events")
	})
}

// L-03: middleware of the program's own in front of an endpoint does what the host's conventions
// do there: refuse, limit hosts, authenticate.
func TestLibMiddlewareInFront(t *testing.T) {
	ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
		hub := newHub(t, nil)
		face := eventhttp.New(hub, nil)
		srv := ssetest.NewServer(t, p, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Header.Get("X-Pass") == "" {
				http.Error(w, "no", http.StatusForbidden)
				return
			}
			face.ServeHTTP(w, r)
		}))
		if resp, _ := srv.Do(t, "GET", "/events?channel=a", ""); resp.StatusCode != 403 {
			t.Errorf("without a pass: %d", resp.StatusCode)
		}
		member(t, hub, srv, "/events?channel=a", "X-Pass: 1")
	})
}

// L-06: a stream is got, and nothing else.
func TestLibOnlyGET(t *testing.T) {
	ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
		hub := newHub(t, nil)
		mux := http.NewServeMux()
		mux.Handle("/updates", eventhttp.New(hub, nil).Events())
		srv := ssetest.NewServer(t, p, mux)
		for _, method := range []string{"POST", "PUT", "PATCH", "DELETE"} {
			resp, body := srv.Do(t, method, "/updates?channel=a", "")
			refused(t, resp, body, 405, "GET")
		}
		if n := hub.Stats().Subscribed; n != 0 {
			t.Errorf("%d subscribed", n)
		}
	})
}
