package load

import (
	"math/bits"
	"time"
)

// Histogram counts durations in steps of about three percent. The zero value is empty.
type Histogram struct {
	counts [64 * steps]uint64
	n      uint64
	max    time.Duration
}

const steps = 32 // to each doubling

// Add counts d; a negative one, from clocks that differ, is zero.
func (h *Histogram) Add(d time.Duration) {
	d = max(d, 0)
	h.max = max(h.max, d)
	h.counts[bucket(uint64(d))]++
	h.n++
}

func bucket(v uint64) int {
	if v < steps {
		return int(v)
	}
	shift := bits.Len64(v) - 6 // leaves 32 to 63
	return shift*steps + int(v>>shift)
}

// Count is how many were added.
func (h *Histogram) Count() uint64 { return h.n }

// Max is the longest.
func (h *Histogram) Max() time.Duration { return h.max }

// Quantile is a duration that at least the share q of all do not exceed, but for the
// width of a step; zero when nothing was added.
func (h *Histogram) Quantile(q float64) time.Duration {
	need := max(uint64(q*float64(h.n)+0.5), 1)
	var seen uint64
	for i, n := range h.counts {
		if seen += n; seen >= need {
			return min(upper(i), h.max)
		}
	}
	return h.max
}

// upper is the highest duration of a bucket.
func upper(i int) time.Duration {
	if i < 2*steps {
		return time.Duration(i)
	}
	shift := i/steps - 1
	return time.Duration((uint64(i-shift*steps)+1)<<shift - 1)
}
