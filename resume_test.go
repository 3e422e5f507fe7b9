package stentor_test

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stentor-sse/stentor"
)

// from subscribes to channels with a cursor.
func from(cursor string, channels ...stentor.Channel) stentor.SubscribeOptions {
	return stentor.SubscribeOptions{Channels: channels, Cursor: cursor}
}

func TestResume(t *testing.T) {
	bubble(t, func(t *testing.T) {
		h := newHub(t, nil)
		a := say(t, h, "a", "1")
		b := say(t, h, "b", "2")
		say(t, h, "c", "3")
		d := say(t, h, "a", "4")
		publish(t, h, stentor.Message{Target: stentor.Target{User: "u"}, Data: "5"})
		publish(t, h, stentor.Message{Target: stentor.Target{User: "u", Channel: "b"}, Data: "6"})
		publish(t, h, stentor.Message{Target: stentor.Target{Channel: "a"}, Type: "m", Data: "7", Ephemeral: true})
		end := publish(t, h, stentor.Message{Target: stentor.Target{All: true}, Data: "8"})
		u := stentor.SubscribeOptions{Channels: []stentor.Channel{"a"}, User: "u", Cursor: d.String()}
		for name, c := range map[string]struct {
			o    stentor.SubscribeOptions
			want string
		}{
			"nothing presented":      {from("", "a"), "open\n"},
			"at the head":            {from(end.String(), "a"), "open\n"},
			"all that is kept":       {from("0", "a", "b"), "open\nm=1\nm=2\nm=4\n=8\n"},
			"in the middle":          {from(a.String(), "a", "b"), "open\nm=2\nm=4\n=8\n"},
			"a position of another":  {from(b.String(), "a"), "open\nm=4\n=8\n"},
			"user, not on b":         {u, "open\n=5\n=8\n"},
			"a channel never heard":  {from(a.String(), "quiet"), "open\n=8\n"},
			"leading zeroes are one": {from("000"+d.String()[:len(d.String())-0], "a"), "open\ngap unknown\n"},
		} {
			r := serve(t, h, c.o)
			want(t, name, r.got(), c.want)
			r.sub.Close(nil)
		}
	})
}

func TestGap(t *testing.T) {
	bubble(t, func(t *testing.T) {
		time.Sleep(time.Hour)
		before := time.Now().Add(-time.Minute).UnixMicro()
		h := newHub(t, &stentor.Options{Broker: stentor.NewMemoryBroker(&stentor.MemoryOptions{Size: 2})})
		first := say(t, h, "a", "1")
		quiet := say(t, h, "quiet", "still here")
		for i := 2; i <= 5; i++ {
			say(t, h, "a", strconv.Itoa(i))
		}
		head := say(t, h, "b", "head")
		for name, c := range map[string]struct {
			cursor string
			on     []stentor.Channel
			want   string
		}{
			"too old":                {first.String(), []stentor.Channel{"a"}, "open\ngap expired\nm=4\nm=5\n"},
			"too old on one of two":  {first.String(), []stentor.Channel{"a", "quiet"}, "open\ngap expired\nm=still here\nm=4\nm=5\n"},
			"quiet channel, no gap":  {(first).String(), []stentor.Channel{"quiet"}, "open\nm=still here\n"},
			"quiet channel, at head": {quiet.String(), []stentor.Channel{"quiet"}, "open\n"},
			"before the log":         {strconv.FormatInt(before, 10), []stentor.Channel{"b"}, "open\ngap discontinuity\nm=head\n"},
			"beyond the head":        {(head + 1e9).String(), []stentor.Channel{"b"}, "open\ngap ahead\n"},
			"far beyond the head":    {"9007199254740991", []stentor.Channel{"b"}, "open\ngap ahead\n"},
			"over 53 bits":           {"9007199254740992", []stentor.Channel{"b"}, "open\ngap unknown\n"},
			"not a number":           {"abc", []stentor.Channel{"b"}, "open\ngap unknown\n"},
			"negative":               {"-1", []stentor.Channel{"b"}, "open\ngap unknown\n"},
			"fraction":               {"1.5", []stentor.Channel{"b"}, "open\ngap unknown\n"},
			"oversized":              {strings.Repeat("1", 10_000), []stentor.Channel{"b"}, "open\ngap unknown\n"},
			"forged frame":           {"1\n\ndata: x", []stentor.Channel{"b"}, "open\ngap unknown\n"},
		} {
			r := serve(t, h, from(c.cursor, c.on...))
			want(t, name, r.got(), c.want)
			// Whatever the cursor was, the stream is live.
			say(t, h, "live", "x")
			if _, err := r.sub.Join(t.Context(), "live"); err != nil {
				t.Fatal(err)
			}
			say(t, h, "live", "y")
			settle()
			want(t, name+", live", r.got(), c.want+"m=y\n")
			r.sub.Close(nil)
		}
	})
}

