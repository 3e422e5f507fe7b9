package stentor

import (
	"context"
	"time"
)

// MemoryOptions configures [NewMemoryBroker]. The zero value is ready to use.
type MemoryOptions struct {
	// Size is how many messages are kept per channel. Zero means 10,000;
	// negative means none.
	Size int
	// Age is how long a message is kept. Zero means 24 h; negative means for ever.
	Age time.Duration
	// Bytes bounds what is kept in all, estimated with overhead. Zero means
	// 1 GiB; negative means no bound.
	Bytes int64
	// Channels bounds how many channels have kept messages; those that were
	// quiet for longest are forgotten. Zero means 100,000.
	Channels int
}

// MemoryBroker is a [Broker] in this process: it keeps its history until it is
// garbage. Several hubs may be attached to it.
type MemoryBroker struct{}

// NewMemoryBroker makes an empty log that starts at the present.
func NewMemoryBroker(o *MemoryOptions) *MemoryBroker { panic("skeleton") }

func (b *MemoryBroker) Publish(ctx context.Context, m Message) (Receipt, error) { panic("skeleton") }
func (b *MemoryBroker) Attach(ctx context.Context, f Feed) (Link, error)        { panic("skeleton") }
