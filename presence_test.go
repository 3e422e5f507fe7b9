package stentor_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stentor-sse/stentor"
)

// watch serves someone who sees presence on channels.
func watch(t *testing.T, h *stentor.Hub, channels ...stentor.Channel) *reader {
	return serve(t, h, stentor.SubscribeOptions{Channels: channels, User: "w", Presence: true})
}

func TestPresenceNotices(t *testing.T) {
	bubble(t, func(t *testing.T) {
		h := newHub(t, &stentor.Options{Linger: -1})
		w := watch(t, h, "a", "b")
		blind := serve(t, h, on("a"))
		tab1 := serve(t, h, stentor.SubscribeOptions{Channels: []stentor.Channel{"a"}, User: "u"})
		tab2 := serve(t, h, stentor.SubscribeOptions{Channels: []stentor.Channel{"a", "b"}, User: "u"})
		tab1.hangUp()
		settle()
		tab2.sub.SetMeta("mood", "fine")
		if _, err := tab2.sub.Leave(t.Context(), "b"); err != nil {
			t.Fatal(err)
		}
		tab2.sub.Close(nil)
		settle()
		want(t, "watcher", w.got(), "open\njoin a w true\njoin b w true\n"+
			"join a -1 true\njoin a u true\n"+
			"join a u false\njoin b u true\n"+ // another tab
			"leave a u false\n"+
			"update a u false false\nupdate b u false false\n"+ // meta
			"update a u false false\nupdate b u false true\n"+ // left b
			"leave a u true\n")
		want(t, "who did not ask", blind.got(), "open\n")
	})
}

func TestMembersHoldNoID(t *testing.T) {
	bubble(t, func(t *testing.T) {
		h := newHub(t, nil)
		r := serve(t, h, stentor.SubscribeOptions{
			Channels: []stentor.Channel{"a", "b"}, User: "u", UserName: "ann", Authenticated: true, Session: "secret-session",
			Key: "secret-key", Meta: map[string]string{"mood": "fine"}, Private: map[string]string{"p": "secret-value"},
		})
		anon := serve(t, h, on("b"))
		got := h.Members("a", "b", "a")
		if len(got) != 2 || got[0].User != "u" || got[0].DisplayName != "ann" || got[1].User != "-1" || got[1].DisplayName != "user1" {
			t.Fatalf("members %+v", got)
		}
		if !reflect.DeepEqual(got[0].Meta, map[string]string{"mood": "fine"}) {
			t.Errorf("meta %v", got[0].Meta)
		}
		text := fmt.Sprintf("%+v", got)
		for _, secret := range []string{r.sub.ID(), anon.sub.ID(), "secret"} {
			if strings.Contains(text, secret) {
				t.Errorf("%q shows in %s", secret, text)
			}
		}
		if n := len(h.Members("a")); n != 1 {
			t.Errorf("%d on a, want 1", n)
		}
		if n := len(h.Members()); n != 2 {
			t.Errorf("%d in all, want 2", n)
		}
		got[0].Channels[0] = "changed"
		if c := r.sub.Channels(); c[0] != "a" {
			t.Error("a member's channels are not a copy")
		}
	})
}

