package e2e_test

import (
	"encoding/json"
	"fmt"

	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
)

// killsVar says how often the crash tests kill the server; 20 times without it.
const killsVar = "E2E_KILLS"

func kills(t *testing.T) int {
	t.Helper()
	s := os.Getenv(killsVar)
	if s == "" {
		return 20
	}
	n, err := strconv.Atoi(s)
	if err != nil || n < 1 {
		t.Fatalf("%s=%s: give a whole number", killsVar, s)
	}
	return n
}

// A server with its history on disk is killed again and again in a storm of publishers,
// and comes back. Readers that resume see every message that was acknowledged, in
// order, once; one that was not is there whole or not at all; and nobody is told of a gap.
func TestKilledInAStorm(t *testing.T) {
	dir := t.TempDir()
	p := start(t, "serve", "--data", dir)
	s, readers := newStorm(t, p.Addr)
	random := rand.New(rand.NewPCG(rand.Uint64(), 0))
	for range kills(t) {
		s.untilAcknowledged(t, 20+random.IntN(200))
		p.Kill(t)
		p = startAt(t, p.Addr, "serve", "--data", dir)
		s.restarted()
	}
	s.finish(t, readers)
	for i, r := range readers {
		if len(r.gaps) > 0 {
			t.Errorf("reader %d was told of gaps: %v", i, r.gaps)
		}
	}
	for i, r := range readers[1:] {
		if !slices.Equal(r.got, readers[0].got) {
			t.Errorf("reader %d and reader 0 have seen different things", i+1)
		}
	}
	fresh := s.reader()
	fresh.wait(t)
	if !slices.Equal(fresh.got, readers[0].got) {
		t.Errorf("who reads all afterwards sees %d messages, the others saw %d", len(fresh.got), len(readers[0].got))
	}
	t.Logf("%d kills: %d acknowledged, %d of unknown fate, %d of them kept",
		kills(t), s.count.Load(), len(s.unknown), len(readers[0].got)-len(s.acked))
}

// With an interval, what was acknowledged may be lost with the process. Whoever misses it is
// told where.
func TestKilledWithAnInterval(t *testing.T) {
	serve := []string{"serve", "--data", t.TempDir(), "--data-interval", "100ms"}
	p := start(t, serve...)
	s, readers := newStorm(t, p.Addr)
	for range max(kills(t)/4, 1) {
		s.untilAcknowledged(t, 100+rand.IntN(200))
		p.Kill(t)
		p = startAt(t, p.Addr, serve...)
		s.restarted()
	}
	s.finish(t, readers)
	for i, r := range readers {
		if len(r.gaps) == 0 {
			t.Errorf("reader %d was told of no gap", i)
		}
	}
}

const lastChannel = "last"

// storm is publishers, and what became of what they published.
type storm struct {
	addr    string
	stopped atomic.Bool
	running sync.WaitGroup
	count   atomic.Int64 // acknowledged

	mu      sync.Mutex        // guards the rest
	acked   map[string]string // data by id
	unknown map[string]bool   // data
	grew    chan struct{}     // closed when acked grows
	back    chan struct{}     // closed when the server was started again
}

// newStorm begins one, with readers beside it.
func newStorm(t *testing.T, addr string) (*storm, []*stormReader) {
	s := &storm{
		addr: addr, acked: map[string]string{}, unknown: map[string]bool{},
		grew: make(chan struct{}), back: make(chan struct{}),
	}
	for i := range 8 {
		s.running.Go(func() { s.publish(i) })
	}
	var readers []*stormReader
	for range 4 {
		readers = append(readers, s.reader())
	}
	t.Cleanup(s.stop)
	return s, readers
}

// reader begins to read all there is. It ends with the last message, or the test.
func (s *storm) reader() *stormReader {
	r := &stormReader{storm: s, end: make(chan struct{})}
	go r.run()
	return r
}

// finish ends the publishers, and holds what the readers saw against what was published.
func (s *storm) finish(t *testing.T, readers []*stormReader) {
	t.Helper()
	s.untilAcknowledged(t, 100)
	s.stop()
	s.acknowledge(lastChannel, "the end")
	for i, r := range readers {
		r.wait(t)
		r.check(t, fmt.Sprint("reader ", i))
	}
}

// restarted lets those go on who found the server dead.
func (s *storm) restarted() {
	s.mu.Lock()
	defer s.mu.Unlock()
	close(s.back)
	s.back = make(chan struct{})
}

