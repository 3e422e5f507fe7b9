package stentor

import (
	"context"
	"fmt"
	"iter"
	"strings"
	"time"
)

// Options configures [New]. The zero value is ready to use.
type Options struct {
	// Broker orders and keeps messages. Nil means a new [MemoryBroker] with its
	// defaults. The hub never closes a broker that it was given.
	Broker Broker
	// KeepAlive is how long a stream may be silent before the dialect's
	// keepalive is written, spread by ±10 %. Zero means 15 s; negative turns it off.
	KeepAlive time.Duration
	// KeepAliveAlways writes it at every interval, whatever else was written; else it
	// is written after as long a silence.
	KeepAliveAlways bool
	// Retry is the reconnection time that readers are told when their stream
	// opens, where the dialect has a way to: each is told it spread by a third, so that
	// those who lose a hub together don't come back together. Zero means 3 s;
	// negative tells none. [Hub.SetRetry] changes it.
	Retry time.Duration
	// Linger is how long a subscription whose reader vanished stays present
	// before its leave, for at most 64 of one session at a time. Zero means 10 s;
	// negative means not at all.
	Linger time.Duration
	// QueueLength and QueueBytes bound what waits for one reader; one that has
	// more to come has fallen behind (see Slow).
	// Zero means 256 entries and 1 MiB.
	QueueLength int
	QueueBytes  int
	// Slow says what becomes of a reader that has more to come than may wait for it.
	// Zero means that it reads on from the history.
	Slow SlowPolicy
	// Attached leaves every stream to its handler's goroutine. Else, where the system
	// and the response allow it (Linux, HTTP/1, TLS behind sse.Listener), the hub takes
	// connections over from the handler: they cost
	// no goroutine then, and a fraction of the memory. It leaves those alone that have a
	// KeepAlive of their own, and all of them where there is a Hooks.Write.
	Attached bool
	// LogLength and LogBytes bound the log that streams which were taken over are written
	// from: a reader that falls out of it reads on from the history. Zero means 262,144
	// messages and 64 MiB, of which only a burst makes use.
	LogLength int
	LogBytes  int
	// GiveBack has the hub give memory back to the system after a storm of connects: what a
	// connect leaves behind is some ten times what an idle stream keeps, and otherwise it may
	// be minutes until it is collected. It is for a process that does little else, because all
	// of its garbage is collected then (see [runtime/debug.FreeOSMemory]).
	GiveBack bool
	// MaxSubscriptions bounds the subscriptions, lingering ones included.
	// Zero means 100,000; negative means no limit.
	MaxSubscriptions int
	// MaxChannels bounds the channels of one subscription. Zero means 128.
	MaxChannels int
	// MaxData bounds the data of one message in bytes. Zero means 65,536.
	MaxData int
	// MaxDismissed bounds the keys that are refused after [Hub.Dismiss]; beyond it
	// the one that would be forgotten first is. Zero means 100,000.
	MaxDismissed int
	// Hooks are told what happens.
	Hooks Hooks
}

func (o *Options) withDefaults() Options {
	var c Options
	if o != nil {
		c = *o
	}
	if c.Broker == nil {
		c.Broker = NewMemoryBroker(nil)
	}
	defaults(&c.KeepAlive, 15*time.Second)
	defaults(&c.Retry, defaultRetry)
	defaults(&c.Linger, 10*time.Second)
	defaults(&c.QueueLength, 256)
	defaults(&c.QueueBytes, 1<<20)
	defaults(&c.LogLength, 1<<18)
	defaults(&c.LogBytes, 64<<20)
	defaults(&c.MaxSubscriptions, 100_000)
	defaults(&c.MaxChannels, 128)
	defaults(&c.MaxData, 1<<16)
	defaults(&c.MaxDismissed, 100_000)
	return c
}

// defaultRetry is what most readers do by themselves.
const defaultRetry = 3 * time.Second

// defaults sets *v to d when it is zero.
func defaults[T ~int | ~int64](v *T, d T) {
	if *v == 0 {
		*v = d
	}
}

// Hooks are called by the hub as subscriptions come and go, each on the
// goroutine that caused it, without any lock held; on one of a few of the hub's own where
// the reader of a stream has gone that was taken over. Nil ones are skipped.
// For one subscription the order is Open, any number of Change, Close, Leave;
// one that is ended before it was served has none of them.
type Hooks struct {
	// Open runs when the subscription is registered and its live messages are
	// held, before the open notice: it may Join, Publish and look around. An
	// error ends the subscription with that cause before it is announced.
	Open func(s *Subscription) error
	// Change runs after channels were joined or left, before the notices.
	Change func(s *Subscription, joined, left []Channel)
	// Close runs when delivery has ended, with the cause.
	Close func(s *Subscription, cause error)
	// Leave runs when the subscription is out of the directory: at once, or
	// after it lingered. The leave notices follow.
	Leave func(s *Subscription)
	// Write runs right before frames are written to the reader. It must neither
	// change nor keep them.
	Write func(s *Subscription, frames []byte)
	// Error runs when something failed on the way to a reader: a write, a replay,
	// or a frame that its dialect could not encode, which is not shown then. s is nil where one
	// frame failed for several.
	Error func(s *Subscription, err error)
}

// KeyRule says what becomes of a newcomer whose key is held.
type KeyRule int

