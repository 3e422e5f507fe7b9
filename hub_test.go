package stentor_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stentor-sse/stentor"
)

func TestTargets(t *testing.T) {
	bubble(t, func(t *testing.T) {
		h := newHub(t, nil)
		ann := serve(t, h, stentor.SubscribeOptions{
			Channels: []stentor.Channel{"home", "news"}, User: "1", UserName: "ann", Authenticated: true, Session: "s1", Key: "k1",
		})
		ann2 := serve(t, h, stentor.SubscribeOptions{
			Channels: []stentor.Channel{"news"}, User: "1", UserName: "ann", Authenticated: true, Session: "s2",
		})
		liar := serve(t, h, stentor.SubscribeOptions{Channels: []stentor.Channel{"home"}, User: "2", UserName: "ann"})
		all := map[string]*reader{"ann": ann, "ann2": ann2, "liar": liar}
		for _, c := range []struct {
			target stentor.Target
			want   string
		}{
			{stentor.Target{All: true}, "ann ann2 liar"},
			{stentor.Target{Channel: "home"}, "ann liar"},
			{stentor.Target{Channel: "nobody"}, ""},
			{stentor.Target{User: "1"}, "ann ann2"},
			{stentor.Target{UserName: "ann"}, "ann ann2"}, // only the authenticated own a name
			{stentor.Target{Session: "s2"}, "ann2"},
			{stentor.Target{Key: "k1"}, "ann"},
			{stentor.Target{Subscription: liar.sub.ID()}, "liar"},
			{stentor.Target{User: "1", Channel: "home"}, "ann"},
			{stentor.Target{User: "1", Channel: "news", Session: "s2"}, "ann2"},
			{stentor.Target{User: "2", Session: "s1"}, ""},
			{stentor.Target{All: true, Channel: "news"}, "ann ann2"},
			{stentor.Target{UserName: "ann", User: "2"}, ""},
		} {
			for _, r := range all {
				r.text.Reset()
			}
			receipt, err := h.Publish(t.Context(), stentor.Message{Target: c.target, Type: "t", Data: "x"})
			if err != nil {
				t.Fatal(err)
			}
			settle()
			var got []string
			for _, name := range []string{"ann", "ann2", "liar"} {
				if all[name].got() == "t=x\n" {
					got = append(got, name)
				} else if all[name].got() != "" {
					t.Errorf("%+v: %s got %q", c.target, name, all[name].got())
				}
			}
			want(t, fmt.Sprintf("%+v", c.target), strings.Join(got, " "), c.want)
			if n := len(strings.Fields(c.want)); receipt.Matched != n {
				t.Errorf("%+v: matched %d, want %d", c.target, receipt.Matched, n)
			}
			n := 0
			for range h.Subscriptions(c.target) {
				n++
			}
			if n != receipt.Matched {
				t.Errorf("%+v: Subscriptions gives %d, Publish matched %d", c.target, n, receipt.Matched)
			}
		}
	})
}

func TestInvalidPublishIsRefusedWhole(t *testing.T) {
	bubble(t, func(t *testing.T) {
		h := newHub(t, nil)
		r := serve(t, h, on("home"))
		before := r.got()
		home := stentor.Target{Channel: "home"}
		for name, c := range map[string]struct {
			m    stentor.Message
			want error
		}{
			"no target":            {stentor.Message{Data: "x"}, stentor.ErrInvalid},
			"space in channel":     {stentor.Message{Target: stentor.Target{Channel: "a b"}}, stentor.ErrInvalid},
			"comma in channel":     {stentor.Message{Target: stentor.Target{Channel: "a,b"}}, stentor.ErrInvalid},
			"at in channel":        {stentor.Message{Target: stentor.Target{Channel: "a@b"}}, stentor.ErrInvalid},
			"reserved channel":     {stentor.Message{Target: stentor.Target{Channel: "\x01u1"}}, stentor.ErrInvalid},
			"LF in channel":        {stentor.Message{Target: stentor.Target{Channel: "a\nb"}}, stentor.ErrInvalid},
			"channel not UTF-8":    {stentor.Message{Target: stentor.Target{Channel: "\xff"}}, stentor.ErrInvalid},
			"long channel":         {stentor.Message{Target: stentor.Target{Channel: stentor.Channel(strings.Repeat("a", 256))}}, stentor.ErrInvalid},
			"control in user":      {stentor.Message{Target: stentor.Target{User: "a\x00"}}, stentor.ErrInvalid},
			"LF in type":           {stentor.Message{Target: home, Type: "a\nid: 1"}, stentor.ErrInvalid},
			"space in type":        {stentor.Message{Target: home, Type: "a b"}, stentor.ErrInvalid},
			"reserved type":        {stentor.Message{Target: home, Type: "stentor.open"}, stentor.ErrInvalid},
			"long type":            {stentor.Message{Target: home, Type: strings.Repeat("t", 129)}, stentor.ErrInvalid},
			"data not UTF-8":       {stentor.Message{Target: home, Data: "\xc3\x28"}, stentor.ErrInvalid},
			"data over the limit":  {stentor.Message{Target: home, Data: strings.Repeat("x", 1<<16+1)}, stentor.ErrTooLarge},
			"not JSON":             {stentor.Message{Target: home, Data: "{", JSON: true}, stentor.ErrInvalid},
			"unknown subscription": {stentor.Message{Target: stentor.Target{Subscription: "nobody"}}, stentor.ErrUnknown},
		} {
			if _, err := h.Publish(t.Context(), c.m); !errors.Is(err, c.want) {
				t.Errorf("%s: got %v, want %v", name, err, c.want)
			}
		}
		settle()
		want(t, "after refusals", r.got(), before)
		if n := h.Stats().Published; n != 0 {
			t.Errorf("%d published", n)
		}
	})
}

