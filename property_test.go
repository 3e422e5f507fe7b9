package stentor_test

import (
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stentor-sse/stentor"
)

// L-32, S-24: typed values of a subscription, for the server alone.
func TestProperty(t *testing.T) {
	bubble(t, func(t *testing.T) {
		h := newHub(t, nil)
		plan, other := stentor.NewProperty[string]("plan"), stentor.NewProperty[string]("plan")
		failure := stentor.NewProperty[error]("failure")
		o := on("home")
		plan.Preset(&o, "free")
		twin := o
		plan.Preset(&twin, "paid") // must not reach into o
		a, b := serve(t, h, o), serve(t, h, twin)

		get := func(r *reader) string {
			v, ok := plan.Get(r.sub)
			if !ok {
				return "none"
			}
			return v
		}
		want(t, "preset", get(a)+" "+get(b), "free paid")
		if _, ok := other.Get(a.sub); ok {
			t.Error("two properties with one name are one")
		}
		if plan.Add(a.sub, "gold") {
			t.Error("Add replaced a value")
		}
		plan.Set(a.sub, "gold")
		want(t, "set", get(a)+" "+get(b), "gold paid")
		if v, ok := plan.Delete(a.sub); !ok || v != "gold" {
			t.Errorf("Delete gave %q, %v", v, ok)
		}
		if _, ok := plan.Delete(a.sub); ok {
			t.Error("deleted twice")
		}
		want(t, "deleted", get(a), "none")
		if !plan.Add(a.sub, "new") {
			t.Error("Add did not")
		}
		failure.Set(a.sub, nil)
		if v, ok := failure.Get(a.sub); v != nil || !ok {
			t.Errorf("a nil interface is a value too: %v, %v", v, ok)
		}
		if got := a.got() + b.got(); got != "open\nopen\n" {
			t.Errorf("readers were told: %q", got)
		}

		var added atomic.Int32
		first := stentor.NewProperty[int]("first")
		var wg sync.WaitGroup
		for i := range 20 {
			wg.Go(func() {
				if first.Add(a.sub, i) {
					added.Add(1)
				}
			})
		}
		if wg.Wait(); added.Load() != 1 {
			t.Errorf("%d of 20 added it", added.Load())
		}
	})
}
