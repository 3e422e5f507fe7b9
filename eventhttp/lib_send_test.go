package eventhttp_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stentor-sse/stentor"
	"github.com/stentor-sse/stentor/ssetest"
)

// L-35, L-36, L-37, L-42, §9.1: text or an event, to all, by predicate, to a group, to some of a group, to
// one. Whom a message is for and what it is are fields with names.
func TestLibSend(t *testing.T) {
	ctx := context.Background()
	isAnna := func(s *stentor.Subscription) bool { return s.Member().User == "anna" }
	rows := []struct {
		name    string
		send    func(hub *stentor.Hub) (stentor.Receipt, error)
		to      string // who gets it
		dataOf  string
		typeOf  string
		matched int
	}{
		{"text to all", func(h *stentor.Hub) (stentor.Receipt, error) {
			return h.Publish(ctx, stentor.Message{Target: stentor.Target{All: true}, Data: "1"})
		}, "anna bert carl", "1", "", 3},
		{"event to all", func(h *stentor.Hub) (stentor.Receipt, error) {
			return h.Publish(ctx, stentor.Message{Target: stentor.Target{All: true}, Type: "t", Data: "2"})
		}, "anna bert carl", "2", "t", 3},
		{"by predicate", func(h *stentor.Hub) (stentor.Receipt, error) {
			return h.PublishFunc(ctx, stentor.Message{Data: "3"}, isAnna)
		}, "anna", "3", "", 1},
		{"to a group", func(h *stentor.Hub) (stentor.Receipt, error) { return h.Publish(ctx, to("g", "4")) }, "anna bert", "4", "", 2},
		{"to some of a group", func(h *stentor.Hub) (stentor.Receipt, error) {
			return h.PublishFunc(ctx, to("g", "5"), isAnna)
		}, "anna", "5", "", 1},
		{"to a user in a group, on every node", func(h *stentor.Hub) (stentor.Receipt, error) {
			return h.Publish(ctx, stentor.Message{Target: stentor.Target{Channel: "g", User: "anna"}, Data: "6"})
		}, "anna", "6", "", 1},
		{"L-42 to an unknown group", func(h *stentor.Hub) (stentor.Receipt, error) { return h.Publish(ctx, to("nobody", "7")) }, "", "7", "", 0},
		{"to one, by its key", func(h *stentor.Hub) (stentor.Receipt, error) {
			return h.Holder("kc").Publish(ctx, stentor.Message{Type: "t", Data: "8"})
		}, "carl", "8", "t", 1},
		{"by a predicate that nobody meets", func(h *stentor.Hub) (stentor.Receipt, error) {
			return h.PublishFunc(ctx, stentor.Message{Data: "9"}, func(*stentor.Subscription) bool { return false })
		}, "", "9", "", 0},
	}
	ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
		hub, srv := serve(t, p, nil, byUser())
		all := map[string]*ssetest.Recorder{}
		for name, query := range map[string]string{"anna": "channel=g&key=ka", "bert": "channel=g&key=kb", "carl": "key=kc"} {
			all[name], _ = member(t, hub, srv, "/events?"+query+"&user="+name)
		}
		for _, row := range rows {
			got, err := row.send(hub)
			if err != nil || got.Matched != row.matched { // L-45: the number of recipients
				t.Errorf("%s: matched %d, %v; want %d", row.name, got.Matched, err, row.matched)
			}
			synctest.Wait()
			for name, s := range all {
				events := s.Events()
				last := events[len(events)-1]
				has := last.Data == row.dataOf && last.Type == row.typeOf
				if has != strings.Contains(row.to, name) {
					t.Errorf("%s: %s has %+v last", row.name, name, last)
				}
			}
		}
	})
}

// counting is a dialect that counts what it encodes.
type counting struct{ encoded *atomic.Int64 }

func (c counting) AppendMessage(b []byte, m *stentor.Message) ([]byte, error) {
	c.encoded.Add(1)
	return append(b, m.Data...), nil
}
func (counting) AppendNotice(b []byte, _ *stentor.Notice) ([]byte, error) { return b, nil }
func (counting) AppendKeepAlive(b []byte) []byte                          { return b }

// sink is a response that remembers.
type sink struct{ got notes }

func (s *sink) WriteFrames(p []byte) error             { s.got.add("%s", p); return nil }
func (*sink) Done() <-chan struct{}                    { return nil }
func (*sink) Detach() (c net.Conn, ok bool, err error) { return nil, false, errors.ErrUnsupported }

// L-36: encoded once, however many read it, also for those whom a predicate picks.
func TestLibEncodedOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hub, encoded := newHub(t, nil), new(atomic.Int64)
		var all []*sink
		for range 20 {
			sub, err := hub.Subscribe(t.Context(), &stentor.SubscribeOptions{Channels: []stentor.Channel{"a"}, Dialect: counting{encoded}})
			if err != nil {
				t.Fatal(err)
			}
			s := &sink{}
			all = append(all, s)
			go sub.Serve(s) // ends with the hub
		}
		synctest.Wait()
		publish(t, hub, to("a", "one"))
		synctest.Wait()
		if _, err := hub.PublishFunc(t.Context(), stentor.Message{Data: "two"}, func(*stentor.Subscription) bool { return true }); err != nil {
			t.Fatal(err)
		}
		for _, s := range all {
			s.got.is(t, "a reader", "one", "two")
		}
		if n := encoded.Load(); n != 2 {
			t.Errorf("two messages for 20 readers were encoded %d times", n)
		}
	})
}

