package stentor

import "context"

// Broker orders messages, keeps them for a while and hands them to every hub
// that is attached to it. A hub on one node uses a [MemoryBroker]; brokers that
// join several nodes are modules of their own.
//
// All methods may be called from any goroutine.
type Broker interface {
	// Publish gives m its Position, Prev and Time, keeps it unless it is
	// ephemeral, hands it to every attached feed that wants its channel and
	// returns at the broker's durability. It never waits for a reader.
	// While it remembers m's IdempotencyKey it takes no second message with it: one
	// that is equal ([Message.Fingerprint]) gets the receipt of the first, any other an error
	// that wraps [ErrInvalid].
	// Of several messages to a channel with the same Subject it keeps the newest, for as long
	// as there is room. That an older one has gone is no reason to raise a floor.
	Publish(ctx context.Context, m Message) (Receipt, error)
	// Attach connects one feed. Messages start to flow with the first Want.
	Attach(ctx context.Context, f Feed) (Link, error)
}

// Link is one hub's side of a broker. All methods may be called from any
// goroutine; after Close they return [ErrClosed].
type Link interface {
	// Want changes the channels whose messages the feed is given. Messages
	// are matched by the channel of their target (see [Target.Route]).
	// When it returns, every message above the returned position on the added
	// channels reaches the feed, and all up to it can be replayed.
	Want(ctx context.Context, add, drop []Channel) (Position, error)
	// Replay gives the kept messages of the channels with after < position <=
	// upTo, merged, in order, each once, in pages, until page returns false.
	// It holds no lock while page runs. A page is page's to keep.
	Replay(ctx context.Context, channels []Channel, after, upTo Position, page func([]Message) bool) error
	// State gives what is kept of one channel's state: of its messages with a
	// Subject the newest about each, but for those that are removed, otherwise as Replay.
	State(ctx context.Context, ch Channel, after, upTo Position, page func([]Message) bool) error
	// Window says what a cursor over these channels can be compared with.
	Window(ctx context.Context, channels []Channel) (Window, error)
	// Next counts: 1, 2, 3, … for each name, never twice the same for one
	// broker, whichever node asks.
	Next(ctx context.Context, name string) (int64, error)
	// Alone reports that this hub is the only one attached to the log, and so
	// knows every subscription.
	Alone() bool
	// Close ends the feed: when it returns, no call to it runs or will run. It
	// does so even when ctx has ended.
	Close(ctx context.Context) error
}

// WholeLink is an optional ability of a [Link], found by type assertion: that of one that
// would save nothing by matching, because its hubs are in the same process, or few and
// quiet. The hub then calls WantAll once and Want never.
type WholeLink interface {
	// WantAll gives the feed every message. When it returns, every message above the
	// returned position reaches the feed, and all up to it can be replayed.
	WantAll(ctx context.Context) (Position, error)
}

// Feed is implemented by the hub. A broker calls it serially, never from
// inside a call that the hub makes to the broker other than Publish, and may
// count on its never blocking and never calling the broker.
type Feed interface {
	// Deliver gives messages in order; the slice is the feed's to keep. Positions are strictly increasing over
	// all channels, except that ephemeral messages have none. A position at or
	// below the last one delivered or advanced to is dropped and counted.
	Deliver(m []Message)
	// Advance says that everything up to p that was wanted has been delivered.
	Advance(p Position)
	// Break says that messages after `after` and up to `at` may be missing from
	// the feed and can't be restored. Every live subscription is told.
	Break(after, at Position, reason GapReason)
}

// Window is the part of a log that can be replayed.
type Window struct {
	// Floor is the highest position that may be missing from the asked
	// channels: trimmed, expired, lost. A cursor below it misses something.
	Floor Position
	// Start is the latest discontinuity of the log, at or below Floor: what
	// was before it belongs to an earlier log. Zero if there never was one.
	Start Position
	// Head is the position of the newest message of the log, on any channel.
	// A cursor above it is from another log.
	Head Position
}

// Receipt says what became of a published message.
type Receipt struct {
	// Position is the message's place in the log; zero for an ephemeral one.
	Position Position
	// Matched counts the subscriptions that the target covered when the message
	// was published; -1 when the broker joins several hubs and nobody can count.
	// A broker leaves it to the hub.
	Matched int
	// Durability is what held the message when Publish returned: "none",
	// "memory", "disk", or as the broker documents.
	Durability string
	// Repeated says that the message was published before, with the same
	// IdempotencyKey, and that this is its receipt.
	Repeated bool
}
