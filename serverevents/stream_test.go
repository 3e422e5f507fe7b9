package serverevents_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stentor-sse/stentor"
	"github.com/stentor-sse/stentor/serverevents"
	"github.com/stentor-sse/stentor/ssetest"
)

// S-11: the spellings of channels in a stream's request.
func TestChannelSpellings(t *testing.T) {
	ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
		s := newSite(t, p, nil, nil)
		for query, want := range map[string]string{
			"":                                 "*",
			"?channels=":                       "*",
			"?channels=,%20,":                  "*",
			"?channels=A,B":                    "A,B",
			"?channel=A,B":                     "A,B",
			"?channel=C&channels=A,B":          "A,B,C",
			"?channels=A&channels=B":           "A,B",
			"?channels=B,A,B,%20A%20":          "B,A",
			"?Channels=A":                      "A",
			"?channels=%5BA%5D":                "[A]",
			"?channels=a;b":                    "a;b",
			"?channels=caf%C3%A9,%F0%9F%98%80": "café,😀",
			"?channels=*,A":                    "*,A",
		} {
			if got := s.open("/event-stream" + query).connect()["channels"]; got != want {
				t.Errorf("%s: on %s, want %s", query, got, want)
			}
		}
	})
}

// S-10, S-11: the literal channel * is not a wildcard.
func TestUnnamedIsNoWildcard(t *testing.T) {
	ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
		s := newSite(t, p, nil, nil)
		st := s.open("/event-stream")
		s.send(on("home"), "chat", "not for it")
		s.send(on("*"), "chat", "for it")
		st.expect(2, `*@cmd.chat "for it"`)
	})
}

// S-11: the headers of a stream.
func TestStreamHeaders(t *testing.T) {
	ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
		s := newSite(t, p, nil, nil)
		st := s.open("/event-stream")
		for name, want := range map[string]string{
			"Content-Type": "text/event-stream", "Cache-Control": "no-cache",
			"X-Accel-Buffering": "no", "X-Content-Type-Options": "nosniff",
		} {
			if got := st.response.Header.Values(name); !slices.Equal(got, []string{want}) {
				t.Errorf("%s: %q, want %q", name, got, want)
			}
		}
		seen := s.hub.Stats().Subscribed
		status, text, h := s.do("HEAD", "/event-stream", "")
		if status != 200 || text != "" || h.Get("Content-Type") != "text/event-stream" || s.hub.Stats().Subscribed != seen {
			t.Errorf("HEAD: %d %q %v", status, text, h)
		}
	})
}

// S-12, S-13, S-15: a prefetch must not end anything.
func TestHeadChangesNothing(t *testing.T) {
	ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
		s := newSite(t, p, nil, nil)
		st := s.open("/event-stream")
		for _, path := range []string{"/event-unregister", "/event-heartbeat", "/api/UpdateEventSubscriber"} {
			if status, _, h := s.do("HEAD", path+"?subscribeChannels=x&id="+st.id(), ""); status != 405 || h.Get("Allow") == "" {
				t.Errorf("%s: %d", path, status)
			}
		}
		if st.ended() || len(st.frames()) != 2 {
			t.Errorf("something happened: %q", st.bytes())
		}
	})
}

// S-05, S-21: theirs may send a message before cmd.onConnect.
func TestConnectIsFirst(t *testing.T) {
	ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
		s := newSite(t, p, nil, nil)
		ctx, stop := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		defer wg.Wait()
		defer stop()
		for range 4 {
			wg.Go(func() {
				for ctx.Err() == nil {
					s.hub.Publish(ctx, stentor.Message{Target: on("A"), Type: "chat", Data: "x", Ephemeral: true})
					s.hub.Publish(ctx, stentor.Message{Target: stentor.Target{All: true}, Type: "chat", Data: "x"})
					time.Sleep(time.Microsecond)
				}
			})
		}
		var streams []*stream
		for range 20 {
			resp, err := s.srv.Client.Do(s.request(ctx, "GET", "/event-stream?channels=A", ""))
			if err != nil {
				t.Fatal(err)
			}
			st := &stream{t: t, response: resp, done: make(chan struct{})}
			wg.Go(st.read)
			streams = append(streams, st)
		}
		time.Sleep(100 * time.Microsecond)
		stop()
		for i, st := range streams {
			<-st.done
			got := st.bytes()
			if !strings.HasPrefix(got, "id: ") || !strings.Contains(got[:strings.Index(got, " {")], "\ndata: cmd.onConnect") {
				t.Errorf("stream %d begins with %.80q", i, got)
			}
		}
	})
}

