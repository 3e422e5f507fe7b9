package diskbroker_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"testing"
	"time"

	"github.com/stentor-sse/stentor"
	"github.com/stentor-sse/stentor/diskbroker"
)

func all(t *testing.T, b *diskbroker.Broker) (list []stentor.Message) {
	t.Helper()
	for m, err := range b.Messages(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, m)
	}
	return list
}

func sequence(list []stentor.Message) iter.Seq2[stentor.Message, error] {
	return func(yield func(stentor.Message, error) bool) {
		for _, m := range list {
			if !yield(m, nil) {
				return
			}
		}
	}
}

// What comes out of one history goes into another: readers go on there as if it were the same.
func TestImport(t *testing.T) {
	dir, list := filled(t, 2500)
	b := open(t, dir, nil)
	if got := all(t, b); !slices.Equal(got, list) {
		t.Fatalf("%d messages in all, want %d", len(got), len(list))
	}
	into := t.TempDir()
	n, err := diskbroker.Import(t.Context(), into, nil, b.Stats().Start, b.Messages(t.Context()))
	if n != len(list) || err != nil {
		t.Fatalf("%d imported, %v", n, err)
	}
	other := open(t, into, nil)
	for _, ch := range []stentor.Channel{"c0", "c1", "c2", "never used"} {
		if was, is := window(t, b, ch), window(t, other, ch); was != is {
			t.Errorf("window of %s: %+v, was %+v", ch, is, was)
		}
		if was, is := kept(t, b, ch), kept(t, other, ch); !slices.Equal(was, is) {
			t.Errorf("on %s %d messages are kept, were %d", ch, len(is), len(was))
		}
	}
	if p := put(t, other, "c0", "goes on"); p <= list[len(list)-1].Position {
		t.Errorf("position %d after %d", p, list[len(list)-1].Position)
	}
}

// All that is held is among the messages, while it isn't on disk.
func TestMessagesWithInterval(t *testing.T) {
	b := open(t, t.TempDir(), &diskbroker.Options{Interval: time.Hour, Size: 5})
	for i := range 8 {
		put(t, b, "a", fmt.Sprint(i))
	}
	if got, want := all(t, b), kept(t, b, "a"); len(got) != 5 || !slices.Equal(got, want) {
		t.Errorf("messages %v, want %v", got, want)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	for _, err := range b.Messages(ended) {
		if !errors.Is(err, context.Canceled) {
			t.Errorf("with an ended context: %v", err)
		}
	}
}

func TestImportRefuses(t *testing.T) {
	good := func(p stentor.Position) stentor.Message { return stentor.Message{Target: to("a"), Position: p} }
	broken := errors.New("broken")
	for name, try := range map[string]struct {
		list iter.Seq2[stentor.Message, error]
		want error
	}{
		"not in order":   {sequence([]stentor.Message{good(5), good(5)}), stentor.ErrInvalid},
		"before start":   {sequence([]stentor.Message{good(1), good(2), good(3), {Target: to("a"), Position: 1}}), stentor.ErrInvalid},
		"too high":       {sequence([]stentor.Message{good(1), good(1 << 53)}), stentor.ErrInvalid},
		"without target": {sequence([]stentor.Message{good(1), {Position: 2}}), stentor.ErrInvalid},
		"too large":      {sequence([]stentor.Message{good(1), {Target: to("a"), Position: 2, Data: string(make([]byte, 17<<20))}}), stentor.ErrTooLarge},
		"an error": {func(yield func(stentor.Message, error) bool) {
			_ = yield(good(1), nil) && yield(stentor.Message{}, broken)
		}, broken},
	} {
		dir := t.TempDir()
		n, err := diskbroker.Import(t.Context(), dir, &diskbroker.Options{Age: -1}, 0, try.list)
		if !errors.Is(err, try.want) || n == 0 {
			t.Errorf("%s: %d imported, %v; want %v", name, n, err, try.want)
		}
		if got := len(all(t, open(t, dir, &diskbroker.Options{Age: -1}))); got != n {
			t.Errorf("%s: %d messages are there, %d were imported", name, got, n)
		}
	}
	dir, list := filled(t, 3)
	if _, err := diskbroker.Import(t.Context(), dir, nil, 0, sequence(list)); !errors.Is(err, stentor.ErrInvalid) {
		t.Errorf("into a history: %v", err)
	}
}

// Prune trims, and gives the disk back what is not needed.
func TestPrune(t *testing.T) {
	dir, list := filled(t, 6000)
	before, after, err := diskbroker.Prune(dir, &diskbroker.Options{Size: 10})
	if err != nil || before.Messages != len(list) || after.Messages != 30 || after.File > before.File/4 {
		t.Errorf("before %+v, after %+v, %v", before, after, err)
	}
	b := open(t, dir, nil)
	if got := kept(t, b, "c0", "c1", "c2"); !slices.Equal(got, list[len(list)-30:]) {
		t.Errorf("%d messages are left, want the newest", len(got))
	}
	if w := window(t, b, "c1"); w.Floor != list[len(list)-32].Position {
		t.Errorf("floor %d, want %d", w.Floor, list[len(list)-32].Position)
	}
	if _, _, err := diskbroker.Prune(dir, nil); !errors.Is(err, diskbroker.ErrLocked) {
		t.Errorf("pruning a history in use: %v", err)
	}
}
