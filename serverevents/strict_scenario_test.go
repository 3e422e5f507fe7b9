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

// keyed takes a subscription's key from a header.
func keyed(r *http.Request, o *stentor.SubscribeOptions) error {
	o.Key = r.Header.Get("Key")
	return nil
}

// heard are the selectors that a strict client hears, with their channels.
func (st *stream) heard() []string {
	st.t.Helper()
	st.frames() // settles
	var out []string
	last := int64(0)
	for _, m := range strictly(st.t, st.bytes()) {
		out = append(out, m.token())
		if m.id != 0 && m.id < last || m.id > 1<<53-1 {
			st.t.Errorf("%s has the id %d after %d", m.token(), m.id, last)
		}
		last = max(last, m.id)
	}
	return out
}

func (st *stream) hears(want ...string) {
	st.t.Helper()
	if got := st.heard(); !slices.Equal(got, want) {
		st.t.Errorf("heard\n\t%s\nwant\n\t%s", strings.Join(got, "\n\t"), strings.Join(want, "\n\t"))
	}
}

// S-09, S-29, S-30: a client with the quirks of those for C# and Java reads all that the face ever
// says, in reads of any size. (Names of channels and types are sent as they are, so that
// those outside ASCII are for clients that read them in any piece.)
func TestStrictClientHearsEverything(t *testing.T) {
	ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
		s := newSite(t, p, nil, &serverevents.Options{Subscribe: keyed})
		one := s.open("/event-stream?channels=A,home&t=1", "Last-Event-ID: none", "Key: k")
		two := s.open("/event-stream?channels=A")
		s.want(200, "{}", "POST", two.connect()["updateSubscriberUrl"], "SubscribeChannels=B&UnsubscribeChannels=A", formType)
		s.want(200, "{}", "POST", two.connect()["updateSubscriberUrl"], "SubscribeChannels=A", formType)
		s.publish(stentor.Message{Target: on("A"), Type: "toggle$#top", JSON: true})
		s.send(on("A"), "text", "line one\r\nline two\u2028")
		s.send(on("home"), "greeting", "é 😀")
		s.publish(stentor.Message{Target: on("A"), Type: "object", Data: "{\n\t\"é\": [1, {}]\n}", JSON: true})
		s.send(on("A"), "css.color$div%20.im", "#673ab7")
		s.send(stentor.Target{All: true}, "tv.watch", "https://example.org/?a=b c")
		s.send(stentor.Target{Subscription: one.id()}, "big", strings.Repeat("long é ", 6000))
		s.publish(stentor.Message{Target: stentor.Target{User: "-1", Channel: "A"}, Type: "fleeting", Ephemeral: true})
		s.hub.SetRetry(time.Minute)              // has no frame here
		s.send(on("A"), "onHeartbeat", "forged") // nor has this
		pass(40 * time.Second)                   // keepalives
		s.want(200, "", "GET", one.connect()["heartbeatUrl"], "")
		s.hub.Subscription(one.id()).SetMeta("mood", "fine")
		s.do("GET", two.connect()["unRegisterUrl"], "")
		three := s.open("/event-stream?channels=C", "Key: k")
		one.hears("cmd.onConnect", "cmd.onGap", "A@cmd.onJoin", "home@cmd.onJoin",
			"A@cmd.onJoin", "A@cmd.onUpdate", "A@cmd.onUpdate",
			"A@cmd.toggle$#top", "A@cmd.text", "home@cmd.greeting", "A@cmd.object", "A@css.color$div%20.im", "tv.watch", "cmd.big", "cmd.fleeting",
			"cmd.onHeartbeat", "A@cmd.onUpdate", "home@cmd.onUpdate", "A@cmd.onLeave", "cmd.onEnd")
		two.hears("cmd.onConnect", "A@cmd.onJoin", "B@cmd.onUpdate", "B@cmd.onUpdate", "A@cmd.onUpdate",
			"A@cmd.toggle$#top", "A@cmd.text", "A@cmd.object", "A@css.color$div%20.im", "tv.watch", "A@cmd.onUpdate")
		if !one.ended() || !strings.Contains(one.bytes(), "\n\n\n\n") {
			t.Error("the replaced stream goes on, or has no keepalives")
		}
		four := s.open("/event-stream?channels=A,home", "Last-Event-ID: 0") // all that is kept
		four.hears("cmd.onConnect", "A@cmd.toggle$#top", "A@cmd.text", "home@cmd.greeting", "A@cmd.object", "A@css.color$div%20.im", "tv.watch",
			"A@cmd.onJoin", "home@cmd.onJoin")
		if err := s.hub.Dismiss("k", 0); err != nil {
			t.Fatal(err)
		}
		three.hears("cmd.onConnect", "C@cmd.onJoin", "cmd.onEnd")
	})
}

// S-09, S-25: ends after which a client may come back say nothing; nor does a stream that a reset left open.
func TestStrictClientHearsTheEnd(t *testing.T) {
	for name, row := range map[string]struct {
		end  func(t *testing.T, h *stentor.Hub)
		open bool
	}{
		"drain":    {end: func(t *testing.T, h *stentor.Hub) { h.Drain(t.Context(), time.Second) }},
		"shutdown": {end: func(t *testing.T, h *stentor.Hub) { h.Shutdown(t.Context()) }},
		"reset":    {end: func(_ *testing.T, h *stentor.Hub) { h.Reset() }, open: true},
		"expired":  {end: func(*testing.T, *stentor.Hub) { pass(time.Minute) }},
		"dropped":  {end: func(_ *testing.T, h *stentor.Hub) { h.Drop(stentor.Target{}, nil) }},
	} {
		t.Run(name, func(t *testing.T) {
			ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
				s := newSite(t, p, nil, nil)
				st := s.open("/event-stream?channels=A")
				s.want(200, "", "POST", st.connect()["heartbeatUrl"], "")
				s.send(on("A"), "chat", "the last")
				row.end(t, s.hub)
				pass(20 * time.Second)
				st.hears("cmd.onConnect", "A@cmd.onJoin", "cmd.onHeartbeat", "A@cmd.chat")
				if st.ended() == row.open {
					t.Errorf("ended: %v", st.ended())
				}
			})
		})
	}
}
