package stentor

import (
	"context"
	"iter"
	"time"
)

// SubscribeOptions describes one receiver. Identity fields are the caller's to
// establish: the hub believes them.
type SubscribeOptions struct {
	// Channels the subscription starts with; repeats are dropped.
	Channels []Channel
	// User is the user id. A subscription without one is anonymous: the hub
	// gives it the user id "-n" and the display name "usern", where n comes
	// from the sequence "anonUser".
	User string
	// UserName is the name that [Target.UserName] matches, for authenticated
	// subscriptions only.
	UserName string
	// DisplayName is what others see. Empty means UserName, else "usern".
	DisplayName string
	// Authenticated says that User and UserName are proved.
	Authenticated bool
	// Session is shared by all subscriptions of one browser, if known.
	Session string
	// Key is a stable unique name for this receiver: the newest subscription
	// with a key ends the older one.
	Key string
	// Meta is public: everyone who may see presence sees it.
	Meta map[string]string
	// Private is told to this subscriber only, in its open notice.
	Private map[string]string
	// Cursor is what the client presented as its position: empty for none, "0"
	// for all that is kept. Any text is allowed: one that can't be a position
	// of this log is answered with a gap notice.
	Cursor string
	// Dialect encodes for Serve. Messages does without.
	Dialect Dialect
	// Presence asks for join, leave and update notices of its channels.
	Presence bool
	// Address is where the reader comes from, for hooks and logs.
	Address string
}

// Subscription is one receiver in a hub. All methods may be called from any
// goroutine, but only one Serve or Messages may run.
type Subscription struct{}

// ID names the subscription: unguessable and known to its own client only.
func (s *Subscription) ID() string { panic("skeleton") }

// Member is the public view: what others may know.
func (s *Subscription) Member() Member { panic("skeleton") }

func (s *Subscription) Session() string { panic("skeleton") }
func (s *Subscription) Key() string     { panic("skeleton") }
func (s *Subscription) Address() string { panic("skeleton") }

// Private are the values told to this subscriber only. The map is a copy.
func (s *Subscription) Private() map[string]string { panic("skeleton") }

// SetMeta and SetPrivate set one value; "" removes it. SetMeta tells the members
// of its channels with an update notice.
func (s *Subscription) SetMeta(name, value string)    { panic("skeleton") }
func (s *Subscription) SetPrivate(name, value string) { panic("skeleton") }

// Channels are the channels it is on now, in the order they were joined.
func (s *Subscription) Channels() []Channel { panic("skeleton") }

// Join adds channels; when it returns, what is published to them arrives.
// It adds all or, with an error, none. Channels it is already on are skipped.
func (s *Subscription) Join(ctx context.Context, channels ...Channel) error { panic("skeleton") }

// Leave drops channels; when it returns, nothing more of them is queued.
func (s *Subscription) Leave(ctx context.Context, channels ...Channel) error { panic("skeleton") }

// Heartbeat proves that the client lives. From the first one on, the
// subscription expires when the lease passes without another. The client is
// answered on its stream with a heartbeat notice.
// It reports false when the subscription is gone.
func (s *Subscription) Heartbeat(lease time.Duration) bool { panic("skeleton") }

// Serve delivers to r until the subscription ends or r does and returns the
// cause: it never returns nil. If r is Done or fails, the subscription lingers.
func (s *Subscription) Serve(r Response) error { panic("skeleton") }

// Messages gives what arrives until ctx or the subscription ends; the last pair
// has the cause as its error. A [*Gap] error says that messages are missing
// before the next one, and the sequence goes on. Leaving the loop closes the
// subscription.
func (s *Subscription) Messages(ctx context.Context) iter.Seq2[Message, error] { panic("skeleton") }

// Close ends the subscription with the cause and without linger: it is out of
// the directory when Close returns. The stream ends after a farewell that is
// on its way then. The first cause wins; nil means ErrUnregistered. It reports
// whether it was there.
func (s *Subscription) Close(cause error) bool { panic("skeleton") }

// Done is closed when delivery has ended; Cause then says why.
func (s *Subscription) Done() <-chan struct{} { panic("skeleton") }

// Cause is nil while the subscription delivers or waits to.
func (s *Subscription) Cause() error { panic("skeleton") }

// Member is what others may know of a subscription. It never holds its id.
type Member struct {
	User          string
	UserName      string
	DisplayName   string
	Authenticated bool
	Channels      []Channel
	Created       time.Time
	Meta          map[string]string
}
