package stentor_test

import (
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stentor-sse/stentor"
)

func isError(err, target error) bool { return errors.Is(err, target) }

// Beyond the table of counters numbers are still never given twice.
func TestMemoryNextBeyondItsTable(t *testing.T) {
	link, _ := attach(t, stentor.NewMemoryBroker(nil))
	next := func(name string) int64 {
		n, err := link.Next(t.Context(), name)
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	for i := range 1 << 16 {
		next(fmt.Sprint(i))
	}
	if n := next("0"); n != 2 {
		t.Errorf("a name in the table: %d, want 2", n)
	}
	one, other, two := next("beyond"), next("another"), next("beyond")
	if one >= two || one == other || two == other || one < 1 {
		t.Errorf("names beyond the table: %d, %d, %d; want them increasing", one, other, two)
	}
}

func TestMemoryRefusals(t *testing.T) {
	b := stentor.NewMemoryBroker(nil)
	link, _ := attach(t, b)
	_, nowhere := b.Publish(t.Context(), stentor.Message{Data: "to nobody"})
	_, nobody := b.Attach(t.Context(), nil)
	_, long := link.Next(t.Context(), strings.Repeat("x", 256))
	for what, err := range map[string]error{"zero target": nowhere, "nil feed": nobody, "long name": long} {
		if !isError(err, stentor.ErrInvalid) {
			t.Errorf("%s: %v, want ErrInvalid", what, err)
		}
	}
}

func TestMemoryDurability(t *testing.T) {
	for _, c := range []struct {
		size      int
		ephemeral bool
		want      string
	}{{0, false, "memory"}, {0, true, "none"}, {-1, false, "none"}} {
		b := stentor.NewMemoryBroker(&stentor.MemoryOptions{Size: c.size})
		r, err := b.Publish(t.Context(), stentor.Message{Target: stentor.Target{All: true}, Ephemeral: c.ephemeral})
		if err != nil || r.Durability != c.want {
			t.Errorf("%+v: durability %q, %v", c, r.Durability, err)
		}
	}
}

// A feed that is not concerned is told of the head now and then, never twice
// within a second.
func TestMemoryAdvance(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := stentor.NewMemoryBroker(nil)
		link, k := attach(t, b)
		put(t, b, "other", "before any want")
		if len(k.advanced) != 0 {
			t.Errorf("advanced to %v before the feed wanted anything", k.advanced)
		}
		if _, err := link.Want(t.Context(), []stentor.Channel{"a"}, nil); err != nil {
			t.Fatal(err)
		}
		put(t, b, "a", "")
		var last stentor.Position
		for range 100 {
			time.Sleep(100 * time.Millisecond)
			last = put(t, b, "other", "")
		}
		known := k.last.Position
		for _, p := range append(k.advanced, last) {
			if p-known > 1_200_000 {
				t.Errorf("nothing told between %d and %d", known, p)
			}
			if p != last && p-known < 1_000_000 {
				t.Errorf("told of %d, soon after %d", p, known)
			}
			known = p
		}
	})
}

// Close waits for the call that runs, and lets none begin.
func TestMemoryCloseWaitsForDeliver(t *testing.T) {
	b := stentor.NewMemoryBroker(nil)
	for range 50 {
		link, k := attach(t, b)
		if _, err := link.Want(t.Context(), []stentor.Channel{"a"}, nil); err != nil {
			t.Fatal(err)
		}
		var left atomic.Bool
		var wg sync.WaitGroup
		k.during = func() {
			wg.Go(func() {
				if err := link.Close(t.Context()); err != nil || !left.Load() {
					t.Errorf("closed while Deliver runs: %v", err)
				}
			})
			for range 20 {
				runtime.Gosched()
			}
			left.Store(true)
		}
		put(t, b, "a", "")
		wg.Wait()
		put(t, b, "a", "")
		if k.count != 1 {
			t.Errorf("%d messages were delivered, one before Close", k.count)
		}
	}
}

// A fan-out that takes its time holds up neither replays nor changes of interest.
func TestMemoryReadsBesideDeliver(t *testing.T) {
	b := stentor.NewMemoryBroker(nil)
	link, k := attach(t, b)
	if _, err := link.Want(t.Context(), []stentor.Channel{"a"}, nil); err != nil {
		t.Fatal(err)
	}
	var at stentor.Position
	k.during = func() {
		at, _ = link.Want(t.Context(), []stentor.Channel{"b"}, []stentor.Channel{"a"})
		if n := len(kept(t, link, "a")); n != 1 {
			t.Errorf("%d messages kept while the first is delivered, want 1", n)
		}
		floorOf(t, link, "a")
	}
	if p := put(t, b, "a", ""); at != p {
		t.Errorf("Want inside Deliver returned %d, want the message's position %d", at, p)
	}
}

func TestMemoryAlone(t *testing.T) {
	b := stentor.NewMemoryBroker(nil)
	one, _ := attach(t, b)
	if !one.Alone() {
		t.Error("the only link is not alone")
	}
	two, _ := attach(t, b)
	if one.Alone() || two.Alone() {
		t.Error("one of two links is alone")
	}
	if err := one.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	if one.Alone() || !two.Alone() {
		t.Error("the link that is left is not alone, or the closed one is")
	}
}
