package brokertest_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stentor-sse/stentor"
	"github.com/stentor-sse/stentor/brokertest"
)

// A broker that keeps its promises passes, in real time and on a clock that
// stands still.
func TestSuitePasses(t *testing.T) {
	sound := fault{name: "none"}
	t.Run("real time", func(t *testing.T) { brokertest.Run(t, sound.harness()) })
	for name, run := range brokertest.Cases(sound.harness()) {
		t.Run("bubble/"+name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { run(t) })
		})
	}
}

// Each fault is noticed by the case that is there for it. Bubbles make waiting
// for what never comes free.
func TestSuiteBites(t *testing.T) {
	for _, x := range faults() {
		t.Run(x.name, func(t *testing.T) {
			run := brokertest.Cases(x.harness())[x.in]
			if run == nil {
				t.Fatalf("no case %q", x.in)
			}
			synctest.Test(t, func(t *testing.T) {
				if len(observe(t, run)) == 0 {
					t.Errorf("the case %q passes", x.in)
				}
			})
		})
	}
}

func faults() []fault {
	return slices.Concat(feedFaults(), replayFaults(), stateFaults(), linkFaults())
}

func feedFaults() []fault {
	type ctx = context.Context
	var held []stentor.Message
	n := 0
	return []fault{
		{name: "delivers twice", in: "order/positions increase over channels",
			deliver: func(f stentor.Feed, m []stentor.Message) { f.Deliver(slices.Clone(m)); f.Deliver(m) }},
		{name: "delivers in pairs turned round", in: "order/links see the same",
			deliver: func(f stentor.Feed, m []stentor.Message) {
				if held = append(m, held...); len(held) == 2 {
					f.Deliver(held)
					held = nil
				}
			}},
		{name: "takes retries for messages", in: "order/a retry is one message",
			publish: func(b stentor.Broker, c ctx, m stentor.Message) (stentor.Receipt, error) {
				m.IdempotencyKey = ""
				return b.Publish(c, m)
			}},
		{name: "takes any message for a retry", in: "order/a retry is one message",
			publish: func(b stentor.Broker, c ctx, m stentor.Message) (stentor.Receipt, error) {
				if m.IdempotencyKey != "" {
					m = stentor.Message{Target: stentor.Target{Channel: "a"}, Type: "t", Data: "once", IdempotencyKey: "k"}
				}
				return b.Publish(c, m)
			}},
		{name: "loses every seventh", in: "order/concurrent publishers",
			deliver: func(f stentor.Feed, m []stentor.Message) {
				if n++; n%7 != 0 {
					f.Deliver(m)
				}
			}},
		{name: "advances too early", in: "order/positions increase over channels", advance: true},
		{name: "delivers without a time", in: "order/positions increase over channels",
			deliver: func(f stentor.Feed, m []stentor.Message) { m[0].Time = time.Time{}; f.Deliver(m) }},
		{name: "turns newlines into spaces", in: "want/contents survive",
			deliver: func(f stentor.Feed, m []stentor.Message) {
				m[0].Data = strings.ReplaceAll(m[0].Data, "\n", " ")
				f.Deliver(m)
			}},
		{name: "loses the type", in: "want/contents survive",
			deliver: func(f stentor.Feed, m []stentor.Message) { m[0].Type = ""; f.Deliver(m) }},
		{name: "loses conditions of the target", in: "want/every route is carried",
			deliver: func(f stentor.Feed, m []stentor.Message) {
				m[0].Target = stentor.Target{User: m[0].Target.User}
				f.Deliver(m)
			}},
		{name: "breaks for nothing", in: "order/positions increase over channels",
			deliver: func(f stentor.Feed, m []stentor.Message) { f.Break(1, 2, stentor.GapDegraded); f.Deliver(m) }},
		{name: "keeps ephemeral messages", in: "order/ephemeral is neither kept nor positioned",
			publish: func(b stentor.Broker, c ctx, m stentor.Message) (stentor.Receipt, error) {
				m.Ephemeral = false
				return b.Publish(c, m)
			}},
		{name: "says that nothing is kept", in: "order/positions increase over channels",
			publish: func(b stentor.Broker, c ctx, m stentor.Message) (stentor.Receipt, error) {
				r, err := b.Publish(c, m)
				r.Durability = "none"
				return r, err
			}},
		{name: "counts subscriptions", in: "order/positions increase over channels",
			publish: func(b stentor.Broker, c ctx, m stentor.Message) (stentor.Receipt, error) {
				r, err := b.Publish(c, m)
				r.Matched = 1
				return r, err
			}},
		{name: "gives receipts of another message", in: "order/positions increase over channels",
			publish: func(b stentor.Broker, c ctx, m stentor.Message) (stentor.Receipt, error) {
				r, err := b.Publish(c, m)
				r.Position--
				return r, err
			}},
		{name: "publishes with an ended context", in: "link/ended context",
			publish: func(b stentor.Broker, c ctx, m stentor.Message) (stentor.Receipt, error) {
				r, err := b.Publish(context.WithoutCancel(c), m)
				return r, errors.Join(err, c.Err())
			}},
		{name: "breaks the chain", in: "window/prev walks back",
			deliver: func(f stentor.Feed, m []stentor.Message) { m[0].Prev--; f.Deliver(m) }},
	}
}

