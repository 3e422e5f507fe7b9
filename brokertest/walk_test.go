package brokertest_test

import (
	"context"
	"testing"
	"testing/synctest"

	"github.com/stentor-sse/stentor"
	"github.com/stentor-sse/stentor/brokertest"
)

// The memory broker keeps the promises of a plain list, with a hub over it.
func TestWalkInMemory(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { brokertest.Walk(t, (&fault{}).harness()) })
}

// Each fault is noticed on the way.
func TestWalkBites(t *testing.T) {
	n := 0
	for _, x := range []fault{
		{name: "loses every seventh", deliver: func(f stentor.Feed, m []stentor.Message) {
			if n++; n%7 != 0 {
				f.Deliver(m)
			}
		}},
		{name: "loses what is about a subject", deliver: func(f stentor.Feed, m []stentor.Message) {
			if m[0].Subject == "" {
				f.Deliver(m)
			}
		}},
		{name: "is silent about gaps", window: func(w stentor.Window) stentor.Window { w.Floor = w.Start; return w }},
		{name: "sees gaps everywhere", window: func(w stentor.Window) stentor.Window { w.Floor = w.Head; return w }},
		{name: "replays too little", replay: func(l stentor.Link, ctx context.Context, ch []stentor.Channel,
			after, upTo stentor.Position, page func([]stentor.Message) bool) error {
			return l.Replay(ctx, ch, after+1, upTo, page)
		}},
		{name: "promises from too late", want: func(l stentor.Link, ctx context.Context, add, drop []stentor.Channel) (stentor.Position, error) {
			p, err := l.Want(ctx, add, drop)
			return p + 1_000_000_000, err
		}},
	} {
		t.Run(x.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				if len(observe(t, func(t testing.TB) { brokertest.Walk(t, x.harness()) })) == 0 {
					t.Error("the walk passes")
				}
			})
		})
	}
}
