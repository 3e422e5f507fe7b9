package brokertest

import (
	"fmt"

	"github.com/stentor-sse/stentor"
)

// word publishes a message about a subject.
func (r *rig) word(ch stentor.Channel, subject, data string) stentor.Message {
	r.Helper()
	return r.send(r.b, stentor.Message{Target: stentor.Target{Channel: ch}, Subject: subject, Data: data})
}

// remove publishes that there is nothing more to say about a subject.
func (r *rig) remove(ch stentor.Channel, subject string) stentor.Message {
	r.Helper()
	return r.send(r.b, stentor.Message{Target: stentor.Target{Channel: ch}, Subject: subject, Data: "gone", Remove: true})
}

// state gives the state of a channel, after checking that it is as the replay of it.
func (r *rig) state(link stentor.Link, ch stentor.Channel, after, upTo stentor.Position) []stentor.Message {
	r.Helper()
	var got []stentor.Message
	err := link.State(r.ctx, ch, after, upTo, func(page []stentor.Message) bool {
		if len(page) == 0 {
			r.Errorf("state of %q: an empty page", ch)
		}
		got = append(got, page...)
		return true
	})
	if err != nil {
		r.Fatalf("state of %q: %v", ch, err)
	}
	var want []stentor.Message
	for _, m := range r.replay(link, after, upTo, ch) {
		if m.Subject != "" && !m.Remove {
			want = append(want, m)
		}
	}
	r.same(fmt.Sprintf("state of %q in (%d, %d]", ch, after, upTo), got, want)
	return got
}

func stateIsNewest(r *rig) {
	r.open(Limits{})
	link, _ := r.attach(r.b)
	start := r.want(link, "a")
	one := r.publish(r.b, "a", "about nothing")
	r.word("a", "x", "1")
	y := r.word("a", "y", "1")
	r.same("state", r.state(link, "a", start, y.Position), r.state(link, "a", 0, ever))
	x := r.word("a", "x", "2")
	two := r.publish(r.b, "a", "about nothing")
	r.word("a", "z", "1")
	z := r.remove("a", "z")
	r.same("state", r.state(link, "a", 0, ever), []stentor.Message{y, x})
	r.same("all", r.replay(link, start, ever, "a"), []stentor.Message{one, y, x, two, z})
	r.same("state up to one", r.state(link, "a", 0, x.Position-1), []stentor.Message{y})
	r.same("state after one", r.state(link, "a", y.Position, ever), []stentor.Message{x})
	again := r.word("a", "z", "2")
	r.same("state with what has come back", r.state(link, "a", 0, ever), []stentor.Message{y, x, again})
	r.same("all with what has come back", r.replay(link, x.Position, ever, "a"), []stentor.Message{two, z, again})
}

func stateOfItsChannel(r *rig) {
	r.open(Limits{})
	link, f := r.attach(r.b)
	r.want(link, "a", "b")
	one, two := r.word("a", "x", "1"), r.word("b", "x", "2")
	r.same("delivered", f.until(two.Position), []stentor.Message{one, two})
	r.same("state of a", r.state(link, "a", 0, ever), []stentor.Message{one})
	r.same("state of b", r.state(link, "b", 0, ever), []stentor.Message{two})
	r.same("state of another", r.state(link, "c", 0, ever), nil)
	r.same("both", r.replay(link, one.Position-1, ever, "b", "a"), []stentor.Message{one, two})
}

func supersededIsNoGap(r *rig) {
	r.open(Limits{})
	link, _ := r.attach(r.b)
	start := r.want(link, "a")
	floor := r.window(link, "a").Floor
	var last stentor.Message
	for i := range 300 {
		last = r.word("a", "x", fmt.Sprint(i))
	}
	r.remove("a", "x")
	r.publish(r.b, "a", "end")
	if w := r.window(link, "a"); w.Floor != floor && !r.h.RoundsUp {
		r.Errorf("the floor was %d and is %d, after messages that others took the place of", floor, w.Floor)
	}
	if got := r.replay(link, start, last.Position, "a"); len(got) != 0 {
		r.Errorf("replayed %d messages that others took the place of", len(got))
	}
}

func stateIsTrimmed(r *rig) {
	r.open(Limits{Size: 5})
	link, _ := r.attach(r.b)
	r.want(link, "a")
	var all []stentor.Message
	for i := range 4 {
		all = append(all, r.word("a", fmt.Sprint(i), "word"), r.publish(r.b, "a", "other"))
	}
	kept := r.replay(link, 0, ever, "a")
	r.same("kept", kept, all[len(all)-len(kept):])
	if len(kept) < 5 {
		r.Fatalf("%d are kept, and 5 may be", len(kept))
	}
	if gone := len(all) - len(kept); gone > 0 {
		if w := r.window(link, "a"); w.Floor < all[gone-1].Position {
			r.Errorf("the floor is %d, and %d is gone", w.Floor, all[gone-1].Position)
		}
	}
	r.state(link, "a", 0, ever)
}

func stateInPages(r *rig) {
	r.open(Limits{})
	link, _ := r.attach(r.b)
	r.want(link, "a")
	for i := range 300 {
		r.word("a", fmt.Sprint(i), "1")
	}
	var want []stentor.Message
	for i := range 700 {
		m := r.word("a", fmt.Sprint(i), "2")
		want = append(want, m)
		if i%3 == 0 {
			r.publish(r.b, "a", "between")
		}
	}
	r.same("state", r.state(link, "a", 0, ever), want)
	calls := 0
	err := link.State(r.ctx, "a", want[9].Position, ever, func(page []stentor.Message) bool {
		calls++
		r.same("a page", page, want[10:10+len(page)])
		clear(page)
		return false
	})
	if err != nil || calls != 1 {
		r.Errorf("%d pages, %v; want one", calls, err)
	}
	r.same("state after a page was overwritten", r.state(link, "a", 0, ever), want)
}

func stateReopened(r *rig) {
	r.open(Limits{Size: 50})
	link, _ := r.attach(r.b)
	start := r.want(link, "a")
	floor := r.window(link, "a").Floor
	for i := range 1500 { // more than waits to be taken away
		r.word("a", fmt.Sprint(i%7), fmt.Sprint(i))
	}
	r.remove("a", "3")
	end := r.publish(r.b, "a", "end")
	before, state := r.replay(link, start, ever, "a"), r.state(link, "a", 0, ever)
	for range 2 {
		if err := link.Close(r.ctx); err != nil {
			r.Fatal(err)
		}
		r.b = r.h.Reopen(r.TB, r.b)
		link, _ = r.attach(r.b)
		r.same("kept", r.replay(link, start, ever, "a"), before)
		r.same("state", r.state(link, "a", 0, ever), state)
		if w := r.window(link, "a"); w.Floor != floor && !r.h.RoundsUp {
			r.Errorf("the floor was %d and is %d", floor, w.Floor)
		}
	}
	if m := r.word("a", "3", "back"); m.Position <= end.Position {
		r.Errorf("position %d after %d", m.Position, end.Position)
	}
	if got := r.state(link, "a", end.Position, ever); len(got) != 1 {
		r.Errorf("what came back is not in the state: %d", len(got))
	}
}
