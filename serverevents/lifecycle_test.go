package serverevents_test

import (
	"context"
	"fmt"
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

// S-24: what theirs has as fields and methods of a subscription.
func TestSubscriptionByHand(t *testing.T) {
	ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
		s := newSite(t, p, nil, &serverevents.Options{Subscribe: named})
		begun := time.Now()
		st := s.open("/event-stream?channels=A,A,B", "User: 42 ann")
		sub := s.hub.Subscription(st.id())
		m := sub.Member()
		if m.User != "42" || m.UserName != "ann" || m.DisplayName != "ann" || !m.Authenticated || sub.Session() == "" || sub.Address() != "127.0.0.1" ||
			names(sub.Channels()) != "A,B" || !sub.Created().Equal(begun) || !sub.LastHeartbeat().IsZero() {
			t.Errorf("%+v, session %q, address %q, created %v, heartbeat %v", m, sub.Session(), sub.Address(), sub.Created(), sub.LastHeartbeat())
		}
		st.expect(1, "A@cmd.onJoin ann on A,B", "B@cmd.onJoin ann on A,B") // a repeat is one channel, and one join
		if _, err := sub.Publish(t.Context(), stentor.Message{Type: "chat", Data: "to you alone"}); err != nil {
			t.Fatal(err)
		}
		pass(5 * time.Second)
		if !sub.Heartbeat(30*time.Second) || !sub.LastHeartbeat().Equal(begun.Add(5*time.Second)) {
			t.Errorf("last heartbeat %v", sub.LastHeartbeat())
		}
		synctest.Wait()
		changed, err := sub.Join(t.Context(), "B", "C")
		if err != nil || names(changed.Joined) != "C" {
			t.Errorf("joined %+v, %v", changed, err)
		}
		sub.SetMeta("mood", "fine")
		var cause error
		sub.OnEnd(func(err error) { cause = err })
		if sub.Sent().Messages != 1 || !sub.Close(nil) || cause != stentor.ErrUnregistered || sub.Close(nil) {
			t.Errorf("sent %+v, ended with %v", sub.Sent(), cause)
		}
		st.expect(3, `cmd.chat "to you alone"`, "cmd.onHeartbeat ann on A,B",
			"A@cmd.onUpdate ann on A,B,C", "B@cmd.onUpdate ann on A,B,C", "C@cmd.onUpdate ann on A,B,C",
			"A@cmd.onUpdate ann on A,B,C", "B@cmd.onUpdate ann on A,B,C", "C@cmd.onUpdate ann on A,B,C")
		if !st.ended() || s.hub.Subscription(sub.ID()) != nil {
			t.Error("it goes on")
		}
	})
}

// S-23 queries: by id, by user, all, and their public details.
func TestLookups(t *testing.T) {
	ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
		s := newSite(t, p, nil, &serverevents.Options{Subscribe: named})
		one := s.open("/event-stream?channels=A", "User: 42 ann")
		s.open("/event-stream?channels=B", "User: 42 ann")
		s.open("/event-stream?channels=B")
		count := func(target stentor.Target) (n int) {
			for range s.hub.Subscriptions(target) {
				n++
			}
			if n != s.hub.Count(target) {
				t.Errorf("%+v: %d, but counted %d", target, n, s.hub.Count(target))
			}
			return n
		}
		if s.hub.Subscription(one.id()) == nil || s.hub.Subscription("none") != nil ||
			count(stentor.Target{User: "42"}) != 2 || count(stentor.Target{}) != 3 || count(on("B")) != 2 ||
			len(s.hub.Members("A", "B")) != 3 || len(s.hub.Members("A")) != 1 || names(s.hub.Channels()) != "A,B" {
			t.Errorf("%+v", s.hub.Members())
		}
		if n := s.hub.Drop(on("B"), nil); n != 2 || count(stentor.Target{}) != 1 || names(s.hub.Channels()) != "A" {
			t.Errorf("dropped %d; left on %v", n, s.hub.Channels()) // S-25: no empty map stays behind
		}
	})
}

// S-07: a later change of a public value shows in every frame from then on; theirs keeps the
// first until channels change.
func TestMetaIsNotStale(t *testing.T) {
	ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
		s := newSite(t, p, nil, nil)
		watcher := s.open("/event-stream?channels=A")
		st := s.open("/event-stream?channels=A")
		seen := len(watcher.frames())
		s.hub.Subscription(st.id()).SetMeta("mood", "fine")
		s.do("POST", st.connect()["heartbeatUrl"], "")
		_, listing, _ := s.do("GET", "/event-subscribers", "")
		_, last, _ := s.do("POST", st.connect()["unRegisterUrl"], "")
		beat := st.frames()[len(st.frames())-1]
		told := watcher.frames()[seen:]
		for _, text := range []string{listing, last, beat.json, told[0].json, told[1].json} {
			if !strings.Contains(text, `"mood":"fine"`) {
				t.Errorf("stale: %s", text)
			}
		}
		if beat.selector != "cmd.onHeartbeat" || told[1].selector != "cmd.onLeave" {
			t.Errorf("%s, %s", beat, told[1])
		}
	})
}