// recorder notes each write of a response.
type recorder struct {
	http.ResponseWriter
	mu     *sync.Mutex
	writes *[]string
}

func (w recorder) Unwrap() http.ResponseWriter { return w.ResponseWriter }

func (w recorder) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	*w.writes = append(*w.writes, string(p))
	return w.ResponseWriter.Write(p)
}

// S-09: no write ends within a frame.
func TestFramesAreWhole(t *testing.T) {
	ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
		var mu sync.Mutex
		var writes []string
		s := &site{t: t, hub: newHub(t, nil)}
		face := serverevents.New(s.hub, nil)
		s.srv = ssetest.NewServer(t, p, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			face.ServeHTTP(recorder{w, &mu, &writes}, r)
		}))
		st := s.open("/event-stream?channels=A,B")
		s.send(on("A"), "big", strings.Repeat("long ", 10_000))
		for range 3 { // published together: one write may hold them all
			if _, err := s.hub.Publish(t.Context(), stentor.Message{Target: on("A"), Type: "t", Data: "x"}); err != nil {
				t.Fatal(err)
			}
		}
		s.do("POST", st.connect()["heartbeatUrl"], "")
		st.frames()
		mu.Lock()
		defer mu.Unlock()
		for _, w := range writes {
			if w != "" && (!strings.HasPrefix(w, "id: ") && !strings.HasPrefix(w, "data: ") || !strings.HasSuffix(w, "\n\n")) {
				t.Errorf("a write that cuts a frame: %.40q…", w)
			}
		}
		if n := len(writes); n < 3 {
			t.Errorf("%d writes", n)
		}
	})
}

// S-11, S-28: what may be better in a moment is never answered with a status.
func TestTurnedAwayUnanswered(t *testing.T) {
	broken := errors.New("the database is down")
	for _, row := range []struct {
		name string
		hub  stentor.Options
		face serverevents.Options
		do   func(t *testing.T, s *site)
	}{
		{name: "full", hub: stentor.Options{MaxSubscriptions: 1}, do: func(t *testing.T, s *site) { s.open("/event-stream") }},
		{name: "draining", do: func(t *testing.T, s *site) { s.hub.Drain(t.Context(), 0) }},
		{name: "closed", do: func(t *testing.T, s *site) { s.hub.Shutdown(t.Context()) }},
		{name: "the application failed", face: serverevents.Options{
			Subscribe: func(*http.Request, *stentor.SubscribeOptions) error { return broken },
		}},
		{name: "the application is full", face: serverevents.Options{
			Subscribe: func(*http.Request, *stentor.SubscribeOptions) error { return stentor.ErrFull },
		}},
	} {
		t.Run(row.name, func(t *testing.T) {
			ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
				s := newSite(t, p, &row.hub, &row.face)
				if row.do != nil {
					row.do(t, s)
				}
				before := s.hub.Stats().Subscribed
				st, err := s.tryOpen("/event-stream?channels=A")
				if err == nil {
					t.Fatalf("answered with %s", st.response.Status)
				}
				if p == ssetest.HTTP1 && !errors.Is(err, io.EOF) {
					t.Errorf("the connection ended with %v, want EOF", err)
				}
				if after := s.hub.Stats().Subscribed; after != before {
					t.Error("something was registered")
				}
			})
		})
	}
}

