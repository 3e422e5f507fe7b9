package stentor_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stentor-sse/stentor"
)

func putOnce(t testing.TB, b stentor.Broker, key string) stentor.Receipt {
	t.Helper()
	r, err := b.Publish(t.Context(), stentor.Message{Target: stentor.Target{Channel: "a"}, IdempotencyKey: key})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// Idempotency keys are remembered for so long, and so many.
func TestMemoryForgetsIdempotencyKeys(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := stentor.NewMemoryBroker(&stentor.MemoryOptions{IdempotencyAge: time.Hour, IdempotencyKeys: 10})
		first := putOnce(t, b, "k")
		time.Sleep(time.Hour)
		if again := putOnce(t, b, "k"); !again.Repeated || again.Position != first.Position {
			t.Errorf("after an hour: %+v, want the receipt of %+v", again, first)
		}
		time.Sleep(time.Second)
		if again := putOnce(t, b, "k"); again.Repeated {
			t.Errorf("after more than an hour: %+v, want another message", again)
		}
		for i := range 10 {
			putOnce(t, b, fmt.Sprint(i))
		}
		if r := putOnce(t, b, "0"); !r.Repeated {
			t.Errorf("the oldest of ten: %+v", r)
		}
		if r := putOnce(t, b, "k"); r.Repeated {
			t.Errorf("the eleventh: %+v, want it forgotten", r)
		}
	})
}

func TestIdempotencyKey(t *testing.T) {
	hub, err := stentor.New(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer hub.Shutdown(context.Background())
	m := stentor.Message{Target: stentor.Target{Channel: "a"}, Data: "x", IdempotencyKey: "k"}
	first, err := hub.Publish(t.Context(), m)
	if err != nil || first.Repeated {
		t.Fatalf("%+v, %v", first, err)
	}
	again, err := hub.Publish(t.Context(), m)
	if err != nil || !again.Repeated || again.Position != first.Position || hub.Stats().Published != 1 {
		t.Errorf("again: %+v, %v, %d published; want the first's receipt", again, err, hub.Stats().Published)
	}
	for what, change := range map[string]func(*stentor.Message){
		"of 256 bytes":              func(m *stentor.Message) { m.IdempotencyKey = strings.Repeat("k", 256) },
		"with a control character":  func(m *stentor.Message) { m.IdempotencyKey = "a\nb" },
		"of an ephemeral message":   func(m *stentor.Message) { m.Ephemeral = true },
		"used for other data":       func(m *stentor.Message) { m.Data = "y" },
		"used for another receiver": func(m *stentor.Message) { m.Target.Channel = "b" },
	} {
		bad := m
		change(&bad)
		if _, err := hub.Publish(t.Context(), bad); !isError(err, stentor.ErrInvalid) {
			t.Errorf("a key %s: %v", what, err)
		}
	}
}
