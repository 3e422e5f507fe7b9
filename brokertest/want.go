package brokertest

import (
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/stentor-sse/stentor"
)

func wantIsComplete(r *rig) {
	r.open(Limits{})
	first, _ := r.attach(r.b)
	start := r.want(first, "a")
	var beside, sent []stentor.Message
	var wg sync.WaitGroup
	defer wg.Wait()
	wg.Go(func() {
		for n := range 300 {
			m, err := r.try(r.b, stentor.Message{Target: stentor.Target{Channel: "a"}, Data: fmt.Sprint(n)})
			if err != nil {
				r.Error(err)
				return
			}
			beside = append(beside, m)
		}
	})
	type latecomer struct {
		link stentor.Link
		feed *feed
		from stentor.Position
	}
	peer := r.peer()
	var late []latecomer
	for range 20 {
		link, f := r.attach(peer)
		sent = append(sent, r.publish(r.b, "a", "just before")) // at or below what Want returns
		late = append(late, latecomer{link, f, r.want(link, "a")})
	}
	wg.Wait()
	sent = append(sent, beside...)
	sent = append(sent, r.publish(r.b, "a", "end"))
	slices.SortFunc(sent, byPosition)
	end := sent[len(sent)-1].Position
	for _, l := range late {
		got := l.feed.until(end)
		for len(got) > 0 && got[0].Position <= l.from {
			got = got[1:] // allowed, not promised
		}
		kept := r.replay(l.link, start, l.from, "a")
		r.same(fmt.Sprintf("replayed up to %d and delivered above it", l.from), append(kept, got...), sent)
	}
}

func wantIsExact(r *rig) {
	r.open(Limits{})
	link, f := r.attach(r.b)
	r.publish(r.b, "b", "before any want")
	r.want(link, "b")
	r.publish(r.b, "a", "not wanted")
	r.publish(r.b, "bb", "not wanted")
	r.publish(r.b, "B", "not wanted")
	m := r.publish(r.b, "b", "wanted")
	r.same("delivered", f.until(m.Position), []stentor.Message{m})
}

func wantDropped(r *rig) {
	r.open(Limits{})
	link, f := r.attach(r.b)
	r.want(link, "a", "b")
	r.change(link, nil, []stentor.Channel{"a", "never wanted"})
	r.publish(r.b, "a", "dropped")
	one := r.publish(r.b, "b", "one")
	r.same("delivered after the drop", f.until(one.Position), []stentor.Message{one})
	from := r.change(link, []stentor.Channel{"a"}, []stentor.Channel{"b"})
	if from < one.Position {
		r.Errorf("want returned %d, below the head %d", from, one.Position)
	}
	r.publish(r.b, "b", "dropped")
	two := r.publish(r.b, "a", "two")
	r.same("delivered after the change", f.until(two.Position), []stentor.Message{one, two})
}

func routesAreCarried(r *rig) {
	r.open(Limits{})
	targets := []stentor.Target{
		{All: true}, {Channel: "x"}, {User: "x"}, {UserName: "x"}, {Session: "x"}, {Key: "x"}, {Subscription: "x"},
		{Channel: "x", User: "y"}, {Key: "k", Session: "s", User: "u"}, {All: true, Channel: "z"},
		{User: "with space, comma @ and \u00e9"},
	}
	for _, target := range targets {
		link, f := r.attach(r.b)
		start := r.want(link, target.Route())
		var want []stentor.Message
		for _, other := range targets {
			m := r.send(r.b, stentor.Message{Target: other, Data: "hello"})
			if other.Route() == target.Route() {
				want = append(want, m)
			}
		}
		end := want[len(want)-1].Position
		r.same(fmt.Sprintf("delivered for %+v", target), f.until(end), want)
		r.same(fmt.Sprintf("replayed for %+v", target), r.replay(link, start, ever, target.Route()), want)
	}
}

func contentsSurvive(r *rig) {
	r.open(Limits{})
	link, f := r.attach(r.b)
	start := r.want(link, "a")
	contents := []stentor.Message{
		{}, {Type: "t"}, {Data: " "}, {Data: "\n"}, {Data: "a\r\nb\rc\n\n"}, {Data: "\x00 nul \x1f\x7f"},
		{Data: "\ufeff\u2028 \U0001f4ef e\u0301"}, {Data: `{"a":[1,"\u0000"]}`, JSON: true}, {Data: "null", JSON: true},
		{Data: "id: 1\nevent: x\ndata: y\n\n"}, {Data: "$1 %s * > \\ ' \""}, {Data: strings.Repeat("é", 32<<10)},
		{Type: strings.Repeat("t", 128), Data: "long type"}, {Type: "cmd.say", Data: "dotted"},
		{Data: "and more", Target: stentor.Target{User: "u\u00fc ", UserName: "n", Subscription: ""}},
	}
	var sent []stentor.Message
	for _, m := range contents {
		if m.Target == (stentor.Target{}) {
			m.Target.Channel = "a"
		}
		r.want(link, m.Target.Route())
		sent = append(sent, r.send(r.b, m))
	}
	user := contents[len(contents)-1].Target.Route()
	r.same("delivered", f.until(sent[len(sent)-1].Position), sent)
	r.same("replayed", r.replay(link, start, ever, "a", user), sent)
}
