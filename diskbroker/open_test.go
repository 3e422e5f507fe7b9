package diskbroker_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stentor-sse/stentor"
	"github.com/stentor-sse/stentor/diskbroker"
)

// One process, and in it one Broker, has the directory; who comes second is told who.
func TestLocked(t *testing.T) {
	dir := t.TempDir()
	b := open(t, dir, nil)
	_, err := diskbroker.Open(dir, nil)
	if !errors.Is(err, diskbroker.ErrLocked) || !strings.Contains(err.Error(), fmt.Sprintf("process %d (", os.Getpid())) {
		t.Errorf("a second open: %v; want it to name process %d", err, os.Getpid())
	}
	if _, err := diskbroker.Open(dir, &diskbroker.Options{ReadOnly: true}); !errors.Is(err, diskbroker.ErrLocked) {
		t.Errorf("a second open for reading: %v", err)
	}
	if err := os.Remove(filepath.Join(dir, "history.lock")); err != nil {
		t.Fatal(err)
	}
	if _, err := diskbroker.Open(dir, nil); !errors.Is(err, diskbroker.ErrLocked) {
		t.Errorf("a second open without its name: %v", err)
	}
	shut(t, b)
	shut(t, open(t, dir, nil))
}

func TestOpenRefuses(t *testing.T) {
	text := filepath.Join(t.TempDir(), "text")
	write(t, text, []byte("no directory"))
	rules := make([]diskbroker.Rule, 65)
	for name, try := range map[string]struct {
		dir  string
		o    *diskbroker.Options
		want error
	}{
		"a file":                   {dir: text},
		"nothing, for reading":     {dir: t.TempDir(), o: &diskbroker.Options{ReadOnly: true}, want: os.ErrNotExist},
		"too many rules":           {dir: t.TempDir(), o: &diskbroker.Options{Rules: rules}, want: stentor.ErrInvalid},
		"a rule without a pattern": {dir: t.TempDir(), o: &diskbroker.Options{Rules: rules[:1]}, want: stentor.ErrInvalid},
		"a rule for no channel": {dir: t.TempDir(), o: &diskbroker.Options{Rules: []diskbroker.Rule{{Pattern: "a b*"}}},
			want: stentor.ErrInvalid},
	} {
		if _, err := diskbroker.Open(try.dir, try.o); err == nil || try.want != nil && !errors.Is(err, try.want) {
			t.Errorf("%s: %v, want %v", name, err, try.want)
		}
	}
}

// What is opened for reading is as it was, and can be read only.
func TestReadOnly(t *testing.T) {
	dir, list := filled(t, 20)
	before := read(t, file(dir))
	b := open(t, dir, &diskbroker.Options{ReadOnly: true, Size: 1})
	other := open(t, dir, &diskbroker.Options{ReadOnly: true})
	for _, b := range []*diskbroker.Broker{b, other} {
		if n := len(kept(t, b, "c0", "c1", "c2")); n != len(list) {
			t.Errorf("%d messages, want %d", n, len(list))
		}
	}
	if _, err := b.Publish(t.Context(), stentor.Message{Target: to("a")}); err == nil {
		t.Error("a message is published")
	}
	shut(t, b)
	shut(t, other)
	if string(before) != string(read(t, file(dir))) {
		t.Error("the file has changed")
	}
}

// After Close everything says so, at once; publishers that wait get their outcome first.
func TestClose(t *testing.T) {
	dir := t.TempDir()
	b := open(t, dir, nil)
	link := attach(t, b)
	put(t, b, "a", "kept")
	outcomes := make(chan error)
	for range 50 {
		go func() {
			for {
				_, err := b.Publish(context.Background(), stentor.Message{Target: to("a")})
				if err != nil {
					outcomes <- err
					return
				}
			}
		}()
	}
	shut(t, b)
	for range 50 {
		if err := <-outcomes; !errors.Is(err, stentor.ErrClosed) {
			t.Errorf("publishing beside Close: %v", err)
		}
	}
	shut(t, b)
	_, publish := b.Publish(t.Context(), stentor.Message{Target: to("a")})
	_, pass := b.Publish(t.Context(), stentor.Message{Target: to("a"), Ephemeral: true})
	_, attach := b.Attach(t.Context(), nobody{})
	_, next := link.Next(t.Context(), "n")
	_, window := link.Window(t.Context(), nil)
	for what, err := range map[string]error{"publish": publish, "ephemeral": pass, "attach": attach, "next": next, "window": window} {
		if !errors.Is(err, stentor.ErrClosed) {
			t.Errorf("%s after Close: %v", what, err)
		}
	}
	if _, err := os.Stat(filepath.Join(dir, "history.lock")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the name of the holder is left behind: %v", err)
	}
}

