package diskbroker_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stentor-sse/stentor"
	"github.com/stentor-sse/stentor/diskbroker"
)

func positions(list []stentor.Message) (p []stentor.Position) {
	for _, m := range list {
		p = append(p, m.Position)
	}
	return p
}

// crashed opens what is on disk now, as after the end of the process.
func crashed(t *testing.T, dir string, o *diskbroker.Options) *diskbroker.Broker {
	t.Helper()
	copied := t.TempDir()
	write(t, file(copied), read(t, file(dir)))
	return open(t, copied, o)
}

// Whenever the process ends, and however, the same messages are kept afterwards, and the
// same are known to be missing; but of channels that were forgotten, what was on disk still is kept again.
func TestRestartChangesNothing(t *testing.T) {
	var channels []stentor.Channel
	for i := range 10 {
		channels = append(channels, stentor.Channel(fmt.Sprint("c", i)))
	}
	for _, o := range []*diskbroker.Options{
		{Size: 5}, {Size: -1}, {Size: 3, Channels: 4}, {Size: 1000, Age: 2 * time.Second},
		{Size: 20, Rules: []diskbroker.Rule{{Pattern: "c1", Size: 2}, {Pattern: "c2", Size: -1}, {Pattern: "c*", Bytes: 1000}}},
		{Size: 20, Age: -1, Rules: []diskbroker.Rule{{Pattern: "c3", Age: time.Second}, {Pattern: "c4", Age: 3 * time.Second}}},
	} {
		t.Run(fmt.Sprintf("%+v", *o), func(t *testing.T) {
			seed := rand.Uint64()
			t.Logf("seed %d", seed)
			random := rand.New(rand.NewPCG(seed, 0))
			synctest.Test(t, func(t *testing.T) {
				dir := t.TempDir()
				b := open(t, dir, o)
				for step := range 500 {
					put(t, b, channels[min(random.IntN(10), random.IntN(10))], strings.Repeat("x", random.IntN(200)))
					if random.IntN(10) == 0 {
						time.Sleep(time.Duration(random.IntN(300)) * time.Millisecond)
					}
					if random.IntN(70) > 0 {
						continue
					}
					again := crashed(t, dir, o)
					for _, ch := range append(channels, "never used") {
						more := o.Channels > 0
						if was, is := window(t, b, ch), window(t, again, ch); was != is && !(more && is.Floor < was.Floor) {
							t.Errorf("step %d: window of %s: %+v after a crash, was %+v", step, ch, is, was)
						}
						was, is := kept(t, b, ch), kept(t, again, ch)
						if more {
							is = is[max(0, len(is)-len(was)):]
						}
						if !slices.Equal(was, is) {
							t.Errorf("step %d: on %s are kept %v after a crash, were %v", step, ch, positions(is), positions(was))
						}
					}
					shut(t, again)
				}
			})
		})
	}
}

// Over the bound in all, what is oldest goes, whatever channel it is on; after a crash no more
// is kept, and nothing is missing in silence.
func TestBytes(t *testing.T) {
	dir := t.TempDir()
	o := &diskbroker.Options{Bytes: 20_000}
	b := open(t, dir, o)
	var sent []stentor.Message
	for i := range 200 {
		m := stentor.Message{Target: to(stentor.Channel(fmt.Sprint("c", i%5))), Data: strings.Repeat("x", 500)}
		m.Position = put(t, b, m.Target.Channel, m.Data)
		sent = append(sent, m)
	}
	for name, b := range map[string]*diskbroker.Broker{"open": b, "crashed": crashed(t, dir, o)} {
		if n := b.Stats().Bytes; n > o.Bytes || n < o.Bytes*9/10 {
			t.Errorf("%s: %d bytes are kept, want up to %d", name, n, o.Bytes)
		}
		list := kept(t, b, "c0", "c1", "c2", "c3", "c4")
		if want := positions(sent[len(sent)-len(list):]); !slices.Equal(positions(list), want) {
			t.Errorf("%s: kept are %v, want the newest", name, positions(list))
		}
		gone := sent[:len(sent)-len(list)]
		for _, m := range gone[len(gone)-5:] {
			if f := window(t, b, m.Target.Channel).Floor; f < m.Position {
				t.Errorf("%s: the floor %d hides that %d is missing", name, f, m.Position)
			}
		}
	}
}

// What has expired leaves the disk by itself, also when nobody publishes.
func TestExpiredLeavesTheDisk(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		b := open(t, dir, &diskbroker.Options{Age: time.Minute})
		last := put(t, b, "a", "secret")
		time.Sleep(3 * time.Minute)
		synctest.Wait()
		again := crashed(t, dir, &diskbroker.Options{Age: -1})
		if list := kept(t, again, "a"); len(list) != 0 || again.Stats().Damaged != 0 {
			t.Errorf("on disk there is still %v", list)
		}
		if f := window(t, again, "a").Floor; f != last {
			t.Errorf("the floor is %d, want the expired message %d", f, last)
		}
	})
}

// A history that is opened with other limits is trimmed to them, or keeps more from now on.
func TestLimitsChange(t *testing.T) {
	dir, list := filled(t, 30)
	for _, try := range []struct {
		size, want int
	}{{4, 4}, {100, 4}, {-1, 0}} {
		b := open(t, dir, &diskbroker.Options{Size: try.size})
		got := kept(t, b, "c0")
		if len(got) != try.want {
			t.Errorf("with size %d, %d messages are kept, want %d", try.size, len(got), try.want)
		}
		if f := window(t, b, "c0").Floor; len(got) == 0 && f != list[27].Position || len(got) > 0 && f != got[0].Prev {
			t.Errorf("with size %d, the floor is %d", try.size, f)
		}
		shut(t, b)
	}
}

// However many channels and messages there were, the index gives back what it took, and the file is
// used again.
func TestStaysBounded(t *testing.T) {
	b := open(t, t.TempDir(), &diskbroker.Options{Size: 2, Channels: 50})
	storm := func(from int) {
		var wg sync.WaitGroup
		for i := range 100 {
			wg.Go(func() {
				for n := range 50 {
					m := stentor.Message{Target: to(stentor.Channel(fmt.Sprint(from + i*50 + n))), Data: "x"}
					if _, err := b.Publish(t.Context(), m); err != nil {
						t.Error(err)
					}
				}
			})
		}
		wg.Wait()
	}
	storm(0)
	most := b.Stats().File
	storm(5000)
	s := b.Stats()
	if s.Channels != 50 || s.Messages > 100 || s.File > 2*most {
		t.Errorf("%+v after 10,000 channels, want 50; the file had %d bytes half-way", s, most)
	}
}