// S-20 OnInit: the application refuses with a status.
func TestRefusedByTheApplication(t *testing.T) {
	ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
		s := newSite(t, p, nil, &serverevents.Options{Subscribe: func(r *http.Request, o *stentor.SubscribeOptions) error {
			if slices.Contains(o.Channels, "secret") {
				return &stentor.Refusal{Status: 403, Detail: "the channel secret is for staff"}
			}
			return nil
		}})
		want := envelope("Forbidden", "the channel secret is for staff")
		s.want(403, want, "GET", "/event-stream?channels=A,secret", "")
		s.want(403, want, "GET", "/event-subscribers?channels=secret", "")
		st := s.open("/event-stream?channels=A")
		s.want(403, want, "POST", "/api/UpdateEventSubscriber", `{"id":"`+st.id()+`","subscribeChannels":["B","secret"],"unsubscribeChannels":["A"]}`)
		st.expect(2)
		s.send(on("secret"), "chat", "not for it")
		st.expect(2)
	})
}

// S-14: who may not subscribe to a channel does not see who is there.
func TestMembersOnlyOfApprovedChannels(t *testing.T) {
	ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
		s := newSite(t, p, nil, &serverevents.Options{Subscribe: func(r *http.Request, o *stentor.SubscribeOptions) error {
			if r.Header.Get("Authorization") == "" {
				o.Channels = slices.DeleteFunc(o.Channels, func(c stentor.Channel) bool { return c == "secret" })
			}
			return nil
		}})
		staff := s.open("/event-stream?channels=secret", "Authorization: x")
		s.want(200, "[]", "GET", "/event-subscribers?channels=secret", "")
		s.want(200, "[]", "GET", "/event-subscribers", "")
		s.want(200, "["+staff.frames()[1].json+"]", "GET", "/event-subscribers", "", "Authorization: x")
	})
}

// S-06, S-07, S-24: who a subscriber is, what all may know and what it alone.
func TestIdentityAndMeta(t *testing.T) {
	ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
		s := newSite(t, p, nil, &serverevents.Options{
			LimitToAuthenticatedUsers: true,
			Subscribe: func(r *http.Request, o *stentor.SubscribeOptions) error {
				o.User, o.UserName, o.Authenticated = "42", "ann@example.org", true
				o.DisplayName = "Ann \"é\" 😀"
				o.Meta = map[string]string{"profileUrl": "https://img.example/42", "mood": "fine", "selector": "cmd.evil",
					"userId": "1", "id": "forged", "heartbeatUrl": "https://evil.example", "both": "public"}
				o.Private = map[string]string{"token": "t", "both": "private", "heartbeatUrl": "https://evil.example"}
				return nil
			},
		})
		st := s.open("/event-stream?channels=A")
		got := st.connect()
		for name, want := range map[string]string{
			"userId": "42", "isAuthenticated": "true", "profileUrl": "https://img.example/42", "mood": "fine",
			"token": "t", "both": "private", "selector": "", "id": st.id(),
			"heartbeatUrl": s.srv.URL + "/event-heartbeat?id=" + got["id"],
		} {
			if got[name] != want {
				t.Errorf("onConnect %s: %q, want %q", name, got[name], want)
			}
		}
		if got["id"] == "forged" || strings.Count(st.frames()[0].json, `"both"`) != 1 {
			t.Errorf("onConnect %s", st.frames()[0].json)
		}
		join := st.frames()[1].fields(t)
		if join["token"] != "" || join["id"] != "" || join["heartbeatUrl"] != "" || join["both"] != "public" || join["displayName"] != got["displayName"] {
			t.Errorf("onJoin %v", join)
		}
		for _, target := range []stentor.Target{{User: "42"}, {UserName: "ann@example.org"}, {Subscription: st.id()}} {
			seen := len(st.frames())
			s.send(target, "chat", "x")
			st.expect(seen, `cmd.chat "x"`)
		}
	})
}

// S-01, S-25: what the server says at the end is nothing: there is no frame for it.
func TestFarewellIsSilent(t *testing.T) {
	ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
		s := newSite(t, p, nil, nil)
		st := s.open("/event-stream")
		if err := s.hub.Shutdown(t.Context()); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if !st.ended() || len(st.frames()) != 2 {
			t.Errorf("%q", st.bytes())
		}
	})
}
