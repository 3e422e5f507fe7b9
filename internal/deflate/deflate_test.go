package deflate_test

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stentor-sse/stentor/internal/deflate"
)

// body is a stream and what was written to it.
type body struct {
	deflate.Stream
	wire, plain []byte
}

func begin() *body { return &body{wire: deflate.AppendHeader(nil)} }

func (b *body) shared(c *deflate.Shared, p string) int {
	n := len(b.wire)
	b.wire = c.Append(b.wire, &b.Stream, []byte(p))
	b.plain = append(b.plain, p...)
	return len(b.wire) - n
}

func (b *body) alone(c *deflate.Shared, p string) int {
	n := len(b.wire)
	b.wire = c.AppendAlone(b.wire, &b.Stream, []byte(p))
	b.plain = append(b.plain, p...)
	return len(b.wire) - n
}

// check reads the body, which is complete.
func (b *body) check(t *testing.T) {
	t.Helper()
	r, err := gzip.NewReader(bytes.NewReader(b.AppendTrailer(b.wire)))
	if err != nil {
		t.Fatal(err)
	}
	got, err := io.ReadAll(r)
	if err != nil || !bytes.Equal(got, b.plain) {
		t.Fatalf("read %d bytes of %d: %v", len(got), len(b.plain), err)
	}
}

func event(n int) string {
	return fmt.Sprintf("id: %d\nevent: chat\ndata: {\"user\":\"u%d\",\"text\":\"message number %d\",\"token\":\"%x\"}\n\n", n, n%7, n, rand.Uint64())
}

// Whoever comes in between shares the blocks of the others as soon as it has the last kilobyte
// in common with them.
func TestNewcomersComeToShare(t *testing.T) {
	var c deflate.Shared
	old := begin()
	var newcomer *body
	same := 0
	for n := range 60 {
		if n == 20 {
			newcomer = begin()
			newcomer.alone(&c, "event: stentor.open\ndata: x\n\n")
		}
		e := event(n)
		a := old.shared(&c, e)
		if newcomer == nil {
			continue
		}
		b := newcomer.shared(&c, e)
		switch {
		case bytes.Equal(old.wire[len(old.wire)-a:], newcomer.wire[len(newcomer.wire)-b:]):
			same++
		case same > 0:
			t.Errorf("at %d they differ again", n)
		case b <= a:
			t.Errorf("at %d the newcomer's block has %d bytes, the other's %d", n, b, a)
		}
	}
	if same < 25 {
		t.Errorf("only %d blocks were the same", same)
	}
	if len(old.wire)*2 > len(old.plain) {
		t.Errorf("%d bytes became %d", len(old.plain), len(old.wire))
	}
	old.check(t)
	newcomer.check(t)
}

// Each block can be read when it has come, without what follows.
func TestBlocksAreReadAtOnce(t *testing.T) {
	var c deflate.Shared
	b := begin()
	far, near := io.Pipe()
	events := make(chan string)
	go func() {
		near.Write(b.wire)
		for e := range events {
			from := len(b.wire)
			b.shared(&c, e)
			near.Write(b.wire[from:])
		}
		near.Close()
	}()
	r, err := gzip.NewReader(far)
	if err != nil {
		t.Fatal(err)
	}
	for n := range 50 {
		e := event(n)
		if n%10 == 0 {
			e = ":\n\n"
		}
		events <- e
		got := make([]byte, len(e))
		if _, err := io.ReadFull(r, got); err != nil || string(got) != e {
			t.Fatalf("got %q, %v; want %q", got, err, e)
		}
	}
	close(events)
	if _, err := r.Read(make([]byte, 1)); err != io.ErrUnexpectedEOF {
		t.Errorf("a body without its trailer ends with %v", err)
	}
}

// What one connection is told alone leaves no trace in what others share, nor in what it
// is told afterwards: the length of a block tells nothing of it.
func TestPrivateIsNotReferredTo(t *testing.T) {
	secret := strings.Repeat("subscription 7QXW2 ", 80)
	length := func(told string) int {
		var c deflate.Shared
		b := begin()
		for n := range 30 {
			b.shared(&c, fmt.Sprint("message number ", n, strings.Repeat("x", 50)))
		}
		b.alone(&c, told)
		return b.shared(&c, secret[:200])
	}
	if with, without := length(secret), length(strings.Repeat("something else ", 80)); with != without {
		t.Errorf("a guess of the secret takes %d bytes, %d where it is wrong", with, without)
	}
}

func TestNothing(t *testing.T) {
	var c deflate.Shared
	b := begin()
	if n := b.shared(&c, "") + b.alone(&c, ""); n != 0 {
		t.Errorf("nothing takes %d bytes", n)
	}
	b.check(t)
}

// A body that somebody else began goes on.
func TestResume(t *testing.T) {
	var one, other deflate.Shared
	b := begin()
	b.shared(&one, strings.Repeat("one ", 500))
	sum, size := b.Sum()
	b.Stream = deflate.Resume(sum, size)
	b.shared(&other, strings.Repeat("two ", 500))
	b.check(t)
}

// Any number of streams that come, go on several channels, are told things alone and fall
// behind, read what was written to them.
func FuzzModel(f *testing.F) {
	f.Add(uint64(1), 3, 200)
	f.Add(uint64(2), 300, 60) // more windows than are kept
	f.Add(uint64(3), 20, 200)
	f.Fuzz(func(t *testing.T, seed uint64, most, steps int) {
		most, steps = min(max(most, 1), 300), min(max(steps, 1), 200)
		rnd := rand.New(rand.NewPCG(seed, 0))
		var c deflate.Shared
		var open []*body
		for n := range steps {
			for range rnd.IntN(1 + most/8) {
				if len(open) == most {
					break
				}
				b := begin()
				b.alone(&c, "open "+fmt.Sprint(n))
				open = append(open, b)
			}
			e := event(n)
			switch rnd.IntN(12) {
			case 0:
				e = ":\n\n"
			case 1:
				e = strings.Repeat(e, rnd.IntN(40)) // several at once
			case 2:
				e = e[:rnd.IntN(len(e))]
			case 3:
				raw := make([]byte, rnd.IntN(3000))
				for i := range raw {
					raw[i] = byte(rnd.Uint32())
				}
				e = string(raw)
			}
			channels := rnd.IntN(7) + 1
			for i, b := range open {
				switch {
				case i%8&channels == 0: // not for it
				case rnd.IntN(20) == 0: // behind
					b.alone(&c, e)
				default:
					b.shared(&c, e)
				}
			}
			if len(open) > 0 && rnd.IntN(30) == 0 {
				i := rnd.IntN(len(open))
				open[i].check(t)
				open = append(open[:i], open[i+1:]...)
			}
		}
		for _, b := range open {
			b.check(t)
		}
	})
}

// One message to a thousand who share it.
func BenchmarkShared(b *testing.B) {
	var c deflate.Shared
	streams := make([]deflate.Stream, 1000)
	var wire []byte
	in, out := 0, 0
	b.ReportAllocs()
	for n := 0; b.Loop(); n++ {
		e := []byte(event(n))
		for i := range streams {
			wire = c.Append(wire[:0], &streams[i], e)
		}
		in, out = in+len(e), out+len(wire)
	}
	b.ReportMetric(float64(in)/float64(out), "ratio")
}
