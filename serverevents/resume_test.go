package serverevents_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stentor-sse/stentor"
	"github.com/stentor-sse/stentor/serverevents"
	"github.com/stentor-sse/stentor/ssetest"
)

// chats are the bodies of the messages that have come.
func (st *stream) chats() string {
	st.t.Helper()
	var out []string
	for _, f := range st.frames() {
		if f.selector == "cmd.chat" {
			out = append(out, strings.Trim(f.json, `"`))
		}
	}
	return strings.Join(out, " ")
}

// lastID is what a browser presents when it comes back.
func (st *stream) lastID() string {
	st.t.Helper()
	last := ""
	for _, f := range st.frames() {
		if f.id != "" {
			last = f.id
		}
	}
	return last
}

// cookies are what a browser presents when it comes back.
func (st *stream) cookies() string {
	var out []string
	for _, c := range st.response.Cookies() {
		out = append(out, c.Name+"="+c.Value)
	}
	return strings.Join(out, "; ")
}

// S-11, S-28: a browser's own retry names the channels of its first request and presents its last id.
func TestResumeByCursor(t *testing.T) {
	ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
		s := newSite(t, p, nil, nil)
		watcher := s.open("/event-stream?channels=A")
		st := s.open("/event-stream?channels=A")
		s.do("POST", "/api/UpdateEventSubscriber", `{"id":"`+st.id()+`","subscribeChannels":["B"]}`)
		seen := len(watcher.frames())
		s.send(on("A"), "chat", "1")
		st.hangUp()
		s.send(on("A"), "chat", "2")
		s.send(on("B"), "chat", "3")
		again := s.open("/event-stream?channels=A", "Last-Event-ID: "+st.lastID(), "Cookie: "+st.cookies())
		s.send(on("B"), "chat", "4")
		if got := again.chats(); got != "2 3 4" {
			t.Errorf("came back to %q, want 2 3 4", got)
		}
		was, is := st.connect(), again.connect()
		if is["id"] == was["id"] || is["userId"] != was["userId"] || is["displayName"] != was["displayName"] || is["channels"] != "A,B" {
			t.Errorf("came back as %v, was %v", is, was)
		}
		pass(time.Minute)
		watcher.expect(seen, `A@cmd.chat "1"`, `A@cmd.chat "2"`) // no leave, no join
	})
}

// S-26: one that drops before its first message has the cursor of onConnect.
func TestResumeBeforeTheFirstMessage(t *testing.T) {
	ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
		s := newSite(t, p, nil, nil)
		st := s.open("/event-stream?channels=A")
		st.hangUp()
		s.send(on("A"), "chat", "1")
		for _, again := range []*stream{
			s.open("/event-stream?channels=A", "Last-Event-ID: "+st.lastID()), // without its cookies
			s.open("/event-stream?channels=A&lastEventId=" + st.lastID()),
		} {
			if again.chats() != "1" {
				t.Errorf("missed a message: %q", again.bytes())
			}
		}
	})
}

// S-24, S-26: a client that reconnects by itself presents no cursor: its session stands in, while
// its place lingers. What came after its last heartbeat may not have arrived.
func TestResumeBySession(t *testing.T) {
	ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
		s := newSite(t, p, nil, nil)
		st := s.open("/event-stream?channels=A")
		if !strings.Contains(st.cookies(), "ss-id=") {
			t.Fatalf("cookies %q", st.cookies())
		}
		s.send(on("A"), "chat", "1")
		if status, _, _ := s.do("POST", "/event-heartbeat?id="+st.connect()["id"], ""); status != 200 {
			t.Fatalf("heartbeat: %d", status)
		}
		s.send(on("A"), "chat", "2")
		st.hangUp() // nothing proves that 2 arrived
		s.send(on("A"), "chat", "3")
		other := s.open("/event-stream?channels=B", "Cookie: "+st.cookies())
		if other.chats() != "" || other.connect()["userId"] == st.connect()["userId"] {
			t.Errorf("other channels took the place: %q", other.bytes())
		}
		again := s.open("/event-stream?channels=A", "Cookie: "+st.cookies())
		if again.chats() != "2 3" || again.connect()["userId"] != "-1" || len(again.response.Cookies()) != 0 {
			t.Errorf("came back to %q with %q", again.bytes(), again.cookies())
		}
		again.hangUp()
		pass(time.Minute)
		s.send(on("A"), "chat", "4")
		late := s.open("/event-stream?channels=A", "Cookie: "+st.cookies())
		if late.chats() != "" || late.connect()["userId"] == "-1" {
			t.Errorf("the place was held for ever: %q", late.bytes())
		}
	})
}

