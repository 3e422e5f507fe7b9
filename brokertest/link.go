package brokertest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/stentor-sse/stentor"
)

func nextIsUnique(r *rig) {
	r.open(Limits{})
	one, _ := r.attach(r.b)
	two, _ := r.attach(r.peer())
	var mu sync.Mutex
	got := make(map[string][]int64)
	var wg sync.WaitGroup
	for _, link := range []stentor.Link{one, two, one, two} {
		wg.Go(func() {
			for i := range 50 {
				name := []string{"messages", "", "an other: \u00e9 "}[i%3]
				n, err := link.Next(r.ctx, name)
				if err != nil {
					r.Errorf("next %q: %v", name, err)
				}
				mu.Lock()
				got[name] = append(got[name], n)
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	for name, list := range got {
		slices.Sort(list)
		for i, n := range list {
			if n != int64(i+1) {
				r.Fatalf("next %q gave %d as its %d. lowest number: want 1, 2, 3, … each once", name, n, i+1)
			}
		}
	}
}

func closeEndsTheFeed(r *rig) {
	r.open(Limits{})
	other, f := r.attach(r.b)
	r.want(other, "a")
	var stop atomic.Bool
	var wg sync.WaitGroup
	defer func() {
		stop.Store(true)
		wg.Wait()
	}()
	for range 2 {
		wg.Go(func() {
			for !stop.Load() {
				if _, err := r.try(r.b, stentor.Message{Target: stentor.Target{Channel: "a"}}); err != nil {
					r.Error(err)
					return
				}
			}
		})
	}
	for range 20 {
		link, f := r.attach(r.b)
		r.want(link, "a")
		f.wait("a message", func(*stentor.Message) bool { return true })
		r.bounded("closing twice at once beside publishers", func() {
			var both sync.WaitGroup
			both.Go(func() { r.end(link, f) })
			both.Go(func() { r.end(link, f) })
			both.Wait()
		})
	}
	stop.Store(true)
	wg.Wait()
	m := r.publish(r.b, "a", "end")
	f.until(m.Position) // others are not touched
}

// calls are all methods of a link that a context bounds.
func calls(ctx context.Context, link stentor.Link, page func([]stentor.Message) bool) map[string]error {
	_, want := link.Want(ctx, []stentor.Channel{"a"}, nil)
	_, window := link.Window(ctx, []stentor.Channel{"a"})
	_, next := link.Next(ctx, "n")
	return map[string]error{
		"Want": want, "Window": window, "Next": next,
		"Replay": link.Replay(ctx, []stentor.Channel{"a"}, 0, ever, page),
	}
}

func closedLink(r *rig) {
	r.open(Limits{})
	link, f := r.attach(r.b)
	r.want(link, "a")
	r.publish(r.b, "a", "kept")
	r.end(link, f)
	if err := link.Close(r.ctx); err != nil {
		r.Errorf("the second Close: %v", err)
	}
	unasked := func([]stentor.Message) bool {
		r.Error("Replay gives a page after Close")
		return false
	}
	for method, err := range calls(r.ctx, link, unasked) {
		if !errors.Is(err, stentor.ErrClosed) {
			r.Errorf("%s after Close: %v, want ErrClosed", method, err)
		}
	}
	r.publish(r.b, "a", "to nobody")
	if n := len(f.messages()); n > 1 {
		r.Errorf("%d messages were delivered, one was published before Close", n)
	}
}

func alone(r *rig) {
	r.open(Limits{})
	one, _ := r.attach(r.b)
	r.want(one, "a")
	two, _ := r.attach(r.peer())
	r.want(two, "a")
	if one.Alone() || two.Alone() {
		r.Errorf("of two links, one says that it is alone: %v, %v", one.Alone(), two.Alone())
	}
}

func endedContext(r *rig) {
	r.open(Limits{})
	link, f := r.attach(r.b)
	r.want(link, "b")
	kept := r.publish(r.b, "a", "kept")
	ended, cancel := context.WithCancel(r.ctx)
	cancel()
	unasked := func([]stentor.Message) bool {
		r.Error("Replay gives a page though its context has ended")
		return false
	}
	errs := calls(ended, link, unasked)
	_, errs["Publish"] = r.b.Publish(ended, stentor.Message{Target: stentor.Target{Channel: "b"}})
	_, errs["Attach"] = r.b.Attach(ended, newFeed(r.TB))
	for method, err := range errs {
		if !errors.Is(err, context.Canceled) {
			r.Errorf("%s with an ended context: %v, want context.Canceled", method, err)
		}
	}
	if h := r.window(link, "b").Head; h != kept.Position {
		r.Errorf("the head went from %d to %d", kept.Position, h)
	}
	if n, err := link.Next(r.ctx, "n"); n != 1 || err != nil {
		r.Errorf("Next = %d, %v; want 1: nothing was counted before", n, err)
	}
	r.publish(r.b, "a", "not wanted")
	m := r.publish(r.b, "b", "wanted")
	r.same("delivered", f.until(m.Position), []stentor.Message{m})
}

// reopened holds for brokers that outlive their process.
func reopened(r *rig) {
	r.open(Limits{Size: 10})
	link, f := r.attach(r.b)
	cursor := r.want(link, "a")
	var sent []stentor.Message
	for i := range 15 {
		sent = append(sent, r.publish(r.b, "a", fmt.Sprint(i)))
	}
	quiet := []stentor.Message{r.publish(r.b, "quiet", "kept")}
	once := stentor.Message{Target: stentor.Target{Channel: "other"}, Data: "once", IdempotencyKey: "k"}
	keyed := r.send(r.b, once)
	first, err := link.Next(r.ctx, "n")
	if err != nil {
		r.Fatalf("next: %v", err)
	}
	r.end(link, f)
	r.b = r.h.Reopen(r.TB, r.b)
	link, f = r.attach(r.b)
	if at := r.want(link, "a"); at < quiet[0].Position {
		r.Errorf("the head is %d after reopening, below %d", at, quiet[0].Position)
	}
	r.exact(link, "a", sent)
	r.exact(link, "quiet", quiet)
	r.atMost(r.window(link, "quiet"), cursor, "quiet")
	if second, err := link.Next(r.ctx, "n"); second <= first || err != nil {
		r.Errorf("Next gave %d, and after reopening %d, %v", first, second, err)
	}
	if again, err := r.b.Publish(r.ctx, once); err != nil || !again.Repeated || again.Position != keyed.Position {
		r.Errorf("a retry after reopening: %+v, %v; want position %d, repeated", again, err, keyed.Position)
	}
	r.onlyOnce(once)
	more := r.publish(r.b, "a", "more")
	if more.Position <= quiet[0].Position {
		r.Errorf("position %d was given after %d, before reopening", more.Position, quiet[0].Position)
	}
	r.same("delivered", f.until(more.Position), []stentor.Message{more})
	r.exact(link, "a", append(sent, more))
}
