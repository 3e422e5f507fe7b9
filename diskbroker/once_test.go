package diskbroker_test

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stentor-sse/stentor"
	"github.com/stentor-sse/stentor/diskbroker"
)

func putOnce(t testing.TB, b *diskbroker.Broker, key string) stentor.Receipt {
	t.Helper()
	r, err := b.Publish(t.Context(), stentor.Message{Target: to("a"), IdempotencyKey: key})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// Idempotency keys are remembered for so long, and so many, whether their messages are
// on disk yet or not, and are kept or not.
func TestForgetsIdempotencyKeys(t *testing.T) {
	for name, o := range map[string]diskbroker.Options{
		"group commit": {}, "interval": {Interval: time.Millisecond}, "held": {Interval: 24 * time.Hour}, "nothing kept": {Size: -1},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				o.IdempotencyAge, o.IdempotencyKeys = time.Hour, 20
				dir := t.TempDir()
				b := open(t, dir, &o)
				first := putOnce(t, b, "k")
				time.Sleep(time.Minute)
				again := putOnce(t, b, "k")
				if !again.Repeated || again.Position != first.Position || again.Durability != first.Durability {
					t.Errorf("a minute later: %+v, want the receipt %+v", again, first)
				}
				shut(t, b)
				b = open(t, dir, &o)
				if again := putOnce(t, b, "k"); !again.Repeated || again.Position != first.Position || again.Durability != first.Durability {
					t.Errorf("after a restart: %+v, want the receipt %+v", again, first)
				}
				time.Sleep(time.Hour)
				if again := putOnce(t, b, "k"); again.Repeated {
					t.Errorf("more than an hour later: %+v, want another message", again)
				}
				for i := range 60 {
					putOnce(t, b, fmt.Sprint(i))
				}
				shut(t, b)
				b = open(t, dir, &o)
				for _, key := range []string{"59", "41"} {
					if r := putOnce(t, b, key); !r.Repeated {
						t.Errorf("one of the newest twenty, %s: %+v", key, r)
					}
				}
				if r := putOnce(t, b, "1"); r.Repeated {
					t.Errorf("one of the oldest: %+v, want it forgotten", r)
				}
			})
		})
	}
}