const (
	// KeyNewest lets the newest in: whoever held the key is ended with [ErrReplaced].
	KeyNewest KeyRule = iota
	// KeyRefuse lets the holder stay: the newcomer is refused with [ErrKeyTaken], even when
	// it is the holder itself whose connection broke and the hub has yet to
	// notice. A holder that lingers is replaced.
	KeyRefuse
	// KeyAllow lets both stay. With this rule a key brings nobody back to its
	// place; a session does.
	KeyAllow
)

// SubscribeOptions describes one receiver. Identity fields are the caller's to
// establish: the hub believes them.
type SubscribeOptions struct {
	// Channels the subscription starts with; repeats are dropped.
	Channels []Channel
	// User is the user id. A subscription without one is anonymous: the hub
	// gives it the user id "-n" and the display name "usern", where n comes
	// from the sequence "anonUser". Such an id can't be asked for.
	User string
	// UserName is the name that [Target.UserName] matches, for authenticated
	// subscriptions only.
	UserName string
	// DisplayName is what others see. Empty means UserName, else "usern" for the
	// anonymous and the user id for others.
	DisplayName string
	// Authenticated says that User and UserName are proved.
	Authenticated bool
	// Session is shared by all subscriptions of one browser, if known.
	Session string
	// Key is a stable name for this receiver, unique unless KeyRule allows more.
	Key string
	// KeyRule says what happens when the key is held.
	KeyRule KeyRule
	// Meta is public: everyone who may see presence sees it.
	Meta map[string]string
	// Private is told to this subscriber only, in its open notice.
	Private map[string]string
	// Cursor is what the client presented as its position: empty for none, "0"
	// for all that is kept. Any text is allowed: one that can't be a position
	// of this log is answered with a gap notice.
	Cursor string
	// Resume stands in for a missing cursor, in protocols whose clients
	// reconnect without one: a subscription of the same session and channels
	// whose reader vanished and that still lingers passes on where it was at its
	// last heartbeat. What was written after that may have been lost on the way,
	// and comes again.
	Resume bool
	// Replay gives the messages that the reader missed in place of the hub's own
	// history, for an application that keeps them longer. It is asked when a cursor was presented
	// (see [Subscription.Cursor]), after the open notice and while live messages are held. Positions
	// must increase and not be newer than the hub's; what is not so is left out. A
	// message without one has no id on the wire. The sequence is read as fast as the reader
	// takes it. An error of it is told as a gap with reason "degraded", and the
	// stream goes on live.
	Replay func(ctx context.Context, s *Subscription) iter.Seq2[Message, error]
	// Dialect encodes for Serve. Messages does without.
	Dialect Dialect
	// Heartbeats says that the client sends heartbeats, and learns from them when
	// its subscription is gone (see [Hub.Reset]).
	Heartbeats bool
	// KeepAlive is how long its stream may be silent. Zero means the hub's;
	// negative is for a stream that keeps itself warm.
	KeepAlive time.Duration
	// Presence asks for join, leave and update notices of its channels.
	Presence bool
	// Address is where the reader comes from, for hooks and logs.
	Address string

	values *value // see Property
	owing  bool   // the place that is taken had yet to be told the state of its channels
}

// maxMeta bounds names and values of a subscription's public and private
// values, in bytes each way.
const maxMeta = 16 << 10

// validate copies o with repeats dropped, or says what is wrong with it.
func (o *SubscribeOptions) validate(maxChannels int) (SubscribeOptions, error) {
	var c SubscribeOptions
	if o != nil {
		c = *o
	}
	var err error
	if c.Channels, err = distinct(c.Channels); err != nil {
		return c, err
	}
	if len(c.Channels) > maxChannels {
		return c, fmt.Errorf("%w: %d channels, at most %d are allowed", ErrTooLarge, len(c.Channels), maxChannels)
	}
	if err := checkNames(c.User, c.UserName, c.Session, c.Key, ""); err != nil {
		return c, err
	}
	if anonymous(c.User) {
		return c, fmt.Errorf("%w user: %q is for anonymous subscriptions; a minus and a number is nobody's id", ErrInvalid, c.User)
	}
	if err := checkName("display name", c.DisplayName); err != nil {
		return c, err
	}
	for _, m := range [...]map[string]string{c.Meta, c.Private} {
		size := 0
		for k, v := range m {
			size += len(k) + len(v)
		}
		if size > maxMeta {
			return c, fmt.Errorf("%w: %d bytes of values, at most %d are allowed", ErrTooLarge, size, maxMeta)
		}
	}
	return c, nil
}

// anonymous reports whether user is an id that the hub gives to those without one.
// Nobody may ask for it: who has it gets what is meant for its owner.
func anonymous(user string) bool {
	digits, ok := strings.CutPrefix(user, "-")
	return ok && digits != "" && strings.Trim(digits, "0123456789") == ""
}

// distinct validates channels and drops repeats, keeping the order.
func distinct(channels []Channel) ([]Channel, error) {
	out := make([]Channel, 0, len(channels))
	seen := map[Channel]struct{}{}
	for _, ch := range channels {
		if err := ch.Validate(); err != nil {
			return nil, err
		}
		if len(channels) == 1 {
			return append(out, ch), nil // as most are
		}
		if _, ok := seen[ch]; !ok {
			seen[ch] = struct{}{}
			out = append(out, ch)
		}
	}
	return out, nil
}
