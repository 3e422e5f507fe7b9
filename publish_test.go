package stentor_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stentor-sse/stentor"
)

// L-35, L-37: to those that a function picks, in the whole hub or a group of it.
func TestPublishFunc(t *testing.T) {
	bubble(t, func(t *testing.T) {
		h := newHub(t, nil)
		age := stentor.NewProperty[int]("age")
		adult := func(s *stentor.Subscription) bool {
			h.Stats() // no lock is held
			n, _ := age.Get(s)
			return n >= 18
		}
		var all []*reader
		for i, n := range []int{12, 20, 30} {
			o := on("home")
			if i == 2 {
				o = on("news")
			}
			age.Preset(&o, n)
			all = append(all, serve(t, h, o))
		}
		for _, c := range []struct {
			target  stentor.Target
			matched int
			want    string
		}{
			{stentor.Target{}, 2, "|m=x|m=x"},
			{stentor.Target{Channel: "home"}, 1, "|m=x|"},
			{stentor.Target{Channel: "nobody"}, 0, "||"},
		} {
			for _, r := range all {
				r.text.Reset()
			}
			receipt, err := h.PublishFunc(t.Context(), stentor.Message{Target: c.target, Type: "m", Data: "x"}, adult)
			if err != nil {
				t.Fatal(err)
			}
			settle()
			if receipt.Matched != c.matched || receipt.Position != 0 {
				t.Errorf("%+v: %+v", c.target, receipt)
			}
			var got []string
			for _, r := range all {
				got = append(got, strings.TrimSpace(r.got()))
			}
			want(t, fmt.Sprint(c.target), strings.Join(got, "|"), c.want)
		}
		late := serve(t, h, from("0", "home"))
		if got := late.got(); got != "open\n" {
			t.Errorf("it was kept: %q", got)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := h.PublishFunc(ctx, stentor.Message{Data: "x"}, adult); !errors.Is(err, context.Canceled) {
			t.Errorf("with a context that has ended: %v", err)
		}
		if _, err := h.PublishFunc(t.Context(), stentor.Message{Type: "a b"}, adult); !errors.Is(err, stentor.ErrInvalid) {
			t.Errorf("an invalid message: %v", err)
		}
	})
}

// many is a broker that says it joins several hubs.
type many struct{ stentor.Broker }

func (b many) Attach(ctx context.Context, f stentor.Feed) (stentor.Link, error) {
	l, err := b.Broker.Attach(ctx, f)
	return manyLink{l}, err
}

type manyLink struct{ stentor.Link }

func (manyLink) Alone() bool { return false }

func TestPublishFuncNeedsOneHub(t *testing.T) {
	bubble(t, func(t *testing.T) {
		h := newHub(t, &stentor.Options{Broker: many{stentor.NewMemoryBroker(nil)}})
		r := serve(t, h, on("home"))
		asked := false
		_, err := h.PublishFunc(t.Context(), stentor.Message{Data: "x"}, func(*stentor.Subscription) bool { asked = true; return true })
		if !errors.Is(err, errors.ErrUnsupported) || asked {
			t.Errorf("got %v, asked %v", err, asked)
		}
		settle()
		want(t, "stream", r.got(), "open\n")
	})
}

type Greeting[T any] struct {
	Text T `json:"text"`
}

// S-10, S-23: the Go type names the message, and the channel when nobody is named.
func TestTyped(t *testing.T) {
	for _, c := range []struct {
		target stentor.Target
		v      any
		want   stentor.Message
	}{
		{stentor.Target{}, Greeting[string]{"hi"}, stentor.Message{Target: stentor.Target{Channel: "Greeting"}, Type: "Greeting", Data: `{"text":"hi"}`, JSON: true}},
		{stentor.Target{User: "1"}, &Greeting[int]{2}, stentor.Message{Target: stentor.Target{User: "1"}, Type: "Greeting", Data: `{"text":2}`, JSON: true}},
	} {
		m, err := stentor.Typed(c.target, c.v)
		if err != nil || m != c.want {
			t.Errorf("%#v: got %+v, %v", c.v, m, err)
		}
	}
	for _, v := range []any{nil, "text", 1, struct{ A int }{}, []Greeting[int]{}, map[string]int{}} {
		if _, err := stentor.Typed(stentor.Target{}, v); !errors.Is(err, stentor.ErrInvalid) {
			t.Errorf("%#v: %v", v, err)
		}
	}
	if _, err := stentor.Typed(stentor.Target{}, Greeting[chan int]{}); !errors.Is(err, stentor.ErrInvalid) {
		t.Errorf("what is no JSON: %v", err)
	}
}

func TestPublishToOneself(t *testing.T) {
	bubble(t, func(t *testing.T) {
		h := newHub(t, nil)
		a, b := serve(t, h, on("home")), serve(t, h, on("home"))
		receipt, err := a.sub.Publish(t.Context(), stentor.Message{Target: stentor.Target{All: true}, Type: "m", Data: "mine"})
		if err != nil || receipt.Matched != 1 {
			t.Errorf("got %+v, %v", receipt, err)
		}
		settle()
		want(t, "mine", a.got(), "open\nm=mine\n")
		want(t, "the other's", b.got(), "open\n")
		if s := a.sub.Sent(); s.Messages != 1 || s.Bytes != uint64(len(a.got())) {
			t.Errorf("sent %+v, the reader got %d bytes", s, len(a.got()))
		}
		a.sub.Close(nil)
		if _, err := a.sub.Publish(t.Context(), stentor.Message{Data: "x"}); !errors.Is(err, stentor.ErrUnknown) {
			t.Errorf("after the end: %v", err)
		}
	})
}

// L-53: the ones that are connected and the ones that come.
func TestSetRetry(t *testing.T) {
	bubble(t, func(t *testing.T) {
		told := &retryDialect{}
		o := on("home")
		o.Dialect = told
		h := newHub(t, &stentor.Options{Retry: 6 * time.Second})
		serve(t, h, o)
		between(t, "preset", told.last(), 4*time.Second, 8*time.Second)
		h.SetRetry(30 * time.Second)
		settle()
		between(t, "open ones", told.last(), 20*time.Second, 40*time.Second)
		told.told.Store(0)
		serve(t, h, o)
		between(t, "new ones", told.last(), 20*time.Second, 40*time.Second)
		h.SetRetry(-1)
		told.told.Store(-1)
		serve(t, h, o)
		if told.last() != 0 || h.Retry() != 0 {
			t.Errorf("switched off: %v told, %v", told.last(), h.Retry())
		}
		h.SetRetry(0)
		settle()
		between(t, "default", told.last(), 2*time.Second, 4*time.Second)
		h.SetRetry(time.Nanosecond) // less than can be told
		settle()
		between(t, "least", told.last(), time.Millisecond, time.Millisecond)
	})
}

type retryDialect struct {
	plain
	told atomic.Int64
}

func (d *retryDialect) last() time.Duration { return time.Duration(d.told.Load()) }

func (d *retryDialect) AppendNotice(b []byte, n *stentor.Notice) ([]byte, error) {
	d.told.Store(int64(n.Retry))
	return d.plain.AppendNotice(b, n)
}

func between(t *testing.T, what string, d, low, high time.Duration) {
	t.Helper()
	if d < low || d > high {
		t.Errorf("%s: %v, want %v to %v", what, d, low, high)
	}
}