// L-38, L-39, L-40, §17 (18): publishing waits for no reader, one that doesn't read or fails holds up nobody, and
// what it missed is told to it.
func TestLibSlowReaderDelaysNobody(t *testing.T) {
	ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
		hub, srv := serve(t, p, &stentor.Options{QueueLength: 8}, nil)
		slow := srv.OpenStalled(t, "/events?channel=a")
		gone, _ := member(t, hub, srv, "/events?channel=a")
		fast, _ := member(t, hub, srv, "/events?channel=a")
		gone.Close() // L-40: between check and write, for all the publisher knows
		text := strings.Repeat("x", 16<<10)
		begun := time.Now()
		for range 50 {
			publish(t, hub, to("a", text))
			synctest.Wait()
		}
		if took := time.Since(begun); took != 0 { // in the bubble, only waiting takes time
			t.Errorf("publishing waited for %v", took)
		}
		if n := len(data(fast)); n != 50 {
			t.Errorf("the fast one has %d of 50", n)
		}
		slow.Resume()
		if n := len(data(slow)); n != 50 {
			t.Errorf("the slow one has %d of 50", n)
		}
	})
}

// L-41: cancelled is an error that comes back, before anything is sent.
func TestLibCancellation(t *testing.T) {
	ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
		hub, srv := serve(t, p, nil, nil)
		s, sub := member(t, hub, srv, "/events?channel=a")
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		all := func(*stentor.Subscription) bool { return true }
		for name, do := range map[string]func() error{
			"to a group":   func() error { _, err := hub.Publish(ctx, to("a", "x")); return err },
			"by predicate": func() error { _, err := hub.PublishFunc(ctx, stentor.Message{Data: "x"}, all); return err },
			"to one":       func() error { _, err := sub.Publish(ctx, stentor.Message{Data: "x"}); return err },
		} {
			if err := do(); !errors.Is(err, context.Canceled) {
				t.Errorf("%s: %v", name, err)
			}
		}
		if got := data(s); len(got) != 0 {
			t.Errorf("it got %q", got)
		}
	})
}

// L-43: events to one client are whole and in one order, the same for all, whoever sends at once.
func TestLibConcurrentSends(t *testing.T) {
	ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
		hub, srv := serve(t, p, &stentor.Options{QueueLength: 1000}, nil)
		a, _ := member(t, hub, srv, "/events?channel=a")
		b, _ := member(t, hub, srv, "/events?channel=a")
		var senders sync.WaitGroup
		for i := range 10 {
			senders.Go(func() {
				for j := range 20 {
					publish(t, hub, to("a", fmt.Sprintf("%d.%d\nline", i, j)))
				}
			})
		}
		senders.Wait()
		got := data(a)
		if len(got) != 200 || !slices.Equal(got, data(b)) {
			t.Errorf("%d events, and in another order for the other", len(got))
		}
		for _, text := range got {
			if !strings.HasSuffix(text, "\nline") {
				t.Errorf("half an event: %q", text)
			}
		}
	})
}

// L-45: what Lib leaves to the application is the hub's: ids, history, the number of recipients.
func TestLibPositionsAndHistory(t *testing.T) {
	ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
		hub, srv := serve(t, p, nil, nil)
		a := publish(t, hub, to("a", "one"))
		b := publish(t, hub, to("a", "two"))
		if a >= b || a == 0 {
			t.Errorf("positions %d, %d", a, b)
		}
		s, _ := member(t, hub, srv, "/events?channel=a", "Last-Event-ID: "+a.String())
		if got := data(s); !slices.Equal(got, []string{"two"}) {
			t.Errorf("replayed %q", got)
		}
	})
}

// §11: the bytes of each call, with LF for a line's end, which all readers take. DEFECT there, not here: a
// line break in text can end nothing, and one in a type is refused.
func TestLibBytes(t *testing.T) {
	rows := []struct {
		name  string
		m     stentor.Message
		bytes string // "" for refused
	}{
		{"text", stentor.Message{Data: "Hello"}, "data: Hello\n\n"},
		{"text empty", stentor.Message{}, "data: \n\n"},
		{"event with several lines", stentor.Message{Type: "t", Data: "a\nb"}, "event: t\ndata: a\ndata: b\n\n"},
		{"event with data alone", stentor.Message{Data: "a"}, "data: a\n\n"},
		{"CR", stentor.Message{Data: "a\rb"}, "data: a\ndata: b\n\n"},
		{"CRLF", stentor.Message{Data: "a\r\nb"}, "data: a\ndata: b\n\n"},
		{"fields in the text", stentor.Message{Data: "a\nid: 7\n\nevent: forged"}, "data: a\ndata: id: 7\ndata: \ndata: event: forged\n\n"},
		{"a line break in the type", stentor.Message{Type: "t\nid: 7", Data: "a"}, ""},
		{"CR in the type", stentor.Message{Type: "t\rdata: b", Data: "a"}, ""},
		{"NUL in the type", stentor.Message{Type: "t\x00", Data: "a"}, ""},
		{"bytes that are no text", stentor.Message{Data: "\xff"}, ""},
	}
	ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
		hub, srv := serve(t, p, nil, nil)
		s, sub := member(t, hub, srv, "/events?channel=a")
		for _, row := range rows {
			before := s.Raw()
			row.m.Ephemeral = true // without an id, as there
			_, err := sub.Publish(context.Background(), row.m)
			synctest.Wait()
			got := strings.TrimPrefix(s.Raw(), before)
			if got != row.bytes || errors.Is(err, stentor.ErrInvalid) != (row.bytes == "") {
				t.Errorf("%s: %q, %v; want %q", row.name, got, err, row.bytes)
			}
		}
	})
}
