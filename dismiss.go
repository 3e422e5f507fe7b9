package stentor

import (
	"container/heap"
	"fmt"
	"time"
)

// dismissed are the keys that may not come back, each until its time. It is
// bounded: the one that would be forgotten first makes room. Hub.mu guards it.
type dismissed struct {
	keys  map[string]*tombstone
	order tombstones
}

// tombstone stands for one dismissed key.
type tombstone struct {
	key   string
	until time.Time
	at    int // in tombstones
}

// put dismisses key until then, within the bound.
func (d *dismissed) put(key string, until time.Time, limit int) {
	if t := d.keys[key]; t != nil {
		t.until = until
		heap.Fix(&d.order, t.at)
		return
	}
	t := &tombstone{key: key, until: until}
	d.keys[key] = t
	heap.Push(&d.order, t)
	for limit > 0 && len(d.order) > limit {
		d.drop(d.order[0])
	}
}

func (d *dismissed) drop(t *tombstone) {
	heap.Remove(&d.order, t.at)
	delete(d.keys, t.key)
}

// sweep forgets those whose time has come.
func (d *dismissed) sweep(now time.Time) {
	for len(d.order) > 0 && !now.Before(d.order[0].until) {
		d.drop(d.order[0])
	}
}

// has reports whether key is dismissed now.
func (d *dismissed) has(key string, now time.Time) bool {
	d.sweep(now)
	return d.keys[key] != nil
}

// tombstones is a heap: the one that ends first is at 0.
type tombstones []*tombstone

func (h tombstones) Len() int           { return len(h) }
func (h tombstones) Less(i, j int) bool { return h[i].until.Before(h[j].until) }
func (h tombstones) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].at, h[j].at = i, j
}

func (h *tombstones) Push(x any) {
	t := x.(*tombstone)
	t.at = len(*h)
	*h = append(*h, t)
}

func (h *tombstones) Pop() any {
	old := *h
	t := old[len(old)-1]
	old[len(old)-1] = nil
	*h = old[:len(old)-1]
	return t
}

// Dismiss ends every subscription with that key for good, with [ErrDismissed], and
// refuses the key to newcomers for as long as keep: zero means an hour, negative lifts an
// earlier dismissal. Nobody has to hold the key: a reader that is about to
// reconnect is refused as well. Only this hub knows of it.
func (h *Hub) Dismiss(key string, keep time.Duration) error {
	if key == "" {
		return fmt.Errorf("%w key: it is empty; only a subscription with a key can be recognised when it comes back", ErrInvalid)
	}
	if err := checkName("key", key); err != nil {
		return err
	}
	if keep == 0 {
		keep = time.Hour
	}
	h.mu.Lock()
	if keep < 0 {
		if t := h.dismissed.keys[key]; t != nil {
			h.dismissed.drop(t)
		}
		h.mu.Unlock()
		return nil
	}
	now := time.Now()
	h.dismissed.sweep(now)
	h.dismissed.put(key, now.Add(keep), h.o.MaxDismissed)
	holders := h.holders(key)
	h.mu.Unlock()
	for _, s := range holders {
		s.end(ErrDismissed, stageLeft)
	}
	return nil
}

// Dismiss is [Hub.Dismiss] of its key. A subscription without one can't be
// dismissed, because it could not be told from others when it comes back: that is
// an error, and nothing has happened.
func (s *Subscription) Dismiss(keep time.Duration) error { return s.hub.Dismiss(s.who.is(byKey), keep) }
