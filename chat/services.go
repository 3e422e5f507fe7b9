package chat

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/stentor-sse/stentor"
	"github.com/stentor-sse/stentor/serverevents"
)

const (
	// maxText bounds a message, in characters.
	maxText = 2000
	// maxAsked bounds the channels of one request for history.
	maxAsked = 128
	// takeDefault is how many messages of a channel a request for history gets that
	// does not say.
	takeDefault = 100
	// sequence gives chat messages their ids, over all nodes.
	sequence = "chatMsg"

	chatSelector   = "cmd.chat"
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

// postChat says something on a channel, or to one user.
func (c *Chat) postChat(r *http.Request, a args) (any, error) {
	p, err := c.readPost(a, chatSelector)
	if err != nil {
		return nil, err
	}
	text, _, err := a.text("message")
	if err != nil {
		return nil, err
	}
	if strings.TrimSpace(text) == "" {
		return nil, badRequest("message: there is nothing to say")
	}
	if err := checkLength(text); err != nil {
		return nil, err
	}
	m, err := c.newMessage(r.Context(), p, text)
	if err != nil {
		return nil, err
	}
	if m.Private {
		err = c.tell(r.Context(), p, m)
	} else {
		err = c.say(r.Context(), p, m)
	}
	if err != nil {
		return nil, err
	}
	return m, nil
}

// newMessage makes a message of the sender, whose name is the hub's to say and never
// the request's.
func (c *Chat) newMessage(ctx context.Context, p *post, text string) (*message, error) {
	id, err := c.hub.Next(ctx, sequence)
	if err != nil {
		return nil, err
	}
	from := p.sender.Member()
	m := &message{
		ID: id, Channel: p.channel, FromUserID: from.User, FromName: from.DisplayName, Text: text,
		Private: p.to != "", ToUserID: p.to, CreatedAt: time.Now().UnixMilli(),
	}
	if from.Authenticated {
		m.UserAuthID = from.User
	}
	return m, nil
}

// say publishes to the channel. The history has it before anyone sees it, so that
// who connects and then reads the history misses nothing.
func (c *Chat) say(ctx context.Context, p *post, m *message) error {
	c.history.add(m)
	if _, err := c.publish(ctx, stentor.Target{Channel: p.channel}, p.typ, m); err != nil {
		c.history.remove(m)
		return err
	}
	return nil
}

// tell publishes to one user, and once to the sender: to all windows of each. A
// private message is kept in no history.
func (c *Chat) tell(ctx context.Context, p *post, m *message) error {
	m.ToName = c.find(p.to)
	receipt, err := c.publish(ctx, stentor.Target{User: p.to}, p.typ, m)
	if err != nil || p.to == m.FromUserID {
		return err
	}
	if receipt.Matched == 0 { // one who reconnects within the linger still gets it
		m.Note = "not connected now"
	}
	_, err = c.publish(ctx, stentor.Target{User: m.FromUserID}, p.typ, m)
	return err
}

// find is the display name of a user who is connected to this node.
func (c *Chat) find(user string) string {
	for s := range c.hub.Subscriptions(stentor.Target{User: user}) {
		return s.Member().DisplayName
	}
	return ""
}

// postRaw publishes a text under a selector.
func (c *Chat) postRaw(r *http.Request, a args) (any, error) {
	p, err := c.readPost(a, "")
	if err != nil {
		return nil, err
	}
	text, given, err := a.text("message")
	if err != nil {
		return nil, err
	}
	if err := checkLength(text); err != nil {
		return nil, err
	}
	m := stentor.Message{Target: p.target(), Type: p.typ, Data: text, JSON: !given} // nothing is null
	_, err = c.hub.Publish(r.Context(), m)
	return nil, err
}

// object is what postObject takes: all that ServiceStack's does.
type object struct {
	ID   int64  `json:"id"`
	Name string `json:"name,omitempty"`
}

// postObject publishes an object under a selector. ServiceStack's clients do not say
// who sends it, and nothing in it does; who names a sender must be it.
func (c *Chat) postObject(r *http.Request, a args) (any, error) {
	name, def := "customtype", customSelector
	if len(a[name]) == 0 && len(a["settertype"]) > 0 {
		name, def = "settertype", setterSelector
	}
	o, err := a.object(name)
	if err != nil {
		return nil, err
	}
	p, err := c.readPost(a, def)
	if err != nil {
		return nil, err
	}
	_, err = c.publish(r.Context(), p.target(), p.typ, o)
	return nil, err
}

func (a args) object(name string) (*object, error) {
	raw := a[name]
	if len(raw) > 0 && raw[0] == '"' { // of a form
		s, _, err := a.text(name)
		if err != nil {
			return nil, err
		}
		raw = json.RawMessage(s)
	}
	o := &object{}
	if len(raw) == 0 || raw[0] != '{' || json.Unmarshal(raw, o) != nil {
		return nil, badRequest(`send customType or setterType: {"id":1,"name":"…"}`)
	}
	return o, checkLength(o.Name)
}

// readHistory gives the newest messages of channels.
func (c *Chat) readHistory(_ *http.Request, a args) (any, error) {
	names, err := a.list("channels")
	if err != nil {
		return nil, err
	}
	channels, err := readChannels(names)
	if err != nil {
		return nil, err
	}
	after, err := a.number("afterid", 0)
	if err != nil {
		return nil, err
	}
	take, err := a.number("take", takeDefault)
	if err != nil {
		return nil, err
	}
	found := c.history.read(channels, after, int(min(take, int64(c.o.History))))
	return struct {
		Results []*message `json:"results"`
	}{found}, nil
}

// clearHistory forgets what was said on the channels that the sender names and is on,
// or on all that it is on.
func (c *Chat) clearHistory(_ *http.Request, a args) (any, error) {
	sender, err := c.sender(a)
	if err != nil {
		return nil, err
	}
	names, err := a.list("channels")
	if err != nil {
		return nil, err
	}
	channels, err := readChannels(names)
	if err != nil {
		return nil, err
	}
	on := sender.Channels()
	if len(channels) == 0 {
		channels = on
	}
	for _, ch := range channels {
		if !slices.Contains(on, ch) {
			return nil, forbidden(fmt.Sprintf("join %s before you clear it", ch))
		}
	}
	c.history.clear(channels)
	return nil, nil
}

// readPost reads what the posting services have in common. Without a default
// selector a selector is required, and so is a sender unless an object is posted.
func (c *Chat) readPost(a args, def string) (*post, error) {
	p := &post{}
	name, _, err := a.text("channel")
	if err != nil {
		return nil, err
	}
	p.channel = stentor.Channel(name)
	if err := p.channel.Validate(); err != nil {
		return nil, err
	}
	if p.to, _, err = a.text("touserid"); err != nil {
		return nil, err
	}
	selector, _, err := a.text("selector")
	if err != nil {
		return nil, err
	}
	if p.typ, err = postType(selector, def); err != nil {
		return nil, err
	}
	if from, _, err := a.text("from"); err == nil && from == "" && (def == customSelector || def == setterSelector) {
		return p, nil
	}
	if p.sender, err = c.sender(a); err != nil {
		return nil, err
	}
	if !c.o.PostAnywhere && !slices.Contains(p.sender.Channels(), p.channel) {
		return nil, forbidden(fmt.Sprintf("join %s before you post there", p.channel))
	}
	return p, nil
}

// sender is the subscription that a request comes from. Its id is known to its own
// client alone, and so proves who sends.
func (c *Chat) sender(a args) (*stentor.Subscription, error) {
	from, _, err := a.text("from")
	if err != nil {
		return nil, err
	}
	if from != "" {
		if s := c.hub.Subscription(from); s != nil {
			return s, nil
		}
	}
	return nil, unknownError{from}
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
		return "", badRequest(fmt.Sprintf("selector: %q is for the server and its clients alone", clip(selector, maxQuoted)))
	case def != chatSelector && op == "cmd" && (target == "chat" || target == "message"):
		return "", badRequest("selector: post messages to the chat service")
	}
	return typ, nil
}

// callbacks are the names that clients call by themselves, in lower case.
func callbacks() []string {
	return []string{
		"onconnect", "onjoin", "onleave", "onupdate", "onheartbeat", "ongap",
		"onmessage", "oncommand", "onreconnect", "onstop", "onerror", "onexception", "ontick",
	}
}

// publish publishes v in JSON.
func (c *Chat) publish(ctx context.Context, t stentor.Target, typ string, v any) (stentor.Receipt, error) {
	m, err := stentor.JSON(t, typ, v)
	if err != nil {
		return stentor.Receipt{}, err
	}
	return c.hub.Publish(ctx, m)
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
