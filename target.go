package stentor

import (
	"fmt"
	"strconv"
	"unicode/utf8"
)

// maxName bounds channel names and identity strings, in bytes.
const maxName = 255

// Position is a message's place in the log: a positive integer below 2^53,
// strictly increasing over all channels of a broker and never reused. Zero is
// no position. As a cursor it means "everything up to here was received".
type Position int64

// maxPosition is the largest integer that every client can read exactly.
const maxPosition Position = 1<<53 - 1

// String is the position in decimal, as it stands in `id:`.
func (p Position) String() string { return strconv.FormatInt(int64(p), 10) }

// parsePosition reads what a client presented as its cursor: plain decimal digits.
func parsePosition(s string) (Position, bool) {
	if s == "" || len(s) > 16 {
		return 0, false
	}
	var p Position
	for _, c := range []byte(s) {
		if c < '0' || c > '9' {
			return 0, false
		}
		p = p*10 + Position(c-'0')
	}
	return p, p <= maxPosition
}

// Channel is a named feed. It exists by being used.
//
// A name is 1 to 255 bytes of UTF-8 without control characters, space, comma
// or `@`, and is compared byte by byte.
type Channel string

// Validate says what is wrong with the name, if anything. The error wraps
// [ErrInvalid].
func (c Channel) Validate() error {
	if c == "" {
		return fmt.Errorf("%w channel: the name is empty", ErrInvalid)
	}
	if err := checkName("channel", string(c)); err != nil {
		return err
	}
	for _, r := range string(c) {
		if r == ' ' || r == ',' || r == '@' {
			return fmt.Errorf("%w channel: %.64q holds %q; leave out spaces, commas and @", ErrInvalid, string(c), r)
		}
	}
	return nil
}

// checkName holds for channels and for identity strings alike.
func checkName(what, s string) error {
	if len(s) > maxName {
		return fmt.Errorf("%w %s: %d bytes, at most %d are allowed", ErrInvalid, what, len(s), maxName)
	}
	if !utf8.ValidString(s) {
		return fmt.Errorf("%w %s: not UTF-8", ErrInvalid, what)
	}
	for _, r := range s {
		if r < ' ' || r >= 0x7f && r <= 0x9f {
			return fmt.Errorf("%w %s: %.64q holds the control character %U", ErrInvalid, what, s, r)
		}
	}
	return nil
}

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
func (t Target) Route() Channel {
	switch {
	case t.Subscription != "":
		return reserved('i', t.Subscription)
	case t.Key != "":
		return reserved('k', t.Key)
	case t.Session != "":
		return reserved('s', t.Session)
	case t.User != "":
		return reserved('u', t.User)
	case t.UserName != "":
		return reserved('n', t.UserName)
	case t.Channel != "":
		return t.Channel
	case t.All:
		return everyone
	}
	return ""
}

const (
	reservedMark         = '\x01'
	everyone     Channel = "\x01a"
)

func reserved(kind byte, name string) Channel {
	return Channel(string([]byte{reservedMark, kind}) + name)
}

// validate refuses the zero Target and names that could not belong to anyone.
func (t Target) validate() error {
	if t == (Target{}) {
		return fmt.Errorf("%w target: name a channel, user, session, key or subscription, or all", ErrInvalid)
	}
	if t.Channel != "" {
		if err := t.Channel.Validate(); err != nil {
			return err
		}
	}
	return checkNames(t.User, t.UserName, t.Session, t.Key, t.Subscription)
}

func checkNames(user, userName, session, key, subscription string) error {
	for _, f := range [...]struct{ what, value string }{
		{"user", user}, {"user name", userName}, {"session", session}, {"key", key}, {"subscription", subscription},
	} {
		if err := checkName(f.what, f.value); err != nil {
			return err
		}
	}
	return nil
}
