package serverevents_test

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stentor-sse/stentor"
	"github.com/stentor-sse/stentor/serverevents"
	"github.com/stentor-sse/stentor/ssetest"
)

// S-01–S-18: TestChecklist holds what a client needs, in the order of the protocol's own
// checklist.
func TestChecklist(t *testing.T) {
	for _, row := range []struct {
		name string
		test func(*testing.T, *site)
	}{
		{"01 frame bytes", frameBytes},
		{"02 onConnect is first, all strings, absolute URLs", connectPayload},
		{"03 join, leave and update", joinLeaveUpdate},
		{"04 heartbeat", heartbeats},
		{"05 unregister", unregisters},
		{"06 subscribers and their update", subscribersAndUpdate},
		{"07 aliases", aliases},
		{"08 error envelope", envelopes},
		{"09 CORS", cors},
		{"10 no transient error on the stream", noTransientError},
		{"11 one data line and nothing else", oneDataLine},
		{"12 channel names before headers", channelNames},
		{"13 anonymous names", anonymousNames},
		{"14 401 for the authenticated", authenticatedOnly},
		{"15 unknown keys and any Accept", unknownKeys},
	} {
		t.Run(row.name, func(t *testing.T) {
			ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
				s := newSite(t, p, nil, &serverevents.Options{
					AllowOrigins:              []string{"https://page.example"},
					LimitToAuthenticatedUsers: row.name[:2] == "14",
				})
				row.test(t, s)
			})
		})
	}
}

// S-01
func frameBytes(t *testing.T, s *site) {
	st := s.open("/event-stream?channels=A")
	seen := len(st.bytes())
	at := s.send(on("A"), "chat", "hi")
	if got, want := st.bytes()[seen:], "id: "+at.String()+"\ndata: A@cmd.chat \"hi\"\n\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if strings.Contains(st.bytes(), "\r") {
		t.Errorf("a carriage return in %q", st.bytes())
	}
}

// S-02, S-06
func connectPayload(t *testing.T, s *site) {
	st := s.open("/event-stream?channels=A,B")
	got := st.connect() // fails on anything but strings
	id := got["id"]
	for name, want := range map[string]string{
		"userId": "-1", "isAuthenticated": "false", "displayName": "user1", "channels": "A,B",
		"heartbeatUrl":        s.srv.URL + "/event-heartbeat?id=" + id,
		"unRegisterUrl":       s.srv.URL + "/event-unregister?id=" + id,
		"updateSubscriberUrl": s.srv.URL + "/event-subscribers/" + id,
		"heartbeatIntervalMs": "10000", "idleTimeoutMs": "30000",
	} {
		if got[name] != want {
			t.Errorf("%s: %q, want %q", name, got[name], want)
		}
	}
	if want := time.Now().UnixMilli(); got["createdAt"] != strconv.FormatInt(want, 10) {
		t.Errorf("createdAt: %s, want %d", got["createdAt"], want)
	}
	if p := got["profileUrl"]; !strings.HasPrefix(p, "data:image/svg+xml,") || strings.ContainsAny(p, " '\"\\") {
		t.Errorf("profileUrl: %s", p)
	}
	if len(id) < 20 || len(got) != 12 {
		t.Errorf("id %q, %d values: %v", id, len(got), got)
	}
}

// S-03, S-05, S-07, S-15
func joinLeaveUpdate(t *testing.T, s *site) {
	first := s.open("/event-stream?channels=A,B,C")
	first.expect(1,
		"A@cmd.onJoin user1 on A,B,C", "B@cmd.onJoin user1 on A,B,C", "C@cmd.onJoin user1 on A,B,C")
	seen := len(first.frames())
	second := s.open("/event-stream?channels=B,A")
	second.expect(1, "B@cmd.onJoin user2 on B,A", "A@cmd.onJoin user2 on B,A")
	s.want(200, "{}", "POST", "/event-subscribers/"+second.id(), "UnsubscribeChannels=A&SubscribeChannels=C",
		"Content-Type: application/x-www-form-urlencoded")
	second.expect(3, // no longer on A when that is told; then a second round
		"B@cmd.onUpdate user2 on B", "B@cmd.onUpdate user2 on B,C", "C@cmd.onUpdate user2 on B,C")
	s.do("POST", second.connect()["unRegisterUrl"], "")
	second.expect(6) // its leave is not told to it
	first.expect(seen,
		"B@cmd.onJoin user2 on B,A", "A@cmd.onJoin user2 on B,A",
		"B@cmd.onUpdate user2 on B", "A@cmd.onUpdate user2 on B",
		"B@cmd.onUpdate user2 on B,C", "C@cmd.onUpdate user2 on B,C",
		"B@cmd.onLeave user2 on B,C", "C@cmd.onLeave user2 on B,C")
	for _, f := range first.frames()[1:] {
		if f.id != "" {
			t.Errorf("%s has the id %s; presence has no position", f, f.id)
		}
		if m := f.fields(t); m["id"] != "" || m["heartbeatUrl"] != "" || len(m) != 6 {
			t.Errorf("%s tells %v", f, m)
		}
	}
}

