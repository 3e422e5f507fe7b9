package diskbroker_test

import (
	"context"
	"errors"
	"os"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/stentor-sse/stentor"
	"github.com/stentor-sse/stentor/diskbroker"
)

// After a write whose outcome nobody knows, everything that writes is refused, at once and for good;
// nothing hangs, and the history can be opened again as far as its file allows.
func TestFailedDisk(t *testing.T) {
	dir, _ := filled(t, 2000)
	b := open(t, dir, nil)
	link := attach(t, b)
	whole := read(t, file(dir))
	overwrite(t, file(dir), 8192, strings.Repeat("\xff", len(whole)-8192))
	for range 3 {
		_, err := b.Publish(t.Context(), stentor.Message{Target: to("c1")})
		refusal, ok := errors.AsType[*stentor.Refusal](err)
		if !errors.Is(err, diskbroker.ErrFailed) || !ok || refusal.Status != 503 {
			t.Fatalf("publishing to a file of garbage: %v, want ErrFailed and 503", err)
		}
	}
	if _, err := link.Next(t.Context(), "n"); !errors.Is(err, diskbroker.ErrFailed) {
		t.Errorf("next: %v", err)
	}
	err := link.Replay(t.Context(), []stentor.Channel{"c1"}, 0, 1<<53, func([]stentor.Message) bool { return true })
	if !errors.Is(err, diskbroker.ErrDamaged) {
		t.Errorf("replay: %v", err)
	}
	for _, err := range b.Messages(t.Context()) {
		if !errors.Is(err, diskbroker.ErrDamaged) {
			t.Errorf("messages: %v", err)
		}
	}
	if err := b.Close(); !errors.Is(err, diskbroker.ErrFailed) {
		t.Errorf("close: %v", err)
	}
	if _, err := diskbroker.Open(dir, nil); !errors.Is(err, diskbroker.ErrDamaged) {
		t.Errorf("open in the same process: %v", err)
	}
	copied := func() string { // what a new process finds
		again := t.TempDir()
		write(t, file(again), read(t, file(dir)))
		return again
	}
	_, open := diskbroker.Open(copied(), nil)
	_, verify := diskbroker.Verify(t.Context(), copied(), nil)
	_, _, prune := diskbroker.Prune(copied(), nil)
	for what, err := range map[string]error{"open": open, "verify": verify, "prune": prune} {
		if !errors.Is(err, diskbroker.ErrDamaged) {
			t.Errorf("%s: %v", what, err)
		}
	}
	write(t, file(dir), whole)
	again, err := diskbroker.Open(dir, nil)
	if err != nil {
		t.Fatalf("open when the file was put back: %v", err)
	}
	if err := again.Close(); err != nil {
		t.Error(err)
	}
}

// stuck is a feed that waits in Deliver.
type stuck struct {
	nobody
	in, out chan struct{}
}

func (s stuck) Deliver([]stentor.Message) { s.in <- struct{}{}; <-s.out }

// A publisher that gives up before its message is written has not published it; one that
// gives up later learns how it ended.
func TestPublishGivesUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := open(t, t.TempDir(), nil)
		feed := stuck{in: make(chan struct{}), out: make(chan struct{})}
		link, err := b.Attach(t.Context(), feed)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := link.Want(t.Context(), []stentor.Channel{"a"}, nil); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		taken, waiting := make(chan error, 1), make(chan error, 1)
		publish := func(out chan error) {
			_, err := b.Publish(ctx, stentor.Message{Target: to("a"), Data: "x"})
			out <- err
		}
		go publish(taken)
		<-feed.in
		go publish(waiting)
		synctest.Wait()
		cancel()
		if err := <-waiting; !errors.Is(err, context.Canceled) {
			t.Errorf("the one that waited: %v", err)
		}
		close(feed.out)
		if err := <-taken; err != nil {
			t.Errorf("the one that was written: %v", err)
		}
		if n := len(kept(t, b, "a")); n != 1 {
			t.Errorf("%d messages are kept, want 1", n)
		}
	})
}

func TestSalvageRefuses(t *testing.T) {
	dir, _ := filled(t, 10)
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	for name, try := range map[string]struct {
		ctx  context.Context
		dir  string
		want error
	}{"nothing": {t.Context(), t.TempDir(), os.ErrNotExist}, "ended context": {ended, dir, context.Canceled}} {
		n := 0
		for _, err := range diskbroker.Salvage(try.ctx, try.dir) {
			if n++; !errors.Is(err, try.want) {
				t.Errorf("%s: %v, want %v", name, err, try.want)
			}
		}
		if n != 1 {
			t.Errorf("%s: %d messages", name, n)
		}
	}
	if _, err := diskbroker.Verify(ended, dir, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("verify with an ended context: %v", err)
	}
}

func TestStats(t *testing.T) {
	dir, list := filled(t, 30)
	b := open(t, dir, &diskbroker.Options{Interval: 1, Size: 7})
	s := b.Stats()
	if s.Messages != 21 || s.Channels != 3 || s.Oldest != list[9].Position || s.Head != list[29].Position ||
		s.Durability != "disk-async" || s.File == 0 || s.Start == 0 {
		t.Errorf("stats %+v", s)
	}
	put(t, b, "c1", "one more")
	put(t, b, "d", "another")
	channels := b.Channels()
	if len(channels) != 4 || channels[0].Route != "c0" || channels[0].Messages != 7 || channels[3].Route != "d" ||
		channels[0].Floor != list[6].Position || channels[0].Newest != list[27].Position || channels[0].Bytes == 0 {
		t.Errorf("channels %+v", channels)
	}
}
