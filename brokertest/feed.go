package brokertest

import (
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stentor-sse/stentor"
)

// feed records what a broker delivers and holds it to the Feed contract.
type feed struct {
	t    testing.TB
	busy atomic.Bool // a call is running

	mu    sync.Mutex // guards all below
	got   []stentor.Message
	last  stentor.Position // the highest delivered or advanced to
	ended bool
	grew  chan struct{} // closed when got grows
}

func newFeed(t testing.TB) *feed { return &feed{t: t, grew: make(chan struct{})} }

func (f *feed) Deliver(list []stentor.Message) {
	defer f.call("Deliver")()
	for _, m := range list {
		if m.Ephemeral != (m.Position == 0) {
			f.t.Errorf("delivered: ephemeral is %v and the position %d", m.Ephemeral, m.Position)
		}
		if !m.Ephemeral && m.Position <= f.last {
			f.t.Errorf("delivered: position %d after %d", m.Position, f.last)
		}
		if m.Time.IsZero() {
			f.t.Errorf("delivered: message %d has no time", m.Position)
		}
		f.last = max(f.last, m.Position)
	}
	f.got = append(f.got, list...)
	close(f.grew)
	f.grew = make(chan struct{})
	clear(list) // the slice is the feed's: a broker that uses it again is caught
}

func (f *feed) Advance(p stentor.Position) {
	defer f.call("Advance")()
	if p < f.last {
		f.t.Errorf("advanced to %d after %d", p, f.last)
	}
	f.last = max(f.last, p)
}

func (f *feed) Break(after, at stentor.Position, reason stentor.GapReason) {
	defer f.call("Break")()
	f.t.Errorf("break between %d and %d: %s: nothing was broken", after, at, reason)
}

// call begins a call and gives what ends it. The feed is locked in between.
func (f *feed) call(what string) func() {
	if !f.busy.CompareAndSwap(false, true) {
		f.t.Errorf("%s while another call runs", what)
	}
	f.mu.Lock()
	if f.ended {
		f.t.Errorf("%s after Close returned", what)
	}
	return func() {
		f.mu.Unlock()
		f.busy.Store(false)
	}
}

func (f *feed) end() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.ended = true
}

// messages is what came so far.
func (f *feed) messages() []stentor.Message {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.got)
}

// until waits for the message that has the position and gives everything up to it.
func (f *feed) until(p stentor.Position) []stentor.Message {
	f.t.Helper()
	return f.wait("the message at that position", func(m *stentor.Message) bool { return m.Position == p })
}

// wait gives everything up to the first message that is the last one to wait for.
func (f *feed) wait(what string, last func(*stentor.Message) bool) []stentor.Message {
	f.t.Helper()
	late := time.NewTimer(patience)
	defer late.Stop()
	for from := 0; ; {
		f.mu.Lock()
		for i := from; i < len(f.got); i++ {
			if last(&f.got[i]) {
				defer f.mu.Unlock()
				return slices.Clone(f.got[:i+1])
			}
		}
		from = len(f.got)
		grew := f.grew
		f.mu.Unlock()
		select {
		case <-grew:
		case <-late.C:
			f.t.Fatalf("%s never came; %d messages did", what, from)
		}
	}
}
