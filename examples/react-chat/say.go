package main

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/stentor-sse/stentor"
)

const (
	sayType     = "say"
	writingType = "writing"        // somebody is about to say something; ephemeral, without a text
	maxText     = 2000             // characters
	mostAhead   = 10 * time.Minute // of a sender's clock
	mostLate    = 24 * time.Hour   // that a message may have waited for a connection
)

// asked is what a page publishes, to a channel or to a user.
type asked struct {
	Text string `json:"text"`
	Ref  string `json:"ref"`          // the page's own name for it, by which it knows it again
	At   int64  `json:"at"`           // in ms since 1970, by the page's clock; 0: unknown
	To   string `json:"to,omitempty"` // of a private message, whom it is for, also in the copy for the sender
}

// said is what everyone gets.
type said struct {
	asked
	From   string `json:"from"` // user id
	Name   string `json:"name"`
	ToName string `json:"toName,omitempty"`
}

// say takes a message that somebody publishes for what it is: a text. Who says it, and by which name, is for
// the hub to say and not for the page.
func (c *chat) say(r *http.Request, m *stentor.Message) error {
	user, err := identify(r)
	if err != nil {
		return err
	}
	sender := c.find(user)
	if sender == nil {
		return &stentor.Refusal{Status: http.StatusConflict, Detail: "open the stream before you say something"}
	}
	out := said{From: user, Name: sender.Member().DisplayName}
	if err := read(m, &out.asked); err != nil {
		return err
	}
	if err := c.aim(m.Target, &out); err != nil {
		return err
	}
	told, err := stentor.JSON(m.Target, m.Type, out)
	if err != nil {
		return err
	}
	if m.Type == writingType {
		told.Ephemeral = true
	} else { // the page says it again when it doesn't know if this was heard
		told.IdempotencyKey = strings.Join([]string{user, out.Ref, m.Target.User}, " ")
	}
	*m = told
	return nil
}

// read checks what a page sent.
func read(m *stentor.Message, a *asked) error {
	if m.Type != sayType && m.Type != writingType || m.Ephemeral != (m.Type == writingType) {
		return bad(`publish messages of type "say", and ephemeral ones of type "writing"`)
	}
	if err := json.Unmarshal([]byte(m.Data), a); err != nil {
		return bad(`data: send {"text":"…","ref":"…","at":…}`)
	}
	if m.Type == writingType {
		*a = asked{To: a.To}
		return nil
	}
	a.Text = strings.TrimSpace(a.Text)
	if n := utf8.RuneCountInString(a.Text); n < 1 || n > maxText {
		return bad("text: 1 to 2000 characters")
	}
	if n := len(a.Ref); n < 8 || n > 64 || strings.Trim(a.Ref, "0123456789abcdef") != "" {
		return bad("ref: 8 to 64 hexadecimal digits")
	}
	// A message that is sent again has to be the same, so its time is the page's, if that can be; else nobody knows.
	if late := time.Since(time.UnixMilli(a.At)); late < -mostAhead || late > mostLate {
		a.At = 0
	}
	return nil
}

// aim checks whom a message is for: a channel that the sender is on, or one user. The sender has a copy of a private
// message, for the other pages of the same user.
func (c *chat) aim(t stentor.Target, out *said) error {
	switch t {
	case stentor.Target{Channel: t.Channel}:
		if out.To != "" {
			return bad("to: leave it out, what is said on a channel is for all of it")
		}
		if c.hub.Count(stentor.Target{Channel: t.Channel, User: out.From}) == 0 {
			return &stentor.Refusal{Status: http.StatusForbidden, Detail: "join the channel before you say something there"}
		}
		return nil
	case stentor.Target{User: t.User}:
		if t.User != out.To && t.User != out.From || out.To == "" {
			return bad("to: the user that it is for")
		}
		if other := c.find(out.To); other != nil {
			out.ToName = other.Member().DisplayName
		}
		return nil
	}
	return bad("say it to a channel or to a user")
}

// find is a live subscription of a user, the oldest, or nil.
func (c *chat) find(user string) *stentor.Subscription {
	all := slices.Collect(c.hub.Subscriptions(stentor.Target{User: user}))
	if len(all) == 0 {
		return nil
	}
	return slices.MinFunc(all, func(a, b *stentor.Subscription) int { return a.Created().Compare(b.Created()) })
}
