package serverevents_test

import (
	"context"
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stentor-sse/stentor"
	"github.com/stentor-sse/stentor/ssetest"
)

// S-01, S-02, S-04: TestFrames holds the layout of each kind of message.
func TestFrames(t *testing.T) {
	ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
		s := newSite(t, p, nil, nil)
		st := s.open("/event-stream?channels=A")
		for _, row := range []struct {
			m    stentor.Message
			want string // after the id line
		}{
			{stentor.Message{Type: "chat", Data: `{"id":7, "private":false}`, JSON: true}, `A@cmd.chat {"id":7,"private":false}`},
			{stentor.Message{Type: "announce", Data: "This is your captain"}, `A@cmd.announce "This is your captain"`},
			{stentor.Message{Type: "css.background$#top", Data: "#673ab7"}, `A@css.background$#top "#673ab7"`},
			{stentor.Message{Type: "toggle$#channels", JSON: true}, `A@cmd.toggle$#channels `},
			{stentor.Message{Type: "toggle$#channels", JSON: true, Data: " null "}, `A@cmd.toggle$#channels `},
			{stentor.Message{Type: "t"}, `A@cmd.t ""`},
			{stentor.Message{}, `A@cmd.message ""`},
			{stentor.Message{Type: "tv.watch", Data: "https://example.org/?a=1&b=<2>"}, `A@tv.watch "https://example.org/?a=1&b=<2>"`},
			{stentor.Message{Type: "t", Data: "12.50", JSON: true}, `A@cmd.t 12.50`},
			{stentor.Message{Type: "t", Data: "\"é\u2028\\u00e9\\n\"", JSON: true}, `A@cmd.t "\u00e9\u2028\u00e9\n"`},
			{stentor.Message{Type: "t", Data: "é\u2028😀\t\"\\\x00\x1f\x7f/"}, `A@cmd.t "\u00e9\u2028\ud83d\ude00\t\"\\\u0000\u001f\u007f/"`},
			{stentor.Message{Type: "grüße", Data: "x"}, `A@cmd.grüße "x"`},
		} {
			seen := len(st.bytes())
			row.m.Target = on("A")
			at := s.publish(row.m)
			if got, want := st.bytes()[seen:], "id: "+at.String()+"\ndata: "+row.want+"\n\n"; got != want {
				t.Errorf("%+v\ngot  %q\nwant %q", row.m, got, want)
			}
			seen = len(st.bytes())
			row.m.Ephemeral = true
			s.publish(row.m)
			if got, want := st.bytes()[seen:], "data: "+row.want+"\n\n"; got != want {
				t.Errorf("ephemeral %+v\ngot  %q\nwant %q", row.m, got, want)
			}
		}
	})
}

// S-03: a channel stands before the selector when it is all that a message was for.
func TestChannelPrefix(t *testing.T) {
	ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
		s := newSite(t, p, nil, nil)
		st := s.open("/event-stream?channels=A,ü")
		session := s.hub.Subscription(st.id()).Session()
		for _, row := range []struct {
			target stentor.Target
			want   string
		}{
			{stentor.Target{Channel: "A"}, `A@cmd.t "x"`},
			{stentor.Target{Channel: "ü"}, `ü@cmd.t "x"`},
			{stentor.Target{All: true}, `cmd.t "x"`},
			{stentor.Target{All: true, Channel: "A"}, `cmd.t "x"`},
			{stentor.Target{User: "-1"}, `cmd.t "x"`},
			{stentor.Target{User: "-1", Channel: "A"}, `cmd.t "x"`},
			{stentor.Target{Session: session}, `cmd.t "x"`},
			{stentor.Target{Session: session, Channel: "A"}, `cmd.t "x"`},
			{stentor.Target{Subscription: st.id()}, `cmd.t "x"`},
			{stentor.Target{Subscription: st.id(), Channel: "A"}, `cmd.t "x"`},
		} {
			seen := len(st.frames())
			s.send(row.target, "t", "x")
			st.expect(seen, row.want)
		}
		seen := len(st.frames())
		s.send(stentor.Target{User: "-1", Channel: "B"}, "t", "not on B")
		s.send(stentor.Target{User: "-2"}, "t", "somebody else")
		st.expect(seen)
	})
}

