package stentor

import (
	"math/rand/v2"
	"time"
)

// Retry is the reconnection time that is told; zero for none.
func (h *Hub) Retry() time.Duration { return time.Duration(h.retry.Load()) }

// SetRetry changes the reconnection time: every open stream is told now, and each
// new one when it opens, spread as [Options].Retry is. Zero means 3 s; negative tells
// none from now on, but can't take back what was told. Other hubs of the broker have
// their own.
func (h *Hub) SetRetry(d time.Duration) {
	defaults(&d, defaultRetry)
	h.retry.Store(int64(max(d, 0))) // before the open streams: one that opens now is told here or there
	if d < 0 {
		return
	}
	for _, s := range h.covered(Target{}) {
		s.push(item{notice: &Notice{Kind: NoticeRetry, Retry: h.spreadRetry()}})
	}
}

// spreadRetry is the reconnection time for one reader: as long on average, but not
// the same for all.
func (h *Hub) spreadRetry() time.Duration {
	d := h.Retry()
	if d == 0 {
		return 0
	}
	return max(d-d/3+rand.N(d/3*2+1), time.Millisecond).Round(time.Millisecond)
}
