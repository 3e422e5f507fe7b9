package brokertest

import (
	"fmt"

	"github.com/stentor-sse/stentor"
)

func windowOfNewLog(r *rig) {
	r.open(Limits{})
	link, _ := r.attach(r.b)
	at := r.want(link, "a")
	for _, channels := range [][]stentor.Channel{nil, {"a"}, {"a", "b"}} {
		if w := r.window(link, channels...); w.Head != at || w.Floor > at {
			r.Errorf("window of %q: %+v; want head %d and nothing above it missing", channels, w, at)
		}
	}
	if m := r.publish(r.b, "a", "first"); m.Position <= at {
		r.Errorf("the first message has position %d, want one above the head %d", m.Position, at)
	}
}

func windowUntrimmed(r *rig) {
	r.open(Limits{})
	link, _ := r.attach(r.b)
	cursor := r.want(link, "a")
	var last stentor.Message
	for i := range 20 {
		last = r.publish(r.b, channel(i%4), fmt.Sprint(i))
	}
	for _, channels := range [][]stentor.Channel{{"a"}, {"d", "a"}, {"a", "b", "c", "d"}, {"never used"}, {"a", "never used"}} {
		w := r.window(link, channels...)
		if w.Head != last.Position {
			r.Errorf("window of %q: head %d, want %d", channels, w.Head, last.Position)
		}
		r.atMost(w, cursor, channels...)
	}
}

// atMost fails when a cursor shows a gap that is none.
func (r *rig) atMost(w stentor.Window, cursor stentor.Position, channels ...stentor.Channel) {
	r.Helper()
	if w.Floor > cursor && !r.h.RoundsUp {
		r.Errorf("window of %q: floor %d is above the cursor %d, and nothing after that is missing", channels, w.Floor, cursor)
	}
}

// exact checks that the floor of a channel is the newest that is missing of all
// that was published on it.
func (r *rig) exact(link stentor.Link, ch stentor.Channel, sent []stentor.Message) {
	r.Helper()
	if w, lost := r.floor(link, ch, sent); lost != 0 {
		r.atMost(w, lost, ch)
	}
}

// floor checks that no message published on a channel is missing in silence.
// It gives the newest that is missing, or zero.
func (r *rig) floor(link stentor.Link, ch stentor.Channel, sent []stentor.Message) (w stentor.Window, lost stentor.Position) {
	r.Helper()
	kept := r.replay(link, 0, ever, ch)
	missing := sent[:max(0, len(sent)-len(kept))]
	r.same(fmt.Sprintf("kept on %q, the newest of %d", ch, len(sent)), kept, sent[len(missing):])
	w = r.window(link, ch)
	if len(missing) > 0 {
		lost = missing[len(missing)-1].Position
	}
	if w.Floor < lost {
		r.Errorf("window of %q: floor %d hides that %d is missing", ch, w.Floor, lost)
	}
	return w, lost
}

func windowTrimmed(r *rig) {
	const size = 10
	r.open(Limits{Size: size})
	link, _ := r.attach(r.b)
	cursor := r.want(link)
	quiet := []stentor.Message{r.publish(r.b, "quiet", "kept")}
	var busy []stentor.Message
	for i := range 3 * size {
		busy = append(busy, r.publish(r.b, "busy", fmt.Sprint(i)))
		r.exact(link, "busy", busy)
	}
	if n := len(r.replay(link, cursor, ever, "busy")); n > size {
		r.Errorf("%d messages are kept on a channel, at most %d are allowed", n, size)
	}
	r.exact(link, "quiet", quiet)
	r.atMost(r.window(link, "quiet"), cursor, "quiet")
	r.atMost(r.window(link, "never used"), cursor, "never used")
	one, both := r.window(link, "busy"), r.window(link, "quiet", "busy")
	if both.Floor < one.Floor {
		r.Errorf("the floor of two channels is %d, below the %d of one of them", both.Floor, one.Floor)
	}
}

func windowForgotten(r *rig) {
	r.open(Limits{Channels: 3})
	link, _ := r.attach(r.b)
	cursor := r.want(link)
	all := make(map[stentor.Channel][]stentor.Message)
	publish := func(ch stentor.Channel) {
		m := r.publish(r.b, ch, "")
		all[ch] = append(all[ch], m)
		for ch, sent := range all {
			r.floor(link, ch, sent)
		}
		if r.window(link, ch).Floor >= m.Position {
			r.Errorf("window of %q: its newest message, %d, is said to be missing", ch, m.Position)
		}
	}
	for i := range 8 {
		publish(channel(i))
	}
	publish("a") // forgotten by now, or not
	got := r.replay(link, cursor, ever, "a")
	if len(got) == 0 {
		r.Fatalf("the newest message of a channel is not kept")
	}
	if newest := got[len(got)-1]; newest.Prev < all["a"][0].Position {
		r.Errorf("the second message of a channel names %d as the one before it, below the first, %d", newest.Prev, all["a"][0].Position)
	}
}

func windowNothingKept(r *rig) {
	r.open(Limits{Size: -1})
	link, f := r.attach(r.b)
	cursor := r.want(link, "a")
	var sent []stentor.Message
	for i := range 5 {
		sent = append(sent, r.publish(r.b, "a", fmt.Sprint(i)))
		r.exact(link, "a", sent)
	}
	last := sent[len(sent)-1].Position
	r.same("delivered", f.until(last), sent)
	if h := r.window(link, "a").Head; h != last {
		r.Errorf("head %d, want %d: it moves though nothing is kept", h, last)
	}
	r.atMost(r.window(link, "b"), cursor, "b")
}

func prevWalksBack(r *rig) {
	r.open(Limits{Size: 10})
	link, f := r.attach(r.b)
	r.want(link, "a", "b", "c")
	var last stentor.Position
	for i := range 60 {
		last = r.publish(r.b, channel(i*i%3), fmt.Sprint(i)).Position
	}
	delivered := make(map[stentor.Channel]stentor.Position)
	for _, m := range f.until(last) {
		ch := m.Target.Channel
		if before, ok := delivered[ch]; ok && m.Prev != before {
			r.Errorf("delivered on %q: prev of %d is %d, want %d", ch, m.Position, m.Prev, before)
		}
		delivered[ch] = m.Position
	}
	for ch := range delivered {
		kept := r.replay(link, 0, ever, ch)
		if len(kept) == 0 {
			r.Fatalf("nothing is kept on %q", ch)
		}
		for i, m := range kept[1:] {
			if before := kept[i].Position; m.Prev != before {
				r.Errorf("kept on %q: prev of %d is %d, want %d", ch, m.Position, m.Prev, before)
			}
		}
		if w := r.window(link, ch); w.Floor != kept[0].Prev && !r.h.RoundsUp {
			r.Errorf("the floor of %q is %d, want the oldest message's prev, %d", ch, w.Floor, kept[0].Prev)
		}
	}
}