// S-08: without presence nobody hears of a newcomer, and no bare line feed has to find the dead:
// a hang-up is noticed by itself.
func TestNoPresence(t *testing.T) {
	ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
		var changes int
		s := newSite(t, p, &stentor.Options{Hooks: stentor.Hooks{
			Change: func(*stentor.Subscription, []stentor.Channel, []stentor.Channel) { changes++ },
		}}, &serverevents.Options{OmitPresence: true})
		st := s.open("/event-stream?channels=A")
		had := st.bytes()
		other := s.open("/event-stream?channels=A")
		s.want(200, "{}", "POST", "/event-subscribers/"+other.id(), "SubscribeChannels=B", formType)
		other.hangUp()
		pass(12 * time.Second)
		if got := st.bytes(); got != had {
			t.Errorf("told %q", got[len(had):])
		}
		if n := len(s.hub.Members()); n != 1 || changes != 1 {
			t.Errorf("%d members, %d changes", n, changes)
		}
	})
}

// S-25: each defect of their housekeeping.
func TestLifecycle(t *testing.T) {
	for _, row := range []struct {
		name string
		test func(t *testing.T, s *site)
	}{
		{"S-25 expiry needs no traffic", func(t *testing.T, s *site) {
			watcher, st := s.open("/event-stream?channels=A"), s.open("/event-stream?channels=A")
			s.do("POST", st.connect()["heartbeatUrl"], "")
			seen := len(watcher.frames())
			pass(29 * time.Second)
			watcher.expect(seen)
			pass(2 * time.Second)
			watcher.expect(seen, "A@cmd.onLeave user2 on A")
		}},
		{"S-25 a message is no sign of life", func(t *testing.T, s *site) {
			st := s.open("/event-stream?channels=A")
			s.do("POST", st.connect()["heartbeatUrl"], "")
			for range 31 {
				s.send(on("A"), "chat", "x")
				pass(time.Second)
			}
			if !st.ended() {
				t.Error("it lives on")
			}
		}},
		{"S-25 who never sends heartbeats is not cut", func(t *testing.T, s *site) {
			st := s.open("/event-stream?channels=A")
			pass(time.Hour)
			s.send(on("A"), "chat", "still here")
			if st.expect(2, `A@cmd.chat "still here"`); st.ended() {
				t.Error("cut")
			}
		}},
		{"S-25 a closed tab is noticed at once, and leaves after the linger", func(t *testing.T, s *site) {
			watcher, st := s.open("/event-stream?channels=A"), s.open("/event-stream?channels=A")
			seen := len(watcher.frames())
			st.hangUp()
			if n := s.hub.Count(on("A")); n != 1 {
				t.Errorf("%d live", n)
			}
			pass(9 * time.Second)
			watcher.expect(seen)
			pass(2 * time.Second)
			watcher.expect(seen, "A@cmd.onLeave user2 on A")
		}},
		{"S-25 leaving everything leaves a live subscription", func(t *testing.T, s *site) {
			st := s.open("/event-stream?channels=A")
			s.want(200, "{}", "POST", "/event-subscribers/"+st.id(), "UnsubscribeChannels=A", formType)
			s.want(200, "", "POST", st.connect()["heartbeatUrl"], "")
			s.send(stentor.Target{Subscription: st.id()}, "chat", "x")
			st.expect(2, "cmd.onHeartbeat user1 on ", `cmd.chat "x"`)
		}},
		{"S-23 reset forgets all and leaves streams open", func(t *testing.T, s *site) {
			st, other := s.open("/event-stream?channels=A"), s.open("/event-stream?channels=A")
			seen := len(st.frames())
			s.hub.Reset()
			s.send(on("A"), "chat", "to nobody")
			st.expect(seen)
			if st.ended() || other.ended() || len(s.hub.Members()) != 0 {
				t.Errorf("ended %v, %d members", st.ended(), len(s.hub.Members()))
			}
			s.want(404, "", "POST", st.connect()["heartbeatUrl"], "")
			again := s.open("/event-stream?channels=A")
			s.send(on("A"), "chat", "to the new")
			again.expect(2, `A@cmd.chat "to the new"`)
		}},
		{"S-24 a reconnect keeps its name where theirs makes a new one", func(t *testing.T, s *site) {
			st := s.open("/event-stream?channels=A")
			st.hangUp()
			again := s.open("/event-stream?channels=A", "Cookie: "+st.cookies())
			if got, was := again.connect(), st.connect(); got["userId"] != was["userId"] || got["createdAt"] != was["createdAt"] || got["id"] == was["id"] {
				t.Errorf("was %v, is %v", was, got)
			}
		}},
		{"S-25 nothing stays of those who have left", func(t *testing.T, s *site) {
			for i := range 50 {
				st := s.open(fmt.Sprint("/event-stream?channels=A,B", i))
				s.do("POST", st.connect()["heartbeatUrl"], "")
				st.hangUp()
			}
			pass(time.Minute)
			if n := s.hub.Stats(); n.Subscribed != 50 || n.Ended != 50 || n.Subscriptions != 0 || n.Lingering != 0 || n.Channels != 0 || len(s.hub.Members()) != 0 {
				t.Errorf("%+v", n)
			}
		}},
		{"S-23 stop ends all streams", func(t *testing.T, s *site) {
			st := s.open("/event-stream?channels=A")
			if err := s.hub.Shutdown(t.Context()); err != nil || !st.ended() {
				t.Errorf("%v, ended %v", err, st.ended())
			}
		}},
	} {
		t.Run(row.name, func(t *testing.T) {
			ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) { row.test(t, newSite(t, p, nil, nil)) })
		})
	}
}

