package diskbroker_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stentor-sse/stentor/brokertest"
)

// A hub over the disk keeps the promises of a plain list, restarts included.
func TestWalkOnDisk(t *testing.T) {
	for name, interval := range map[string]time.Duration{"group commit": 0, "interval": 10 * time.Millisecond} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { brokertest.Walk(t, harness(interval)) })
		})
	}
}
