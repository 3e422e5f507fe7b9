package stentor

import (
	"context"
	"sync"
)

// interest tells the broker which channels this hub wants. Changes that come
// while a call to the broker is under way are collected and go with the next
// one, so that a storm of subscribers costs a few calls. One goroutine makes
// the calls; no lock is held over them. Of a [WholeLink] it wants everything, once, and
// counts nothing.
type interest struct {
	whole bool
	link  Link
	wake  chan struct{}
	stop  context.CancelFunc
	done  chan struct{}

	mu     sync.Mutex
	refs   map[Channel]int      // subscriptions on the channel
	wanted map[Channel]struct{} // what the broker has been told, and has answered
	next   *round
}

// round is one call to the broker and who waits for it.
type round struct {
	touched map[Channel]struct{}
	done    chan struct{}
	at      Position
	err     error
}

func newRound() *round {
	return &round{touched: map[Channel]struct{}{}, done: make(chan struct{})}
}

// newInterest begins to want. What is wanted from the beginning is complete after at.
func newInterest(ctx context.Context, link Link) (n *interest, at Position, err error) {
	if all, ok := link.(WholeLink); ok {
		at, err = all.WantAll(ctx)
		return &interest{whole: true}, at, err
	}
	ctx, stop := context.WithCancel(context.WithoutCancel(ctx))
	n = &interest{
		link: link, wake: make(chan struct{}, 1), stop: stop, done: make(chan struct{}),
		refs: map[Channel]int{}, wanted: map[Channel]struct{}{}, next: newRound(),
	}
	go n.run(ctx)
	return n, 0, nil
}

// acquire wants the channels once more. When it returns, their feed is complete
// after the position, which is zero when all of them were wanted already.
func (n *interest) acquire(ctx context.Context, channels []Channel) (Position, error) {
	if n.whole {
		return 0, nil
	}
	n.mu.Lock()
	var wait *round
	for _, ch := range channels {
		n.refs[ch]++
		if _, ok := n.wanted[ch]; !ok {
			wait = n.next
			wait.touched[ch] = struct{}{}
		}
	}
	n.mu.Unlock()
	if wait == nil {
		return 0, nil
	}
	n.signal()
	select {
	case <-wait.done:
	case <-n.done:
		n.release(channels)
		return 0, ErrClosed
	case <-ctx.Done():
		n.release(channels)
		return 0, ctx.Err()
	}
	if wait.err != nil {
		n.release(channels)
		return 0, wait.err
	}
	return wait.at, nil
}

// release wants the channels once less. It does not wait.
func (n *interest) release(channels []Channel) {
	if n.whole {
		return
	}
	n.mu.Lock()
	gone := false
	for _, ch := range channels {
		if n.refs[ch]--; n.refs[ch] == 0 {
			delete(n.refs, ch)
			n.next.touched[ch] = struct{}{}
			gone = true
		}
	}
	n.mu.Unlock()
	if gone {
		n.signal()
	}
}

func (n *interest) signal() {
	select {
	case n.wake <- struct{}{}:
	default:
	}
}

// run ends with close.
func (n *interest) run(ctx context.Context) {
	defer close(n.done)
	for {
		select {
		case <-n.wake:
		case <-ctx.Done():
			return
		}
		r, add, drop := n.take()
		if len(add)+len(drop) > 0 {
			r.at, r.err = n.link.Want(ctx, add, drop)
		}
		n.settle(r, add)
		close(r.done)
	}
}

// take begins the next round. What it drops is unwanted from now, so that
// whoever comes for it meanwhile waits for the round after.
func (n *interest) take() (r *round, add, drop []Channel) {
	n.mu.Lock()
	defer n.mu.Unlock()
	r, n.next = n.next, newRound()
	for ch := range r.touched {
		_, have := n.wanted[ch]
		switch want := n.refs[ch] > 0; {
		case want && !have:
			add = append(add, ch)
		case !want && have:
			drop = append(drop, ch)
			delete(n.wanted, ch)
		}
	}
	return r, add, drop
}

func (n *interest) settle(r *round, add []Channel) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if r.err != nil {
		return
	}
	for _, ch := range add {
		n.wanted[ch] = struct{}{}
	}
}

// close ends the goroutine and waits for it.
func (n *interest) close() {
	if n.whole {
		return
	}
	n.stop()
	<-n.done
}
