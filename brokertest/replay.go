package brokertest

import (
	"fmt"
	"slices"
	"sync"

	"github.com/stentor-sse/stentor"
)

func replayIsMerged(r *rig) {
	r.open(Limits{})
	link, _ := r.attach(r.b)
	start := r.want(link, "a")
	var sent []stentor.Message
	for i := range 24 {
		sent = append(sent, r.publish(r.b, channel(i*i%5), fmt.Sprint(i)))
	}
	cursors := []stentor.Position{0, start}
	for _, m := range sent {
		cursors = append(cursors, m.Position)
	}
	cursors = append(cursors, ever)
	for _, channels := range [][]stentor.Channel{
		nil, {"a"}, {"never used"}, {"a", "b", "e"}, {"e", "a"}, {"b", "a", "b", "never used"},
	} {
		for i, after := range cursors {
			for _, upTo := range cursors[max(0, i-1):] {
				want := slices.DeleteFunc(slices.Clone(sent), func(m stentor.Message) bool {
					return m.Position <= after || m.Position > upTo || !slices.Contains(channels, m.Target.Channel)
				})
				what := fmt.Sprintf("replay of %q in (%d, %d]", channels, after, upTo)
				r.same(what, r.replay(link, after, upTo, channels...), want)
			}
		}
	}
}

// long publishes enough for several pages on channels a and b.
func (r *rig) long(link stentor.Link) (start stentor.Position, sent []stentor.Message) {
	start = r.want(link)
	for i := range 700 {
		sent = append(sent, r.publish(r.b, channel(i/3%2), fmt.Sprint(i)))
	}
	return start, sent
}

func replayStops(r *rig) {
	r.open(Limits{})
	link, _ := r.attach(r.b)
	start, sent := r.long(link)
	var got []stentor.Message
	for after := start; ; {
		calls := 0
		err := link.Replay(r.ctx, []stentor.Channel{"a", "b"}, after, ever, func(page []stentor.Message) bool {
			calls++
			got = append(got, page...)
			return false
		})
		if err != nil {
			r.Fatalf("replay: %v", err)
		}
		if calls == 0 {
			break
		}
		if calls > 1 || len(got) > len(sent) {
			r.Fatalf("replay went on after page had returned false")
		}
		after = got[len(got)-1].Position
	}
	r.same("pages, each from where the last one ended", got, sent)
}

func pageIsKept(r *rig) {
	r.open(Limits{})
	link, _ := r.attach(r.b)
	start, sent := r.long(link)
	var pages [][]stentor.Message
	keep := func(page []stentor.Message) bool {
		pages = append(pages, page)
		return true
	}
	if err := link.Replay(r.ctx, []stentor.Channel{"a", "b"}, start, ever, keep); err != nil {
		r.Fatalf("replay: %v", err)
	}
	r.same("pages that were kept", slices.Concat(pages...), sent)
	for _, page := range pages {
		clear(page)
	}
	r.same("replay after pages were overwritten", r.replay(link, start, ever, "a", "b"), sent)
	scribble := func(page []stentor.Message) bool {
		clear(page)
		return true
	}
	if err := link.Replay(r.ctx, []stentor.Channel{"a", "b"}, start, ever, scribble); err != nil {
		r.Fatalf("replay of which pages are overwritten at once: %v", err)
	}
}

func pageHoldsNoLock(r *rig) {
	r.open(Limits{})
	link, _ := r.attach(r.b)
	start := r.want(link, "a")
	r.publish(r.b, "a", "one")
	r.bounded("a replay whose page uses the broker", func() {
		err := link.Replay(r.ctx, []stentor.Channel{"a"}, start, ever, func([]stentor.Message) bool {
			_, e1 := r.try(r.b, stentor.Message{Target: stentor.Target{Channel: "a"}, Data: "two"})
			_, e2 := link.Want(r.ctx, []stentor.Channel{"b"}, nil)
			_, e3 := link.Window(r.ctx, []stentor.Channel{"a"})
			_, e4 := link.Next(r.ctx, "a")
			e5 := link.Replay(r.ctx, []stentor.Channel{"a"}, start, ever, func([]stentor.Message) bool { return false })
			e6 := link.State(r.ctx, "a", start, ever, func([]stentor.Message) bool { return false })
			for _, err := range []error{e1, e2, e3, e4, e5, e6} {
				if err != nil {
					r.Errorf("inside page: %v", err)
				}
			}
			return false
		})
		if err != nil {
			r.Errorf("replay: %v", err)
		}
	})
}

// replayBesideTrimming compares each replay with what was published: what it
// leaves out must be at or below the floor that the window shows afterwards.
func replayBesideTrimming(r *rig) {
	r.open(Limits{Size: 40})
	link, _ := r.attach(r.b)
	start := r.want(link)
	var mu sync.Mutex
	var sent []stentor.Message
	var wg sync.WaitGroup
	defer wg.Wait()
	for range 2 {
		wg.Go(func() {
			for n := range 400 {
				m, err := r.try(r.b, stentor.Message{Target: stentor.Target{Channel: channel(n % 2)}, Data: fmt.Sprint(n)})
				if err != nil {
					r.Error(err)
					return
				}
				mu.Lock()
				sent = append(sent, m)
				mu.Unlock()
			}
		})
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		wg.Wait()
	}()
	for after, running := start, true; running; {
		select {
		case <-done:
			running = false // once more, with nothing beside it
		default:
		}
		upTo := r.want(link)
		mu.Lock()
		before := slices.Clone(sent) // all of these were kept when the replay began, or trimmed before
		mu.Unlock()
		got := r.replay(link, after, upTo, "a", "b")
		floor := r.window(link, "a", "b").Floor
		r.missing(before, got, after, upTo, floor)
		if len(got) > 0 {
			after = got[len(got)/2].Position
		}
	}
	<-done
}

// missing checks that what a replay left out is told by the floor.
func (r *rig) missing(sent, got []stentor.Message, after, upTo, floor stentor.Position) {
	r.Helper()
	have := make(map[stentor.Position]bool, len(got))
	for _, m := range got {
		have[m.Position] = true
	}
	for _, m := range sent {
		if m.Position > after && m.Position <= upTo && m.Position > floor && !have[m.Position] {
			r.Fatalf("replay in (%d, %d] left out %d, and the floor is %d", after, upTo, m.Position, floor)
		}
	}
}
