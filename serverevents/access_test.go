package serverevents_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stentor-sse/stentor"
	"github.com/stentor-sse/stentor/serverevents"
	"github.com/stentor-sse/stentor/ssetest"
)

// from takes a request's address from a header, as behind a proxy.
func from(r *http.Request) string { return r.Header.Get("X-Real-Ip") }

// S-19 ValidateUserAddress: what another address asks for is refused with their texts. It is off unless
// asked for.
func TestUserAddress(t *testing.T) {
	ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
		for _, validate := range []bool{true, false} {
			s := newSite(t, p, nil, &serverevents.Options{ValidateUserAddress: validate, Address: from})
			st := s.open("/event-stream?channels=A", "X-Real-Ip: 10.0.0.1")
			if got := s.hub.Subscription(st.id()).Address(); got != "10.0.0.1" {
				t.Errorf("address %q", got)
			}
			const there = "X-Real-Ip: 10.0.0.2"
			if !validate {
				s.want(200, "", "POST", st.connect()["heartbeatUrl"], "", there)
				s.want(200, "{}", "POST", "/event-subscribers/"+st.id(), "SubscribeChannels=B", formType, there)
				s.want(200, strings.Replace(st.frames()[1].json, `"A"`, `"A,B"`, 1), "POST", st.connect()["unRegisterUrl"], "", there)
				continue
			}
			forbidden := envelope("Forbidden", "Access to Subscription '"+st.id()+"' is forbidden")
			s.want(403, "", "POST", st.connect()["heartbeatUrl"], "", there)
			s.want(403, forbidden, "POST", st.connect()["unRegisterUrl"], "", there)
			s.want(403, forbidden, "GET", "/api/UnRegisterEventSubscriber?id="+st.id(), "", there)
			s.want(403, forbidden, "POST", "/event-subscribers/"+st.id(), "SubscribeChannels=B", formType, there)
			s.want(403, forbidden, "POST", "/json/reply/UpdateEventSubscriber?subscribeChannels=B&id="+st.id(), "", there)
			if st.expect(2); st.ended() {
				t.Error("ended from elsewhere")
			}
			for _, path := range []string{"/event-heartbeat?id=", "/event-unregister?id="} {
				s.want(200, map[bool]string{true: st.frames()[1].json}[strings.Contains(path, "unregister")],
					"POST", path+st.id(), "", "X-Real-Ip: 10.0.0.1")
			}
			if got := s.face.Stats(); got.HeartbeatForeign != 1 || got.UnregisterForeign != 2 || got.UpdateForeign != 2 || got.Heartbeats != 1 || got.Unregistered != 1 {
				t.Errorf("%+v", got)
			}
		}
	})
}

// S-19 ValidateUserAddress: the application can't move a subscription to another address by the way.
func TestAddressIsTheFaces(t *testing.T) {
	ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
		s := newSite(t, p, nil, &serverevents.Options{ValidateUserAddress: true, Subscribe: func(_ *http.Request, o *stentor.SubscribeOptions) error {
			o.Address = "elsewhere"
			return nil
		}})
		st := s.open("/event-stream") // without Options.Address: its host, whatever the port
		if got := s.hub.Subscription(st.id()).Address(); got != "127.0.0.1" {
			t.Errorf("address %q", got)
		}
		s.want(200, "", "POST", st.connect()["heartbeatUrl"], "")
	})
}