// S-12
func heartbeats(t *testing.T, s *site) {
	st := s.open("/event-stream?channels=A")
	beat := st.connect()["heartbeatUrl"]
	s.want(200, "", "POST", beat, "", "Content-Type: text/plain")
	s.want(200, "", "POST", beat, "")
	s.want(200, "", "GET", beat, "")
	st.expect(2, "cmd.onHeartbeat user1 on A", "cmd.onHeartbeat user1 on A", "cmd.onHeartbeat user1 on A")
	for _, query := range []string{"", "?id=", "?id=" + strings.Repeat("A", 26), "?id=%00%0a", "?id=%ff", "?id=%"} {
		s.want(404, "", "POST", "/event-heartbeat"+query, "")
	}
	pass(29 * time.Second)
	if st.ended() {
		t.Error("ended within the idle timeout")
	}
	pass(2 * time.Second)
	if !st.ended() {
		t.Error("not ended after the idle timeout")
	}
	s.want(404, "", "POST", beat, "")
}

// S-13
func unregisters(t *testing.T, s *site) {
	watcher := s.open("/event-stream?channels=A")
	for _, method := range []string{"POST", "GET"} {
		st := s.open("/event-stream?channels=A")
		seen := len(watcher.frames())
		member := st.frames()[1].json
		s.want(200, member, method, st.connect()["unRegisterUrl"], "")
		if !st.ended() {
			t.Errorf("%s: the stream goes on", method)
		}
		watcher.expect(seen, "A@cmd.onLeave "+st.connect()["displayName"]+" on A")
	}
}

// S-14, S-15
func subscribersAndUpdate(t *testing.T, s *site) {
	a := s.open("/event-stream?channels=A")
	b := s.open("/event-stream?channels=B")
	ab := s.open("/event-stream?channels=A,B")
	one, two, both := a.frames()[1].json, b.frames()[1].json, ab.frames()[1].json
	for url, want := range map[string]string{
		"/event-subscribers?channel=A":            "[" + one + "," + both + "]",
		"/event-subscribers?channels=B":           "[" + two + "," + both + "]",
		"/event-subscribers?channels=A,B":         "[" + one + "," + two + "," + both + "]",
		"/event-subscribers?channel=A&channels=B": "[" + one + "," + two + "," + both + "]",
		"/event-subscribers":                      "[" + one + "," + two + "," + both + "]",
		"/event-subscribers?channels=nobody":      "[]",
	} {
		s.want(200, want, "GET", url, "")
	}
	s.want(200, "{}", "POST", a.connect()["updateSubscriberUrl"], "UnsubscribeChannels=A",
		"Content-Type: application/x-www-form-urlencoded; charset=UTF-8")
	s.want(200, "["+both+"]", "GET", "/event-subscribers?channel=A", "")
	if m := s.hub.Subscription(a.id()).Member(); len(m.Channels) != 0 {
		t.Errorf("still on %v", m.Channels)
	}
}

// S-16
func aliases(t *testing.T, s *site) {
	for _, base := range []string{"/api/", "/json/reply/"} {
		st := s.open("/event-stream?channels=A")
		s.want(200, "{}", "POST", base+"UpdateEventSubscriber", `{"id":"`+st.id()+`","subscribeChannels":["B"]}`,
			"Content-Type: application/json")
		s.want(200, "{}", "POST", base+"UpdateEventSubscriber", `{"Id":"`+st.id()+`","UnsubscribeChannels":["A"]}`,
			"Content-Type: application/json")
		status, member, _ := s.do("GET", base+"GetEventSubscribers?channels=A%2CB", "", "Content-Type: application/json")
		if status != 200 || !strings.Contains(member, `"channels":"B"`) {
			t.Errorf("%d %s", status, member)
		}
		s.want(200, strings.Trim(member, "[]"), "POST", base+"UnRegisterEventSubscriber", `{"id":"`+st.id()+`"}`,
			"Content-Type: application/json")
	}
}

// S-17
func envelopes(t *testing.T, s *site) {
	for id, message := range map[string]string{
		"Cpt'Yb-Gi\"w": "Subscription CptYbGiw does not exist",
		"":             "Subscription  does not exist",
		"<b>":          "Subscription b does not exist",
	} {
		want := envelope("NotFound", message)
		s.want(404, want, "POST", "/event-unregister?id="+url.QueryEscape(id), "")
		s.want(404, want, "POST", "/api/UpdateEventSubscriber?subscribeChannels=A&id="+url.QueryEscape(id), "")
	}
	_, _, h := s.do("POST", "/event-unregister?id=none", "", "Accept: text/html")
	if got := h.Get("Content-Type"); got != "application/json; charset=utf-8" {
		t.Errorf("Content-Type: %s", got)
	}
}

