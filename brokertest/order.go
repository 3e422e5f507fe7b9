package brokertest

import (
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/stentor-sse/stentor"
)

func positionsIncrease(r *rig) {
	r.open(Limits{})
	link, f := r.attach(r.b)
	start := r.want(link, "a", "b", "c")
	var sent []stentor.Message
	for i := range 30 {
		sent = append(sent, r.publish(r.b, channel(i%3), fmt.Sprint(i)))
	}
	last := start
	for i, m := range sent {
		if m.Position <= last {
			r.Errorf("message %d has position %d, after %d", i, m.Position, last)
		}
		last = m.Position
	}
	r.same("delivered", f.until(last), sent)
	r.durable()
}

// durable checks what receipts say of the message's keeping.
func (r *rig) durable() {
	r.Helper()
	receipt, err := r.b.Publish(r.ctx, stentor.Message{Target: stentor.Target{Channel: "a"}})
	if err != nil {
		r.Fatalf("publish: %v", err)
	}
	got, want := receipt.Durability, r.h.Durability
	if got == "" || got == "none" || want != "" && got != want {
		r.Errorf("a kept message has durability %q, want %q", got, want)
	}
}

func concurrentPublishers(r *rig) {
	r.open(Limits{})
	link, f := r.attach(r.b)
	r.want(link, "a", "b", "c", "end")
	sent := make([][]stentor.Message, 4)
	peer := r.peer()
	var wg sync.WaitGroup
	for i := range sent {
		b := []stentor.Broker{r.b, peer}[i%2]
		wg.Go(func() {
			for n := range 50 {
				m, err := r.try(b, stentor.Message{
					Target: stentor.Target{Channel: channel(n % 3)}, Data: fmt.Sprint(i, n),
				})
				if err != nil {
					r.Error(err)
					return
				}
				sent[i] = append(sent[i], m)
			}
		})
	}
	wg.Wait()
	all := slices.Concat(sent...)
	all = append(all, r.publish(r.b, "end", ""))
	for i, list := range sent {
		if !slices.IsSortedFunc(list, byPosition) {
			r.Errorf("publisher %d: its messages are not in the order it published them", i)
		}
	}
	slices.SortFunc(all, byPosition)
	r.same("delivered", f.until(all[len(all)-1].Position), all)
}

func linksSeeTheSame(r *rig) {
	r.open(Limits{})
	one, f1 := r.attach(r.b)
	two, f2 := r.attach(r.peer())
	r.want(one, "a", "b")
	r.want(two, "b", "a")
	var wg sync.WaitGroup
	for i := range 3 {
		wg.Go(func() {
			for n := range 30 {
				m := stentor.Message{Target: stentor.Target{Channel: channel(n % 2)}, Data: fmt.Sprint(i, n)}
				if _, err := r.try(r.b, m); err != nil {
					r.Error(err)
				}
			}
		})
	}
	wg.Wait()
	end := r.publish(r.b, "a", "end")
	got1, got2 := f1.until(end.Position), f2.until(end.Position)
	if len(got1) != 91 {
		r.Errorf("the first link saw %d messages, want 91", len(got1))
	}
	r.same("the second link", got2, got1)
	for i := range min(len(got1), len(got2)) {
		if got1[i].Prev != got2[i].Prev || !got1[i].Time.Equal(got2[i].Time) {
			r.Errorf("message %d: prev %d and %d, time %v and %v", got1[i].Position,
				got1[i].Prev, got2[i].Prev, got1[i].Time, got2[i].Time)
		}
	}
}

func ephemeralIsPassing(r *rig) {
	r.open(Limits{})
	link, f := r.attach(r.b)
	start := r.want(link, "a")
	before := r.publish(r.b, "a", "before")
	ephemeral := r.send(r.b, stentor.Message{
		Target: stentor.Target{Channel: "a"}, Data: "now", Ephemeral: true,
		Position: 7, Prev: 6, // whatever a publisher left there
	})
	if h := r.window(link, "a").Head; h != before.Position {
		r.Errorf("an ephemeral message moved the head from %d to %d", before.Position, h)
	}
	after := r.publish(r.b, "a", "after")
	got := f.until(after.Position)
	ephemeral.Position = 0
	r.same("delivered", got, []stentor.Message{before, ephemeral, after})
	if p := got[2].Prev; p != before.Position {
		r.Errorf("prev of the message after an ephemeral one is %d, want %d", p, before.Position)
	}
	r.same("replayed", r.replay(link, start, ever, "a"), []stentor.Message{before, after})
}

func retryIsOne(r *rig) {
	r.open(Limits{})
	link, f := r.attach(r.b)
	start := r.want(link, "a", "b")
	m := stentor.Message{Target: stentor.Target{Channel: "a"}, Type: "t", Data: "once", IdempotencyKey: "k"}
	receipts := make([]stentor.Receipt, 8)
	var wg sync.WaitGroup
	for i, b := range []stentor.Broker{r.b, r.peer(), r.b, r.b, r.b, r.b, r.b, r.b} {
		wg.Go(func() {
			var err error
			if receipts[i], err = b.Publish(r.ctx, m); err != nil {
				r.Errorf("publish: %v", err)
			}
		})
	}
	wg.Wait()
	first := 0
	for _, receipt := range receipts {
		if !receipt.Repeated {
			first++
		}
		if receipt.Repeated = false; receipt.Position != receipts[0].Position || receipt.Durability != receipts[0].Durability {
			r.Errorf("receipts of one message: %+v and %+v", receipt, receipts[0])
		}
	}
	if first != 1 {
		r.Errorf("%d of %d receipts say that they are the first", first, len(receipts))
	}
	r.onlyOnce(m)
	m.Position = receipts[0].Position
	m.IdempotencyKey = ""
	other := r.send(r.b, stentor.Message{Target: stentor.Target{Channel: "a"}, Type: "t", Data: "once"})
	r.same("delivered", f.until(other.Position), []stentor.Message{m, other})
	r.same("replayed", r.replay(link, start, ever, "a", "b"), []stentor.Message{m, other})
}

// onlyOnce checks that a key that was used is for the same message only.
func (r *rig) onlyOnce(m stentor.Message) {
	r.Helper()
	for what, change := range map[string]func(*stentor.Message){
		"other data":     func(m *stentor.Message) { m.Data += "x" },
		"another type":   func(m *stentor.Message) { m.Type += "x" },
		"another target": func(m *stentor.Message) { m.Target.Channel = "b" },
		"JSON":           func(m *stentor.Message) { m.JSON = !m.JSON },
	} {
		other := m
		change(&other)
		if receipt, err := r.b.Publish(r.ctx, other); !errors.Is(err, stentor.ErrInvalid) {
			r.Errorf("%s with a key that was used: %+v, %v; want an error that wraps ErrInvalid", what, receipt, err)
		}
	}
}

func channel(i int) stentor.Channel { return stentor.Channel('a' + rune(i)) }

func byPosition(a, b stentor.Message) int { return int(a.Position - b.Position) }
