package client

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"

	"github.com/stentor-sse/stentor/sse"
)

// Member is a user on a channel, with however many subscriptions.
type Member struct {
	Channel string            `json:"channel"`
	User    string            `json:"user"`
	Name    string            `json:"name"`
	Meta    map[string]string `json:"meta"`
}

// room is who is on one channel, by user.
type room struct {
	order   []string
	members map[string]Member

	loading int      // lists that are on their way
	since   []notice // what was told while one was
}

// notice is a join, leave or update.
type notice struct {
	left bool
	m    Member
}

// Members lists who is on a channel, those who came first in front. It is kept up to date while a
// stream is open, and is what it was last while there is none. It takes Options.Presence.
func (c *Client) Members(channel string) []Member {
	c.mu.Lock()
	defer c.mu.Unlock()
	r := c.rooms[channel]
	if r == nil {
		return nil
	}
	all := make([]Member, 0, len(r.order))
	for _, user := range r.order {
		m := r.members[user]
		m.Meta = maps.Clone(m.Meta)
		all = append(all, m)
	}
	return all
}

// seen keeps a list up to date.
func (c *Client) seen(e sse.Event) {
	n := notice{left: e.Type == "stentor.leave"}
	if err := json.Unmarshal([]byte(e.Data), &n.m); err != nil {
		c.trouble(fmt.Errorf("client: %s: %w", e.Type, err))
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if !slices.Contains(c.want, n.m.Channel) {
		return // it was left meanwhile
	}
	r := c.room(n.m.Channel)
	r.apply(n, c.o.MaxMembers)
	if r.loading > 0 && len(r.since) < c.o.MaxMembers {
		r.since = append(r.since, n)
	}
}

// room is that of a channel. Call it with mu locked.
func (c *Client) room(channel string) *room {
	r := c.rooms[channel]
	if r == nil {
		r = &room{members: map[string]Member{}}
		c.rooms[channel] = r
	}
	return r
}

// reload asks who is on channels. A server that doesn't say leaves the lists to what is
// told from now on.
func (c *Client) reload(ctx context.Context, channels []string) {
	for _, ch := range channels {
		if err := c.load(ctx, ch); err != nil {
			c.trouble(fmt.Errorf("client: who is on %q: %w", ch, err))
			return // it would say the same of the others
		}
	}
}

// load gets one list. What is told while it is on its way may be in it or not: it is
// done to the list once more, and to join or leave twice is the same as once.
func (c *Client) load(ctx context.Context, channel string) error {
	c.mu.Lock()
	r := c.room(channel)
	r.loading++
	from := len(r.since)
	c.mu.Unlock()

	var list struct{ Members []Member }
	err := c.do(ctx, call{method: http.MethodGet, path: "presence", query: url.Values{"channel": {channel}}, out: &list})

	c.mu.Lock()
	defer c.mu.Unlock()
	if err == nil {
		r.order, r.members = nil, map[string]Member{}
		for _, m := range list.Members {
			m.Channel = channel
			r.apply(notice{m: m}, c.o.MaxMembers)
		}
		for _, n := range r.since[from:] {
			r.apply(n, c.o.MaxMembers)
		}
	}
	if r.loading--; r.loading == 0 {
		r.since = nil
	}
	if !slices.Contains(c.want, channel) {
		delete(c.rooms, channel)
	}
	return err
}

// apply does what a notice says, unless there are too many.
func (r *room) apply(n notice, most int) {
	_, known := r.members[n.m.User]
	switch {
	case n.left && known:
		delete(r.members, n.m.User)
		r.order = slices.DeleteFunc(r.order, func(user string) bool { return user == n.m.User })
	case !n.left && (known || len(r.order) < most):
		if !known {
			r.order = append(r.order, n.m.User)
		}
		r.members[n.m.User] = n.m
	}
}
