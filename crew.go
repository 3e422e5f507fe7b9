package stentor

import (
	"fmt"
	"os"
	"runtime/debug"
	"sync"
)

// crew is a few goroutines that do what the engine must not wait for. What waits is
// bounded by the streams: each has one thing to do at a time, and its end.
type crew struct {
	failed func(error) // told of panics; may be nil

	mu     sync.Mutex
	ready  sync.Cond
	list   []func()
	closed bool
	wg     sync.WaitGroup
}

// start hires n goroutines. They end with close.
func (c *crew) start(n int) {
	c.ready.L = &c.mu
	for range n {
		c.wg.Go(c.work)
	}
}

// do has f done soon.
func (c *crew) do(f func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.list = append(c.list, f)
	c.ready.Signal()
}

func (c *crew) work() {
	for {
		c.mu.Lock()
		for len(c.list) == 0 && !c.closed {
			c.ready.Wait()
		}
		if len(c.list) == 0 {
			c.mu.Unlock()
			return
		}
		f := c.list[0]
		c.list[0] = nil
		if c.list = c.list[1:]; len(c.list) == 0 {
			c.list = nil // what a storm needed
		}
		c.mu.Unlock()
		c.try(f)
	}
}

// try does for a hook that panics what net/http does for a handler: it ends what it was
// about, and not the program.
func (c *crew) try(f func()) {
	defer func() {
		p := recover()
		switch {
		case p == nil:
		case c.failed != nil:
			c.failed(fmt.Errorf("stentor: a hook panicked: %v\n%s", p, debug.Stack()))
		default:
			fmt.Fprintf(os.Stderr, "stentor: a hook panicked: %v\n%s", p, debug.Stack())
		}
	}()
	f()
}

// close waits until all is done.
func (c *crew) close() {
	c.mu.Lock()
	c.closed = true
	if c.ready.L != nil {
		c.ready.Broadcast()
	}
	c.mu.Unlock()
	c.wg.Wait()
}
