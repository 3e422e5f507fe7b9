package stentor

import (
	"context"
	"errors"
	"iter"
	"time"
)

var (
	// ErrClosed is returned by a hub after Shutdown, by a link after Close, and
	// is the cause of subscriptions that a shutdown ended.
	ErrClosed = errors.New("stentor: closed")
	// ErrDraining refuses new subscriptions while the hub drains, and is the
	// cause of those that the drain ended.
	ErrDraining = errors.New("stentor: draining")
	// ErrFull refuses a subscription over Options.MaxSubscriptions.
	ErrFull = errors.New("stentor: too many subscriptions")
	// ErrReplaced is the cause of a subscription whose key was taken by a newer one.
	ErrReplaced = errors.New("stentor: replaced by a newer subscription with the same key")
	// ErrGone is the cause of a subscription whose reader went away.
	ErrGone = errors.New("stentor: reader gone")
	// ErrExpired is the cause of a subscription whose lease ran out.
	ErrExpired = errors.New("stentor: no heartbeat within the lease")
	// ErrUnregistered is the cause of a subscription that was ended on request.
	ErrUnregistered = errors.New("stentor: unregistered")
	// ErrInvalid is wrapped by every error about a bad argument: a channel
	// name, a target, a type, data. Its text says what to change.
	ErrInvalid = errors.New("stentor: invalid")
	// ErrTooLarge is wrapped by errors about an argument over a limit.
	ErrTooLarge = errors.New("stentor: too large")
)

// Options configures [New]. The zero value is ready to use.
type Options struct {
	// Broker orders and keeps messages. Nil means a new [MemoryBroker] with its
	// defaults. The hub never closes a broker that it was given.
	Broker Broker
	// KeepAlive is how long a stream may be silent before the dialect's
	// keepalive is written, spread by ±10 %. Zero means 15 s; negative turns it off.
	KeepAlive time.Duration
	// Linger is how long a subscription whose reader vanished stays present
	// before its leave. Zero means 10 s; negative means not at all.
	Linger time.Duration
	// QueueLength and QueueBytes bound what waits for one reader; one that has
	// more to come falls back on its cursor and the history.
	// Zero means 256 entries and 1 MiB.
	QueueLength int
	QueueBytes  int
	// MaxSubscriptions bounds the subscriptions, lingering ones included.
	// Zero means 100,000; negative means no limit.
	MaxSubscriptions int
	// MaxChannels bounds the channels of one subscription. Zero means 128.
	MaxChannels int
	// MaxData bounds the data of one message in bytes. Zero means 65,536.
	MaxData int
	// Hooks are told what happens.
	Hooks Hooks
}

// Hooks are called by the hub as subscriptions come and go, each on the
// goroutine that caused it, without any lock held. Nil ones are skipped.
// For one subscription the order is Open, any number of Change, Close, Leave.
type Hooks struct {
	// Open runs when the subscription is registered and its live messages are
	// held, before the open notice: it may Join, Publish and look around. An
	// error ends the subscription with that cause before it is announced.
	Open func(ctx context.Context, s *Subscription) error
	// Change runs after channels were joined or left, before the notices.
	Change func(s *Subscription, joined, left []Channel)
	// Close runs when delivery has ended, with the cause.
	Close func(s *Subscription, cause error)
	// Leave runs when the subscription is out of the directory: at once, or
	// after it lingered. The leave notices follow.
	Leave func(s *Subscription)
}

// Hub is the fan-out engine. All methods may be called from any goroutine.
type Hub struct{}

// New makes a hub and attaches it to its broker. End it with Shutdown.
func New(ctx context.Context, o *Options) (*Hub, error) { panic("skeleton") }

// Publish validates m, gives it to the broker and returns at the broker's
// durability. It never waits for a reader.
func (h *Hub) Publish(ctx context.Context, m Message) (Receipt, error) { panic("skeleton") }

// Subscribe registers a subscription; what is published from now on is held for
// it until Serve or Messages is called. Close it if neither will be.
// ctx bounds the call only.
func (h *Hub) Subscribe(ctx context.Context, o *SubscribeOptions) (*Subscription, error) {
	panic("skeleton")
}

// Subscription returns the registered subscription with that id, a lingering
// one included, or nil.
func (h *Hub) Subscription(id string) *Subscription { panic("skeleton") }

// Subscriptions gives a snapshot of the live subscriptions that t covers, in no
// particular order; the zero Target covers all of them.
func (h *Hub) Subscriptions(t Target) iter.Seq[*Subscription] { panic("skeleton") }

// Members lists who is present on any of the channels, lingering ones
// included, one entry a subscription, oldest first. No channel means all.
func (h *Hub) Members(channels ...Channel) []Member { panic("skeleton") }

// Next counts 1, 2, 3, … for each name, over all hubs of the broker.
func (h *Hub) Next(ctx context.Context, name string) (int64, error) { panic("skeleton") }

// Stats counts what the hub did since New.
func (h *Hub) Stats() Stats { panic("skeleton") }

// State is nil while the hub takes subscriptions; else ErrDraining or ErrClosed.
func (h *Hub) State() error { panic("skeleton") }

// Drain refuses new subscriptions and ends the open ones one after the other,
// at an even rate over the given time and in random order, so that their
// readers move elsewhere without a storm. It returns when all are gone or ctx
// ends. Publishing goes on.
func (h *Hub) Drain(ctx context.Context, over time.Duration) error { panic("skeleton") }

// Shutdown ends every subscription with a farewell, waits until their readers
// have let go or ctx ends, and detaches from the broker. A second call is
// harmless.
func (h *Hub) Shutdown(ctx context.Context) error { panic("skeleton") }

// Stats are counters since the hub was made, and gauges.
type Stats struct {
	Subscriptions int    // registered now, lingering ones included
	Lingering     int    // of them, without a reader
	Channels      int    // channels with a subscription, reserved ones not counted
	Subscribed    uint64 // subscriptions ever registered
	Published     uint64 // messages this hub published
	Delivered     uint64 // messages written to or taken by readers
	Behind        uint64 // times a reader fell back on its cursor
	Gaps          uint64 // gap notices
	Dropped       uint64 // feed messages dropped for being out of order
	Lost          uint64 // ephemeral messages that a slow reader lost
}