func TestLingerTakenOver(t *testing.T) {
	browser := stentor.SubscribeOptions{Channels: []stentor.Channel{"a"}, Session: "s", Presence: true}
	comeBack := func(t *testing.T, change func(o *stentor.SubscribeOptions, old *reader)) (h *stentor.Hub, w, old, back *reader) {
		h = newHub(t, &stentor.Options{KeepAlive: -1})
		w = watch(t, h, "a", "b")
		old = serve(t, h, browser)
		if _, err := old.sub.Join(t.Context(), "b"); err != nil {
			t.Fatal(err)
		}
		say(t, h, "b", "1")
		settle()
		old.hangUp()
		settle()
		say(t, h, "b", "2")
		after(5 * time.Second)
		if h.Subscription(old.sub.ID()) == nil || len(h.Members("a")) != 2 {
			t.Error("the vanished one does not linger")
		}
		if !old.sub.Heartbeat(time.Second) {
			t.Error("a lingering one answers heartbeats")
		}
		o := browser
		change(&o, old)
		back = serve(t, h, o)
		after(time.Minute)
		return h, w, old, back
	}
	t.Run("with a cursor, channels included", func(t *testing.T) {
		bubble(t, func(t *testing.T) {
			h, w, old, back := comeBack(t, func(o *stentor.SubscribeOptions, _ *reader) { o.Cursor = "0" })
			want(t, "who came back", back.got(), "open\nm=1\nm=2\njoin a -1 false\njoin b -1 false\n")
			want(t, "watcher", w.got(), "open\njoin a w true\njoin b w true\njoin a -1 true\n"+
				"update a -1 false false\nupdate b -1 true false\nm=1\nm=2\n")
			if h.Subscription(old.sub.ID()) != nil {
				t.Error("the place is taken, but the old id is still registered")
			}
			if was, is := old.sub.Member().Created, back.sub.Member().Created; !was.Equal(is) {
				t.Errorf("came at %v, and came back at %v", was, is)
			}
		})
	})
	t.Run("without a cursor, where the protocol has none", func(t *testing.T) {
		bubble(t, func(t *testing.T) {
			_, w, _, back := comeBack(t, func(o *stentor.SubscribeOptions, old *reader) {
				o.Resume, o.Channels = true, old.sub.Channels()
			})
			// The first was written before the reader vanished, but nothing proves
			// that it arrived: it comes again.
			want(t, "who came back", back.got(), "open\nm=1\nm=2\njoin a -1 false\njoin b -1 false\n")
			if strings.Contains(w.got(), "leave") {
				t.Errorf("watcher saw a leave: %q", w.got())
			}
		})
	})
	t.Run("the tab that was on just those channels", func(t *testing.T) {
		bubble(t, func(t *testing.T) {
			h := newHub(t, &stentor.Options{KeepAlive: -1})
			moved, stayed := serve(t, h, browser), serve(t, h, browser)
			if _, err := moved.sub.Join(t.Context(), "b"); err != nil {
				t.Fatal(err)
			}
			moved.hangUp()
			stayed.hangUp()
			settle()
			o := browser
			o.Cursor = "0"
			for _, want := range []string{"[a]", "[a b]"} { // the second has to be the other one
				if got := fmt.Sprint(serve(t, h, o).sub.Channels()); got != want {
					t.Errorf("came back on %s, want %s", got, want)
				}
			}
		})
	})
	t.Run("two tabs that can't be told apart", func(t *testing.T) {
		bubble(t, func(t *testing.T) {
			h := newHub(t, &stentor.Options{KeepAlive: -1})
			ahead, stalled := serve(t, h, browser), serve(t, h, browser)
			say(t, h, "a", "1")
			settle()
			stalled.sub.Heartbeat(time.Minute)
			say(t, h, "a", "2")
			settle()
			ahead.sub.Heartbeat(time.Minute)
			ahead.hangUp()
			stalled.hangUp()
			settle()
			say(t, h, "a", "3")
			for range 2 {
				o := browser
				o.Resume = true
				if r := serve(t, h, o); numbers(t, "tab", r.lines(), 1) != 3 {
					t.Errorf("missed something in silence: %q", r.got())
				}
			}
		})
	})
	t.Run("a new page of the session starts at the present", func(t *testing.T) {
		bubble(t, func(t *testing.T) {
			_, w, _, back := comeBack(t, func(o *stentor.SubscribeOptions, _ *reader) {})
			want(t, "who came back", back.got(), "open\njoin a -1 false\n")
			if !strings.HasSuffix(w.got(), "leave b -1 true\n") {
				t.Errorf("a channel it did not ask for again is left: %q", w.got())
			}
		})
	})
	t.Run("another user of the session does not", func(t *testing.T) {
		bubble(t, func(t *testing.T) {
			_, w, _, back := comeBack(t, func(o *stentor.SubscribeOptions, _ *reader) { o.User, o.Authenticated, o.Resume = "9", true, true })
			want(t, "who came", back.got(), "open\njoin a 9 true\nleave a -1 true\n")
			if !strings.HasSuffix(w.got(), "join a 9 true\nleave a -1 true\nleave b -1 true\n") {
				t.Errorf("watcher: %q", w.got())
			}
		})
	})
}

