package stentor_test

import (
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stentor-sse/stentor"
)

// keyed is a subscription of user 1 with the key "k".
func keyed(rule stentor.KeyRule) stentor.SubscribeOptions {
	return stentor.SubscribeOptions{Channels: []stentor.Channel{"home"}, User: "1", Key: "k", KeyRule: rule}
}

// K-07, L-13: the newest wins unless the newcomer says otherwise.
func TestKeyRules(t *testing.T) {
	subscribe := func(t *testing.T, h *stentor.Hub, rule stentor.KeyRule) (*stentor.Subscription, error) {
		t.Helper()
		o := keyed(rule)
		o.Dialect = plain{}
		return h.Subscribe(t.Context(), &o)
	}
	t.Run("newest ends all that hold it", func(t *testing.T) {
		bubble(t, func(t *testing.T) {
			h := newHub(t, nil)
			first, second := serve(t, h, keyed(stentor.KeyAllow)), serve(t, h, keyed(stentor.KeyAllow))
			newest := serve(t, h, keyed(stentor.KeyNewest))
			for _, old := range []*reader{first, second} {
				if err := <-old.cause; err != stentor.ErrReplaced {
					t.Errorf("an older holder ended with %v", err)
				}
			}
			if h.Holder("k") != newest.sub {
				t.Error("the holder is not the newest")
			}
			if n := h.Count(stentor.Target{Key: "k"}); n != 1 {
				t.Errorf("%d hold the key", n)
			}
		})
	})
	t.Run("refuse lets the holder stay", func(t *testing.T) {
		bubble(t, func(t *testing.T) {
			h := newHub(t, nil)
			holder := serve(t, h, keyed(stentor.KeyNewest))
			before := holder.got()
			if _, err := subscribe(t, h, stentor.KeyRefuse); !errors.Is(err, stentor.ErrKeyTaken) {
				t.Errorf("got %v", err)
			}
			if holder.sub.Cause() != nil || holder.got() != before || h.Stats().Subscriptions != 1 {
				t.Error("the refused one left a trace")
			}
			// One that lingers is nobody to wait for: who comes back is itself.
			holder.hangUp()
			settle()
			back, err := subscribe(t, h, stentor.KeyRefuse)
			if err != nil {
				t.Fatal(err)
			}
			if h.Holder("k") != back {
				t.Error("it did not get its key back")
			}
			back.Close(nil)
		})
	})
	t.Run("allow lets both stay, and both are reached", func(t *testing.T) {
		bubble(t, func(t *testing.T) {
			h := newHub(t, nil)
			first, second := serve(t, h, keyed(stentor.KeyAllow)), serve(t, h, keyed(stentor.KeyAllow))
			if h.Holder("k") != second.sub {
				t.Error("the holder is not the newest")
			}
			publish(t, h, stentor.Message{Target: stentor.Target{Key: "k"}, Type: "m", Data: "both"})
			settle()
			for i, r := range []*reader{first, second} {
				want(t, fmt.Sprint(i), r.got(), "open\nm=both\n")
			}
			second.sub.Close(nil)
			if h.Holder("k") != first.sub {
				t.Error("the first holds it no more")
			}
			first.sub.Close(nil)
			if h.Holder("k") != nil {
				t.Error("somebody holds it still")
			}
		})
	})
	t.Run("of many at once, refuse takes one", func(t *testing.T) {
		bubble(t, func(t *testing.T) {
			h := newHub(t, nil)
			var wg sync.WaitGroup
			got := make(chan *stentor.Subscription, 50)
			for range cap(got) {
				wg.Go(func() {
					if s, err := h.Subscribe(t.Context(), &stentor.SubscribeOptions{Key: "k", KeyRule: stentor.KeyRefuse}); err == nil {
						got <- s
					} else if !errors.Is(err, stentor.ErrKeyTaken) {
						t.Error(err)
					}
				})
			}
			wg.Wait()
			if len(got) != 1 {
				t.Errorf("%d got the key", len(got))
			}
			for range len(got) {
				(<-got).Close(nil)
			}
		})
	})
}

// L-14, L-69–L-76: an ended client is kept out by its key, for as long as that was said.
func TestDismiss(t *testing.T) {
	bubble(t, func(t *testing.T) {
		h := newHub(t, &stentor.Options{MaxDismissed: 2})
		back := func(key string) error {
			s, err := h.Subscribe(t.Context(), &stentor.SubscribeOptions{Key: key})
			if err == nil {
				s.Close(nil)
			}
			return err
		}
		r := serve(t, h, keyed(stentor.KeyNewest))
		if err := r.sub.Dismiss(time.Minute); err != nil {
			t.Fatal(err)
		}
		if err := <-r.cause; err != stentor.ErrDismissed {
			t.Errorf("ended with %v", err)
		}
		want(t, "stream", r.got(), "open\nbye stentor: dismissed\n")
		if err := back("k"); err != stentor.ErrDismissed {
			t.Errorf("it came back: %v", err)
		}
		if err := back("k"); err != stentor.ErrDismissed {
			t.Errorf("the second time: %v", err)
		}
		if n := h.Stats().Dismissed; n != 1 {
			t.Errorf("%d keys are dismissed", n)
		}
		after(time.Minute)
		if err := back("k"); err != nil {
			t.Errorf("after its time: %v", err)
		}
		if n := h.Stats().Dismissed; n != 0 {
			t.Errorf("%d keys are dismissed after their time", n)
		}

		// A reader between two connections has nobody to end, and is refused all the same.
		for i, key := range []string{"a", "b", "c"} { // one more than the bound
			if err := h.Dismiss(key, time.Hour+time.Duration(i)); err != nil {
				t.Fatal(err)
			}
		}
		if err := back("a"); err != nil {
			t.Errorf("the one to be forgotten first is refused still: %v", err)
		}
		if err := h.Dismiss("b", -1); err != nil {
			t.Fatal(err)
		}
		if err := back("b"); err != nil {
			t.Errorf("lifted: %v", err)
		}
		if err := back("c"); err != stentor.ErrDismissed {
			t.Errorf("c: %v", err)
		}
		if err := h.Dismiss("c", time.Second); err != nil { // shorter than before
			t.Fatal(err)
		}
		after(time.Second)
		if err := back("c"); err != nil {
			t.Errorf("c after its new time: %v", err)
		}

		nameless := serve(t, h, on("home"))
		if err := nameless.sub.Dismiss(0); !errors.Is(err, stentor.ErrInvalid) || nameless.sub.Cause() != nil {
			t.Errorf("without a key: %v, cause %v", err, nameless.sub.Cause())
		}
	})
}