func replayFaults() []fault {
	type (
		ctx = context.Context
		chs = []stentor.Channel
		pos = stentor.Position
		pg  = func([]stentor.Message) bool
	)
	var shared []stentor.Message
	return []fault{
		{name: "replays channel by channel", in: "replay/merged, ordered and bounded",
			replay: func(l stentor.Link, c ctx, ch chs, after, upTo pos, page pg) error {
				for _, one := range ch {
					if err := l.Replay(c, chs{one}, after, upTo, page); err != nil {
						return err
					}
				}
				return nil
			}},
		{name: "replays the cursor itself", in: "replay/merged, ordered and bounded",
			replay: func(l stentor.Link, c ctx, ch chs, after, upTo pos, page pg) error {
				return l.Replay(c, ch, after-1, upTo, page)
			}},
		{name: "replays beyond", in: "replay/merged, ordered and bounded",
			replay: func(l stentor.Link, c ctx, ch chs, after, upTo pos, page pg) error {
				return l.Replay(c, ch, after, upTo+1, page)
			}},
		{name: "replays less", in: "replay/merged, ordered and bounded",
			replay: func(l stentor.Link, c ctx, ch chs, after, upTo pos, page pg) error {
				return l.Replay(c, ch, after, upTo-1, page)
			}},
		{name: "replays an empty page", in: "replay/merged, ordered and bounded",
			replay: func(l stentor.Link, c ctx, ch chs, after, upTo pos, page pg) error {
				page(nil)
				return l.Replay(c, ch, after, upTo, page)
			}},
		{name: "goes on after false", in: "replay/stops when told",
			replay: func(l stentor.Link, c ctx, ch chs, after, upTo pos, page pg) error {
				return l.Replay(c, ch, after, upTo, func(m []stentor.Message) bool { page(m); return true })
			}},
		{name: "uses pages again", in: "replay/a page is kept",
			replay: func(l stentor.Link, c ctx, ch chs, after, upTo pos, page pg) error {
				return l.Replay(c, ch, after, upTo, func(m []stentor.Message) bool {
					shared = append(shared[:0], m...)
					return page(shared)
				})
			}},
		{name: "gives the first page only", in: "replay/beside publishing and trimming",
			replay: func(l stentor.Link, c ctx, ch chs, after, upTo pos, page pg) error {
				return l.Replay(c, ch, after, upTo, func(m []stentor.Message) bool { page(m[:1]); return false })
			}},
		{name: "hides what was trimmed", in: "window/trimmed per channel",
			window: func(w stentor.Window) stentor.Window { w.Floor = w.Start; return w }},
		{name: "hides what was forgotten", in: "window/forgotten channel",
			window: func(w stentor.Window) stentor.Window { w.Floor = w.Start; return w }},
		{name: "hides that nothing is kept", in: "window/nothing kept",
			window: func(w stentor.Window) stentor.Window { w.Floor = w.Start; return w }},
		{name: "sees gaps everywhere", in: "window/nothing trimmed is no gap",
			window: func(w stentor.Window) stentor.Window { w.Floor = w.Head; return w }},
		{name: "has floors one too high", in: "window/trimmed per channel",
			window: func(w stentor.Window) stentor.Window { w.Floor++; return w }},
		{name: "has heads one too low", in: "window/of a new log",
			window: func(w stentor.Window) stentor.Window { w.Head--; return w }},
		{name: "has floors above the head", in: "window/of a new log",
			window: func(w stentor.Window) stentor.Window { w.Floor = w.Head + 1; return w }},
	}
}

