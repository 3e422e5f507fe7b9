package stentor_test

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stentor-sse/stentor"
)

// memoryModel is what a MemoryBroker promises, as plainly as it can be written:
// lists that are searched from end to end.
type memoryModel struct {
	o           stentor.MemoryOptions // every limit set
	start, head stentor.Position
	floor       stentor.Position // of forgotten channels
	channels    []*modelChannel  // in the order of their last message
}

type modelChannel struct {
	name        stentor.Channel
	floor, last stentor.Position
	kept        []stentor.Message
}

func (m *memoryModel) find(name stentor.Channel) *modelChannel {
	for _, c := range m.channels {
		if c.name == name {
			return c
		}
	}
	return nil
}

// publish gives the message as it must come out.
func (m *memoryModel) publish(msg stentor.Message) stentor.Message {
	route := msg.Target.Route()
	c := m.find(route)
	if c == nil {
		c = &modelChannel{name: route, floor: m.floor, last: m.floor}
	}
	m.channels = slices.DeleteFunc(m.channels, func(o *modelChannel) bool { return o == c })
	m.channels = append(m.channels, c)
	msg.Time = time.Now().Round(0).UTC()
	msg.Position = max(m.head+1, stentor.Position(msg.Time.UnixMicro()))
	msg.Prev = c.last
	m.head, c.last = msg.Position, msg.Position
	c.kept = append(c.kept, msg)
	for len(c.kept) > max(m.o.Size, 0) {
		c.drop()
	}
	m.trim()
	return msg
}

func (c *modelChannel) drop() {
	c.floor = c.kept[0].Position
	c.kept = c.kept[1:]
}

// oldest is the channel with the oldest kept message.
func (m *memoryModel) oldest() *modelChannel {
	var found *modelChannel
	for _, c := range m.channels {
		if len(c.kept) > 0 && (found == nil || c.kept[0].Position < found.kept[0].Position) {
			found = c
		}
	}
	return found
}

func (m *memoryModel) bytes() (n int64) {
	for _, c := range m.channels {
		n += 256 + int64(len(c.name))
		for _, k := range c.kept {
			n += 256 + int64(len(k.Data)+len(k.Type)+len(k.Target.Channel)+len(k.Target.User))
		}
	}
	return n
}

func (m *memoryModel) trim() {
	for c := m.oldest(); c != nil && m.o.Age > 0 && time.Since(c.kept[0].Time) > m.o.Age; c = m.oldest() {
		c.drop()
	}
	for m.bytes() > m.o.Bytes && len(m.channels) > 0 {
		if len(m.channels[0].kept) == 0 {
			m.forget()
		} else {
			m.oldest().drop()
		}
	}
	for len(m.channels) > m.o.Channels {
		m.forget()
	}
}

// forget forgets the channel that was quiet for longest.
func (m *memoryModel) forget() {
	m.floor = max(m.floor, m.channels[0].last)
	m.channels = m.channels[1:]
}

func (m *memoryModel) replay(names []stentor.Channel, after, upTo stentor.Position) (list []stentor.Message) {
	m.trim()
	for _, c := range m.channels {
		if slices.Contains(names, c.name) {
			list = append(list, c.kept...)
		}
	}
	list = slices.DeleteFunc(list, func(k stentor.Message) bool { return k.Position <= after || k.Position > upTo })
	slices.SortFunc(list, func(a, b stentor.Message) int { return cmp.Compare(a.Position, b.Position) })
	return list
}

func (m *memoryModel) window(names []stentor.Channel) stentor.Window {
	m.trim()
	w := stentor.Window{Floor: m.start, Start: m.start, Head: m.head}
	for _, name := range names {
		floor := m.floor
		if c := m.find(name); c != nil {
			floor = c.floor
		}
		w.Floor = max(w.Floor, floor)
	}
	return w
}

