package brokertest

import (
	"context"
	"fmt"
	"math"
	"slices"
	"testing"
	"time"

	"github.com/stentor-sse/stentor"
)

const (
	// patience is how long a case waits for what must come.
	patience = 20 * time.Second
	// ever is above every position.
	ever stentor.Position = math.MaxInt64
)

// rig is what a case works with: the test, and a broker once it is opened.
type rig struct {
	testing.TB
	h   Harness
	ctx context.Context
	b   stentor.Broker
}

func newRig(t testing.TB, h Harness) *rig { return &rig{TB: t, h: h, ctx: t.Context()} }

func (r *rig) open(l Limits) {
	r.Helper()
	r.b = r.h.New(r.TB, l)
}

// peer is the broker as another node has it.
func (r *rig) peer() stentor.Broker {
	r.Helper()
	if r.h.Peer == nil {
		return r.b
	}
	return r.h.Peer(r.TB, r.b)
}

// attach gives a link that is closed with the test, and its feed.
func (r *rig) attach(b stentor.Broker) (stentor.Link, *feed) {
	r.Helper()
	f := newFeed(r.TB)
	link, err := b.Attach(r.ctx, f)
	if err != nil {
		r.Fatalf("attach: %v", err)
	}
	r.Cleanup(func() { r.end(link, f) })
	return link, f
}

// end closes the link: any later call to the feed is a failure.
func (r *rig) end(link stentor.Link, f *feed) {
	if err := link.Close(context.Background()); err != nil {
		r.Errorf("close: %v", err)
	}
	f.end()
}

func (r *rig) want(link stentor.Link, channels ...stentor.Channel) stentor.Position {
	r.Helper()
	return r.change(link, channels, nil)
}

func (r *rig) change(link stentor.Link, add, drop []stentor.Channel) stentor.Position {
	r.Helper()
	p, err := link.Want(r.ctx, add, drop)
	if err != nil {
		r.Fatalf("want %q, drop %q: %v", add, drop, err)
	}
	return p
}

// publish publishes to a channel and gives the message as it must come out,
// but for Prev and Time.
func (r *rig) publish(b stentor.Broker, ch stentor.Channel, data string) stentor.Message {
	r.Helper()
	return r.send(b, stentor.Message{Target: stentor.Target{Channel: ch}, Data: data})
}

func (r *rig) send(b stentor.Broker, m stentor.Message) stentor.Message {
	r.Helper()
	m, err := r.try(b, m)
	if err != nil {
		r.Fatal(err)
	}
	return m
}

// try is send for goroutines that may not end the test.
func (r *rig) try(b stentor.Broker, m stentor.Message) (stentor.Message, error) {
	receipt, err := b.Publish(r.ctx, m)
	if err != nil {
		return m, fmt.Errorf("publish to %+v: %w", m.Target, err)
	}
	m.Position = receipt.Position
	switch {
	case m.Ephemeral && m.Position != 0:
		return m, fmt.Errorf("an ephemeral message has position %d", m.Position)
	case !m.Ephemeral && (m.Position <= 0 || m.Position > 1<<53-1):
		return m, fmt.Errorf("position %d: want a positive integer below 2^53", m.Position)
	case receipt.Matched != 0:
		return m, fmt.Errorf("receipt counts %d subscriptions: that is left to the hub", receipt.Matched)
	}
	return m, nil
}

// replay gives what is kept, after checking its order and bounds.
func (r *rig) replay(link stentor.Link, after, upTo stentor.Position, channels ...stentor.Channel) []stentor.Message {
	r.Helper()
	var got []stentor.Message
	last := after
	err := link.Replay(r.ctx, channels, after, upTo, func(page []stentor.Message) bool {
		if len(page) == 0 {
			r.Errorf("replay of %q: an empty page", channels)
		}
		for _, m := range page {
			if m.Position <= last || m.Position > upTo {
				r.Errorf("replay of %q in (%d, %d]: position %d after %d", channels, after, upTo, m.Position, last)
			}
			if m.Prev >= m.Position || m.Prev < 0 {
				r.Errorf("replay of %q: message %d names %d as the one before it", channels, m.Position, m.Prev)
			}
			last = m.Position
		}
		got = append(got, page...)
		return true
	})
	if err != nil {
		r.Fatalf("replay of %q in (%d, %d]: %v", channels, after, upTo, err)
	}
	return got
}

func (r *rig) window(link stentor.Link, channels ...stentor.Channel) stentor.Window {
	r.Helper()
	w, err := link.Window(r.ctx, channels)
	if err != nil {
		r.Fatalf("window of %q: %v", channels, err)
	}
	if w.Start < 0 || w.Start > w.Floor || w.Floor > w.Head {
		r.Errorf("window of %q: start %d, floor %d, head %d: want start <= floor <= head", channels, w.Start, w.Floor, w.Head)
	}
	return w
}

// same compares what came with what was published: position and content.
func (r *rig) same(what string, got, want []stentor.Message) {
	r.Helper()
	plain := func(list []stentor.Message) []stentor.Message {
		list = slices.Clone(list)
		for i := range list {
			list[i].Prev, list[i].Time = 0, time.Time{}
		}
		return list
	}
	g, w := plain(got), plain(want)
	for i := range min(len(g), len(w)) {
		if g[i] != w[i] {
			r.Fatalf("%s: message %d of %d is\n%s, want\n%s", what, i+1, len(w), brief(g[i]), brief(w[i]))
		}
	}
	if len(g) != len(w) {
		r.Fatalf("%s: %d messages, want %d", what, len(g), len(w))
	}
}

func brief(m stentor.Message) string {
	if len(m.Data) > 64 {
		m.Data = fmt.Sprintf("%s… (%d bytes)", m.Data[:64], len(m.Data))
	}
	return fmt.Sprintf("%+q", fmt.Sprintf("%+v", m))
}

// bounded fails the test when do takes for ever.
func (r *rig) bounded(what string, do func()) {
	r.Helper()
	done := make(chan struct{})
	go func() {
		defer close(done)
		do()
	}()
	late := time.NewTimer(patience)
	defer late.Stop()
	select {
	case <-done:
	case <-late.C:
		r.Fatalf("%s does not return", what)
	}
}