// numbers checks that a stream holds m=N with N counting up by one, but for what
// gaps announce, and returns the last N.
func numbers(t *testing.T, who string, lines []string, last int) int {
	t.Helper()
	gap := false
	for _, l := range lines {
		l = strings.TrimSpace(l)
		if strings.HasPrefix(l, "gap ") {
			gap = true
			continue
		}
		text, ok := strings.CutPrefix(l, "m=")
		if !ok {
			continue
		}
		n, err := strconv.Atoi(text)
		if err != nil {
			t.Fatalf("%s: %q", who, l)
		}
		if n != last+1 && !(gap && n > last) {
			t.Fatalf("%s: %d follows %d", who, n, last)
		}
		last, gap = n, false
	}
	return last
}

// A subscription that resumes while others publish at full speed gets every
// message once, in order, whatever the queue and page sizes are.
func TestNothingTwiceAcrossTheSeam(t *testing.T) {
	for _, length := range []int{1, 7, 256} {
		t.Run(fmt.Sprint("queue ", length), func(t *testing.T) {
			h := newHub(t, &stentor.Options{QueueLength: length})
			const total = 3000
			start := say(t, h, "a", "0")
			var wg sync.WaitGroup
			wg.Go(func() {
				for i := 1; i <= total; i++ {
					say(t, h, "a", strconv.Itoa(i))
					say(t, h, "noise", "x")
				}
			})
			for who := range 8 {
				wg.Go(func() {
					// Reads a while, drops, and comes back with its cursor.
					cursor, last := start.String(), 0
					for last < total {
						cursor, last = readSome(t, h, cursor, last, 200+50*who)
					}
				})
			}
			wg.Wait()
		})
	}
}

// readSome takes up to n messages after the cursor and checks that they count up.
func readSome(t *testing.T, h *stentor.Hub, cursor string, last, n int) (string, int) {
	sub, err := h.Subscribe(context.Background(), &stentor.SubscribeOptions{Channels: []stentor.Channel{"a"}, Cursor: cursor})
	if err != nil {
		t.Error(err)
		return cursor, 1 << 30
	}
	before, _ := strconv.ParseInt(cursor, 10, 64)
	for m, err := range sub.Messages(context.Background()) {
		if err != nil || m.Data != strconv.Itoa(last+1) || int64(m.Position) <= before {
			t.Errorf("after %d at %d: %+v, %v", last, before, m, err)
			return cursor, 1 << 30
		}
		last, before, cursor = last+1, int64(m.Position), m.Position.String()
		if n--; n == 0 || m.Data == "3000" {
			break
		}
	}
	return cursor, last
}

func TestOrderUnderConcurrentPublishers(t *testing.T) {
	broker := stentor.NewMemoryBroker(nil)
	one, two := newHub(t, &stentor.Options{Broker: broker}), newHub(t, &stentor.Options{Broker: broker, QueueLength: 3})
	const publishers, each = 4, 500
	var wg sync.WaitGroup
	for _, h := range []*stentor.Hub{one, two, two} {
		sub, err := h.Subscribe(t.Context(), &stentor.SubscribeOptions{Channels: []stentor.Channel{"a", "b"}})
		if err != nil {
			t.Fatal(err)
		}
		wg.Go(func() {
			var last stentor.Position
			n := 0
			for m, err := range sub.Messages(context.Background()) {
				if err != nil || m.Position <= last {
					t.Errorf("%v after %d: %v", m.Position, last, err)
				}
				last = m.Position
				if n++; n == publishers*each || t.Failed() {
					return
				}
			}
		})
	}
	for i := range publishers {
		wg.Go(func() {
			for n := range each {
				say(t, []*stentor.Hub{one, two}[(i+n)%2], []stentor.Channel{"a", "b"}[n%2], "x")
			}
		})
	}
	wg.Wait()
}

