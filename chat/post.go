package chat

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/stentor-sse/stentor"
	"github.com/stentor-sse/stentor/internal/dto"
	"github.com/stentor-sse/stentor/serverevents"
)

const (
	// maxText bounds a message, in characters.
	maxText = 2000
	// maxAsked bounds the channels of one request for history.
	maxAsked = 128

	chatSelector   = "cmd.chat"
	chatType       = "chat" // as the hub knows it
	customSelector = "cmd.CustomType"
	setterSelector = "cmd.SetterType"
)

// post is what the posting services have in common.
type post struct {
	sender  *stentor.Subscription // nil where nobody needs to be named
	channel stentor.Channel
	to      string // user id; "" for everyone on the channel
	typ     string
}

// readPost reads what the posting services have in common. Without a default
// selector one is required. Objects need no sender.
func (c *Chat) readPost(a dto.Args, def string) (*post, error) {
	p := &post{}
	name, _, err := a.Text("channel")
	if err != nil {
		return nil, err
	}
	p.channel = stentor.Channel(name)
	if err := p.channel.Validate(); err != nil {
		return nil, err
	}
	if p.to, _, err = a.Text("touserid"); err != nil {
		return nil, err
	}
	selector, _, err := a.Text("selector")
	if err != nil {
		return nil, err
	}
	if p.typ, err = postType(selector, def); err != nil {
		return nil, err
	}
	isObject := def == customSelector || def == setterSelector
	if from, _, err := a.Text("from"); !isObject || err != nil || from != "" {
		if p.sender, err = c.sender(a); err != nil {
			return nil, err
		}
	}
	return p, c.mayControl(p)
}

// mayControl refuses what acts on others' pages to those who have not signed in, where it
// is limited to those who have.
func (c *Chat) mayControl(p *post) error {
	if !c.o.LimitRemoteControl || p.typ == chatType || p.sender != nil && p.sender.Member().Authenticated {
		return nil
	}
	return forbidden("remote control is for signed-in users here; sign in, then send it again")
}

// sender is the subscription that a request comes from. Its id is known to its own
// client alone, and so proves who sends.
func (c *Chat) sender(a dto.Args) (*stentor.Subscription, error) {
	from, _, err := a.Text("from")
	if err != nil {
		return nil, err
	}
	if from != "" {
		if s := c.hub.Subscription(from); s != nil {
			return s, nil
		}
	}
	return nil, dto.Unknown{ID: from}
}

// target is the user alone if there is one: that user may be on other channels.
func (p *post) target() stentor.Target {
	if p.to != "" {
		return stentor.Target{User: p.to}
	}
	return stentor.Target{Channel: p.channel}
}

// postType is the message type of a selector that users may post: not what the
// server alone says, nor what clients take for it in other letter case, nor
// the names that clients call by themselves. Messages have their own service,
// which says who sent them.
func postType(selector, def string) (string, error) {
	if selector == "" {
		selector = def
	}
	if selector == "" {
		return "", badRequest("selector: name one, as in cmd.announce")
	}
	typ, err := serverevents.Type(selector)
	if err != nil {
		return "", err
	}
	base, _, _ := strings.Cut(selector, "$")
	op, target, _ := strings.Cut(strings.ToLower(base), ".")
	switch {
	case op == "stentor", op == "cmd" && slices.Contains(callbacks(), target):
		return "", badRequest(fmt.Sprintf("selector: %q is for the server and its clients alone", dto.Clip(selector, dto.MaxQuoted)))
	case def != chatSelector && op == "cmd" && (target == "chat" || target == "message"):
		return "", badRequest("selector: post messages to the chat service")
	}
	return typ, nil
}

// callbacks are the names that clients call by themselves, in lower case.
func callbacks() []string {
	return []string{
		"onconnect", "onjoin", "onleave", "onupdate", "onheartbeat", "ongap", "onend",
		"onmessage", "oncommand", "onreconnect", "onstop", "onerror", "onexception", "ontick",
	}
}

func checkLength(text string) error {
	if n := utf8.RuneCountInString(text); n > maxText {
		return &stentor.Refusal{Status: http.StatusRequestEntityTooLarge,
			Detail: fmt.Sprintf("message: %d characters, at most %d are allowed", n, maxText)}
	}
	return nil
}

// readChannels checks names from outside, without blanks and repeats.
func readChannels(names []string) ([]stentor.Channel, error) {
	var out []stentor.Channel
	for _, name := range names {
		ch := stentor.Channel(strings.TrimSpace(name))
		if ch == "" || slices.Contains(out, ch) {
			continue
		}
		if err := ch.Validate(); err != nil {
			return nil, err
		}
		if out = append(out, ch); len(out) > maxAsked {
			return nil, badRequest(fmt.Sprintf("channels: name at most %d", maxAsked))
		}
	}
	return out, nil
}
