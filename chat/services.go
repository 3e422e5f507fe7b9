package chat

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/stentor-sse/stentor"
	"github.com/stentor-sse/stentor/internal/dto"
)

const (
	// takeDefault is how many messages of a channel a request for history gets that
	// does not say.
	takeDefault = 100
	// sequence gives chat messages their ids, over all nodes.
	sequence = "chatMsg"
)

// postChat says something on a channel, or to one user.
func (c *Chat) postChat(r *http.Request, a dto.Args) (any, error) {
	p, err := c.readPost(a, chatSelector)
	if err != nil {
		return nil, err
	}
	text, _, err := a.Text("message")
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
		Private: p.to != "", ToUserID: p.to, Picture: from.Meta[profileName], CreatedAt: time.Now().UnixMilli(),
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
func (c *Chat) postRaw(r *http.Request, a dto.Args) (any, error) {
	p, err := c.readPost(a, "")
	if err != nil {
		return nil, err
	}
	text, given, err := a.Text("message")
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
func (c *Chat) postObject(r *http.Request, a dto.Args) (any, error) {
	name, def := "customtype", customSelector
	if len(a[name]) == 0 && len(a["settertype"]) > 0 {
		name, def = "settertype", setterSelector
	}
	o, err := readObject(a, name)
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

func readObject(a dto.Args, name string) (*object, error) {
	o := &object{}
	switch given, err := a.Object(name, o); {
	case err != nil:
		return nil, err
	case !given:
		return nil, badRequest(`send customType or setterType: {"id":1,"name":"…"}`)
	}
	return o, checkLength(o.Name)
}

// readHistory gives the newest messages of channels.
func (c *Chat) readHistory(_ *http.Request, a dto.Args) (any, error) {
	names, err := a.List("channels")
	if err != nil {
		return nil, err
	}
	channels, err := readChannels(names)
	if err != nil {
		return nil, err
	}
	after, err := a.Number("afterid", 0)
	if err != nil {
		return nil, err
	}
	take, err := a.Number("take", takeDefault)
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
func (c *Chat) clearHistory(_ *http.Request, a dto.Args) (any, error) {
	sender, err := c.sender(a)
	if err != nil {
		return nil, err
	}
	names, err := a.List("channels")
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

// resetHub forgets all subscriptions. Their clients come back.
func (c *Chat) resetHub(*http.Request, dto.Args) (any, error) {
	if !c.o.AllowReset {
		return nil, forbidden("resetting is off here; the server switches it on with Options.AllowReset of its chat")
	}
	c.hub.Reset()
	return nil, nil
}

// publish publishes v in JSON.
func (c *Chat) publish(ctx context.Context, t stentor.Target, typ string, v any) (stentor.Receipt, error) {
	m, err := stentor.JSON(t, typ, v)
	if err != nil {
		return stentor.Receipt{}, err
	}
	return c.hub.Publish(ctx, m)
}
