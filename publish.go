package stentor

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Publish validates m, gives it to the broker and returns at the broker's
// durability. It never waits for a reader. After an error that leaves its fate open (ctx ended, a
// connection broke) it can be published again, if it has an IdempotencyKey. Errors about m wrap [ErrInvalid],
// [ErrTooLarge] or, for a subscription that no longer is, [ErrUnknown].
func (h *Hub) Publish(ctx context.Context, m Message) (Receipt, error) {
	if err := h.check(&m); err != nil {
		return Receipt{}, err
	}
	matched := -1
	if h.link.Alone() {
		matched = h.index.count(m.Target)
	}
	r, err := h.o.Broker.Publish(ctx, m)
	if err != nil {
		return Receipt{}, fmt.Errorf("stentor: publish: %w", err)
	}
	if !r.Repeated {
		h.count.published.Add(1)
	}
	r.Matched = matched
	return r, nil
}

// Check returns the error that Publish would now refuse m with, if any: for
// callers that publish several messages or none.
func (h *Hub) Check(m Message) error { return h.check(&m) }

func (h *Hub) check(m *Message) error {
	if err := m.prepare(h.o.MaxData); err != nil {
		return err
	}
	if h.closed() {
		return ErrClosed
	}
	if id := m.Target.Subscription; id != "" && h.link.Alone() && h.Subscription(id) == nil {
		return fmt.Errorf("%w subscription: it has ended, or never was", ErrUnknown)
	}
	return nil
}

// PublishFunc sends m to those of the live subscriptions its target covers that keep
// is true for; the zero Target covers all. keep is called without any lock, and may
// look at each as it likes.
//
// Such a message is ephemeral, whatever it says: nobody could tell later whom it was for.
// Nor can a function travel: with a broker that joins several hubs this is an error
// that wraps [errors.ErrUnsupported], and nothing is sent. Make a channel of
// what the function tests, and publish to that.
func (h *Hub) PublishFunc(ctx context.Context, m Message, keep func(*Subscription) bool) (Receipt, error) {
	m.Target, m.Ephemeral = m.Target.orAll(), true
	if err := h.check(&m); err != nil {
		return Receipt{}, err
	}
	if !h.link.Alone() {
		return Receipt{}, fmt.Errorf("stentor: publish: a function can't travel to the other hubs of the broker; publish to a channel: %w",
			errors.ErrUnsupported)
	}
	var list []*Subscription
	for _, s := range h.covered(m.Target) {
		if keep(s) {
			list = append(list, s)
		}
	}
	if ctx.Err() != nil {
		return Receipt{}, fmt.Errorf("stentor: publish: %w", context.Cause(ctx))
	}
	m.Time = time.Now()
	e := entry{item: item{msg: &m}}
	for _, s := range list {
		s.push(e.to(s.dialect))
	}
	h.failed(nil, e.err)
	h.count.published.Add(1)
	return Receipt{Matched: len(list), Durability: "none"}, nil
}

// Publish sends m to this subscription alone: its target is set to it.
func (s *Subscription) Publish(ctx context.Context, m Message) (Receipt, error) {
	m.Target = Target{Subscription: s.ID()}
	return s.hub.Publish(ctx, m)
}

// failed tells the hook, if there is anything to tell.
func (h *Hub) failed(s *Subscription, err error) {
	if hook := h.o.Hooks.Error; hook != nil && err != nil {
		hook(s, err)
	}
}
