package serverevents_test

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stentor-sse/stentor"
	"github.com/stentor-sse/stentor/serverevents"
	"github.com/stentor-sse/stentor/ssetest"
)

// S-28–S-30: TestSuites holds what the suites of ServiceStack's own clients assert of a server;
// what they assert of the clients needs the clients.
func TestSuites(t *testing.T) {
	for _, row := range []struct {
		name string
		test func(*testing.T, *site)
	}{
		{"connect to the stream", suiteConnect},
		{"onJoin of the joiner", suiteJoin},
		{"all callbacks", suiteCallbacks},
		{"messages once to all", suiteMessages},
		{"multiple heartbeats", suiteHeartbeats},
		{"reconnect on lost connection", suiteReconnect},
		{"raw strings", suiteRaw},
		{"clients on multiple channels", suiteMultiple},
		{"all join and leave messages", suiteJoinsAndLeaves},
		{"join and leave on multiple channels", suiteMultiJoins},
		{"subscribe and unsubscribe while connected", suiteLive},
	} {
		t.Run(row.name, func(t *testing.T) {
			ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
				row.test(t, newSite(t, p, nil, &serverevents.Options{HeartbeatInterval: time.Second}))
			})
		})
	}
}

// count is how many frames of a token have come.
func (st *stream) count(token string) (n int) {
	st.t.Helper()
	for _, f := range st.frames() {
		if name, _, _ := strings.Cut(f.String(), " "); name == token {
			n++
		}
	}
	return n
}

func (st *stream) counts(want map[string]int) {
	st.t.Helper()
	for token, n := range want {
		if got := st.count(token); got != n {
			st.t.Errorf("%s: %d times %s, want %d", st.connect()["displayName"], got, token, n)
		}
	}
}

func suiteConnect(t *testing.T, s *site) {
	got := s.open("/event-stream?channels=home&t=1").connect()
	for _, name := range []string{"heartbeatUrl", "unRegisterUrl"} {
		if !strings.HasPrefix(got[name], s.srv.URL) {
			t.Errorf("%s %s", name, got[name])
		}
	}
	if n, err := strconv.Atoi(got["heartbeatIntervalMs"]); n != 1000 || err != nil || got["idleTimeoutMs"] != "30000" {
		t.Errorf("%v", got)
	}
}

func suiteJoin(t *testing.T, s *site) {
	st := s.open("/event-stream?channels=A,B,C")
	name := st.connect()["displayName"]
	for i, ch := range []string{"A", "B", "C"} {
		if f := st.frames()[i+1]; f.channel != ch || f.selector != "cmd.onJoin" || f.fields(t)["displayName"] != name {
			t.Errorf("frame %d: %s", i+1, f)
		}
	}
}

func suiteCallbacks(t *testing.T, s *site) {
	one := s.open("/event-stream?channels=home")
	one.expect(1, "home@cmd.onJoin user1 on home")
	two := s.open("/event-stream?channels=home")
	s.do("GET", two.connect()["unRegisterUrl"], "")
	one.expect(2, "home@cmd.onJoin user2 on home", "home@cmd.onLeave user2 on home")
}

func suiteMessages(t *testing.T, s *site) {
	one, two := s.open("/event-stream?channels=home"), s.open("/event-stream?channels=home")
	for i, from := range []*stream{one, two} {
		m, err := stentor.JSON(on("home"), "chat", map[string]any{"id": i, "fromName": from.connect()["displayName"]})
		if err != nil {
			t.Fatal(err)
		}
		s.publish(m)
	}
	for _, st := range []*stream{one, two} {
		last := 0
		st.counts(map[string]int{"home@cmd.chat": 2})
		for _, f := range st.frames() {
			if id, _ := strconv.Atoi(f.id); f.selector == "cmd.chat" && id <= last {
				t.Errorf("%s has the id %d after %d", f, id, last)
			} else if f.selector == "cmd.chat" {
				last = id
			}
		}
	}
}

func suiteHeartbeats(t *testing.T, s *site) {
	st := s.open("/event-stream?channels=home")
	for range 40 {
		pass(time.Second)
		s.want(200, "", "POST", st.connect()["heartbeatUrl"], "", "Content-Type: text/plain")
	}
	st.counts(map[string]int{"cmd.onHeartbeat": 40})
	if st.ended() {
		t.Error("ended, although its client lives")
	}
}

func suiteReconnect(t *testing.T, s *site) {
	st := s.open("/event-stream?channels=home")
	s.hub.Subscription(st.id()).Close(stentor.ErrExpired)
	if !st.ended() {
		t.Fatal("the stream goes on")
	}
	s.want(404, "", "POST", st.connect()["heartbeatUrl"], "") // whereupon the client connects again
	again := s.open("/event-stream?channels=home")
	s.send(on("home"), "chat", "x")
	again.counts(map[string]int{"home@cmd.chat": 1})
}