// A key may pass from one user to another. What the first had is not the second's.
func TestKeyTakenByAnotherUser(t *testing.T) {
	bubble(t, func(t *testing.T) {
		h := newHub(t, nil)
		w := watch(t, h, "a", "b")
		old := serve(t, h, stentor.SubscribeOptions{Channels: []stentor.Channel{"a"}, User: "1", Key: "k"})
		if _, err := old.sub.Join(t.Context(), "b"); err != nil {
			t.Fatal(err)
		}
		young := serve(t, h, stentor.SubscribeOptions{Channels: []stentor.Channel{"a"}, User: "2", Key: "k", Cursor: "0"})
		if err := <-old.cause; !errors.Is(err, stentor.ErrReplaced) {
			t.Errorf("the older ended with %v", err)
		}
		if got := young.sub.Channels(); !slices.Equal(got, []stentor.Channel{"a"}) {
			t.Errorf("took over the channels %v", got)
		}
		want(t, "watcher", w.got(), "open\njoin a w true\njoin b w true\njoin a 1 true\n"+
			"update a 1 false false\nupdate b 1 true false\nleave a 1 true\nleave b 1 true\njoin a 2 true\n")
	})
}

// Only a name that the hub made up is passed on to whoever has none.
func TestSessionPassesOnNoUser(t *testing.T) {
	bubble(t, func(t *testing.T) {
		h := newHub(t, nil)
		o := stentor.SubscribeOptions{Channels: []stentor.Channel{"a"}, User: "7", Session: "s"}
		serve(t, h, o).hangUp()
		settle()
		o.User = ""
		if got := serve(t, h, o).sub.Member().User; got != "-1" {
			t.Errorf("became user %q", got)
		}
	})
}

func TestLingerEnds(t *testing.T) {
	bubble(t, func(t *testing.T) {
		h := newHub(t, nil)
		w := watch(t, h, "a")
		r := serve(t, h, stentor.SubscribeOptions{Channels: []stentor.Channel{"a"}, User: "u"})
		r.hangUp()
		settle()
		if err := <-r.cause; !errors.Is(err, stentor.ErrGone) {
			t.Errorf("cause %v, want ErrGone", err)
		}
		receipt, err := h.Publish(t.Context(), stentor.Message{Target: stentor.Target{User: "u"}, Data: "x"})
		if err != nil || receipt.Matched != 0 {
			t.Errorf("matched %d while it lingers, %v", receipt.Matched, err)
		}
		after(9 * time.Second)
		want(t, "before", w.got(), "open\njoin a w true\njoin a u true\n")
		if s := h.Stats(); s.Lingering != 1 {
			t.Errorf("%d linger, want 1", s.Lingering)
		}
		after(2 * time.Second)
		want(t, "after", w.got(), "open\njoin a w true\njoin a u true\nleave a u true\n")
		if h.Subscription(r.sub.ID()) != nil || len(h.Members("a")) != 1 {
			t.Error("still there")
		}
	})
}

// One browser that comes and goes for ever does not make a heap of places.
func TestLingeringIsBounded(t *testing.T) {
	bubble(t, func(t *testing.T) {
		h := newHub(t, nil)
		for i := range 100 {
			serve(t, h, stentor.SubscribeOptions{Channels: []stentor.Channel{stentor.Channel(fmt.Sprint(i))}, Session: "s"}).hangUp()
			settle()
		}
		if s := h.Stats(); s.Lingering != 64 || s.Subscriptions != 64 || len(h.Members()) != 64 {
			t.Errorf("stats %+v, want 64 to linger", s)
		}
		after(time.Minute)
		if s := h.Stats(); s.Lingering != 0 || len(h.Members()) != 0 {
			t.Errorf("left behind: %+v", s)
		}
	})
}

