package client

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/stentor-sse/stentor/sse"
)

// run is one Run of a client.
type run struct {
	*Client
	ctx   context.Context // ends before Run does
	aside sync.WaitGroup  // heartbeats, lists; Run waits for them
}

// take does with an event what is to be done, and then calls its handlers.
func (r *run) take(e sse.Event) error {
	r.hear(true)
	defer r.hear(false)
	e, ok, err := r.face.read(e)
	if err != nil {
		r.trouble(fmt.Errorf("client: %w", err))
		return nil
	}
	if !ok {
		return nil
	}
	var end error
	switch e.Type {
	case openType:
		if !r.opened(e) {
			return nil
		}
	case gapType:
		if r.o.Presence { // joins and leaves may be among what is missing
			r.reload(r.ctx, r.Channels())
		}
	case joinType, leaveType, updateType:
		r.seen(e)
	case endType:
		var why End
		if json.Unmarshal([]byte(e.Data), &why) == nil && why.Reason == "replaced" {
			end = ErrReplaced
		}
	}
	r.dispatch(e)
	return end
}

// hear notes that the stream lives.
func (c *Client) hear(busy bool) {
	c.mu.Lock()
	c.busy, c.heard = busy, time.Now()
	c.mu.Unlock()
}

// opened takes over the subscription's id. Where the channels have changed since the request
// was made, another request has to be. A stream opens once: it is false for what comes again.
func (r *run) opened(e sse.Event) bool {
	var open Open
	if err := json.Unmarshal([]byte(e.Data), &open); err != nil || open.Subscription == "" {
		r.trouble(fmt.Errorf("client: %s names no subscription: %.200q", e.Type, e.Data))
		return false
	}
	r.mu.Lock()
	if r.id != "" {
		r.mu.Unlock()
		r.trouble(fmt.Errorf("client: a second %s on one stream is passed over", e.Type))
		return false
	}
	r.id = open.Subscription
	late := !slices.Equal(r.asked, r.want)
	list := slices.Clone(r.asked)
	left := len(r.left) > 0
	r.unlisted = false
	r.mu.Unlock()
	if late {
		r.source.Restart()
		return true
	}
	if left {
		r.aside.Go(func() { r.leaveAgain(open.Subscription) })
	}
	if open.Heartbeat != nil {
		r.beat(*open.Heartbeat)
	}
	if r.o.Presence {
		r.reload(r.ctx, list)
	}
	return true
}
