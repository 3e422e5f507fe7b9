package stentor

import (
	"context"
	"fmt"
	"sync/atomic"
)

// reader is the delivering side of a subscription. It is live (everything up to
// cursor was handed out, the queue has what comes next) or behind (the history
// has what is between cursor and target, the queue what comes after). Only the
// goroutine of Serve or Messages uses it.
type reader struct {
	s      *Subscription
	cursor Position
	behind bool
	target Position
	reason GapReason // what to call a gap met while behind
	told   Position  // gaps up to here have been told
	lost   bool      // a gap for ephemeral messages is due
	lived  bool      // it was live before
	own    *ownReplay
	states *statement // of channels that are to be told
	spare  []item
}

// open finds where the stream starts: at the cursor that the client presented,
// or at the present. It gives what the client must be told first.
func (r *reader) open(ctx context.Context) ([]item, error) {
	s := r.s
	r.cursor = s.in.start
	n := &Notice{Kind: NoticeOpen, Subscription: s, Retry: s.hub.spreadRetry()}
	gap, err := r.resolve(ctx)
	if err != nil {
		return nil, err
	}
	if s.Cursor() == "" || gap != nil || s.in.owing {
		if n.StateFirst, err = r.begin(ctx); err != nil {
			return nil, err
		}
	}
	n.Cursor = r.cursor
	m := s.member()
	n.Member = &m
	s.mu.Lock()
	if s.asked != nil {
		n.Channels = m.Channels
	}
	s.mu.Unlock()
	items := []item{{notice: n}}
	if gap != nil {
		items = append(items, r.gap(gap, r.cursor))
		items[1].notice.StateFirst = n.StateFirst
	}
	s.mu.Lock()
	s.reached, s.proved = r.cursor, r.cursor
	s.mu.Unlock()
	return items, nil
}

// resolve compares the presented cursor with the log.
func (r *reader) resolve(ctx context.Context) (*Gap, error) {
	s := r.s
	if s.Cursor() == "" {
		return nil, nil
	}
	p, ok := parsePosition(s.Cursor())
	if s.in.replay != nil {
		r.own = newOwnReplay(ctx, s)
		r.cursor = min(p, s.in.start) // zero where only the application can read it
		return nil, nil
	}
	if !ok {
		return &Gap{Reason: GapUnknown}, nil
	}
	w, err := s.hub.link.Window(ctx, s.routes(s.Channels()))
	if err != nil {
		return nil, fmt.Errorf("stentor: window: %w", err)
	}
	if p > max(w.Head, s.in.start) {
		return &Gap{Reason: GapAhead, After: p}, nil
	}
	r.cursor, r.reason = p, GapExpired
	r.behind, r.target = p < s.in.start, s.in.start
	if p == 0 { // all that is kept: nothing is missing from that
		r.told = w.Floor
	}
	return nil, nil
}

// next gives what to hand out now, without waiting; nothing when the reader has
// everything.
func (r *reader) next(ctx context.Context) ([]item, error) {
	if r.own != nil {
		if items := r.ownPage(); len(items) > 0 {
			return items, nil
		}
	}
	if items, err := r.past(ctx); err != nil || len(items) > 0 {
		return items, err
	}
	t := r.s.take(r.spare)
	items := t.items[:0]
	for _, it := range t.items {
		if it.pos == 0 || it.pos > r.cursor {
			items = append(items, it)
			r.cursor = max(r.cursor, it.pos)
		}
	}
	r.spare = t.items
	if t.gap != nil { // told before the history is read on or skipped, and so before anything newer
		items = append(items, item{notice: t.gap})
	}
	if t.full {
		told, err := r.fall(t.target, t.lost)
		if err != nil {
			return nil, err
		}
		items = append(items, told...)
	}
	r.lived = r.lived || !t.full
	if t.beat {
		m := r.s.Member()
		items = append(items, item{notice: &Notice{Kind: NoticeHeartbeat, Subscription: r.s, Member: &m}})
	}
	if t.owing {
		r.states = &statement{}
	}
	if (t.full || t.owing) && len(items) == 0 {
		return r.next(ctx)
	}
	return items, nil
}

