package main

import (
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"net/url"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/stentor-sse/stentor"
)

const (
	nameHeader = "Chat-Name" // percent-encoded, because headers are not UTF-8
	maxName    = 32          // characters
	maxChannel = 32          // characters
	secretSize = 32          // bytes, twice as many digits
)

// chat is what this program adds to the plain face.
type chat struct {
	hub *stentor.Hub
}

// identify says which user a request is of. There are no accounts: a browser makes up a secret, and is
// the user that the secret's hash names. So nobody can speak as another one, and a user is the same one
// after this server was restarted. An application with accounts has its sign-in here.
func identify(r *http.Request) (user string, err error) {
	secret, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	raw, err := hex.DecodeString(secret)
	if !ok || err != nil || len(raw) != secretSize {
		return "", &stentor.Refusal{Status: http.StatusUnauthorized, Detail: "send Authorization: Bearer and a secret of 64 hexadecimal digits"}
	}
	sum := sha256.Sum256(raw)
	return hex.EncodeToString(sum[:8]), nil
}

// chosen is the name that a request gives its user.
func chosen(r *http.Request) (string, error) {
	name, err := url.PathUnescape(r.Header.Get(nameHeader))
	if err != nil || !utf8.ValidString(name) {
		return "", bad("the name is not percent-encoded UTF-8")
	}
	name = strings.Join(strings.Fields(name), " ")
	if n := utf8.RuneCountInString(name); n < 1 || n > maxName {
		return "", bad("a name has 1 to 32 characters")
	}
	for _, c := range name {
		// Marks stand on the letter before them, and many of them on the lines above.
		if !unicode.In(c, unicode.L, unicode.N, unicode.P, unicode.S) && c != ' ' {
			return "", bad("a name has letters, digits and signs")
		}
	}
	return name, nil
}

// subscribe says who opens or changes a subscription.
func (c *chat) subscribe(r *http.Request, o *stentor.SubscribeOptions) error {
	user, err := identify(r)
	if err != nil {
		return err
	}
	name, err := chosen(r)
	if err != nil {
		return err
	}
	for _, ch := range o.Channels {
		if !validChannel(ch) {
			return bad("a channel's name has 1 to 32 small letters, digits, - and _")
		}
	}
	o.User, o.UserName, o.DisplayName, o.Authenticated = user, strings.ToLower(name), name, true
	return nil
}

// prepare refuses a name that somebody else has. The subscription is in the directory by now: of
// two that take a name in the same moment, at least one sees the other.
func (c *chat) prepare(_ http.Header, _ *http.Request, s *stentor.Subscription) error {
	me := s.Member()
	for other := range c.hub.Subscriptions(stentor.Target{UserName: me.UserName}) {
		if other.Member().User != me.User {
			return &stentor.Refusal{Status: http.StatusConflict, Detail: "somebody else has this name here; choose another one"}
		}
	}
	return nil
}

// list lets everyone who has a name see who is on a channel, since everyone may join it.
func (c *chat) list(r *http.Request, _ []stentor.Channel) error {
	_, err := identify(r)
	return err
}

// validChannel says if a channel can be written as #channel in a message.
func validChannel(ch stentor.Channel) bool {
	n := 0
	for _, c := range ch {
		if n++; !unicode.In(c, unicode.L, unicode.N) && c != '-' && c != '_' || unicode.IsUpper(c) {
			return false
		}
	}
	return n >= 1 && n <= maxChannel
}

func bad(detail string) error {
	return &stentor.Refusal{Status: http.StatusBadRequest, Detail: detail}
}