func TestPublishRefuses(t *testing.T) {
	b := open(t, t.TempDir(), nil)
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	for name, try := range map[string]struct {
		ctx  context.Context
		m    stentor.Message
		want error
	}{
		"no target":      {t.Context(), stentor.Message{}, stentor.ErrInvalid},
		"an endless one": {t.Context(), stentor.Message{Target: to(stentor.Channel(strings.Repeat("x", 5000)))}, stentor.ErrInvalid},
		"endless data":   {t.Context(), stentor.Message{Target: to("a"), Data: strings.Repeat("x", 17<<20)}, stentor.ErrTooLarge},
		"ended context":  {ended, stentor.Message{Target: to("a")}, context.Canceled},
	} {
		if _, err := b.Publish(try.ctx, try.m); !errors.Is(err, try.want) {
			t.Errorf("%s: %v, want %v", name, err, try.want)
		}
	}
	if _, err := b.Attach(t.Context(), nil); !errors.Is(err, stentor.ErrInvalid) {
		t.Errorf("attaching nothing: %v", err)
	}
	if n := b.Stats().Messages; n != 0 {
		t.Errorf("%d messages are kept", n)
	}
}

// With an interval, a process that dies loses what came last; everyone's cursor is then below
// the floor. One that closes loses nothing, and nobody is told of a gap.
func TestIntervalUncleanEnd(t *testing.T) {
	dir := t.TempDir()
	o := &diskbroker.Options{Interval: time.Hour}
	b := open(t, dir, o)
	first := put(t, b, "a", "written")
	shut(t, b)
	b = open(t, dir, o)
	if w := window(t, b, "a"); w.Floor >= first || w.Head != first {
		t.Errorf("window %+v after a clean end, want the head %d and nothing missing", w, first)
	}
	lost := put(t, b, "a", "held only")
	copied := t.TempDir() // as it is on disk while the process runs
	write(t, file(copied), read(t, file(dir)))
	shut(t, b)
	b = open(t, copied, nil)
	if w := window(t, b, "never used"); w.Start <= lost || w.Floor != w.Start || w.Head < w.Start {
		t.Errorf("window %+v after an unclean end, want its start above the lost message %d", w, lost)
	}
	if list := kept(t, b, "a"); len(list) != 1 || list[0].Position != first {
		t.Errorf("kept %v, want what was written", list)
	}
	start := window(t, b).Start
	shut(t, b)
	b = open(t, copied, nil)
	if again := window(t, b).Start; again != start {
		t.Errorf("start %d, and %d after another restart", start, again)
	}
}

// Numbers are never given twice, however the process ended.
func TestCountersAfterACrash(t *testing.T) {
	dir := t.TempDir()
	b := open(t, dir, nil)
	link := attach(t, b)
	var last int64
	for i := range 1700 { // more than are reserved at once
		n, err := link.Next(t.Context(), "n")
		if err != nil || n != last+1 {
			t.Fatalf("number %d is %d, %v", i, n, err)
		}
		last = n
	}
	copied := t.TempDir()
	write(t, file(copied), read(t, file(dir)))
	if n, err := attach(t, open(t, copied, nil)).Next(t.Context(), "n"); n <= last || err != nil {
		t.Errorf("after a crash the number is %d, %v; %d was given before", n, err, last)
	}
	shut(t, b)
	if n, err := attach(t, open(t, dir, nil)).Next(t.Context(), "n"); n != last+1 || err != nil {
		t.Errorf("after a clean end the number is %d, %v; want %d", n, err, last+1)
	}
	if _, err := attach(t, open(t, t.TempDir(), nil)).Next(t.Context(), strings.Repeat("n", 256)); !errors.Is(err, stentor.ErrInvalid) {
		t.Errorf("a name of 256 bytes: %v", err)
	}
}
