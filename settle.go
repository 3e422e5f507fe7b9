package stentor

import (
	"runtime/debug"
	"sync"
	"time"
)

const (
	storm       = 1000            // newcomers that are worth a collection
	calm        = 50              // who come or go in a while, and the storm is over
	settleAfter = 2 * time.Second // is a while
)

// settler gives memory back to the system when a storm of connects is over.
type settler struct {
	giveBack func() // the system's

	mu     sync.Mutex // guards the rest
	timer  *time.Timer
	seen   uint64 // streams that had come or gone when it looked last
	closed bool
	wg     sync.WaitGroup // while memory is given back
}

// arrived says that the nth newcomer is here. moved counts who has come and who has gone.
func (s *settler) arrived(n uint64, moved func() uint64) {
	if n%storm != 0 || s.giveBack == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.timer == nil && !s.closed {
		s.timer = time.AfterFunc(settleAfter, func() { s.look(moved()) })
	}
}

// look gives memory back if it is calm, or looks again in a while.
func (s *settler) look(moved uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	since := moved - s.seen
	s.seen = moved
	switch {
	case s.closed:
	case since > calm:
		s.timer.Reset(settleAfter)
	default:
		s.timer = nil
		s.wg.Go(s.giveBack)
	}
}

// close waits until nothing of it runs.
func (s *settler) close() {
	s.mu.Lock()
	s.closed = true
	if s.timer != nil {
		s.timer.Stop()
	}
	s.mu.Unlock()
	s.wg.Wait()
}

// moved is how many subscriptions have come and how many have gone.
func (h *Hub) moved() uint64 { return h.count.subscribed.Load() + h.count.ended.Load() }

// givesBack is how memory is given back, nil for not at all.
func (o *Options) givesBack() func() {
	if !o.GiveBack {
		return nil
	}
	return debug.FreeOSMemory
}