func stateFaults() []fault {
	type (
		ctx = context.Context
		pos = stentor.Position
		pg  = func([]stentor.Message) bool
	)
	return []fault{
		{name: "keeps what was superseded", in: "state/the newest about each subject",
			publish: func(b stentor.Broker, c ctx, m stentor.Message) (stentor.Receipt, error) {
				m.Subject = ""
				return b.Publish(c, m)
			}},
		{name: "removes nothing", in: "state/the newest about each subject",
			publish: func(b stentor.Broker, c ctx, m stentor.Message) (stentor.Receipt, error) {
				m.Remove = false
				return b.Publish(c, m)
			}},
		{name: "has one state for all channels", in: "state/of its channel alone",
			state: func(l stentor.Link, c ctx, _ stentor.Channel, after, upTo pos, page pg) error {
				return l.State(c, "a", after, upTo, page)
			}},
		{name: "takes all for the state", in: "state/the newest about each subject",
			state: func(l stentor.Link, c ctx, ch stentor.Channel, after, upTo pos, page pg) error {
				return l.Replay(c, []stentor.Channel{ch}, after, upTo, page)
			}},
		{name: "sees a gap where one took another's place", in: "state/what was superseded is no gap",
			window: func(w stentor.Window) stentor.Window { w.Floor = w.Head - 1; return w }},
		{name: "hides what of the state was trimmed", in: "state/within the limits",
			window: func(w stentor.Window) stentor.Window { w.Floor = w.Start; return w }},
		{name: "gives the first page of the state only", in: "state/pages",
			state: func(l stentor.Link, c ctx, ch stentor.Channel, after, upTo pos, page pg) error {
				return l.State(c, ch, after, upTo, func(m []stentor.Message) bool { page(m); return false })
			}},
		{name: "goes on with the state after false", in: "state/pages",
			state: func(l stentor.Link, c ctx, ch stentor.Channel, after, upTo pos, page pg) error {
				return l.State(c, ch, after, upTo, func(m []stentor.Message) bool { page(m); return true })
			}},
		{name: "forgets the state when it is reopened", in: "state/reopened",
			reopen: func(stentor.Broker) stentor.Broker { return stentor.NewMemoryBroker(nil) }},
	}
}

func linkFaults() []fault {
	type (
		ctx = context.Context
		chs = []stentor.Channel
		pos = stentor.Position
	)
	fresh := func(b stentor.Broker) stentor.Broker {
		return &badBroker{b.(*badBroker).x, stentor.NewMemoryBroker(nil)}
	}
	return []fault{
		{name: "wants plain channels only", in: "want/every route is carried",
			want: func(l stentor.Link, c ctx, add, drop chs) (pos, error) {
				add = slices.DeleteFunc(slices.Clone(add), func(ch stentor.Channel) bool { return ch[0] < ' ' })
				return l.Want(c, add, drop)
			}},
		{name: "never drops", in: "want/dropped and added again",
			want: func(l stentor.Link, c ctx, add, _ chs) (pos, error) { return l.Want(c, add, nil) }},
		{name: "wants more than asked", in: "want/nothing else arrives",
			want: func(l stentor.Link, c ctx, add, drop chs) (pos, error) { return l.Want(c, append(add, "a"), drop) }},
		{name: "promises from too early", in: "want/complete while publishers run",
			want: func(l stentor.Link, c ctx, add, drop chs) (pos, error) {
				p, err := l.Want(c, add, drop)
				return p - 1, err
			}},
		{name: "counts per link", in: "link/next is never the same twice",
			next: func(l *badLink, _ ctx, _ string) (int64, error) {
				l.mu.Lock()
				defer l.mu.Unlock()
				l.count++
				return l.count, nil
			}},
		{name: "counts from zero", in: "link/next is never the same twice",
			next: func(l *badLink, c ctx, name string) (int64, error) {
				n, err := l.Link.Next(c, name)
				return n - 1, err
			}},
		{name: "counts for all names at once", in: "link/next is never the same twice",
			next: func(l *badLink, c ctx, _ string) (int64, error) { return l.Link.Next(c, "") }},
		{name: "counts with an ended context", in: "link/ended context",
			next: func(l *badLink, c ctx, name string) (int64, error) {
				n, err := l.Link.Next(context.WithoutCancel(c), name)
				return n, errors.Join(err, c.Err())
			}},
		{name: "wants with an ended context", in: "link/ended context",
			want: func(l stentor.Link, c ctx, add, drop chs) (pos, error) {
				p, err := l.Want(context.WithoutCancel(c), add, drop)
				return p, errors.Join(err, c.Err())
			}},
		{name: "attaches with an ended context", in: "link/ended context",
			attach: func(b stentor.Broker, c ctx, f stentor.Feed) (stentor.Link, error) {
				return b.Attach(context.WithoutCancel(c), f)
			}},
		{name: "does not close", in: "link/close ends the feed",
			close: func(*badLink, ctx) error { return nil }},
		{name: "closes once", in: "link/closed",
			close: func(l *badLink, c ctx) error {
				l.mu.Lock()
				defer l.mu.Unlock()
				if l.closed {
					return stentor.ErrClosed
				}
				l.closed = true
				return l.Link.Close(c)
			}},
		{name: "counts after Close", in: "link/closed",
			next: func(l *badLink, c ctx, name string) (int64, error) { return 1, c.Err() }},
		{name: "is always alone", in: "link/alone", alone: true},
		{name: "loses everything with a restart", in: "link/reopened", reopen: fresh},
	}
}
