package serverevents_test

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stentor-sse/stentor/serverevents"
	"github.com/stentor-sse/stentor/ssetest"
)

// S-06, S-19: paths, intervals and the base of URLs.
func TestPublicURLAndPaths(t *testing.T) {
	ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
		s := newSite(t, p, nil, &serverevents.Options{
			PublicURL: "https://app.example/live/", StreamPath: "sse/stream", HeartbeatPath: "-", UnRegisterPath: "/bye",
			SubscribersPath: "-", UpdateSubscribersPath: "/change", HeartbeatInterval: 1500 * time.Millisecond, IdleTimeout: -1,
			OmitPresence: true,
		})
		st := s.open("/sse/stream?channels=A")
		got := st.connect()
		for name, want := range map[string]string{
			"heartbeatUrl": "", "unRegisterUrl": "https://app.example/live/bye?id=" + got["id"],
			"updateSubscriberUrl": "https://app.example/live/change?id=" + got["id"],
			"heartbeatIntervalMs": "1500", "idleTimeoutMs": "4500",
		} {
			if got[name] != want {
				t.Errorf("%s: %q, want %q", name, got[name], want)
			}
		}
		if _, ok := got["heartbeatUrl"]; ok {
			t.Error("heartbeatUrl is told")
		}
		for _, path := range []string{"/event-stream", "/event-heartbeat", "/event-subscribers", "/"} {
			if status, text, _ := s.do("GET", path, ""); status != 404 || !strings.HasPrefix(text, `{"responseStatus":{"errorCode":"NotFound"`) {
				t.Errorf("%s: %d %s", path, status, text)
			}
		}
		s.want(200, "{}", "POST", "/change?subscribeChannels=B&id="+got["id"], "")
		if st.expect(1); s.hub.Subscription(got["id"]) == nil {
			t.Error("gone")
		}
		for _, c := range st.response.Header.Values("Set-Cookie") {
			if !strings.Contains(c, "; Secure") {
				t.Errorf("an insecure cookie behind https: %s", c)
			}
		}
	})
}

// S-19: a path of "-" switches an endpoint off, its aliases included, and clients are not told of it.
func TestPathsSwitchedOff(t *testing.T) {
	for name, row := range map[string]struct {
		o    serverevents.Options
		told string // in onConnect, where it is on
		gone []string
	}{
		"StreamPath":     {o: serverevents.Options{StreamPath: "-"}, gone: []string{"/event-stream"}},
		"HeartbeatPath":  {o: serverevents.Options{HeartbeatPath: "-"}, told: "heartbeatUrl", gone: []string{"/event-heartbeat?id="}},
		"UnRegisterPath": {o: serverevents.Options{UnRegisterPath: "-"}, told: "unRegisterUrl", gone: []string{"/event-unregister?id=", "/api/UnRegisterEventSubscriber?id=", "/json/reply/UnRegisterEventSubscriber?id="}},
		"SubscribersPath": {o: serverevents.Options{SubscribersPath: "-"},
			gone: []string{"/event-subscribers?channels=", "/api/GetEventSubscribers?channels=", "/json/reply/GetEventSubscribers?x="}},
		"UpdateSubscribersPath": {o: serverevents.Options{UpdateSubscribersPath: "-"}, told: "updateSubscriberUrl",
			gone: []string{"/event-subscribers/", "/api/UpdateEventSubscriber?id=", "/json/reply/UpdateEventSubscriber?id="}},
	} {
		t.Run(name, func(t *testing.T) {
			ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
				s := newSite(t, p, nil, &row.o)
				id := ""
				if row.o.StreamPath == "" {
					got := s.open("/event-stream?channels=A").connect()
					if _, told := got[row.told]; told || len(got) != 12 && row.told == "" {
						t.Errorf("told %v", got)
					}
					id = got["id"]
				}
				for _, path := range row.gone {
					status, text, _ := s.do("POST", path+id, "")
					if status != 404 || !strings.HasPrefix(text, `{"responseStatus":{"errorCode":"NotFound","message":"there is nothing here`) {
						t.Errorf("%s: %d %s", path, status, text)
					}
				}
			})
		})
	}
}

// S-19 HeartbeatInterval: an interval that clients would read as none must not become a storm.
func TestSmallestInterval(t *testing.T) {
	ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
		s := newSite(t, p, nil, &serverevents.Options{HeartbeatInterval: time.Microsecond})
		if got := s.open("/event-stream").connect()["heartbeatIntervalMs"]; got != "1" {
			t.Errorf("heartbeatIntervalMs %s", got)
		}
	})
}

// S-11, S-12, S-16: the face stands beside a page at GET / on one mux, and beside other services.
func TestRegister(t *testing.T) {
	ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
		s := &site{t: t, hub: newHub(t, nil)}
		mux := http.NewServeMux()
		mux.HandleFunc("GET /", func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "page") })
		mux.HandleFunc("POST /api/PostChatToChannel", func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "chat") })
		serverevents.New(s.hub, nil).Register(mux)
		s.srv = ssetest.NewServer(t, p, mux)
		st := s.open("/event-stream")
		s.want(200, "page", "GET", "/", "")
		s.want(200, "chat", "POST", "/api/PostChatToChannel", "")
		s.want(200, "{}", "POST", "/event-subscribers/"+st.id(), "SubscribeChannels=A")
		for _, method := range []string{"GET", "POST", "PUT", "PATCH", "DELETE"} {
			s.want(200, "", method, st.connect()["heartbeatUrl"], "")
		}
		if status, _, h := s.do("OPTIONS", "/event-stream", ""); status != 204 || h.Get("Allow") == "" {
			t.Errorf("OPTIONS: %d %v", status, h)
		}
	})
}