// S-24: ss-id, ss-pid and ss-opt name a session.
func TestSessionCookies(t *testing.T) {
	ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
		s := newSite(t, p, nil, nil)
		st := s.open("/event-stream")
		ids := map[string]string{}
		for _, c := range st.response.Cookies() {
			ids[c.Name] = c.Value
			if !c.HttpOnly || c.SameSite != http.SameSiteLaxMode || c.Secure || c.Path != "/" || len(c.Value) != 26 ||
				(c.MaxAge > 0) != (c.Name == "ss-pid") {
				t.Errorf("cookie %s", c)
			}
		}
		id, pid := ids["ss-id"], ids["ss-pid"]
		if len(ids) != 2 || id == pid {
			t.Fatalf("cookies %v", ids)
		}
		session := func(cookie string) (string, []string) {
			st := s.open("/event-stream", "Cookie: "+cookie)
			var made []string
			for _, c := range st.response.Cookies() {
				made = append(made, c.Name)
			}
			return s.hub.Subscription(st.id()).Session(), made
		}
		for _, row := range []struct {
			cookie, session string
			made            []string
		}{
			{"ss-id=" + id + "; ss-pid=" + pid, id, nil},
			{"ss-id=" + id + "; ss-pid=" + pid + "; ss-opt=perm", pid, nil},
			{"ss-id=" + id + "; ss-pid=" + pid + "; ss-opt=temp", id, nil},
			{"ss-pid=" + pid, "", []string{"ss-id"}},
			{"ss-id=" + id, id, []string{"ss-pid"}},
			{"ss-id=short; ss-pid=" + pid, "", []string{"ss-id"}},
			{"ss-id=" + strings.ToLower(id) + "; ss-pid=" + pid, "", []string{"ss-id"}},
			{"ss-id=" + id + "A; ss-pid=" + pid, "", []string{"ss-id"}},
			{"ss-id=" + strings.Repeat("A", 4000) + "; ss-pid=" + pid, "", []string{"ss-id"}},
		} {
			got, made := session(row.cookie)
			if !slices.Equal(made, row.made) || row.session != "" && got != row.session || len(got) != 26 ||
				row.session == "" && strings.Contains(row.cookie, got) {
				t.Errorf("%.80s: session %s, new cookies %v", row.cookie, got, made)
			}
		}
	})
}

// S-24: the application may know better who is there; then no cookies are made.
func TestSessionOfTheApplication(t *testing.T) {
	ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
		s := newSite(t, p, nil, &serverevents.Options{Subscribe: func(r *http.Request, o *stentor.SubscribeOptions) error {
			o.Session = "theirs"
			return nil
		}})
		st := s.open("/event-stream")
		if got := s.hub.Subscription(st.id()).Session(); got != "theirs" || st.cookies() != "" {
			t.Errorf("session %q, cookies %q", got, st.cookies())
		}
	})
}

// S-12, S-13: while it lingers, a subscription answers; unregistered, it leaves at once.
func TestLingeringAnswers(t *testing.T) {
	ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
		s := newSite(t, p, nil, nil)
		watcher := s.open("/event-stream?channels=A")
		st := s.open("/event-stream?channels=A")
		seen := len(watcher.frames())
		st.hangUp()
		s.want(200, "", "POST", st.connect()["heartbeatUrl"], "")
		watcher.expect(seen)
		if status, _, _ := s.do("POST", st.connect()["unRegisterUrl"], ""); status != 200 {
			t.Errorf("unregister: %d", status)
		}
		watcher.expect(seen, "A@cmd.onLeave user2 on A")
		s.want(404, "", "POST", st.connect()["heartbeatUrl"], "")
	})
}

// S-12, S-30: after a drain a heartbeat is a 404, the one thing that a client for Java notices.
func TestDrainedHeartbeat(t *testing.T) {
	ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
		s := newSite(t, p, nil, nil)
		st := s.open("/event-stream?channels=A")
		if err := s.hub.Drain(t.Context(), 0); err != nil {
			t.Fatal(err)
		}
		if !st.ended() {
			t.Error("the stream goes on")
		}
		s.want(404, "", "GET", st.connect()["heartbeatUrl"], "")
	})
}