// S-04: TestInjection sends what could end a line, a frame or a string; it comes out as
// it went in, in one frame of ASCII.
func TestInjection(t *testing.T) {
	ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
		s := newSite(t, p, nil, nil)
		st := s.open("/event-stream?channels=A")
		for _, text := range []string{
			"\n\nid: 1\ndata: cmd.onConnect {}\n\n", "\r\rdata: x", "\u2028\u2029\u0085", "\"}\n", `\`, `\"`, "\x00", "\uFEFF", "\uFFFD", "\U0010FFFF",
			"</script><!--", strings.Repeat("😀", 5000),
		} {
			for _, m := range []stentor.Message{
				{Target: on("A"), Type: "t", Data: text},
				{Target: on("A"), Type: "t", Data: quote(t, text), JSON: true},
			} {
				seen, begin := len(st.frames()), len(st.bytes())
				s.publish(m)
				got := st.frames()[seen:]
				var back string
				if len(got) != 1 || json.Unmarshal([]byte(got[0].json), &back) != nil || back != text {
					t.Errorf("%.40q: %d frames, %.80q", text, len(got), back)
				}
				for _, c := range []byte(st.bytes()[begin:]) {
					if c >= utf8.RuneSelf {
						t.Errorf("%.40q: a byte %#x, which a read may cut", text, c)
						break
					}
				}
			}
		}
	})
}

func quote(t *testing.T, s string) string {
	t.Helper()
	m, err := stentor.JSON(on("A"), "", s)
	if err != nil {
		t.Fatal(err)
	}
	return m.Data
}

// S-05, S-10: a message whose type would pass for a lifecycle message is not shown.
func TestLifecycleIsNotForged(t *testing.T) {
	ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
		s := newSite(t, p, nil, nil)
		st := s.open("/event-stream?channels=A")
		for _, typ := range []string{
			"onConnect", "cmd.onConnect", "onJoin", "onLeave", "onUpdate", "onHeartbeat", "onGap", "onState", "onEnd", "onConnect$#x", "cmd.onJoin$body",
		} {
			s.publish(stentor.Message{Target: on("A"), Type: typ, Data: `{"heartbeatUrl":"https://evil.example"}`, JSON: true})
		}
		st.expect(2)
		s.send(on("A"), "onConnected", "is another")
		st.expect(2, `A@cmd.onConnected "is another"`)
	})
}

// S-11: theirs ignores Last-Event-ID; a cursor that can't be gone on from is told, not refused.
func TestGap(t *testing.T) {
	ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
		s := newSite(t, p, &stentor.Options{Broker: stentor.NewMemoryBroker(&stentor.MemoryOptions{Size: 2})}, nil)
		first := s.send(on("A"), "t", "1")
		s.send(on("A"), "t", "2")
		third := s.send(on("A"), "t", "3")
		s.send(on("A"), "t", "4")
		for _, row := range []struct{ cursor, want string }{
			{first.String(), `cmd.onGap {"reason":"expired","after":"` + first.String() + `","oldest":"` + third.String() + `"}`},
			{"not a number", `cmd.onGap {"reason":"unknown","after":"","oldest":""}`},
			{"9007199254740991", `cmd.onGap {"reason":"ahead","after":"9007199254740991","oldest":""}`},
			{"17", `cmd.onGap {"reason":"discontinuity","after":"17","oldest":"` + third.String() + `"}`},
		} {
			st := s.open("/event-stream?channels=A", "Last-Event-ID: "+row.cursor)
			st.connect()
			if got := st.frames()[1]; got.String() != row.want || got.id == "" {
				t.Errorf("%s: %s with id %q, want %s", row.cursor, got, got.id, row.want)
			}
			if seen := len(st.frames()); true {
				s.publish(stentor.Message{Target: on("A"), Type: "t", Data: "live", Ephemeral: true})
				st.expect(seen, `A@cmd.t "live"`)
			}
			s.do("POST", st.connect()["unRegisterUrl"], "")
		}
	})
}

// strewn is a broker that somebody else writes to, with line ends where JSON may have them.
type strewn struct{ stentor.Broker }

func (b strewn) Publish(ctx context.Context, m stentor.Message) (stentor.Receipt, error) {
	m.Data = strings.ReplaceAll(m.Data, ":", "\r\n\r\n:\n\n")
	return b.Broker.Publish(ctx, m)
}

// S-04: a broker that others write to can't break a frame either.
func TestInjectionThroughTheBroker(t *testing.T) {
	ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
		s := newSite(t, p, &stentor.Options{Broker: strewn{stentor.NewMemoryBroker(nil)}}, nil)
		st := s.open("/event-stream?channels=A")
		s.publish(stentor.Message{Target: on("A"), Type: "t", Data: `{"a":"é"}`, JSON: true})
		st.expect(2, `A@cmd.t {"a"    :  "\u00e9"}`)
	})
}
