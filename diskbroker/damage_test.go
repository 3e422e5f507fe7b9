package diskbroker_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/stentor-sse/stentor"
	"github.com/stentor-sse/stentor/diskbroker"
)

// A file that was cut at any byte is either opened with all that it held, or
// refused with what to do; and what is left of it can be saved.
func TestCutFile(t *testing.T) {
	dir, list := filled(t, 300)
	whole := read(t, file(dir))
	random := rand.New(rand.NewPCG(1, 2))
	cuts := []int{0, 1, 15, 80, 4095, 4096, 4097, 8191, 8192, 12288, len(whole) - 1, len(whole)}
	for range 200 {
		cuts = append(cuts, random.IntN(len(whole)))
	}
	refused := 0
	for _, at := range cuts {
		write(t, file(dir), whole[:at])
		b, err := diskbroker.Open(dir, nil)
		if err != nil {
			refused++
			if !errors.Is(err, diskbroker.ErrDamaged) || !strings.Contains(err.Error(), "history export --damaged") {
				t.Fatalf("cut at %d of %d: %v: want it to say what to do", at, len(whole), err)
			}
			saved(t, dir, list)
			continue
		}
		if got := kept(t, b, "c0", "c1", "c2"); !slices.Equal(got, list) {
			t.Fatalf("cut at %d of %d: %d messages, want all %d", at, len(whole), len(got), len(list))
		}
		shut(t, b)
	}
	if refused < 10 || refused == len(cuts) {
		t.Errorf("%d of %d cuts were refused: the test has lost its point", refused, len(cuts))
	}
}

// saved checks that what is salvaged is some of what there was, in order, and gives it.
func saved(t *testing.T, dir string, list []stentor.Message) (got []stentor.Message) {
	t.Helper()
	last := stentor.Position(0)
	for m, err := range diskbroker.Salvage(t.Context(), dir) {
		if err != nil {
			t.Fatal(err)
		}
		if m.Position <= last || !slices.Contains(list, m) {
			t.Fatalf("salvaged %+v after %d: it was never published so", m, last)
		}
		last = m.Position
		got = append(got, m)
	}
	return got
}

// Wherever bytes of a file are overwritten, no message comes out that didn't go in,
// and none is missing above the floor.
func TestOverwrittenFile(t *testing.T) {
	dir, list := filled(t, 300)
	whole := read(t, file(dir))
	random := rand.New(rand.NewPCG(3, 4))
	opened, hurt := 0, 0
	for range 100 {
		broken := slices.Clone(whole)
		at := random.IntN(len(broken))
		for i := range random.IntN(64) + 1 {
			broken[min(at+i, len(broken)-1)] = byte(random.Uint32())
		}
		write(t, file(dir), broken)
		b, err := diskbroker.Open(dir, nil)
		if err != nil {
			hurt++
			continue
		}
		opened++
		for i := range 3 {
			ch := stentor.Channel(fmt.Sprint("c", i))
			floor, got := window(t, b, ch).Floor, kept(t, b, ch)
			for _, m := range list {
				if there := slices.Contains(got, m); m.Target.Channel == ch && !there && m.Position > floor {
					t.Fatalf("overwritten at %d: message %d is missing above the floor %d", at, m.Position, floor)
				}
			}
			for _, m := range got {
				if !slices.Contains(list, m) {
					t.Fatalf("overwritten at %d: %+v was never published", at, m)
				}
			}
		}
		if b.Stats().Damaged > 0 {
			hurt++
		}
		b.Close() // may fail: the file is broken
	}
	if opened == 0 || hurt == 0 {
		t.Errorf("%d opened, %d hurt: the test has lost its point", opened, hurt)
	}
}

func TestSalvage(t *testing.T) {
	dir, list := filled(t, 300)
	whole := read(t, file(dir))
	if got := saved(t, dir, list); len(got) != len(list) {
		t.Errorf("%d messages salvaged of a sound file, want %d", len(got), len(list))
	}
	clear(whole[:8192]) // the description of the whole
	write(t, file(dir), whole)
	if _, err := diskbroker.Open(dir, nil); !errors.Is(err, diskbroker.ErrDamaged) {
		t.Errorf("open without a beginning: %v", err)
	}
	if got := saved(t, dir, list); len(got) != len(list) {
		t.Errorf("%d messages salvaged of a file without a beginning, want %d", len(got), len(list))
	}
}

func TestVerify(t *testing.T) {
	dir, list := filled(t, 300)
	r, err := diskbroker.Verify(t.Context(), dir, nil)
	if err != nil || len(r.Problems) > 0 || r.Messages != len(list) {
		t.Errorf("a sound history: %+v, %v", r, err)
	}
	whole := read(t, file(dir))
	at := strings.LastIndex(string(whole), "message 150")
	whole[at]++
	write(t, file(dir), whole)
	r, err = diskbroker.Verify(t.Context(), dir, nil)
	if err != nil || len(r.Problems) != 1 || !strings.Contains(r.Problems[0], fmt.Sprint(list[150].Position)) {
		t.Errorf("one overwritten message: %+v, %v; want one problem that names it", r, err)
	}
	// It is a gap for those before it, on every channel, and nothing else is lost.
	b := open(t, dir, nil)
	if w := window(t, b, "c1"); w.Floor != list[150].Position || w.Start != w.Floor {
		t.Errorf("window %+v, want floor and start at %d", w, list[150].Position)
	}
	if n := len(kept(t, b, "c0", "c1", "c2")); n != len(list)-1 {
		t.Errorf("%d messages are left, want %d", n, len(list)-1)
	}
}

// A record that goes bad while the history is open is a gap too.
func TestDamageWhileOpen(t *testing.T) {
	dir, list := filled(t, 30)
	b := open(t, dir, nil)
	whole := read(t, file(dir))
	for i := range whole { // wherever there is a copy of the page
		if strings.HasPrefix(string(whole[i:min(i+10, len(whole))]), "message 15") {
			overwrite(t, file(dir), int64(i), "X")
		}
	}
	if n := len(kept(t, b, "c0", "c1", "c2")); n != len(list)-1 {
		t.Errorf("%d messages, want %d", n, len(list)-1)
	}
	if w := window(t, b, "c2"); w.Start != list[15].Position {
		t.Errorf("window %+v, want its start at %d", w, list[15].Position)
	}
}
