package diskbroker_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stentor-sse/stentor"
	"github.com/stentor-sse/stentor/diskbroker"
)

// small is a directory on a disk of its own, of 1 MiB. It needs the right to mount.
func small(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=1m"); err != nil {
		t.Fatalf("mounting a small disk: %v; run the test as root", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, syscall.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	return dir
}

// ballast takes up room until there is none, and gives what frees it.
func ballast(t *testing.T, dir string) (free func()) {
	t.Helper()
	name := filepath.Join(dir, "ballast")
	f, err := os.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for err == nil {
		_, err = f.Write(make([]byte, 4096))
	}
	if !errors.Is(err, syscall.ENOSPC) {
		t.Fatal(err)
	}
	return func() {
		if err := os.Remove(name); err != nil {
			t.Fatal(err)
		}
	}
}

// fill publishes until the disk is full, and says what was acknowledged.
func fill(t *testing.T, b *diskbroker.Broker, size int) (acknowledged []stentor.Position, err error) {
	t.Helper()
	for range 1_000_000 {
		r, err := b.Publish(t.Context(), stentor.Message{Target: to("a"), Data: strings.Repeat("x", size)})
		if err != nil {
			return acknowledged, err
		}
		acknowledged = append(acknowledged, r.Position)
	}
	t.Fatal("the disk is never full")
	return nil, nil
}

// On a full disk Publish is refused, with what a face answers; reading goes on; and
// publishing goes on by itself when there is room.
func TestFullDisk(t *testing.T) {
	dir := small(t)
	b := open(t, dir, nil)
	link := attach(t, b)
	sent := []stentor.Position{put(t, b, "a", "one"), put(t, b, "a", "two")}
	free := ballast(t, dir)
	more, err := fill(t, b, 5000)
	sent = append(sent, more...)
	refusal, ok := errors.AsType[*stentor.Refusal](err)
	if !errors.Is(err, diskbroker.ErrFull) || !errors.Is(err, syscall.ENOSPC) || !ok || refusal.Status != 507 {
		t.Fatalf("publishing to a full disk: %v, want ErrFull and 507", err)
	}
	for range 3 {
		if _, err := fill(t, b, 5000); !errors.Is(err, diskbroker.ErrFull) {
			t.Fatalf("publishing again: %v", err)
		}
	}
	if n := len(kept(t, b, "a")); n != len(sent) {
		t.Errorf("%d messages can be read, want the %d that were acknowledged", n, len(sent))
	}
	if head := window(t, b, "a").Head; head != sent[len(sent)-1] {
		t.Errorf("the head is %d, want the last that was acknowledged, %d", head, sent[len(sent)-1])
	}
	free()
	sent = append(sent, put(t, b, "a", "there is room"))
	if n, err := link.Next(t.Context(), "n"); n != 1 || err != nil {
		t.Errorf("the counter afterwards: %d, %v", n, err)
	}
	shut(t, b)
	b = open(t, dir, nil)
	if n := len(kept(t, b, "a")); n != len(sent) {
		t.Errorf("%d messages after a restart, want %d", n, len(sent))
	}
}

// A log that trims gets along with a disk that holds it: what goes makes room for what comes.
func TestFullDiskIsTrimmed(t *testing.T) {
	b := open(t, small(t), &diskbroker.Options{Bytes: 200_000})
	for i := range 600 {
		if _, err := b.Publish(t.Context(), stentor.Message{Target: to("a"), Data: strings.Repeat("x", 3000)}); err != nil {
			t.Fatalf("message %d: %v", i, err)
		}
	}
}

// With an interval, publishers hear of a full disk with the next message after it was noticed, and what
// was acknowledged is held until there is room.
func TestFullDiskWithInterval(t *testing.T) {
	dir := small(t)
	b := open(t, dir, &diskbroker.Options{Interval: time.Millisecond})
	free := ballast(t, dir)
	sent, err := fill(t, b, 100)
	if !errors.Is(err, diskbroker.ErrFull) {
		t.Fatalf("publishing to a full disk: %v", err)
	}
	if n := len(kept(t, b, "a")); n != len(sent) {
		t.Errorf("%d messages can be read, want the %d that were acknowledged", n, len(sent))
	}
	free()
	sent = append(sent, put(t, b, "a", "there is room"))
	shut(t, b)
	b = open(t, dir, nil)
	if n := len(kept(t, b, "a")); n != len(sent) {
		t.Errorf("%d messages after a restart, want %d", n, len(sent))
	}
}

// A disk that turned read-only has failed for good: Publish is refused, reading goes on, what
// was acknowledged is there.
func TestReadOnlyDisk(t *testing.T) {
	dir := small(t)
	b := open(t, dir, nil)
	put(t, b, "a", "one")
	shut(t, b)
	remount := func(flags uintptr) error { return syscall.Mount("tmpfs", dir, "tmpfs", syscall.MS_REMOUNT|flags, "") }
	if err := remount(syscall.MS_RDONLY); err != nil {
		t.Fatal(err)
	}
	if _, err := diskbroker.Open(dir, nil); !errors.Is(err, syscall.EROFS) {
		t.Errorf("open on a disk that can't be written: %v", err)
	}
	if _, err := diskbroker.Open(filepath.Join(dir, "sub"), nil); !errors.Is(err, syscall.EROFS) || !strings.Contains(err.Error(), "can write to") {
		t.Errorf("making a directory on such a disk: %v", err)
	}
	b = open(t, dir, &diskbroker.Options{ReadOnly: true})
	if n := len(kept(t, b, "a")); n != 1 {
		t.Errorf("%d messages can be read, want 1", n)
	}
}
