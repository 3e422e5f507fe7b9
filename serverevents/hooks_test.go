package serverevents_test

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stentor-sse/stentor"
	"github.com/stentor-sse/stentor/serverevents"
	"github.com/stentor-sse/stentor/ssetest"
)

// diary is what happened, in order.
type diary struct {
	mu    sync.Mutex
	lines []string
}

func (d *diary) note(format string, args ...any) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.lines = append(d.lines, fmt.Sprintf(format, args...))
}

// take gives the lines since the last time.
func (d *diary) take() []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	lines := d.lines
	d.lines = nil
	return lines
}

// hooks note their calls; frames are noted as what they say.
func (d *diary) hooks() stentor.Hooks {
	return stentor.Hooks{
		Open:   func(s *stentor.Subscription) error { d.note("Open"); return nil },
		Change: func(s *stentor.Subscription, joined, left []stentor.Channel) { d.note("Change +%v -%v", joined, left) },
		Close:  func(s *stentor.Subscription, cause error) { d.note("Close: %v", cause) },
		Leave:  func(s *stentor.Subscription) { d.note("Leave") },
		Write: func(s *stentor.Subscription, frames []byte) {
			for f := range bytes.SplitSeq(bytes.TrimRight(frames, "\n"), []byte("\n\n")) {
				_, data, _ := bytes.Cut(f, []byte("data: "))
				token, _, _ := bytes.Cut(data, []byte(" "))
				d.note("Write to %s: %s", s.Member().DisplayName, token)
			}
		},
		Error: func(s *stentor.Subscription, err error) { d.note("Error: %v", err) },
	}
}

// face are options whose functions note their calls.
func (d *diary) face() *serverevents.Options {
	return &serverevents.Options{
		Subscribe: func(r *http.Request, o *stentor.SubscribeOptions) error {
			d.note("Subscribe to %v", o.Channels)
			return nil
		},
		Prepare: func(h http.Header, r *http.Request, s *stentor.Subscription) error {
			d.note("Prepare %s", s.Member().DisplayName)
			s.OnEnd(func(cause error) { d.note("OnEnd: %v", cause) })
			return nil
		},
		Heartbeat: func(r *http.Request) error { d.note("Heartbeat"); return nil },
	}
}

// S-20, S-21, S-22: each hook of theirs has one here, in their order. Open comes before
// onConnect is written, so that it can still add to it, and no message overtakes that.
func TestHooksInOrder(t *testing.T) {
	ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
		var d diary
		s := newSite(t, p, &stentor.Options{Hooks: d.hooks()}, d.face())
		step := func(name string, want ...string) {
			t.Helper()
			if got := d.take(); !slices.Equal(got, want) {
				t.Errorf("%s:\n\t%s\nwant\n\t%s", name, strings.Join(got, "\n\t"), strings.Join(want, "\n\t"))
			}
		}
		one := s.open("/event-stream?channels=A,B")
		step("S-21 connect",
			"Subscribe to [A B]", "Prepare user1", "Open", "Write to user1: cmd.onConnect",
			"Write to user1: A@cmd.onJoin", "Write to user1: B@cmd.onJoin")
		s.want(200, "", "POST", one.connect()["heartbeatUrl"], "")
		step("heartbeat", "Heartbeat", "Write to user1: cmd.onHeartbeat")
		s.want(404, "", "POST", "/event-heartbeat?id=none", "")
		step("heartbeat of nobody", "Heartbeat")
		s.send(on("A"), "chat", "x")
		step("message", "Write to user1: A@cmd.chat")
		s.want(200, "{}", "POST", one.connect()["updateSubscriberUrl"], "SubscribeChannels=C", formType)
		step("join", "Subscribe to [C]", "Change +[C] -[]",
			"Write to user1: A@cmd.onUpdate", "Write to user1: B@cmd.onUpdate", "Write to user1: C@cmd.onUpdate")
		s.want(200, "{}", "POST", one.connect()["updateSubscriberUrl"], "UnsubscribeChannels=A", formType)
		step("leave", "Change +[] -[A]", "Write to user1: B@cmd.onUpdate", "Write to user1: C@cmd.onUpdate")
		two := s.open("/event-stream?channels=B")
		d.take()
		s.do("POST", two.connect()["unRegisterUrl"], "")
		step("S-22 unregister",
			"Close: stentor: unregistered", "OnEnd: stentor: unregistered", "Leave", "Write to user1: B@cmd.onLeave")
		one.hangUp()
		step("reader gone", "Close: stentor: reader gone: sse: client gone: context canceled",
			"OnEnd: stentor: reader gone: sse: client gone: context canceled")
		pass(10 * time.Second)
		step("after the linger", "Leave")
	})
}

