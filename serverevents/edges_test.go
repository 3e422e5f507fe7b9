package serverevents_test

import (
	"bytes"
	"crypto/tls"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/iotest"

	"github.com/stentor-sse/stentor"
	"github.com/stentor-sse/stentor/serverevents"
	"github.com/stentor-sse/stentor/ssetest"
)

// wrapped is a site whose face sees requests and writers as a middleware has them.
func wrapped(t *testing.T, p ssetest.Protocol, o *serverevents.Options,
	middleware func(http.ResponseWriter, *http.Request) (http.ResponseWriter, *http.Request)) *site {
	t.Helper()
	s := &site{t: t, hub: newHub(t, nil)}
	face := serverevents.New(s.hub, o)
	s.srv = ssetest.NewServer(t, p, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		face.ServeHTTP(middleware(w, r))
	}))
	return s
}

// S-11: what never can be streamed to is an error that is answered.
func TestWriterThatCannotStream(t *testing.T) {
	ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
		s := wrapped(t, p, nil, func(w http.ResponseWriter, r *http.Request) (http.ResponseWriter, *http.Request) {
			return struct{ http.ResponseWriter }{w}, r // neither Flush nor Unwrap
		})
		status, text, _ := s.do("GET", "/event-stream", "")
		if status != 500 || !strings.HasPrefix(text, `{"responseStatus":{"errorCode":"InternalServerError"`) {
			t.Errorf("%d %s", status, text)
		}
		if n := s.hub.Stats().Subscriptions; n != 0 {
			t.Errorf("%d subscriptions are left", n)
		}
	})
}

// S-06, S-24: over TLS, the URLs say so and cookies are for it alone.
func TestOverTLS(t *testing.T) {
	ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
		s := wrapped(t, p, nil, func(w http.ResponseWriter, r *http.Request) (http.ResponseWriter, *http.Request) {
			r.TLS = &tls.ConnectionState{}
			return w, r
		})
		st := s.open("/event-stream")
		if got, want := st.connect()["heartbeatUrl"], "https"+strings.TrimPrefix(s.srv.URL, "http"); !strings.HasPrefix(got, want) {
			t.Errorf("heartbeatUrl %s, want it to begin with %s", got, want)
		}
		for _, c := range st.response.Cookies() {
			if !c.Secure {
				t.Errorf("an insecure cookie: %s", c)
			}
		}
	})
}

// S-06, S-19: forwarded headers are anyone's to send.
func TestForwardedHeadersAreNotBelieved(t *testing.T) {
	ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
		s := newSite(t, p, nil, nil)
		st := s.open("/event-stream", "X-Forwarded-Proto: https", "X-Forwarded-Host: evil.example", "X-Forwarded-For: 6.6.6.6")
		if got := st.connect()["heartbeatUrl"]; !strings.HasPrefix(got, s.srv.URL+"/") {
			t.Errorf("heartbeatUrl %s", got)
		}
		if got := s.hub.Subscription(st.id()).Address(); strings.Contains(got, "6.6.6.6") || strings.Contains(got, ":") && !strings.Contains(got, "::") {
			t.Errorf("address %q", got)
		}
	})
}

// S-13: of two that unregister the same, one is told that it did.
func TestUnregisterOnce(t *testing.T) {
	ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
		s := newSite(t, p, nil, nil)
		for range 20 {
			url := s.open("/event-stream").connect()["unRegisterUrl"]
			var wg sync.WaitGroup
			var statuses [3]int
			for i := range statuses {
				wg.Go(func() {
					resp, err := s.srv.Client.Do(s.request(t.Context(), "POST", url, ""))
					if err != nil {
						t.Error(err)
						return
					}
					io.Copy(io.Discard, resp.Body)
					resp.Body.Close()
					statuses[i] = resp.StatusCode
				})
			}
			wg.Wait()
			if sum := statuses[0] + statuses[1] + statuses[2]; sum != 200+404+404 {
				t.Errorf("answered %v", statuses)
			}
		}
	})
}

// S-06: an id is a capability; logs are read by many.
func TestIDsStayOutOfLogs(t *testing.T) {
	ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
		var log bytes.Buffer
		s := newSite(t, p, nil, &serverevents.Options{Logger: slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))})
		st := s.open("/event-stream")
		id := st.id()
		s.do("POST", "/event-subscribers/"+id, "{")
		s.do("POST", "/event-subscribers/"+id+"?subscribeChannels=a%0ab", "")
		s.do("POST", "/event-unregister?id="+id, "")
		s.do("POST", "/event-unregister?id="+id, "")
		s.do("POST", "/event-subscribers/"+id, "")
		if got := log.String(); strings.Contains(got, id) || strings.Count(got, "request refused") != 4 || strings.Count(got, "stream ended") != 1 ||
			strings.Count(got, "level=DEBUG") != strings.Count(got, "\n") {
			t.Errorf("logged\n%s", got)
		}
	})
}

// S-17: a failure of the application is the operator's to read, not the caller's.
func TestFailuresAreLogged(t *testing.T) {
	ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
		var log bytes.Buffer
		s := newSite(t, p, nil, &serverevents.Options{
			Logger:    slog.New(slog.NewTextHandler(&log, nil)),
			Subscribe: func(*http.Request, *stentor.SubscribeOptions) error { return errors.New("secret database is down") },
		})
		if status, text, _ := s.do("GET", "/event-subscribers", ""); status != 500 || strings.Contains(text, "secret") {
			t.Errorf("%d %s", status, text)
		}
		if _, err := s.tryOpen("/event-stream"); err == nil {
			t.Error("the stream was answered")
		}
		if got := log.String(); strings.Count(got, "level=ERROR") != 2 || strings.Count(got, "secret database is down") != 2 {
			t.Errorf("logged\n%s", got)
		}
	})
}

// S-12, S-13, S-15: whoever breaks off in the middle of a body has asked for nothing.
func TestBodyBrokenOff(t *testing.T) {
	hub := newHub(t, nil)
	sub, err := hub.Subscribe(t.Context(), &stentor.SubscribeOptions{Channels: []stentor.Channel{"A"}})
	if err != nil {
		t.Fatal(err)
	}
	face := serverevents.New(hub, nil)
	for _, path := range []string{"/event-heartbeat", "/event-unregister", "/event-subscribers", "/api/UpdateEventSubscriber"} {
		body := io.MultiReader(strings.NewReader("subscribeChannels=B"), iotest.ErrReader(io.ErrUnexpectedEOF))
		w := httptest.NewRecorder()
		face.ServeHTTP(w, httptest.NewRequest(http.MethodPost, path+"?unsubscribeChannels=A&id="+sub.ID(), body))
		if w.Code != 400 {
			t.Errorf("%s: %d", path, w.Code)
		}
	}
	if sub.Cause() != nil || names(sub.Channels()) != "A" {
		t.Errorf("ended by %v, on %v", sub.Cause(), sub.Channels())
	}
}

// S-17: what an answer quotes of a long id is cut.
func TestLongIDIsCut(t *testing.T) {
	ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
		s := newSite(t, p, nil, nil)
		want := envelope("NotFound", "Subscription "+strings.Repeat("x", 63)+" does not exist")
		s.want(404, want, "POST", "/event-unregister", "id="+strings.Repeat("x", 63)+strings.Repeat("ü", 1000), formType)
	})
}
