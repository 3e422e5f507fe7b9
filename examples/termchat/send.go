package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/stentor-sse/stentor/client"
)

// say has a line be said, to one user or, without, to all on the current channel. Both see it when it comes back.
func (v *visitor) say(ctx context.Context, text, user string) error {
	v.mu.Lock()
	in := map[string]string{"channel": v.current, "message": text}
	v.mu.Unlock()
	if user != "" {
		in["toUserId"] = user
	}
	err := v.post(ctx, "PostChatToChannel", in)
	if err != nil {
		v.mu.Lock()
		v.unsent++
		v.mu.Unlock()
		err = fmt.Errorf("not sent: %w", err)
	}
	return err
}

// unsaid is an error if some lines were not sent, for scripts.
func (v *visitor) unsaid() error {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.unsent > 0 {
		return fmt.Errorf("lines that were not sent: %d", v.unsent)
	}
	return nil
}

// patience is how long a line waits for a connection.
const patience = 15 * time.Second

// post has a service do something in the name of the subscription. One that the server has forgotten is
// replaced, once.
func (v *visitor) post(ctx context.Context, service string, in map[string]string) error {
	ctx, cancel := context.WithTimeoutCause(ctx, patience, errors.New("there is no connection"))
	defer cancel()
	for again := true; ; again = false {
		from, err := v.subscription(ctx)
		if err != nil {
			return err
		}
		in["from"] = from
		err = v.client.Call(ctx, http.MethodPost, "api/"+service, in, nil)
		if r, ok := errors.AsType[*client.Refusal](err); !ok || r.Status != http.StatusNotFound || !again {
			return err
		}
		v.forget(from)
	}
}

// subscription waits until there is one.
func (v *visitor) subscription(ctx context.Context) (string, error) {
	v.mu.Lock()
	id, there := v.id, v.there
	v.mu.Unlock()
	for id == "" {
		select {
		case <-there:
		case <-ctx.Done():
			return "", context.Cause(ctx)
		}
		v.mu.Lock()
		id, there = v.id, v.there
		v.mu.Unlock()
	}
	return id, nil
}

// forget has a subscription be no longer this chat's, and another one begin.
func (v *visitor) forget(id string) {
	v.mu.Lock()
	if v.id == id {
		v.id, v.there = "", make(chan struct{})
	}
	v.mu.Unlock()
	v.client.Restart()
}
