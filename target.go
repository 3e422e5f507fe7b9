package stentor

// Position is a message's place in the log: a positive integer below 2^53,
// strictly increasing over all channels of a broker and never reused. Zero is
// no position. As a cursor it means "everything up to here was received".
type Position int64

// Channel is a named feed. It exists by being used.
//
// A name is 1 to 255 bytes of UTF-8 without control characters, space, comma
// or `@`, and is compared byte by byte.
type Channel string

// Validate says what is wrong with the name, if anything.
func (c Channel) Validate() error { panic("skeleton") }

// Target is whom a message is for. Every field that is set must hold: a Target
// with Channel and User is for the subscriptions of that user which are on that
// channel. The zero Target is for nobody and is refused.
type Target struct {
	// All is everyone: every subscription of the hub.
	All bool
	// Channel is everyone on a channel.
	Channel Channel
	// User is every subscription of a user id.
	User string
	// UserName is every authenticated subscription of a user name.
	UserName string
	// Session is every subscription of a session.
	Session string
	// Key is the subscription that holds a key.
	Key string
	// Subscription is one subscription, by its id.
	Subscription string
}

// Route is the channel that carries messages for t: the narrowest of its
// conditions. Channels made of a user, a session, a key, a subscription or of
// everyone are reserved: their names begin with a control character, so that
// no valid channel name is one of them. The zero Target has no route.
func (t Target) Route() Channel { panic("skeleton") }