// past gives what comes from what is kept, until there is no more of it.
func (r *reader) past(ctx context.Context) (items []item, err error) {
	for err == nil && len(items) == 0 && (r.states != nil || r.behind) {
		if r.states != nil {
			items, err = r.state(ctx)
		} else {
			items, err = r.page(ctx)
		}
	}
	return items, err
}

// page reads on in the history. With the last page the reader is live.
func (r *reader) page(ctx context.Context) ([]item, error) {
	h := r.s.hub
	sinces := h.index.sinces(r.s)
	channels := make([]Channel, len(sinces))
	for i, ch := range sinces {
		channels[i] = ch.name
	}
	var page []Message
	err := h.link.Replay(ctx, channels, r.cursor, r.target, func(m []Message) bool {
		page = m
		return false
	})
	if err != nil {
		return nil, fmt.Errorf("stentor: replay: %w", err)
	}
	// The window is looked at after the page was read: what was trimmed before
	// or meanwhile is below its floor.
	items, err := r.missing(ctx, sinces, page)
	if err != nil {
		return nil, err
	}
	if len(page) == 0 {
		r.cursor, r.behind = max(r.cursor, r.target), false
		if r.lost {
			r.lost = false
			items = append(items, r.gap(&Gap{Reason: GapEphemeral, After: r.cursor}, r.cursor))
		}
		return items, nil
	}
	for i := range page {
		if m := &page[i]; h.index.takes(r.s, m) {
			items = append(items, item{pos: m.Position, msg: m})
		}
	}
	r.cursor = page[len(page)-1].Position
	return items, nil
}

// missing gives a gap if messages after the cursor may be gone.
func (r *reader) missing(ctx context.Context, sinces []channel, page []Message) ([]item, error) {
	w, err := r.window(ctx, sinces)
	if err != nil {
		return nil, fmt.Errorf("stentor: window: %w", err)
	}
	if r.cursor >= w.Floor || r.told >= w.Floor {
		return nil, nil
	}
	r.told = w.Floor
	g := &Gap{Reason: r.reason, After: r.cursor}
	if r.cursor < w.Start {
		g.Reason = GapDiscontinuity
	}
	on := max(r.cursor, r.target)
	if len(page) > 0 {
		g.Oldest = page[0].Position
		on = g.Oldest - 1
	}
	return []item{r.gap(g, on)}, nil
}

// window is the window of all channels. One that was joined after the cursor
// misses only what came since.
func (r *reader) window(ctx context.Context, sinces []channel) (Window, error) {
	link := r.s.hub.link
	whole := make([]Channel, 0, len(sinces))
	var late Position
	for _, ch := range sinces {
		if ch.since <= r.cursor {
			whole = append(whole, ch.name)
			continue
		}
		w, err := link.Window(ctx, []Channel{ch.name})
		if err != nil {
			return w, err
		}
		if w.Floor > ch.since {
			late = max(late, w.Floor)
		}
	}
	w, err := link.Window(ctx, whole)
	w.Floor = max(w.Floor, late)
	return w, err
}

func (r *reader) gap(g *Gap, on Position) item {
	r.s.hub.count.gaps.Add(1)
	return item{notice: &Notice{Kind: NoticeGap, Cursor: on, Gap: g}}
}

// count adds the messages of items to the counters.
func count(items []item, counters ...*atomic.Uint64) {
	n := uint64(0)
	for i := range items {
		if items[i].notice == nil {
			n++
		}
	}
	for _, c := range counters {
		c.Add(n)
	}
}

// handed notes that everything up to the cursor is with the reader.
func (r *reader) handed(items []item) {
	count(items, &r.s.hub.count.delivered, &r.s.sent.messages)
	r.s.mu.Lock()
	r.s.reached = r.cursor
	r.s.mu.Unlock()
	clear(items) // spare is kept; what it pointed to is not
}
