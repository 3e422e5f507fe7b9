package brokertest_test

import (
	"context"
	"sync"
	"testing"

	"github.com/stentor-sse/stentor"
	"github.com/stentor-sse/stentor/brokertest"
)

// fault is one promise that a broker breaks. Functions that are nil keep theirs.
type fault struct {
	name string
	// in is the case that must notice.
	in string

	publish func(b stentor.Broker, ctx context.Context, m stentor.Message) (stentor.Receipt, error)
	attach  func(b stentor.Broker, ctx context.Context, f stentor.Feed) (stentor.Link, error)
	deliver func(f stentor.Feed, m []stentor.Message)
	advance bool // the feed is told of positions before they are delivered
	want    func(l stentor.Link, ctx context.Context, add, drop []stentor.Channel) (stentor.Position, error)
	replay  func(l stentor.Link, ctx context.Context, ch []stentor.Channel, after, upTo stentor.Position, page func([]stentor.Message) bool) error
	state   func(l stentor.Link, ctx context.Context, ch stentor.Channel, after, upTo stentor.Position, page func([]stentor.Message) bool) error
	window  func(w stentor.Window) stentor.Window
	next    func(l *badLink, ctx context.Context, name string) (int64, error)
	alone   bool
	close   func(l *badLink, ctx context.Context) error
	reopen  func(b stentor.Broker) stentor.Broker
}

// harness makes brokers with the fault; the sound ones are in memory and
// "reopened" by using them on.
func (x *fault) harness() brokertest.Harness {
	return brokertest.Harness{
		New: func(_ testing.TB, l brokertest.Limits) stentor.Broker {
			return &badBroker{x, stentor.NewMemoryBroker(&stentor.MemoryOptions{Size: l.Size, Channels: l.Channels})}
		},
		Reopen: func(_ testing.TB, b stentor.Broker) stentor.Broker {
			if x.reopen != nil {
				return x.reopen(b)
			}
			return b
		},
		Durability: "memory",
	}
}

type badBroker struct {
	x *fault
	stentor.Broker
}

func (b *badBroker) Publish(ctx context.Context, m stentor.Message) (stentor.Receipt, error) {
	if b.x.publish != nil {
		return b.x.publish(b.Broker, ctx, m)
	}
	return b.Broker.Publish(ctx, m)
}

func (b *badBroker) Attach(ctx context.Context, f stentor.Feed) (stentor.Link, error) {
	attach := b.x.attach
	if attach == nil {
		attach = stentor.Broker.Attach
	}
	link, err := attach(b.Broker, ctx, &badFeed{b.x, f})
	if err != nil {
		return nil, err
	}
	return &badLink{x: b.x, Link: link}, nil
}

type badFeed struct {
	x *fault
	stentor.Feed
}

func (f *badFeed) Deliver(m []stentor.Message) {
	if f.x.advance {
		f.Feed.Advance(m[0].Position)
	}
	if f.x.deliver != nil {
		f.x.deliver(f.Feed, m)
		return
	}
	f.Feed.Deliver(m)
}

type badLink struct {
	x *fault
	stentor.Link

	mu     sync.Mutex
	count  int64
	closed bool
}

func (l *badLink) Want(ctx context.Context, add, drop []stentor.Channel) (stentor.Position, error) {
	if l.x.want != nil {
		return l.x.want(l.Link, ctx, add, drop)
	}
	return l.Link.Want(ctx, add, drop)
}

func (l *badLink) Replay(ctx context.Context, ch []stentor.Channel, after, upTo stentor.Position, page func([]stentor.Message) bool) error {
	if l.x.replay != nil {
		return l.x.replay(l.Link, ctx, ch, after, upTo, page)
	}
	return l.Link.Replay(ctx, ch, after, upTo, page)
}

func (l *badLink) State(ctx context.Context, ch stentor.Channel, after, upTo stentor.Position, page func([]stentor.Message) bool) error {
	if l.x.state != nil {
		return l.x.state(l.Link, ctx, ch, after, upTo, page)
	}
	return l.Link.State(ctx, ch, after, upTo, page)
}

func (l *badLink) Window(ctx context.Context, ch []stentor.Channel) (stentor.Window, error) {
	w, err := l.Link.Window(ctx, ch)
	if err == nil && l.x.window != nil {
		w = l.x.window(w)
	}
	return w, err
}

func (l *badLink) Next(ctx context.Context, name string) (int64, error) {
	if l.x.next != nil {
		return l.x.next(l, ctx, name)
	}
	return l.Link.Next(ctx, name)
}

func (l *badLink) Alone() bool { return l.x.alone || l.Link.Alone() }

func (l *badLink) Close(ctx context.Context) error {
	if l.x.close != nil {
		return l.x.close(l, ctx)
	}
	return l.Link.Close(ctx)
}