// S-14, LimitSubscribersToMembers: who is not on a channel does not see who is.
func TestSubscribersForMembers(t *testing.T) {
	ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
		s := newSite(t, p, nil, &serverevents.Options{LimitSubscribersToMembers: true,
			Subscribe: func(r *http.Request, o *stentor.SubscribeOptions) error {
				o.User, o.Authenticated = r.Header.Get("User"), r.Header.Get("Proof") != ""
				return nil
			}})
		a := s.open("/event-stream?channels=A")
		b := s.open("/event-stream?channels=B", "User: bob", "Proof: yes")
		ab := s.open("/event-stream?channels=A,B")
		one, two, both := a.frames()[1].json, b.frames()[1].json, ab.frames()[1].json
		for _, row := range []struct {
			path, want string
			header     []string
		}{
			{"?channels=A,B", "", nil}, // a stranger
			{"", "", nil},
			{"?channels=A,B", one + "," + both, []string{"Cookie: " + a.cookies()}},
			{"?channels=B", "", []string{"Cookie: " + a.cookies()}},
			{"", one + "," + both, []string{"Cookie: " + a.cookies()}},
			{"", two + "," + both, []string{"User: bob", "Proof: yes"}},
			{"?channels=A,B", "", []string{"User: bob"}}, // who only says so
			{"", one + "," + two + "," + both, []string{"Cookie: " + ab.cookies()}},
		} {
			for _, path := range []string{"/event-subscribers", "/api/GetEventSubscribers"} {
				s.want(200, "["+row.want+"]", "GET", path+row.path, "", row.header...)
			}
		}
		s.do("POST", a.connect()["unRegisterUrl"], "")
		s.want(200, "[]", "GET", "/event-subscribers?channels=A", "", "Cookie: "+a.cookies())
	})
}

// Nobody in particular is on no channel, instead of on all.
func TestSubscribersForNobody(t *testing.T) {
	ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
		for name, subscribe := range map[string]func(*http.Request, *stentor.SubscribeOptions) error{
			"without the application": nil,
			"without a session": func(r *http.Request, o *stentor.SubscribeOptions) error {
				o.Session, o.Authenticated = "", true
				return nil
			},
		} {
			s := newSite(t, p, nil, &serverevents.Options{LimitSubscribersToMembers: true, Subscribe: subscribe})
			s.open("/event-stream?channels=A")
			if status, text, _ := s.do("GET", "/event-subscribers?channels=A", ""); status != 200 || text != "[]" {
				t.Errorf("%s: %d %s", name, status, text)
			}
		}
	})
}

// S-07, S-14, S-24: listings never hold what only a subscriber may know, whoever asks.
func TestListingsLeakNothing(t *testing.T) {
	ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
		claim := stentor.NewProperty[string]("claim")
		s := newSite(t, p, nil, &serverevents.Options{Subscribe: func(_ *http.Request, o *stentor.SubscribeOptions) error {
			o.Key, o.Private = "key-of-it", map[string]string{"token": "secret-token"}
			o.Meta = map[string]string{"mood": "fine"}
			claim.Preset(o, "secret-claim")
			return nil
		}})
		st := s.open("/event-stream?channels=A")
		sub := s.hub.Subscription(st.id())
		_, text, _ := s.do("GET", "/event-subscribers", "")
		for _, secret := range []string{sub.ID(), sub.Session(), sub.Key(), sub.Address(), "secret-token", "secret-claim", "event-heartbeat"} {
			if secret == "" || strings.Contains(text, secret) {
				t.Errorf("%q is in %s", secret, text)
			}
		}
		if !strings.Contains(text, `"mood":"fine"`) || strings.Contains(st.bytes(), "secret-claim") {
			t.Errorf("%s", text)
		}
		if v, _ := claim.Get(sub); v != "secret-claim" {
			t.Errorf("property %q", v)
		}
	})
}

