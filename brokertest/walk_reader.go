package brokertest

import (
	"context"
	"slices"
	"sync"

	"github.com/stentor-sse/stentor"
)

// walkReader is a reader of a walk: it comes and goes, and reads as slowly as it is let.
type walkReader struct {
	w        *walk
	channels []stentor.Channel
	seen     stentor.Position // the last that it received, and what it presents as its cursor
	excused  stentor.Position // what is missing up to here was told

	stop    context.CancelFunc // nil while it is away
	done    chan struct{}      // closed when it has gone
	tokens  chan struct{}      // one for each item that it may read; closed: all
	running bool               // tokens is closed

	mu  sync.Mutex
	got []walkItem // guarded by mu: not yet looked at
}

// walkItem is a gap, or a message.
type walkItem struct {
	gap *stentor.Gap
	m   stentor.Message
}

// newReader begins at the present, or at the beginning.
func (w *walk) newReader() *walkReader {
	r := &walkReader{w: w}
	for i := range 6 {
		if w.random.IntN(3) == 0 {
			r.channels = append(r.channels, channel(i))
		}
	}
	r.seen = w.sent[len(w.sent)-1].Position
	return r
}

// resume comes back with the cursor.
func (r *walkReader) resume() {
	if r.stop != nil {
		return
	}
	ctx, cancel := context.WithCancel(r.w.ctx)
	s, err := r.w.hub.Subscribe(ctx, &stentor.SubscribeOptions{Channels: r.channels, Cursor: r.seen.String()})
	if err != nil {
		r.w.Fatalf("subscribe: %v", err)
	}
	r.stop, r.done, r.tokens, r.running = cancel, make(chan struct{}), make(chan struct{}, 1<<10), false
	r.excused = 0
	go r.take(ctx, s) // ends with drop
}

// take reads, one item for each token.
func (r *walkReader) take(ctx context.Context, s *stentor.Subscription) {
	defer close(r.done)
	for m, err := range s.Messages(ctx) {
		gap, ok := err.(*stentor.Gap)
		if err != nil && !ok {
			continue // its end
		}
		r.mu.Lock()
		r.got = append(r.got, walkItem{gap, m})
		r.mu.Unlock()
		select {
		case <-r.tokens:
		case <-ctx.Done():
			return
		}
	}
}

// drop goes away.
func (r *walkReader) drop() {
	if r.stop == nil {
		return
	}
	r.stop()
	<-r.done
	r.stop = nil
	r.look()
}

// look checks what came.
func (r *walkReader) look() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, it := range r.got {
		if it.gap != nil {
			r.missed(it.gap)
		} else {
			r.received(it.m)
		}
	}
	r.got = nil
}

// read reads some more.
func (r *walkReader) read(n int) {
	if r.stop == nil || r.running {
		return
	}
	for range n {
		select {
		case r.tokens <- struct{}{}:
		default:
		}
	}
}

// run reads all, from now on.
func (r *walkReader) run() {
	if r.stop != nil && !r.running {
		close(r.tokens)
		r.running = true
	}
}

// missed is told of a gap. It is about what is at or below the floor: that comes merged with
// what is kept, so there may be messages before all that is missing has been passed.
func (r *walkReader) missed(g *stentor.Gap) {
	if s := r.skipped(r.seen, g.After); len(s) > 0 && s[len(s)-1].Position > r.excused {
		r.w.Errorf("a gap after %d comes too late: %d is missing", g.After, s[len(s)-1].Position)
	}
	r.excused = r.w.window(r.w.link, r.channels...).Floor
	there := r.w.replay(r.w.link, g.After, r.excused, r.channels...)
	if lost := r.skipped(g.After, r.excused); len(lost) == len(there) && !r.w.h.RoundsUp {
		r.w.Errorf("a gap after %d, and nothing is missing", g.After)
	}
}

// received gets a message: what was passed must have been told to be missing.
func (r *walkReader) received(m stentor.Message) {
	if m.Position <= r.seen {
		r.w.Errorf("%d after %d", m.Position, r.seen)
	}
	if !slices.Contains(r.channels, m.Target.Channel) {
		r.w.Errorf("%d on %q, which is not a channel of this reader", m.Position, m.Target.Channel)
	}
	i, ok := slices.BinarySearchFunc(r.w.sent, m, byPosition)
	if !ok || m.Data != r.w.sent[i].Data || m.Subject != r.w.sent[i].Subject || m.Remove != r.w.sent[i].Remove || m.Target != r.w.sent[i].Target {
		r.w.Errorf("%d is %.20q on %+v, and was not published so", m.Position, m.Data, m.Target)
	}
	r.passed(m.Position - 1)
	r.seen = m.Position
}

// passed checks that nothing up to a position is missing but what was told.
func (r *walkReader) passed(upTo stentor.Position) {
	if s := r.skipped(r.seen, upTo); len(s) > 0 && s[len(s)-1].Position > r.excused {
		r.w.Errorf("%d is missing at %d, and no gap was told", s[len(s)-1].Position, upTo)
	}
}

// skipped are the messages for this reader with after < position <= upTo that none has taken the
// place of.
func (r *walkReader) skipped(after, upTo stentor.Position) []stentor.Message {
	var list []stentor.Message
	for i, m := range r.w.sent[position(r.w.sent, after):position(r.w.sent, upTo)] {
		if slices.Contains(r.channels, m.Target.Channel) && !r.w.superseded(position(r.w.sent, after)+i) {
			list = append(list, m)
		}
	}
	return list
}

// superseded reports whether a message was sent that has taken the place of the i-th.
func (w *walk) superseded(i int) bool {
	m := &w.sent[i]
	return m.Subject != "" && !m.Remove && slices.ContainsFunc(w.sent[i+1:], func(n stentor.Message) bool {
		return n.Subject == m.Subject && n.Target == m.Target
	})
}

// position is how many messages there are up to one.
func position(list []stentor.Message, p stentor.Position) int {
	i, found := slices.BinarySearchFunc(list, stentor.Message{Position: p}, byPosition)
	if found {
		i++
	}
	return i
}

// settled checks that a reader that read all has all.
func (r *walkReader) settled() {
	if r.stop != nil && r.running {
		r.passed(r.w.sent[len(r.w.sent)-1].Position)
	}
}