func TestJSONIsMadeCompact(t *testing.T) {
	bubble(t, func(t *testing.T) {
		h := newHub(t, nil)
		r := serve(t, h, on("home"))
		home := stentor.Target{Channel: "home"}
		publish(t, h, stentor.Message{Target: home, Type: "a", Data: "{ \"x\":\n\t[1, 2] }", JSON: true})
		publish(t, h, stentor.Message{Target: home, Type: "b", JSON: true})
		m, err := stentor.JSON(home, "c", map[string]string{"k": "<&>\n"})
		if err != nil {
			t.Fatal(err)
		}
		publish(t, h, m)
		settle()
		want(t, "stream", r.got(), "open\na={\"x\":[1,2]}\nb=null\nc={\"k\":\"<&>\\n\"}\n")
	})
}

func TestInvalidSubscribeRegistersNothing(t *testing.T) {
	bubble(t, func(t *testing.T) {
		h := newHub(t, &stentor.Options{MaxChannels: 2, MaxSubscriptions: 2})
		first := serve(t, h, stentor.SubscribeOptions{Channels: []stentor.Channel{"home"}, Key: "k"})
		for name, c := range map[string]struct {
			o    stentor.SubscribeOptions
			want error
		}{
			"channel":           {on("a,b"), stentor.ErrInvalid},
			"too many channels": {on("a", "b", "c"), stentor.ErrTooLarge},
			"user":              {stentor.SubscribeOptions{User: "\n"}, stentor.ErrInvalid},
			"anonymous's id":    {stentor.SubscribeOptions{User: "-1"}, stentor.ErrInvalid},
			"same key, bad":     {stentor.SubscribeOptions{Key: "k", Channels: []stentor.Channel{"@"}}, stentor.ErrInvalid},
			"giant meta":        {stentor.SubscribeOptions{Meta: map[string]string{"a": strings.Repeat("x", 20<<10)}}, stentor.ErrTooLarge},
		} {
			if _, err := h.Subscribe(t.Context(), &c.o); !errors.Is(err, c.want) {
				t.Errorf("%s: got %v, want %v", name, err, c.want)
			}
		}
		if first.sub.Cause() != nil {
			t.Errorf("the holder of the key was ended: %v", first.sub.Cause())
		}
		second := serve(t, h, on("home", "home"))
		if got := second.sub.Channels(); !slices.Equal(got, []stentor.Channel{"home"}) {
			t.Errorf("repeated channel: got %v", got)
		}
		if _, err := h.Subscribe(t.Context(), nil); !errors.Is(err, stentor.ErrFull) {
			t.Errorf("third of two: got %v, want ErrFull", err)
		}
		if s := h.Stats(); s.Subscriptions != 2 || s.Channels != 1 {
			t.Errorf("stats %+v, want 2 subscriptions on 1 channel", s)
		}
	})
}