// S-20 OnPublish: keepalives pass Hooks.Write, as the no-op passes OnPublish.
func TestKeepAlivePassesTheWriteHook(t *testing.T) {
	ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
		var d diary
		s := newSite(t, p, &stentor.Options{Hooks: d.hooks()}, nil)
		s.open("/event-stream?channels=A")
		d.take()
		pass(20 * time.Second)
		if got := d.take(); !slices.Equal(got, []string{"Write to user1: "}) {
			t.Errorf("%q", got)
		}
	})
}

// S-20 OnError, OnHungConnection: a reader that takes nothing is let go by the deadline of a write,
// and the hook hears why.
func TestHungReaderIsAnError(t *testing.T) {
	ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
		var d diary
		s := newSite(t, p, &stentor.Options{Hooks: d.hooks()}, nil)
		s.srv.OpenStalled(t, "/event-stream?channels=A")
		for range 8 {
			s.send(on("A"), "big", strings.Repeat("x", 60_000))
		}
		pass(time.Minute)
		lines := d.take()
		at := slices.IndexFunc(lines, func(l string) bool { return strings.HasPrefix(l, "Error: ") })
		if at < 0 || !strings.Contains(lines[at], "not taken within 10s") {
			t.Fatalf("no error of the write deadline in %.300q", lines)
		}
		closed := slices.IndexFunc(lines, func(l string) bool { return strings.HasPrefix(l, "Close: stentor: reader gone") })
		if closed < at {
			t.Errorf("%.300q", lines[at:])
		}
	})
}

// S-20 OnCreated, OnConnect: the last look at a subscription before its headers go out.
func TestPrepare(t *testing.T) {
	ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
		plan := stentor.NewProperty[string]("plan")
		s := newSite(t, p, nil, &serverevents.Options{
			AllowOrigins: []string{"https://page.example"},
			Prepare: func(h http.Header, r *http.Request, sub *stentor.Subscription) error {
				h.Set("Server-Timing", "prepare")
				h.Set("Cache-Control", "no-cache, private")
				h.Add("Vary", "Cookie")
				sub.SetMeta("profileUrl", "/pictures/"+sub.Member().DisplayName)
				sub.SetPrivate("heartbeatUrl", strings.Replace(sub.Private()["heartbeatUrl"], "stentor.test", "other.test", 1))
				sub.SetPrivate("idleTimeoutMs", "60000")
				sub.SetPrivate("greeting", "hello "+sub.Member().DisplayName)
				plan.Set(sub, "free")
				return nil
			},
		})
		st := s.open("/event-stream?channels=A")
		for name, want := range map[string]string{
			"Server-Timing": "prepare", "Cache-Control": "no-cache, private", "Content-Type": "text/event-stream", "Vary": "Origin, Cookie",
		} {
			if got := strings.Join(st.response.Header.Values(name), ", "); got != want {
				t.Errorf("%s: %s, want %s", name, got, want)
			}
		}
		got := st.connect()
		for name, want := range map[string]string{
			"profileUrl": "/pictures/user1", "greeting": "hello user1", "idleTimeoutMs": "60000",
			"heartbeatUrl": "http://other.test/event-heartbeat?id=" + got["id"], "plan": "",
		} {
			if got[name] != want {
				t.Errorf("onConnect %s: %q, want %q", name, got[name], want)
			}
		}
		join := st.frames()[1].fields(t) // a value set here shows in both
		if join["profileUrl"] != "/pictures/user1" || join["greeting"] != "" {
			t.Errorf("onJoin %v", join)
		}
		st.expect(1, "A@cmd.onJoin user1 on A") // and no update
		if v, ok := plan.Get(s.hub.Subscription(st.id())); v != "free" || !ok {
			t.Errorf("property %q, %v", v, ok)
		}
	})
}