// S-26: publishers at the same time: every reader sees all of it, once, with ids that only
// rise, and nothing waits for the next message to push it out.
func TestConcurrentPublishers(t *testing.T) {
	ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
		s := newSite(t, p, nil, nil)
		streams := []*stream{s.open("/event-stream?channels=A"), s.open("/event-stream?channels=A,B")}
		var wg sync.WaitGroup
		for from := range 8 {
			wg.Go(func() {
				for n := range 25 {
					s.hub.Publish(t.Context(), stentor.Message{Target: on("A"), Type: "chat", Data: fmt.Sprint(from, " ", n)})
				}
			})
		}
		wg.Wait()
		synctest.Wait()
		for _, st := range streams {
			last, per := "", map[string]int{}
			for _, f := range st.frames() {
				if f.selector != "cmd.chat" {
					continue
				}
				from, n, _ := strings.Cut(strings.Trim(f.json, `"`), " ")
				if f.id <= last || n != fmt.Sprint(per[from]) { // ids are of one length
					t.Errorf("%s with the id %s after %s; %d of them came before", f, f.id, last, per[from])
				}
				last = f.id
				per[from]++
			}
			for from := range 8 {
				if n := per[fmt.Sprint(from)]; n != 25 {
					t.Errorf("%d messages of %d, want 25", n, from)
				}
			}
		}
	})
}

// S-26: one that does not read delays neither publishers nor others, and no publisher sleeps.
func TestStuckReaderDelaysNobody(t *testing.T) {
	ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
		s := newSite(t, p, nil, nil)
		s.srv.OpenStalled(t, "/event-stream?channels=A")
		synctest.Wait()
		st := s.open("/event-stream?channels=A")
		begun := time.Now()
		seen := len(st.frames())
		for range 40 {
			s.send(on("A"), "big", strings.Repeat("x", 5_000))
		}
		if got := len(st.frames()) - seen; got != 40 || !time.Now().Equal(begun) {
			t.Errorf("%d of 40 messages after %v", got, time.Since(begun))
		}
		pass(time.Minute) // the stuck one is let go
	})
}

// S-13: unregistering has happened when it is answered: members were told, the stream has ended.
func TestUnregisterIsDoneWhenAnswered(t *testing.T) {
	ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
		var steps []string
		var mu sync.Mutex
		note := func(step string) {
			mu.Lock()
			defer mu.Unlock()
			steps = append(steps, step)
		}
		s := &site{t: t, hub: newHub(t, &stentor.Options{Hooks: stentor.Hooks{
			Leave: func(*stentor.Subscription) { note("left") },
		}})}
		face := serverevents.New(s.hub, nil)
		s.srv = ssetest.NewServer(t, p, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			face.ServeHTTP(w, r)
			if strings.Contains(r.URL.Path, "unregister") {
				note("answered")
			}
		}))
		st := s.open("/event-stream?channels=A")
		s.do("POST", st.connect()["unRegisterUrl"], "")
		mu.Lock()
		defer mu.Unlock()
		if !slices.Equal(steps, []string{"left", "answered"}) {
			t.Errorf("%q", steps)
		}
	})
}

// S-21: theirs runs a hook of the application after the headers have gone, so that its failure
// can't be answered, and what failed stays indexed; a failing hook leaves nothing here.
func TestFailedConnectLeavesNothing(t *testing.T) {
	ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
		fail := fmt.Errorf("no")
		s := newSite(t, p, &stentor.Options{Hooks: stentor.Hooks{Open: func(*stentor.Subscription) error { return fail }}}, nil)
		st := s.open("/event-stream?channels=A")
		if !st.ended() || st.bytes() != "" || s.hub.Count(stentor.Target{}) != 0 || len(s.hub.Members()) != 0 || s.hub.Stats().Subscriptions != 0 {
			t.Errorf("%q, %+v", st.bytes(), s.hub.Stats())
		}
		if err := s.hub.Shutdown(context.Background()); err != nil {
			t.Error(err)
		}
	})
}
