package stentor_test

import (
	"context"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stentor-sse/stentor"
)

// keeper is a feed that keeps what it was told last.
type keeper struct {
	last     stentor.Message
	count    int
	advanced []stentor.Position
	during   func() // runs inside Deliver
}

func (k *keeper) Deliver(list []stentor.Message) {
	k.last = list[len(list)-1]
	k.count += len(list)
	if k.during != nil {
		k.during()
	}
}

func (k *keeper) Advance(p stentor.Position) { k.advanced = append(k.advanced, p) }

func (k *keeper) Break(stentor.Position, stentor.Position, stentor.GapReason) {}

func attach(t testing.TB, b stentor.Broker) (stentor.Link, *keeper) {
	t.Helper()
	k := &keeper{}
	link, err := b.Attach(t.Context(), k)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := link.Close(context.Background()); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return link, k
}

func put(t testing.TB, b stentor.Broker, ch stentor.Channel, data string) stentor.Position {
	t.Helper()
	r, err := b.Publish(t.Context(), stentor.Message{Target: stentor.Target{Channel: ch}, Data: data})
	if err != nil {
		t.Fatal(err)
	}
	return r.Position
}

func kept(t testing.TB, link stentor.Link, channels ...stentor.Channel) (list []stentor.Message) {
	t.Helper()
	err := link.Replay(t.Context(), channels, 0, 1<<53, func(page []stentor.Message) bool {
		list = append(list, page...)
		return true
	})
	if err != nil {
		t.Fatal(err)
	}
	return list
}

func floorOf(t testing.TB, link stentor.Link, channels ...stentor.Channel) stentor.Position {
	t.Helper()
	w, err := link.Window(t.Context(), channels)
	if err != nil {
		t.Fatal(err)
	}
	return w.Floor
}

func TestMemoryPositionsAreMicroseconds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := stentor.NewMemoryBroker(nil)
		start := stentor.Position(time.Now().UnixMicro())
		for i := range stentor.Position(3) { // the clock stands still
			if p := put(t, b, "a", ""); p != start+1+i {
				t.Errorf("position %d, want %d", p, start+1+i)
			}
		}
		time.Sleep(time.Millisecond)
		if p := put(t, b, "a", ""); p != start+1000 {
			t.Errorf("position %d, want %d", p, start+1000)
		}
	})
}

// A cursor that an earlier process gave is before the start of this one's log.
func TestMemoryCursorFromEarlierLog(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cursor := put(t, stentor.NewMemoryBroker(nil), "a", "")
		time.Sleep(time.Millisecond)
		link, _ := attach(t, stentor.NewMemoryBroker(nil))
		w, err := link.Window(t.Context(), []stentor.Channel{"a"})
		if err != nil || cursor >= w.Start || w.Start != w.Floor || w.Floor != w.Head {
			t.Errorf("window %+v, %v: want the cursor %d below its start", w, err, cursor)
		}
	})
}

func TestMemoryAge(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := stentor.NewMemoryBroker(&stentor.MemoryOptions{Age: time.Hour})
		link, _ := attach(t, b)
		cursor := floorOf(t, link)
		old := put(t, b, "a", "old")
		time.Sleep(time.Minute)
		put(t, b, "a", "new")
		time.Sleep(59 * time.Minute) // the first is an hour old, not older
		if n := len(kept(t, link, "a")); n != 2 {
			t.Fatalf("%d messages kept, want 2", n)
		}
		time.Sleep(time.Microsecond)
		if f := floorOf(t, link, "a"); f != old {
			t.Errorf("floor %d, want that of the expired message, %d", f, old)
		}
		if list := kept(t, link, "a"); len(list) != 1 || list[0].Data != "new" {
			t.Errorf("kept %v, want the newer message", list)
		}
		time.Sleep(time.Hour)
		if list := kept(t, link, "a"); len(list) != 0 {
			t.Errorf("kept %v, want nothing", list)
		}
		if f := floorOf(t, link, "never used"); f > cursor {
			t.Errorf("a channel that never had a message shows a gap: floor %d above %d", f, cursor)
		}
	})
}

// A page that was begun in time does not carry the rest beyond its age.
func TestMemoryAgeBetweenPages(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := stentor.NewMemoryBroker(&stentor.MemoryOptions{Age: time.Hour})
		link, _ := attach(t, b)
		for i := range 1000 {
			put(t, b, "a", fmt.Sprint(i))
		}
		pages := 0
		err := link.Replay(t.Context(), []stentor.Channel{"a"}, 0, 1<<53, func([]stentor.Message) bool {
			pages++
			time.Sleep(2 * time.Hour)
			return true
		})
		if pages != 1 || err != nil {
			t.Errorf("%d pages, %v; want one", pages, err)
		}
	})
}

func TestMemoryPagesAreBounded(t *testing.T) {
	b := stentor.NewMemoryBroker(nil)
	link, _ := attach(t, b)
	for range 600 {
		put(t, b, "small", "x")
	}
	for range 9 {
		put(t, b, "large", strings.Repeat("x", 100<<10))
	}
	put(t, b, "huge", strings.Repeat("x", 1<<20))
	for ch, want := range map[stentor.Channel][]int{"small": {256, 256, 88}, "large": {2, 2, 2, 2, 1}, "huge": {1}} {
		var got []int
		err := link.Replay(t.Context(), []stentor.Channel{ch}, 0, 1<<53, func(page []stentor.Message) bool {
			got = append(got, len(page))
			return true
		})
		if err != nil || fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("pages of %q: %v, %v; want %v", ch, got, err, want)
		}
	}
}