// S-20 OnCreated: what Prepare refuses was never there: nobody sees it come or go, and no cookie is left.
func TestPrepareRefuses(t *testing.T) {
	ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
		var d diary
		var answer error
		s := newSite(t, p, &stentor.Options{Hooks: d.hooks()}, &serverevents.Options{
			Prepare: func(h http.Header, r *http.Request, sub *stentor.Subscription) error {
				if r.Header.Get("Refuse") == "" {
					return nil
				}
				h.Set("WWW-Authenticate", `Bearer realm="live"`)
				return answer
			},
		})
		watcher := s.open("/event-stream?channels=A")
		d.take()
		answer = &stentor.Refusal{Status: 401, Detail: "your token has run out"}
		status, text, h := s.do("GET", "/event-stream?channels=A", "", "Refuse: yes")
		if status != 401 || text != envelope("Unauthorized", "your token has run out") || h.Get("WWW-Authenticate") != `Bearer realm="live"` ||
			h.Get("Set-Cookie") != "" || h.Get("Content-Type") != "application/json; charset=utf-8" {
			t.Errorf("%d %s %v", status, text, h)
		}
		answer = errors.New("the database is down")
		if st, err := s.tryOpen("/event-stream?channels=A", "Refuse: yes"); err == nil {
			t.Errorf("answered with %s", st.response.Status)
		}
		watcher.expect(2)
		if n := s.hub.Stats(); n.Subscriptions != 1 || len(s.hub.Members()) != 1 {
			t.Errorf("%+v, %d members", n, len(s.hub.Members()))
		}
		if got := d.take(); len(got) != 0 {
			t.Errorf("hooks ran: %q", got)
		}
	})
}

// S-20 OnCreated: a Prepare that panics leaves no subscription behind.
func TestPrepareThatPanics(t *testing.T) {
	ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
		s := newSite(t, p, nil, &serverevents.Options{Prepare: func(http.Header, *http.Request, *stentor.Subscription) error {
			panic(http.ErrAbortHandler) // of all panics the one that net/http does not log
		}})
		if _, err := s.tryOpen("/event-stream?channels=A"); err == nil {
			t.Error("answered")
		}
		if n := s.hub.Stats(); n.Subscribed != 1 || n.Subscriptions != 0 || s.hub.Count(on("A")) != 0 {
			t.Errorf("%+v", n)
		}
	})
}

// S-20 OnHeartbeatInit: a veto is answered as it says, and the heartbeat does not count.
func TestHeartbeatHook(t *testing.T) {
	ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
		var answer error
		s := newSite(t, p, nil, &serverevents.Options{Heartbeat: func(*http.Request) error { return answer }})
		st := s.open("/event-stream?channels=A")
		beat := st.connect()["heartbeatUrl"]
		s.want(200, "", "POST", beat, "")
		before := s.hub.Subscription(st.id()).LastHeartbeat()
		pass(5 * time.Second)
		answer = &stentor.Refusal{Status: 403, Detail: "sign in again"}
		s.want(403, envelope("Forbidden", "sign in again"), "POST", beat, "")
		s.want(403, envelope("Forbidden", "sign in again"), "POST", "/event-heartbeat?id=none", "")
		if got := s.hub.Subscription(st.id()).LastHeartbeat(); !got.Equal(before) {
			t.Errorf("counted: %v after %v", got, before)
		}
		st.expect(2, "cmd.onHeartbeat user1 on A")
		if got := s.face.Stats(); got.Heartbeats != 1 || got.HeartbeatRefused != 2 || got.HeartbeatUnknown != 0 {
			t.Errorf("%+v", got)
		}
	})
}