// A page that closes tells the server so: it leaves at once, whether the
// connection or the request arrives first.
func TestUnregisterWhileLingering(t *testing.T) {
	bubble(t, func(t *testing.T) {
		h := newHub(t, nil)
		w := watch(t, h, "a")
		r := serve(t, h, stentor.SubscribeOptions{Channels: []stentor.Channel{"a"}, User: "u"})
		r.hangUp()
		settle()
		if !r.sub.Close(nil) {
			t.Error("Close of a lingering one reports that it was not there")
		}
		if r.sub.Close(nil) {
			t.Error("a second Close reports that it was there")
		}
		settle()
		want(t, "watcher", w.got(), "open\njoin a w true\njoin a u true\nleave a u true\n")
	})
}

// Random comings and goings on many goroutines leave nothing behind and nobody
// in doubt about who is there.
func TestChurnLeavesNothing(t *testing.T) {
	bubble(t, func(t *testing.T) {
		h := newHub(t, &stentor.Options{QueueLength: 8, Linger: time.Second})
		w := watch(t, h, "0", "1", "2")
		var wg sync.WaitGroup
		for g := range 8 {
			wg.Go(func() {
				rng := rand.New(rand.NewPCG(uint64(g), 1))
				for range 60 {
					churn(t, h, rng)
				}
			})
		}
		wg.Wait()
		after(time.Minute)
		if s := h.Stats(); s.Subscriptions != 1 || s.Lingering != 0 || s.Channels != 3 {
			t.Errorf("left behind: %+v", s)
		}
		if n := len(h.Members()); n != 1 {
			t.Errorf("%d present, want 1", n)
		}
		balance(t, w.lines())
	})
}

// churn is the life of one subscription.
func churn(t *testing.T, h *stentor.Hub, rng *rand.Rand) {
	ch := func() stentor.Channel { return stentor.Channel(fmt.Sprint(rng.IntN(3))) }
	o := stentor.SubscribeOptions{
		Channels: []stentor.Channel{ch(), ch()}, Dialect: plain{}, Presence: rng.IntN(2) == 0,
		Session: fmt.Sprint(rng.IntN(4)), User: fmt.Sprint("u", rng.IntN(3)), Cursor: []string{"", "0"}[rng.IntN(2)],
	}
	if rng.IntN(3) == 0 {
		o.Key = fmt.Sprint(rng.IntN(2))
	}
	sub, err := h.Subscribe(context.Background(), &o)
	if err != nil {
		t.Error(err)
		return
	}
	r := newResponse()
	var wg sync.WaitGroup
	if rng.IntN(8) > 0 {
		wg.Go(func() { sub.Serve(r) })
	}
	for range rng.IntN(6) {
		switch rng.IntN(4) {
		case 0:
			sub.Join(context.Background(), ch())
		case 1:
			sub.Leave(context.Background(), ch())
		case 2:
			say(t, h, ch(), "x")
		case 3:
			sub.SetMeta("n", fmt.Sprint(rng.IntN(9)))
		}
	}
	if rng.IntN(2) == 0 {
		r.hangUp()
	}
	if rng.IntN(3) == 0 {
		sub.Close(nil)
	}
	r.hangUp()
	wg.Wait()
	if sub.Cause() == nil {
		sub.Close(nil)
	}
}

// balance checks first joins and last leaves of each user and channel, as one
// watcher saw them: they alternate and end with a leave. A watcher that fell
// behind has lost some, and is told.
func balance(t *testing.T, lines []string) {
	t.Helper()
	if slices.ContainsFunc(lines, func(l string) bool { return strings.HasPrefix(l, "gap") }) {
		t.Log("the watcher fell behind; nothing to compare")
		return
	}
	here := map[string]bool{}
	for _, l := range lines {
		f := strings.Fields(l)
		if len(f) != 4 || f[2] == "w" || f[3] != "true" || f[0] == "update" {
			continue
		}
		who := f[1] + " " + f[2]
		if joined := f[0] == "join"; joined == here[who] {
			t.Fatalf("%q, but here is %v", l, here[who])
		}
		here[who] = f[0] == "join"
	}
}
