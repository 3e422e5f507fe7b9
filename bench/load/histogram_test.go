package load_test

import (
	"testing"
	"time"

	"github.com/stentor-sse/stentor/bench/load"
)

func TestQuantiles(t *testing.T) {
	var h load.Histogram
	if h.Quantile(0.5) != 0 || h.Max() != 0 {
		t.Error("an empty one is not zero")
	}
	for i := range 1000 {
		h.Add(time.Duration(i+1) * time.Millisecond)
	}
	h.Add(-time.Second) // clocks differ
	for q, want := range map[float64]time.Duration{0: 0, 0.5: 500 * time.Millisecond, 0.99: 990 * time.Millisecond, 1: time.Second} {
		if got := h.Quantile(q); got < want*99/100 || got > want*104/100 {
			t.Errorf("quantile %v: %v, want about %v", q, got, want)
		}
	}
	if h.Count() != 1001 || h.Max() != time.Second {
		t.Errorf("%d, max %v", h.Count(), h.Max())
	}
}

func TestEachStepHoldsItsOwn(t *testing.T) {
	for d := time.Duration(1); d > 0; d = d*5/4 + 1 {
		var h load.Histogram
		h.Add(d)
		h.Add(1 << 62)
		if got := h.Quantile(0.5); got < d || got-d > d/31 {
			t.Fatalf("%d came out as %d", d, got)
		}
	}
}