// S-23 GetStats: each counter that is the face's.
func TestStats(t *testing.T) {
	ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
		refusal := &stentor.Refusal{Status: 403, Detail: "no"}
		by := func(name string) error { return map[string]error{"refuse": refusal, "full": stentor.ErrFull}[name] }
		s := newSite(t, p, nil, &serverevents.Options{
			LimitToAuthenticatedUsers: true,
			Subscribe: func(r *http.Request, o *stentor.SubscribeOptions) error {
				o.User, o.Authenticated = "42", r.Header.Get("User") != "nobody"
				return by(r.Header.Get("Subscribe"))
			},
			Prepare: func(_ http.Header, r *http.Request, _ *stentor.Subscription) error {
				return by(r.Header.Get("Prepare"))
			},
		})
		if got := s.face.Stats(); got != (serverevents.Stats{}) {
			t.Errorf("at first %+v", got)
		}
		s.do("GET", "/event-stream", "", "User: nobody")
		for range 2 {
			s.do("GET", "/event-stream", "", "Subscribe: refuse")
		}
		for range 3 {
			s.do("GET", "/event-stream", "", "Prepare: refuse")
		}
		s.tryOpen("/event-stream", "Subscribe: full")
		st := s.open("/event-stream?channels=A")
		for range 5 {
			s.do("POST", st.connect()["heartbeatUrl"], "")
		}
		for range 6 {
			s.do("POST", "/event-heartbeat?id=x", "")
		}
		for range 7 {
			s.do("POST", "/event-subscribers/"+st.id(), "SubscribeChannels=B", formType)
		}
		for range 8 {
			s.do("POST", "/event-subscribers/x", "SubscribeChannels=B", formType)
		}
		s.do("POST", st.connect()["unRegisterUrl"], "")
		for range 9 {
			s.do("POST", st.connect()["unRegisterUrl"], "")
		}
		s.do("POST", "/event-subscribers/x", "{", jsonType) // counts nowhere: it names nobody
		want := serverevents.Stats{
			Unauthenticated: 1, SubscribeRefused: 3, PrepareRefused: 3, TurnedAway: 1,
			Heartbeats: 5, HeartbeatUnknown: 6, Updated: 7, UpdateUnknown: 8, Unregistered: 1, UnregisterUnknown: 9,
		}
		if got := s.face.Stats(); got != want {
			t.Errorf("got  %+v\nwant %+v", got, want)
		}
		if got := s.hub.Stats(); got.Subscribed != 4 || got.Ended != 4 { // TotalConnections, TotalUnsubscriptions; three ended before they began
			t.Errorf("%+v", got)
		}
	})
}

// S-28: two tabs with one key do not push each other out for ever: the one that goes is told, so that its
// page can stop its client. Who is dismissed is told, and answered 204 when it comes back.
func TestFinalEnds(t *testing.T) {
	ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
		s := newSite(t, p, nil, &serverevents.Options{Subscribe: keyed})
		one := s.open("/event-stream?channels=A", "Key: k")
		s.send(on("A"), "chat", "before")
		two := s.open("/event-stream?channels=A", "Key: k")
		one.expect(2, `A@cmd.chat "before"`, `cmd.onEnd {"reason":"replaced"}`)
		if f := one.frames()[3]; !one.ended() || f.id != "" {
			t.Errorf("ended %v, with the id %q", one.ended(), f.id)
		}
		s.want(404, "", "POST", one.connect()["heartbeatUrl"], "")
		if err := s.hub.Subscription(two.id()).Dismiss(time.Minute); err != nil {
			t.Fatal(err)
		}
		two.expect(2, `cmd.onEnd {"reason":"dismissed"}`)
		s.want(404, "", "POST", two.connect()["heartbeatUrl"], "")
		for range 2 {
			status, text, h := s.do("GET", "/event-stream?channels=A", "", "Key: k")
			if status != 204 || text != "" || h.Get("Set-Cookie") != "" {
				t.Errorf("%d %q %v", status, text, h)
			}
		}
		s.open("/event-stream?channels=A", "Key: other")
		pass(time.Minute)
		s.open("/event-stream?channels=A", "Key: k")
	})
}

// S-24: one key, one subscription, where the application says so.
func TestKeyTaken(t *testing.T) {
	ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
		s := newSite(t, p, nil, &serverevents.Options{Subscribe: func(r *http.Request, o *stentor.SubscribeOptions) error {
			o.KeyRule = stentor.KeyRefuse
			return keyed(r, o)
		}})
		st := s.open("/event-stream?channels=A", "Key: k")
		status, text, _ := s.do("GET", "/event-stream?channels=A", "", "Key: k")
		if status != 409 || !strings.HasPrefix(text, `{"responseStatus":{"errorCode":"Conflict","message":"`) {
			t.Errorf("%d %s", status, text)
		}
		if st.expect(2); st.ended() {
			t.Error("the holder was pushed out")
		}
	})
}
