package stentor_test

import (
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stentor-sse/stentor"
)

// A reader that its handler writes to, and that fell behind, skips to the present or is
// ended, as the hub wants it.
func TestSlowPolicyOfTheQueue(t *testing.T) {
	for name, row := range map[string]struct {
		policy stentor.SlowPolicy
		want   string // after the first message, whose write took long
		cause  error
	}{
		"skip": {stentor.SlowSkip, "m=2\nm=3\nm=4\nm=5\ngap slow\nm=101\n", nil},
		"end":  {stentor.SlowEnd, "", stentor.ErrSlow},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				h := newHub(t, &stentor.Options{QueueLength: 4, Slow: row.policy, Linger: -1})
				r := serve(t, h, on("a"))
				release := r.block()
				for i := 1; i <= 100; i++ {
					say(t, h, "a", strconv.Itoa(i))
					settle()
				}
				release()
				settle()
				say(t, h, "a", "101")
				settle()
				_, got, _ := strings.Cut(r.got(), "m=1\n")
				if got != row.want {
					t.Errorf("got %q, want %q", got, row.want)
				}
				if cause := r.sub.Cause(); cause != row.cause {
					t.Errorf("ended with %v, want %v", cause, row.cause)
				}
				if row.cause == nil && h.Stats().Gaps != 1 {
					t.Errorf("%d gaps are counted", h.Stats().Gaps)
				}
			})
		})
	}
}

// A newcomer that reads a long history while more is said is not slow.
func TestSlowPolicySparesNewcomers(t *testing.T) {
	for _, policy := range []stentor.SlowPolicy{stentor.SlowSkip, stentor.SlowEnd} {
		bubble(t, func(t *testing.T) {
			h := newHub(t, &stentor.Options{QueueLength: 4, Slow: policy})
			for i := 1; i <= 300; i++ {
				say(t, h, "a", strconv.Itoa(i))
			}
			o := on("a")
			o.Cursor, o.Dialect = "0", plain{}
			sub, err := h.Subscribe(t.Context(), &o)
			if err != nil {
				t.Fatal(err)
			}
			r := newResponse()
			release := r.block()
			go sub.Serve(r)
			settle()
			for i := 301; i <= 400; i++ {
				say(t, h, "a", strconv.Itoa(i))
			}
			release()
			settle()
			if got := numbers(t, "newcomer", r.lines(), 0); got != 400 || strings.Contains(r.got(), "gap") {
				t.Errorf("policy %d: got up to %d of 400: %.100q", policy, got, r.got())
			}
		})
	}
}

// The same of one that the engine writes to.
func TestSlowPolicyOfTheLog(t *testing.T) {
	flood := func(t *testing.T, policy stentor.SlowPolicy) (h *stentor.Hub, r *remote, said int) {
		h = newHub(t, &stentor.Options{LogLength: 64, Slow: policy})
		r = take(t, h, on("home"))
		for said < 6000 {
			said++
			say(t, h, "home", fmt.Sprint(said, " ", strings.Repeat("x", 2000)))
		}
		return h, r, said
	}
	t.Run("skip", func(t *testing.T) {
		h, r, said := flood(t, stentor.SlowSkip)
		r.expect("open")
		last, gaps, skipped := 0, 0, false
		for last < said {
			line, err := r.lines.ReadString('\n')
			if err != nil {
				t.Fatal(err)
			}
			if line == "gap slow\n" {
				gaps, skipped, said = gaps+1, true, said+1
				say(t, h, "home", fmt.Sprint(said, " ")) // so that something comes after it
				continue
			}
			var got int
			fmt.Sscanf(line, "m=%d ", &got)
			if got <= last || got > last+1 && !skipped {
				t.Fatalf("%.20q after %d, told of a gap: %v", line, last, skipped)
			}
			last, skipped = got, false
		}
		if gaps == 0 {
			t.Error("nothing was skipped: nothing was tried")
		}
	})
	t.Run("end", func(t *testing.T) {
		_, r, said := flood(t, stentor.SlowEnd)
		b, err := io.ReadAll(r.lines)
		if n := strings.Count(string(b), "m="); err != nil || n == 0 || n == said {
			t.Errorf("it got %d messages of %d, %v", n, said, err)
		}
		<-r.sub.Done()
		if cause := r.sub.Cause(); !errors.Is(cause, stentor.ErrSlow) {
			t.Errorf("ended with %v", cause)
		}
	})
}

// That the engine was overtaken is no reader's fault: it reads the history.
func TestSlowPolicySparesTheOvertaken(t *testing.T) {
	h := newHub(t, &stentor.Options{LogLength: 2, Slow: stentor.SlowEnd})
	r := take(t, h, on("home"))
	go func() {
		for i := 1; i <= 5000; i++ {
			say(t, h, "home", strconv.Itoa(i))
		}
	}()
	r.expect("open")
	for i := 1; i <= 5000; i++ {
		r.expect("m=" + strconv.Itoa(i))
	}
}

// A break of the feed that was not told yet comes before what is skipped: its place in the stream is
// before the one that the reader goes on from.
func TestSlowPolicyTellsOfBreaksFirst(t *testing.T) {
	bubble(t, func(t *testing.T) {
		broker := &breaking{MemoryBroker: stentor.NewMemoryBroker(nil)}
		h := newHub(t, &stentor.Options{Broker: broker, QueueLength: 2, Slow: stentor.SlowSkip, KeepAlive: -1})
		r := serve(t, h, on("a"))
		release := r.block()
		var last stentor.Position
		for i := 1; i <= 5; i++ {
			last = say(t, h, "a", strconv.Itoa(i))
			settle()
		}
		broker.feed.Break(last, last+10, stentor.GapCorrupt)
		after(time.Second) // what comes now is above the break
		say(t, h, "a", "6")
		release()
		settle()
		say(t, h, "a", "7")
		settle()
		want(t, "the slow one", r.got(), "open\nm=1\nm=2\nm=3\ngap corrupt\ngap slow\nm=7\n")
	})
}