func TestStalledReaderDelaysNobody(t *testing.T) {
	bubble(t, func(t *testing.T) {
		h := newHub(t, &stentor.Options{QueueLength: 4})
		stalled, healthy := serve(t, h, on("a")), serve(t, h, on("a"))
		release := stalled.block()
		for i := 1; i <= 1000; i++ {
			say(t, h, "a", strconv.Itoa(i))
			settle() // no time passes: nobody waits
		}
		if got := numbers(t, "healthy", healthy.lines(), 0); got != 1000 {
			t.Errorf("the healthy one got up to %d of 1000", got)
		}
		if got := stalled.lines(); len(got) > 1 {
			t.Errorf("the stalled one was given %d lines", len(got))
		}
		release()
		settle()
		if got := numbers(t, "stalled", stalled.lines(), 0); got != 1000 {
			t.Errorf("after it read again, it got up to %d of 1000", got)
		}
		if s := h.Stats(); s.Behind == 0 || s.Gaps != 0 {
			t.Errorf("stats %+v, want it behind and no gap", s)
		}
	})
}

func TestSlowReaderFallsBack(t *testing.T) {
	bubble(t, func(t *testing.T) {
		broker := stentor.NewMemoryBroker(&stentor.MemoryOptions{Size: 50})
		h := newHub(t, &stentor.Options{QueueLength: 4, Broker: broker})
		r := serve(t, h, on("a"))
		release := r.block()
		for i := 1; i <= 1000; i++ {
			say(t, h, "a", strconv.Itoa(i))
			settle()
		}
		release()
		settle()
		if n := strings.Count(r.got(), "gap slow\n"); n != 1 {
			t.Errorf("%d gaps, want 1", n)
		}
		if got := numbers(t, "slow", r.lines(), 0); got != 1000 {
			t.Errorf("got up to %d of 1000", got)
		}
		if !strings.Contains(r.got(), "gap slow\nm=951\n") {
			t.Errorf("goes on elsewhere than at the oldest kept: %.200q", r.got())
		}
	})
}

func TestLostEphemeralIsTold(t *testing.T) {
	bubble(t, func(t *testing.T) {
		h := newHub(t, &stentor.Options{QueueLength: 4})
		r := serve(t, h, on("a"))
		release := r.block()
		for i := range 20 {
			publish(t, h, stentor.Message{Target: stentor.Target{Channel: "a"}, Type: "e", Data: strconv.Itoa(i), Ephemeral: true})
			settle()
		}
		release()
		settle()
		if !strings.HasSuffix(r.got(), "gap ephemeral\n") {
			t.Errorf("lost messages were not told: %q", r.got())
		}
		publish(t, h, stentor.Message{Target: stentor.Target{Channel: "a"}, Type: "e", Data: "live", Ephemeral: true})
		settle()
		if !strings.HasSuffix(r.got(), "gap ephemeral\ne=live\n") {
			t.Errorf("not live again: %q", r.got())
		}
		if h.Stats().Lost == 0 {
			t.Error("lost messages were not counted")
		}
	})
}

// A channel joined while the reader is behind is not replayed from before the join.
func TestJoinWhileBehind(t *testing.T) {
	bubble(t, func(t *testing.T) {
		h := newHub(t, &stentor.Options{QueueLength: 2})
		r := serve(t, h, on("a"))
		release := r.block()
		for i := 1; i <= 10; i++ {
			say(t, h, "a", strconv.Itoa(i))
			settle()
		}
		say(t, h, "b", "old")
		if _, err := r.sub.Join(t.Context(), "b"); err != nil {
			t.Fatal(err)
		}
		say(t, h, "b", "11")
		release()
		settle()
		if got := numbers(t, "reader", r.lines(), 0); got != 11 {
			t.Errorf("got up to %d of 11: %q", got, r.got())
		}
	})
}

func TestFailedWriteEnds(t *testing.T) {
	bubble(t, func(t *testing.T) {
		h := newHub(t, &stentor.Options{Linger: -1})
		r := serve(t, h, on("a"))
		broken := errors.New("broken pipe")
		r.mu.Lock()
		r.err = broken
		r.mu.Unlock()
		say(t, h, "a", "x")
		if err := <-r.cause; !errors.Is(err, stentor.ErrGone) || !errors.Is(err, broken) {
			t.Errorf("ended with %v, want ErrGone and the write's error", err)
		}
		settle()
		if n := h.Stats().Subscriptions; n != 0 {
			t.Errorf("%d registered without linger", n)
		}
	})
}
