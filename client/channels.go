package client

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
)

// Channels gives the channels that this client is on, or will be when it connects.
func (c *Client) Channels() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.want)
}

// Join adds channels, to the open stream if there is one, and to each that follows. When it
// returns nil with an open stream, messages from then on arrive; if the server can't change that
// one, on another stream that goes on where it was. After an error nothing has
// changed: a [Refusal] says why the server doesn't want it.
func (c *Client) Join(ctx context.Context, channels ...string) error {
	return c.change(ctx, channels, nil)
}

// Leave takes channels away, from the open stream if there is one, and from each that follows.
// After an error nothing has changed.
func (c *Client) Leave(ctx context.Context, channels ...string) error {
	return c.change(ctx, nil, channels)
}

// change makes one change after the other, each whole or not at all.
func (c *Client) change(ctx context.Context, join, leave []string) error {
	if err := checkChannels(join); err != nil {
		return err
	}
	select {
	case c.turn <- struct{}{}:
		defer func() { <-c.turn }()
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	c.mu.Lock()
	before, id := c.want, c.id
	after := union(without(before, leave), join)
	if id == "" {
		c.want = after // the next stream has them; one on its way is asked for again
		for _, ch := range without(before, after) {
			if slices.Contains(c.asked, ch) { // else the server has never heard of it
				c.left = union(c.left, []string{ch})
			}
		}
	}
	c.mu.Unlock()
	if id == "" || slices.Equal(before, after) {
		return nil
	}
	gone, err := c.tell(ctx, id, without(after, before), without(before, after))
	if err != nil {
		if !isRefusal(err) {
			c.source.Restart() // nobody knows if the server has done it: it is asked for all anew
		}
		return err
	}
	c.mu.Lock()
	c.want = after
	same := c.id == id && !gone
	if same {
		c.asked = after
	}
	for _, ch := range without(before, after) {
		delete(c.rooms, ch)
	}
	c.mu.Unlock()
	if !same {
		c.source.Restart() // a stream with the channels of before is open, or has begun meanwhile
	} else if c.o.Presence {
		c.reload(ctx, without(after, before))
	}
	return nil
}

// leaveAgain leaves, on a stream that has just opened, what was left while there was none. A server takes one that asks
// as it did at first for one that knows no better, and puts it on all that its subscription has joined since.
func (r *run) leaveAgain(id string) {
	select {
	case r.turn <- struct{}{}:
		defer func() { <-r.turn }()
	case <-r.ctx.Done():
		return
	}
	r.mu.Lock()
	left := without(r.left, r.want)
	r.mu.Unlock()
	if len(left) == 0 {
		return
	}
	gone, err := r.tell(r.ctx, id, nil, left)
	if err != nil && r.ctx.Err() == nil {
		r.trouble(fmt.Errorf("client: leave %q once more: %w", left, err))
	}
	if err != nil || gone {
		return // the next stream tries again
	}
	r.mu.Lock()
	r.left = without(r.left, left)
	r.mu.Unlock()
}

// tell changes the channels of a live subscription. One that this server doesn't know is gone, or another
// server's: then the next one begins with what is wanted.
func (c *Client) tell(ctx context.Context, id string, join, leave []string) (gone bool, err error) {
	err = c.do(ctx, c.face.change(id, join, leave))
	if r, ok := errors.AsType[*Refusal](err); ok && r.Status == http.StatusNotFound {
		return true, nil
	}
	return false, err
}

// union is a with what b has beside, each once.
func union(a, b []string) []string {
	all := slices.Clone(a)
	for _, s := range b {
		if !slices.Contains(all, s) {
			all = append(all, s)
		}
	}
	return all
}

// without is a without what b has.
func without(a, b []string) (rest []string) {
	for _, s := range a {
		if !slices.Contains(b, s) {
			rest = append(rest, s)
		}
	}
	return rest
}
