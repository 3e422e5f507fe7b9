package diskbroker_test

import (
	"testing"
	"time"

	"github.com/stentor-sse/stentor"
	"github.com/stentor-sse/stentor/brokertest"
	"github.com/stentor-sse/stentor/diskbroker"
)

// open opens a history that is closed with the test, if it wasn't before.
func open(t testing.TB, dir string, o *diskbroker.Options) *diskbroker.Broker {
	t.Helper()
	b, err := diskbroker.Open(dir, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.Close() })
	return b
}

func shut(t testing.TB, b *diskbroker.Broker) {
	t.Helper()
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
}

// harness runs the suite on brokers with an interval, or without one.
func harness(interval time.Duration) brokertest.Harness {
	type opened struct {
		dir string
		o   *diskbroker.Options
	}
	places := map[stentor.Broker]opened{}
	h := brokertest.Harness{
		New: func(t testing.TB, l brokertest.Limits) stentor.Broker {
			at := opened{t.TempDir(), &diskbroker.Options{Size: l.Size, Channels: l.Channels, Interval: interval}}
			b := open(t, at.dir, at.o)
			places[b] = at
			return b
		},
		Reopen: func(t testing.TB, b stentor.Broker) stentor.Broker {
			shut(t, b.(*diskbroker.Broker))
			again := open(t, places[b].dir, places[b].o)
			places[again] = places[b]
			return again
		},
		Durability: "disk",
	}
	if interval > 0 {
		h.Durability = "disk-async"
	}
	return h
}

func TestDiskBroker(t *testing.T) { brokertest.Run(t, harness(0)) }

func TestDiskBrokerWithInterval(t *testing.T) { brokertest.Run(t, harness(3*time.Millisecond)) }