// life is closed when the server that runs now has been replaced.
func (s *storm) life() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.back
}

// publish publishes one message after the other, of which each says who it is from.
func (s *storm) publish(publisher int) {
	for n := 0; !s.stopped.Load(); n++ {
		s.acknowledge(fmt.Sprint("c", n%3), fmt.Sprintf("%d/%d/%s", publisher, n, strings.Repeat("x", n*n%3000)))
	}
}

// acknowledge publishes and notes what became of it.
func (s *storm) acknowledge(channel, data string) {
	s.mu.Lock()
	s.unknown[data] = true
	s.mu.Unlock()
	life := s.life()
	id, ok := stormPublish(s.addr, channel, data)
	if !ok {
		<-life
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.unknown, data)
	s.acked[id] = data
	s.count.Add(1)
	close(s.grew)
	s.grew = make(chan struct{})
}

// untilAcknowledged waits until so many more are.
func (s *storm) untilAcknowledged(t *testing.T, more int) {
	t.Helper()
	late := patient()
	for from := s.count.Load(); s.count.Load() < from+int64(more); {
		s.mu.Lock()
		grew := s.grew
		s.mu.Unlock()
		if s.count.Load() >= from+int64(more) {
			return
		}
		select {
		case <-grew:
		case <-late:
			t.Fatal("nothing is acknowledged any more")
		}
	}
}

func (s *storm) stop() {
	s.stopped.Store(true)
	s.running.Wait()
}

// stormEvent is what a reader saw.
type stormEvent struct{ id, data string }

// stormGap is what a reader was told that it may miss.
type stormGap struct{ after, upTo int }

// stormReader resumes from where it was, as a browser does.
type stormReader struct {
	storm *storm
	end   chan struct{} // closed with the last message
	got   []stormEvent
	gaps  []stormGap
}

func (r *stormReader) run() {
	defer close(r.end)
	cursor := "0"
	for {
		life := r.storm.life()
		for e := range stormEvents(r.storm.addr, cursor) {
			switch {
			case e.Type == "stentor.gap":
				r.gaps = append(r.gaps, gapOf(e.ID, e.Data))
			case !strings.HasPrefix(e.Type, "stentor."):
				r.got = append(r.got, stormEvent{e.ID, e.Data})
			}
			if e.ID != "" {
				cursor = e.ID
			}
			if e.Data == "the end" {
				return
			}
		}
		<-life
	}
}

func gapOf(id, data string) (g stormGap) {
	var gap struct{ After string }
	json.Unmarshal([]byte(data), &gap) // else nothing is excused
	g.after, _ = strconv.Atoi(gap.After)
	g.upTo, _ = strconv.Atoi(id)
	return g
}

// excused says that the reader was told that it may miss a message.
func (r *stormReader) excused(id string) bool {
	n, _ := strconv.Atoi(id)
	return slices.ContainsFunc(r.gaps, func(g stormGap) bool { return g.after < n && n <= g.upTo })
}

func (r *stormReader) wait(t *testing.T) {
	t.Helper()
	select {
	case <-r.end:
	case <-patient():
		t.Fatal("a reader waits for the end for ever")
	}
}

// check holds what a reader saw against what was published.
func (r *stormReader) check(t *testing.T, who string) {
	t.Helper()
	seen, last, newest := map[string]bool{}, 0, map[string]int{}
	for _, e := range r.got {
		id, err := strconv.Atoi(e.id)
		if err != nil || id <= last {
			t.Fatalf("%s: %s after %d", who, e.id, last)
		}
		last = id
		if data, ok := r.storm.acked[e.id]; ok && data != e.data || !ok && !r.storm.unknown[e.data] {
			t.Fatalf("%s: %s is %.40q, which was published otherwise", who, e.id, e.data)
		}
		if seen[e.data] {
			t.Fatalf("%s: %.40q came twice", who, e.data)
		}
		seen[e.data] = true
		if publisher, rest, ok := strings.Cut(e.data, "/"); ok {
			text, _, _ := strings.Cut(rest, "/")
			n, _ := strconv.Atoi(text)
			if before, ok := newest[publisher]; ok && n <= before {
				t.Fatalf("%s: publisher %s's %d came after its %d", who, publisher, n, before)
			}
			newest[publisher] = n
		}
	}
	for id, data := range r.storm.acked {
		if !seen[data] && !r.excused(id) {
			t.Fatalf("%s: %s (%.40q) was acknowledged and is lost", who, id, data)
		}
	}
}
