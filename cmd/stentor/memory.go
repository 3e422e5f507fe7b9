package main

import (
	"context"
	"runtime/debug"
	"time"

	"github.com/stentor-sse/stentor"
)

const (
	settleEvery = 2 * time.Second // how often the server looks
	storm       = 1000            // streams that have come or gone, to be worth it
	calm        = 50              // and no more than so many since the last look
)

// settle gives memory back to the system after a storm. What a connect leaves behind is some
// ten times what an idle stream keeps, and with few allocations afterwards it might be
// minutes until the next collection. It ends with ctx.
func settle(ctx context.Context, hub *stentor.Hub) {
	tick := time.NewTicker(settleEvery)
	defer tick.Stop()
	var s settler
	for {
		select {
		case <-tick.C:
			if n := hub.Stats(); s.due(n.Subscribed + n.Ended) {
				debug.FreeOSMemory()
			}
		case <-ctx.Done():
			return
		}
	}
}

// settler remembers how many streams have come and gone.
type settler struct {
	seen, moved uint64 // at the last look; since memory was given back
}

// due reports whether a storm is over, given how many have ever come or gone.
func (s *settler) due(total uint64) bool {
	now := total - s.seen
	s.seen = total
	s.moved += now
	if s.moved < storm || now > calm {
		return false
	}
	s.moved = 0
	return true
}