// S-18
func cors(t *testing.T, s *site) {
	st := s.open("/event-stream?channels=A", "Origin: https://page.example")
	readable := func(where string, h http.Header) {
		if h.Get("Access-Control-Allow-Origin") != "https://page.example" || h.Get("Access-Control-Allow-Credentials") != "true" {
			t.Errorf("%s: not readable with credentials: %v", where, h)
		}
	}
	readable("stream", st.response.Header)
	for _, url := range []string{st.connect()["heartbeatUrl"], "/api/UpdateEventSubscriber?id=" + st.id()} {
		status, _, h := s.do("POST", url, "", "Origin: https://page.example", "Sec-Fetch-Site: cross-site", "Content-Type: text/plain")
		if readable(url, h); status != 200 {
			t.Errorf("%s from a listed origin: %d", url, status)
		}
		if status, _, h := s.do("POST", url, "", "Origin: https://evil.example", "Sec-Fetch-Site: cross-site"); status != 403 ||
			h.Get("Access-Control-Allow-Origin") != "" {
			t.Errorf("%s from another origin: %d %v", url, status, h)
		}
		if status, _, _ := s.do("POST", url, "", "Origin: "+s.srv.URL, "Sec-Fetch-Site: same-origin"); status != 200 {
			t.Errorf("%s from the same origin: %d", url, status)
		}
	}
	status, _, h := s.do("OPTIONS", "/api/UpdateEventSubscriber", "", "Origin: https://page.example",
		"Access-Control-Request-Method: POST", "Access-Control-Request-Headers: content-type")
	readable("preflight", h)
	if status != 204 || !strings.Contains(h.Get("Access-Control-Allow-Headers"), "Content-Type") ||
		!strings.Contains(h.Get("Access-Control-Allow-Methods"), "POST") {
		t.Errorf("preflight: %d %v", status, h)
	}
}

// S-28
func noTransientError(t *testing.T, s *site) {
	if err := s.hub.Drain(context.Background(), time.Second); err != nil {
		t.Fatal(err)
	}
	if st, err := s.tryOpen("/event-stream?channels=A"); err == nil {
		t.Errorf("answered with %s", st.response.Status)
	}
}

// S-04, S-09
func oneDataLine(t *testing.T, s *site) {
	st := s.open("/event-stream?channels=A")
	s.send(on("A"), "lines", "one\ntwo\r\nthree\rfour")
	s.publish(stentor.Message{Target: on("A"), Type: "pretty", JSON: true, Data: "{\n\t\"a\": [1,\r\n2]\n}"})
	pass(time.Minute) // keepalives
	st.expect(2, `A@cmd.lines "one\ntwo\r\nthree\rfour"`, `A@cmd.pretty {"a":[1,2]}`)
	if !strings.HasSuffix(st.bytes(), "\n\n\n") {
		t.Errorf("no keepalive in %q", st.bytes())
	}
}

// S-09, S-11
func channelNames(t *testing.T, s *site) {
	for _, bad := range []string{"a%20b", "a@b", "a%00", "a%0Ab", "a%7f", "a%c2%85", "%ff", strings.Repeat("x", 256)} {
		for _, key := range []string{"channels=ok,", "channel="} {
			status, text, h := s.do("GET", "/event-stream?"+key+bad, "")
			if status != 400 || !strings.HasPrefix(text, `{"responseStatus":{"errorCode":"BadRequest","message":"`) {
				t.Errorf("%s%s: %d %s", key, bad, status, text)
			}
			if h.Get("Set-Cookie") != "" || h.Get("Content-Type") == "text/event-stream" {
				t.Errorf("%s%s: headers of a stream: %v", key, bad, h)
			}
		}
	}
	if n := s.hub.Stats(); n.Subscriptions != 0 || n.Subscribed != 0 || n.Channels != 0 {
		t.Errorf("something was registered: %+v", n)
	}
}

// S-24
func anonymousNames(t *testing.T, s *site) {
	for _, n := range []string{"1", "2", "3"} {
		got := s.open("/event-stream").connect()
		if got["userId"] != "-"+n || got["displayName"] != "user"+n || got["isAuthenticated"] != "false" {
			t.Errorf("visitor %s: %v", n, got)
		}
	}
}

// S-11, S-19 LimitToAuthenticatedUsers
func authenticatedOnly(t *testing.T, s *site) {
	for _, url := range []string{"/event-stream", "/event-subscribers", "/api/GetEventSubscribers?channels=A"} {
		status, text, h := s.do("GET", url, "")
		if status != 401 || h.Get("WWW-Authenticate") == "" || text != envelope("Unauthorized", "sign in first") {
			t.Errorf("%s: %d %s %v", url, status, text, h)
		}
	}
	if n := s.hub.Stats().Subscribed; n != 0 {
		t.Errorf("%d subscriptions", n)
	}
}

// S-11
func unknownKeys(t *testing.T, s *site) {
	for _, accept := range []string{"", "application/json", "text/event-stream", "image/png;q=0"} {
		st := s.open("/event-stream?t=1795240863667&channels=A&x=%zz&;=&ss-tok", "Accept: "+accept)
		synctest.Wait()
		if got := st.connect()["channels"]; got != "A" {
			t.Errorf("Accept %q: channels %s", accept, got)
		}
	}
}
