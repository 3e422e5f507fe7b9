package stentor

import (
	"iter"
	"slices"
)

// Subscription returns the registered subscription with that id, a lingering
// one included, or nil.
func (h *Hub) Subscription(id string) *Subscription {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.subs[id]
}

// Holder returns the newest live subscription with that key, or nil.
func (h *Hub) Holder(key string) *Subscription {
	h.mu.Lock()
	defer h.mu.Unlock()
	return newest(h.keys[key], (*Subscription).live)
}

// newest is the newest of those that are wanted, or nil.
func newest(set map[*Subscription]struct{}, wanted func(*Subscription) bool) (found *Subscription) {
	for s := range set {
		if (found == nil || s.serial > found.serial) && wanted(s) {
			found = s
		}
	}
	return found
}

// holders are those with the key, lingering ones included. The caller holds mu.
func (h *Hub) holders(key string) []*Subscription {
	list := make([]*Subscription, 0, len(h.keys[key]))
	for s := range h.keys[key] {
		list = append(list, s)
	}
	return list
}

// Subscriptions gives a snapshot of the live subscriptions that t covers, in no
// particular order; the zero Target covers all of them.
func (h *Hub) Subscriptions(t Target) iter.Seq[*Subscription] {
	return func(yield func(*Subscription) bool) {
		for _, s := range h.covered(t) {
			if !yield(s) {
				return
			}
		}
	}
}

// covered is a snapshot of the live subscriptions that t covers.
func (h *Hub) covered(t Target) []*Subscription { return h.index.list(t.orAll()) }

// orAll is everyone where nobody is named.
func (t Target) orAll() Target {
	if t == (Target{}) {
		t.All = true
	}
	return t
}

// Count is how many live subscriptions t covers; the zero Target covers all.
func (h *Hub) Count(t Target) int { return h.index.count(t.orAll()) }

// Channels are those that a live subscription is on, in order. A channel that the last
// one leaves is gone.
func (h *Hub) Channels() []Channel {
	list := h.index.names()
	slices.Sort(list)
	return list
}

// Drop ends every live subscription that t covers, without linger, and gives
// their number; the zero Target covers all. The cause nil means [ErrUnregistered]. Their
// readers are free to come back; see [Hub.Dismiss].
func (h *Hub) Drop(t Target, cause error) (ended int) {
	for _, s := range h.covered(t) {
		if s.Close(cause) {
			ended++
		}
	}
	return ended
}