func TestHooksInOrder(t *testing.T) {
	bubble(t, func(t *testing.T) {
		var mu sync.Mutex
		var log []string
		note := func(line string) {
			mu.Lock()
			defer mu.Unlock()
			log = append(log, line)
		}
		var h *stentor.Hub
		h = newHub(t, &stentor.Options{Hooks: stentor.Hooks{
			Open: func(s *stentor.Subscription) error {
				note("open")
				s.SetPrivate("greeting", "hello")
				publish(t, h, stentor.Message{Target: stentor.Target{Subscription: s.ID()}, Type: "held", Data: "x"})
				_, err := s.Join(context.Background(), "extra")
				return err
			},
			Change: func(s *stentor.Subscription, joined, left []stentor.Channel) {
				note(fmt.Sprint("change ", joined, left))
			},
			Close: func(s *stentor.Subscription, cause error) { note("close " + cause.Error()) },
			Leave: func(s *stentor.Subscription) { note("leave") },
		}})
		o := on("home")
		o.Presence = true
		r := serve(t, h, o)
		if _, err := r.sub.Join(t.Context(), "news", "home"); err != nil {
			t.Fatal(err)
		}
		if _, err := r.sub.Leave(t.Context(), "extra", "never"); err != nil {
			t.Fatal(err)
		}
		settle()
		r.hangUp()
		settle()
		note("…")
		after(10 * time.Second)
		mu.Lock()
		defer mu.Unlock()
		want(t, "hooks", strings.Join(log, "\n"), "open\nchange [news] []\nchange [] [extra]\nclose stentor: reader gone\n…\nleave")
		// What was published in the hook is held until the open notice is out.
		want(t, "stream", r.got(), "open\nheld=x\njoin home -1 true\njoin extra -1 true\n"+
			"update home -1 false false\nupdate extra -1 false false\nupdate news -1 true false\n"+
			"update home -1 false false\nupdate news -1 false false\n")
	})
}

func TestOpenHookRefuses(t *testing.T) {
	bubble(t, func(t *testing.T) {
		no := errors.New("no")
		h := newHub(t, &stentor.Options{Hooks: stentor.Hooks{
			Open:  func(*stentor.Subscription) error { return no },
			Close: func(*stentor.Subscription, error) { t.Error("close hook of one that never opened") },
			Leave: func(*stentor.Subscription) { t.Error("leave hook of one that never opened") },
		}})
		r := serve(t, h, on("home"))
		if err := <-r.cause; err != no {
			t.Errorf("Serve returned %v, want the hook's error", err)
		}
		want(t, "stream", r.got(), "")
		if s := h.Stats(); s.Subscriptions != 0 || s.Channels != 0 {
			t.Errorf("left behind: %+v", s)
		}
	})
}

func TestKeyNewestWins(t *testing.T) {
	bubble(t, func(t *testing.T) {
		h := newHub(t, nil)
		watch := on("home")
		watch.Presence = true
		w := serve(t, h, watch)
		o := stentor.SubscribeOptions{Channels: []stentor.Channel{"home"}, User: "7", Key: "k"}
		old := serve(t, h, o)
		young := serve(t, h, o)
		if err := <-old.cause; !errors.Is(err, stentor.ErrReplaced) {
			t.Errorf("the older ended with %v, want ErrReplaced", err)
		}
		want(t, "older", old.got(), "open\nbye stentor: replaced by a newer subscription with the same key\n")
		publish(t, h, stentor.Message{Target: stentor.Target{Key: "k"}, Type: "t", Data: "x"})
		settle()
		want(t, "younger", young.got(), "open\nt=x\n")
		// One came and is still there, as far as others can see.
		want(t, "watcher", w.got(), "open\njoin home -1 true\njoin home 7 true\n")
		if h.Subscription(old.sub.ID()) != nil {
			t.Error("the older is still registered")
		}
		if n := len(h.Members("home")); n != 2 {
			t.Errorf("%d members, want 2", n)
		}
	})
}

func TestJoinAndLeaveLive(t *testing.T) {
	bubble(t, func(t *testing.T) {
		h := newHub(t, &stentor.Options{MaxChannels: 2})
		r := serve(t, h, on("a"))
		say(t, h, "b", "before")
		if _, err := r.sub.Join(t.Context(), "b"); err != nil {
			t.Fatal(err)
		}
		say(t, h, "b", "after")
		if _, err := r.sub.Join(t.Context(), "c"); !errors.Is(err, stentor.ErrTooLarge) {
			t.Errorf("third of two channels: got %v, want ErrTooLarge", err)
		}
		if _, err := r.sub.Join(t.Context(), "x y"); !errors.Is(err, stentor.ErrInvalid) {
			t.Errorf("bad channel: got %v, want ErrInvalid", err)
		}
		if _, err := r.sub.Leave(t.Context(), "a"); err != nil {
			t.Fatal(err)
		}
		say(t, h, "a", "gone")
		settle()
		want(t, "stream", r.got(), "open\nm=after\n")
		if got := r.sub.Channels(); !slices.Equal(got, []stentor.Channel{"b"}) {
			t.Errorf("channels %v, want [b]", got)
		}
		r.sub.Close(nil)
		if _, err := r.sub.Join(t.Context(), "a"); !errors.Is(err, stentor.ErrUnregistered) {
			t.Errorf("join after the end: got %v, want the cause", err)
		}
		if s := h.Stats(); s.Channels != 0 || s.Subscriptions != 0 {
			t.Errorf("left behind: %+v", s)
		}
	})
}

