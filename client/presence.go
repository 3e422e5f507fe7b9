package client

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/stentor-sse/stentor/sse"
)

// Member is a user on a channel, with however many subscriptions.
type Member struct {
	Channel string `json:"channel,omitempty"`
	User    string `json:"user"`
	Name    string `json:"name"`
	// Meta is what the application says of it. On the ServiceStack face isAuthenticated, createdAt, profileUrl and
	// channels, those that it is on, are there too.
	Meta map[string]string `json:"meta"`
}

// room is who is on one channel, by user.
type room struct {
	order   []string
	members map[string]*present

	loading int      // lists that are on their way
	since   []notice // what was told while one was
	doubt   bool     // the list has to be asked for again
}

// present is a user who is there, with that many subscriptions, as far as they are told of.
type present struct {
	Member
	count int
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
		m := r.members[user].Member
		m.Meta = maps.Clone(m.Meta)
		all = append(all, m)
	}
	return all
}

// seen keeps a list up to date.
func (r *run) seen(e sse.Event) {
	n := notice{left: e.Type == leaveType}
	if err := json.Unmarshal([]byte(e.Data), &n.m); err != nil {
		r.trouble(fmt.Errorf("client: %s: %w", e.Type, err))
		return
	}
	n.left = n.left || e.Type == updateType && !r.face.eachUser() && !on(n.m)
	r.mu.Lock()
	defer r.mu.Unlock()
	if !slices.Contains(r.want, n.m.Channel) {
		return // it was left meanwhile
	}
	room := r.room(n.m.Channel)
	room.apply(n, r.o.MaxMembers)
	if room.loading > 0 && len(room.since) < r.o.MaxMembers {
		room.since = append(room.since, n)
	}
	if r.face.eachUser() || r.unlisted {
		return
	}
	room.doubt = true
	if !r.counting {
		r.counting = true
		r.aside.Go(func() { r.count(r.ctx) })
	}
}

// on says if a member that moved is on the channel that it is told of.
func on(m Member) bool {
	channels, ok := m.Meta["channels"]
	return !ok || slices.Contains(strings.Split(channels, ","), m.Channel)
}

// Lists are asked for again a moment after the first notice, when those that came with it are known too, and
// then so often at most.
const (
	countAfter = 100 * time.Millisecond
	countEvery = time.Second
)

// count asks again who is on the channels where somebody came or went, until nobody does any more. It is for faces
// that tell of subscriptions: whether a user has others nobody says.
func (c *Client) count(ctx context.Context) {
	for pause := countAfter; ; pause = countEvery {
		t := time.NewTimer(pause)
		select {
		case <-t.C:
		case <-ctx.Done():
		}
		t.Stop()
		c.mu.Lock()
		var list []string
		for name, r := range c.rooms {
			if r.doubt && slices.Contains(c.want, name) {
				list = append(list, name)
			}
			r.doubt = false
		}
		if len(list) == 0 || ctx.Err() != nil {
			c.counting = false
			c.mu.Unlock()
			return
		}
		c.mu.Unlock()
		slices.Sort(list)
		c.reload(ctx, list)
	}
}

// room is that of a channel. Call it with mu locked.
func (c *Client) room(channel string) *room {
	r := c.rooms[channel]
	if r == nil {
		r = &room{members: map[string]*present{}}
		c.rooms[channel] = r
	}
	return r
}

// reload asks who is on channels. A server that doesn't say leaves the lists to what is
// told from now on.
func (c *Client) reload(ctx context.Context, channels []string) {
	for _, ch := range channels {
		if err := c.load(ctx, ch); err != nil {
			if ctx.Err() != nil {
				return
			}
			c.mu.Lock()
			r, refused := errors.AsType[*Refusal](err)
			c.unlisted = refused && r.Status < http.StatusInternalServerError
			c.mu.Unlock()
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

	ask, list := c.face.members(channel)
	err := c.do(ctx, ask)

	c.mu.Lock()
	defer c.mu.Unlock()
	if err == nil {
		r.order, r.members = nil, map[string]*present{}
		for _, m := range list() {
			m.Channel = channel
			if p := r.members[m.User]; p != nil {
				p.count++
				continue
			}
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

// apply does what a notice says, unless there are too many. A user leaves with the last subscription.
func (r *room) apply(n notice, most int) {
	p := r.members[n.m.User]
	switch {
	case n.left && p != nil && p.count > 1:
		p.count--
	case n.left && p != nil:
		delete(r.members, n.m.User)
		r.order = slices.DeleteFunc(r.order, func(user string) bool { return user == n.m.User })
	case !n.left && p != nil:
		p.Member = n.m
	case !n.left && len(r.order) < most:
		r.order = append(r.order, n.m.User)
		r.members[n.m.User] = &present{n.m, 1}
	}
}
