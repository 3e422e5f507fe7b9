package stentor_test

import (
	"testing"

	"github.com/stentor-sse/stentor"
	"github.com/stentor-sse/stentor/brokertest"
)

func memoryHarness() brokertest.Harness {
	return brokertest.Harness{
		New: func(_ testing.TB, l brokertest.Limits) stentor.Broker {
			return stentor.NewMemoryBroker(&stentor.MemoryOptions{Size: l.Size, Channels: l.Channels})
		},
		Durability: "memory",
	}
}

func TestMemoryBroker(t *testing.T) { brokertest.Run(t, memoryHarness()) }