func TestLeaseRunsOut(t *testing.T) {
	bubble(t, func(t *testing.T) {
		h := newHub(t, nil)
		o := on("home")
		o.Presence = true
		watcher := serve(t, h, o)
		never := serve(t, h, stentor.SubscribeOptions{Channels: []stentor.Channel{"home"}, User: "never"})
		beats := serve(t, h, stentor.SubscribeOptions{Channels: []stentor.Channel{"home"}, User: "beats"})
		for range 3 {
			if !beats.sub.Heartbeat(30 * time.Second) {
				t.Fatal("heartbeat refused")
			}
			after(20 * time.Second)
		}
		if beats.sub.Cause() != nil {
			t.Fatalf("ended within its lease: %v", beats.sub.Cause())
		}
		after(11 * time.Second)
		if err := <-beats.cause; !errors.Is(err, stentor.ErrExpired) {
			t.Errorf("ended with %v, want ErrExpired", err)
		}
		if beats.sub.Heartbeat(time.Second) {
			t.Error("a heartbeat after the end was taken")
		}
		if n := strings.Count(beats.got(), "beat\n"); n != 3 {
			t.Errorf("%d heartbeats answered, want 3", n)
		}
		if never.sub.Cause() != nil {
			t.Errorf("one that never sent a heartbeat has no lease, but ended: %v", never.sub.Cause())
		}
		if !strings.HasSuffix(watcher.got(), "leave home beats true\n") {
			t.Errorf("no leave at expiry: %q", watcher.got())
		}
	})
}

func TestKeepAliveOnlyWhenSilent(t *testing.T) {
	bubble(t, func(t *testing.T) {
		h := newHub(t, nil)
		quiet, busy := serve(t, h, on("quiet")), serve(t, h, on("busy"))
		for range 60 {
			after(time.Second)
			say(t, h, "busy", "x")
		}
		settle()
		if n := strings.Count(quiet.got(), "keepalive\n"); n < 3 || n > 4 {
			t.Errorf("%d keepalives in a silent minute, want 3 or 4", n)
		}
		if strings.Contains(busy.got(), "keepalive") {
			t.Error("keepalive on a busy stream")
		}
	})
}

func TestMessages(t *testing.T) {
	bubble(t, func(t *testing.T) {
		h := newHub(t, nil)
		sub, err := h.Subscribe(t.Context(), &stentor.SubscribeOptions{Channels: []stentor.Channel{"home"}, Cursor: "x"})
		if err != nil {
			t.Fatal(err)
		}
		for i := range 3 {
			say(t, h, "home", fmt.Sprint(i))
		}
		var got []string
		for m, err := range sub.Messages(t.Context()) {
			if err != nil {
				got = append(got, err.Error())
				continue
			}
			if got = append(got, m.Data); m.Data == "2" {
				break
			}
		}
		want(t, "messages", strings.Join(got, "\n"), "stentor: gap after 0, goes on at 0: unknown\n0\n1\n2")
		if sub.Cause() == nil || h.Stats().Subscriptions != 0 {
			t.Errorf("leaving the loop must close: cause %v, stats %+v", sub.Cause(), h.Stats())
		}
		for _, err := range sub.Messages(t.Context()) {
			if err == nil {
				t.Error("a second range gave a message")
			}
		}
	})
}

func TestMessagesEndWithContextAndHub(t *testing.T) {
	bubble(t, func(t *testing.T) {
		h := newHub(t, nil)
		end := func(ctx context.Context) <-chan error {
			sub, err := h.Subscribe(t.Context(), nil)
			if err != nil {
				t.Fatal(err)
			}
			last := make(chan error, 1)
			go func() {
				var cause error
				for _, err := range sub.Messages(ctx) {
					cause = err
				}
				last <- cause
			}()
			return last
		}
		ctx, cancel := context.WithCancel(t.Context())
		a, b := end(ctx), end(t.Context())
		settle()
		cancel()
		if err := <-a; !errors.Is(err, context.Canceled) {
			t.Errorf("context: got %v", err)
		}
		if err := h.Shutdown(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := <-b; !errors.Is(err, stentor.ErrClosed) {
			t.Errorf("shutdown: got %v", err)
		}
	})
}