// TestMemoryBrokerAgainstModel takes random steps on the broker and on the model.
func TestMemoryBrokerAgainstModel(t *testing.T) {
	for _, o := range []stentor.MemoryOptions{
		{Size: 5, Age: -1, Bytes: 1 << 40, Channels: 1 << 20},
		{Size: 1, Age: time.Minute, Bytes: 1 << 40, Channels: 4},
		{Size: 1000, Age: 10 * time.Second, Bytes: 1 << 40, Channels: 1 << 20},
		{Size: 1000, Age: -1, Bytes: 20_000, Channels: 6},
		{Size: 30, Age: time.Minute, Bytes: 60_000, Channels: 7},
		{Size: -1, Age: time.Minute, Bytes: 1 << 40, Channels: 5},
		{Size: 3, Age: time.Minute, Bytes: 1500, Channels: 100},
	} {
		t.Run(fmt.Sprintf("%+v", o), func(t *testing.T) {
			seed := rand.Uint64()
			t.Logf("seed %d", seed)
			synctest.Test(t, func(t *testing.T) { walk(t, o, rand.New(rand.NewPCG(seed, 0))) })
		})
	}
}

// walk takes 3000 steps in a bubble.
func walk(t *testing.T, o stentor.MemoryOptions, random *rand.Rand) {
	b := stentor.NewMemoryBroker(&o)
	link, f := attach(t, b)
	w, err := link.Window(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	m := &memoryModel{o: o, start: w.Start, head: w.Start, floor: w.Start}
	var names []stentor.Channel
	for i := range 10 {
		names = append(names, stentor.Channel(strings.Repeat("c", i+1)))
	}
	names = append(names, stentor.Target{User: "u"}.Route())
	if _, err := link.Want(t.Context(), names, nil); err != nil {
		t.Fatal(err)
	}
	for step := range 3000 {
		switch n := random.IntN(100); {
		case n < 60:
			publishBoth(t, b, m, f, random)
		case n < 70:
			time.Sleep(time.Duration(random.Int64N(int64(3 * time.Second))))
		case n < 71:
			time.Sleep(2 * time.Minute)
		default:
			compare(t, link, m, some(random, names), random)
		}
		if t.Failed() {
			t.Fatalf("step %d", step)
		}
	}
}

func publishBoth(t *testing.T, b *stentor.MemoryBroker, m *memoryModel, f *keeper, random *rand.Rand) {
	// Low channels are busy, high ones quiet.
	i := min(random.IntN(11), random.IntN(11))
	msg := stentor.Message{Data: strings.Repeat("x", random.IntN(400)), Target: stentor.Target{User: "u"}}
	if i < 10 {
		msg.Target = stentor.Target{Channel: stentor.Channel(strings.Repeat("c", i+1))}
	}
	msg.Ephemeral = random.IntN(10) == 0
	if _, err := b.Publish(t.Context(), msg); err != nil {
		t.Fatal(err)
	}
	want := msg
	if msg.Ephemeral {
		want.Time = time.Now().Round(0).UTC()
	} else {
		want = m.publish(msg)
	}
	if f.last != want {
		t.Errorf("delivered %+v, want %+v", f.last, want)
	}
}

func compare(t *testing.T, link stentor.Link, m *memoryModel, names []stentor.Channel, random *rand.Rand) {
	span := max(1, int64(m.head-m.start))
	after := m.start + stentor.Position(random.Int64N(span+2)) - 1
	upTo := after + stentor.Position(random.Int64N(span+2)) - 1
	if random.IntN(3) == 0 {
		after, upTo = 0, m.head
	}
	var got []stentor.Message
	err := link.Replay(t.Context(), names, after, upTo, func(page []stentor.Message) bool {
		got = append(got, page...)
		return true
	})
	if want := m.replay(names, after, upTo); err != nil || !slices.Equal(got, want) {
		t.Errorf("replay of %q in (%d, %d]: %v\n%v, want\n%v", names, after, upTo, err, got, want)
	}
	w, err := link.Window(t.Context(), names)
	if want := m.window(names); err != nil || w != want {
		t.Errorf("window of %q: %v\n%+v, want\n%+v", names, err, w, want)
	}
}

// some gives a random choice of names, repeats and unknown ones included.
func some(random *rand.Rand, names []stentor.Channel) []stentor.Channel {
	var list []stentor.Channel
	for range random.IntN(6) {
		list = append(list, names[random.IntN(len(names))])
	}
	if random.IntN(10) == 0 {
		list = append(list, "never used")
	}
	return list
}
