package stentor

import (
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// Memory is given back once after each storm, and neither while it lasts nor for the little that
// always happens.
func TestMemoryIsGivenBackAfterAStorm(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var came, given atomic.Int64
		s := settler{giveBack: func() { given.Add(1) }}
		come := func(n int) {
			for range n {
				s.arrived(uint64(came.Add(1)), func() uint64 { return uint64(came.Load()) })
			}
		}
		for i, row := range []struct {
			come  int
			given int64
		}{
			{999, 0}, {0, 0}, {1, 0}, // the storm is noticed with the thousandth
			{2000, 0}, {51, 0}, {50, 1}, {0, 1},
			{898, 1}, {0, 1}, {1, 1}, {0, 2}, {0, 2}, {5, 2}, // so is every thousandth
		} {
			come(row.come)
			time.Sleep(settleAfter)
			synctest.Wait()
			if given.Load() != row.given {
				t.Fatalf("after row %d: given back %d times, want %d", i, given.Load(), row.given)
			}
		}
		come(1000)
		s.close()
		time.Sleep(time.Minute)
		if s.arrived(storm, nil); given.Load() != 2 {
			t.Error("given back after the end")
		}
	})
}