func suiteRaw(t *testing.T, s *site) {
	st := s.open("/event-stream?channels=home")
	s.send(on("home"), "announce", "text")
	s.publish(stentor.Message{Target: on("home"), Type: "toggle$#channels", JSON: true})
	s.send(on("home"), "css.background-image$#top", "url(http://bit.ly/1yIJOBH)")
	st.expect(2, `home@cmd.announce "text"`, `home@cmd.toggle$#channels `,
		`home@css.background-image$#top "url(http://bit.ly/1yIJOBH)"`)
}

func suiteMultiple(t *testing.T, s *site) {
	var streams []*stream
	for _, channels := range []string{"A", "A,B", "A,B,C", "A,B,C,D"} {
		streams = append(streams, s.open("/event-stream?channels="+channels))
	}
	for round := 1; round <= 2; round++ {
		for _, ch := range []stentor.Channel{"A", "B", "C", "D"} {
			s.send(on(ch), "chat", fmt.Sprint("message ", round, " to ", ch))
		}
		for i, st := range streams {
			n := 0
			for _, ch := range []string{"A", "B", "C", "D"} {
				n += st.count(ch + "@cmd.chat")
			}
			if want := round * (i + 1); n != want {
				t.Errorf("round %d: stream %d has %d messages, want %d", round, i, n, want)
			}
		}
	}
	if _, text, _ := s.do("GET", "/event-subscribers?channels=A", ""); strings.Count(text, `"userId"`) != 4 {
		t.Errorf("subscribers of A: %s", text)
	}
}

func suiteJoinsAndLeaves(t *testing.T, s *site) {
	a := s.open("/event-stream?channels=A")
	b := s.open("/event-stream?channels=B")
	ab := s.open("/event-stream?channels=A,B")
	a.counts(map[string]int{"A@cmd.onJoin": 2})
	b.counts(map[string]int{"B@cmd.onJoin": 2})
	ab.counts(map[string]int{"A@cmd.onJoin": 1, "B@cmd.onJoin": 1})
	for query, want := range map[string]int{"A": 2, "B": 2, "A,B": 3} {
		if _, text, _ := s.do("GET", "/event-subscribers?channels="+query, ""); strings.Count(text, `"userId"`) != want {
			t.Errorf("subscribers of %s: %s", query, text)
		}
	}
	s.do("POST", ab.connect()["unRegisterUrl"], "")
	a.counts(map[string]int{"A@cmd.onLeave": 1})
	b.counts(map[string]int{"B@cmd.onLeave": 1})
	ab.counts(map[string]int{"A@cmd.onLeave": 0, "B@cmd.onLeave": 0})
}

func suiteMultiJoins(t *testing.T, s *site) {
	ab := s.open("/event-stream?channels=A,B")
	a := s.open("/event-stream?channels=A")
	b := s.open("/event-stream?channels=B")
	ab.counts(map[string]int{"A@cmd.onJoin": 2, "B@cmd.onJoin": 2})
	s.do("POST", a.connect()["unRegisterUrl"], "")
	s.do("POST", b.connect()["unRegisterUrl"], "")
	ab.counts(map[string]int{"A@cmd.onLeave": 1, "B@cmd.onLeave": 1})
	a.counts(map[string]int{"A@cmd.onLeave": 0})
	b.counts(map[string]int{"B@cmd.onLeave": 0})
}

func suiteLive(t *testing.T, s *site) {
	st := s.open("/event-stream?channels=A")
	for _, ch := range []stentor.Channel{"A", "B"} {
		s.send(on(ch), "chat", "before")
	}
	s.want(200, "{}", "POST", "/api/UpdateEventSubscriber", `{"id":"`+st.id()+`","subscribeChannels":["B"]}`)
	for _, ch := range []stentor.Channel{"A", "B"} {
		s.send(on(ch), "chat", "on both")
	}
	s.want(200, "{}", "POST", "/api/UpdateEventSubscriber", `{"id":"`+st.id()+`","unsubscribeChannels":["A"]}`)
	for _, ch := range []stentor.Channel{"A", "B"} {
		s.send(on(ch), "chat", "on B")
	}
	st.expect(2, `A@cmd.chat "before"`,
		"A@cmd.onUpdate user1 on A,B", "B@cmd.onUpdate user1 on A,B",
		`A@cmd.chat "on both"`, `B@cmd.chat "on both"`,
		"B@cmd.onUpdate user1 on B", `B@cmd.chat "on B"`)
}