// Replay ends although messages are published faster than they are read.
func TestMemoryReplayIsFinite(t *testing.T) {
	b := stentor.NewMemoryBroker(nil)
	link, _ := attach(t, b)
	put(t, b, "a", "")
	n := 0
	err := link.Replay(t.Context(), []stentor.Channel{"a"}, 0, 1<<53, func(page []stentor.Message) bool {
		n += len(page)
		put(t, b, "a", "")
		return n < 100
	})
	if n != 1 || err != nil {
		t.Errorf("%d messages, %v; want the one that was there at first", n, err)
	}
}

func TestMemoryReplayEndsBetweenPages(t *testing.T) {
	b := stentor.NewMemoryBroker(nil)
	for range 600 {
		put(t, b, "a", "")
	}
	ctx, cancel := context.WithCancel(t.Context())
	link, _ := attach(t, b)
	stop := func([]stentor.Message) bool { cancel(); return true }
	if err := link.Replay(ctx, []stentor.Channel{"a"}, 0, 1<<53, stop); !isError(err, context.Canceled) {
		t.Errorf("replay whose context ends: %v", err)
	}
	closing, _ := attach(t, b)
	stop = func([]stentor.Message) bool { return closing.Close(t.Context()) == nil }
	if err := closing.Replay(t.Context(), []stentor.Channel{"a"}, 0, 1<<53, stop); !isError(err, stentor.ErrClosed) {
		t.Errorf("replay whose link is closed: %v", err)
	}
}

func TestMemoryBytes(t *testing.T) {
	b := stentor.NewMemoryBroker(&stentor.MemoryOptions{Bytes: 10_000})
	link, k := attach(t, b)
	if _, err := link.Want(t.Context(), []stentor.Channel{"a", "b"}, nil); err != nil {
		t.Fatal(err)
	}
	for range 20 {
		put(t, b, "a", strings.Repeat("x", 1000))
	}
	if n := len(kept(t, link, "a")); n != 7 {
		t.Errorf("%d messages of 1257 bytes kept in 10,000 bytes, want 7", n)
	}
	huge := put(t, b, "b", strings.Repeat("x", 20_000))
	if k.last.Position != huge {
		t.Errorf("a message over the limit was not delivered")
	}
	if list := kept(t, link, "a", "b"); len(list) != 0 {
		t.Errorf("%d messages kept beside one over the limit, want none", len(list))
	}
	if f := floorOf(t, link, "b"); f != huge {
		t.Errorf("floor %d, want %d: it is not kept", f, huge)
	}
}

// A limit below a single channel's allowance keeps nothing, and says so.
func TestMemoryBytesTooFew(t *testing.T) {
	b := stentor.NewMemoryBroker(&stentor.MemoryOptions{Bytes: 1})
	link, _ := attach(t, b)
	for range 3 {
		p := put(t, b, "a", "")
		if list := kept(t, link, "a"); len(list) != 0 || floorOf(t, link, "a") != p {
			t.Errorf("kept %v and floor %d, want nothing and %d", list, floorOf(t, link, "a"), p)
		}
	}
}

// Nothing that a publisher can choose makes the broker grow beyond its limits:
// not channel names, not trimmed messages behind an old one.
func TestMemoryStaysBounded(t *testing.T) {
	o := &stentor.MemoryOptions{Size: 10, Channels: 1000}
	for name, publish := range map[string]func(b *stentor.MemoryBroker, i int){
		"a channel for each message": func(b *stentor.MemoryBroker, i int) {
			put(t, b, stentor.Channel(fmt.Sprint("channel ", i)), "x")
		},
		"a busy channel behind a quiet one": func(b *stentor.MemoryBroker, i int) {
			put(t, b, stentor.Channel([]string{"busy", "quiet"}[max(0, 1-i)]), "x")
		},
	} {
		t.Run(name, func(t *testing.T) {
			b := stentor.NewMemoryBroker(o)
			before := heap()
			for i := range 100_000 {
				publish(b, i)
			}
			if grown := heap() - before; grown > 2<<20 {
				t.Errorf("the heap grew by %d bytes", grown)
			}
			runtime.KeepAlive(b)
		})
	}
}

// What a burst needed is given back when its messages have expired.
func TestMemoryGivesBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := stentor.NewMemoryBroker(&stentor.MemoryOptions{Size: 1 << 20, Age: time.Hour})
		link, _ := attach(t, b)
		before := heap()
		for i := range 40_000 {
			put(t, b, "a", fmt.Sprint("data ", i))
		}
		if grown := heap() - before; grown < 4<<20 {

			t.Fatalf("the heap grew by %d bytes only: nothing to give back", grown)
		}
		time.Sleep(2 * time.Hour)
		floorOf(t, link, "a")
		if grown := heap() - before; grown > 1<<20 {
			t.Errorf("the heap is %d bytes larger than before the burst", grown)
		}
	})
}

func TestMemoryNegativeIsNoBound(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := stentor.NewMemoryBroker(&stentor.MemoryOptions{Age: -1, Bytes: -1, Channels: -1})
		link, _ := attach(t, b)
		put(t, b, "a", "first")
		time.Sleep(10 * 365 * 24 * time.Hour)
		put(t, b, "b", strings.Repeat("x", 1<<20))
		if n := len(kept(t, link, "a", "b")); n != 2 {
			t.Errorf("%d messages kept, want 2", n)
		}
	})
}

func heap() int64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}
