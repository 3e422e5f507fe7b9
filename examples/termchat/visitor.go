package main

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/stentor-sse/stentor/client"
	"github.com/stentor-sse/stentor/eventsource"
	"github.com/stentor-sse/stentor/sse"
)

// message is what the Chat services say.
type message struct {
	ID        int64  `json:"id"`
	Channel   string `json:"channel"`
	From      string `json:"fromUserId"`
	Name      string `json:"fromName"`
	Text      string `json:"message"`
	Private   bool   `json:"private"`
	To        string `json:"toUserId"`
	ToName    string `json:"toName"`
	Note      string `json:"note"`
	CreatedAt int64  `json:"createdAt"` // in Unix milliseconds
}

// visitor is somebody in a chat.
type visitor struct {
	client  *client.Client
	screen  *screen
	history int

	mu      sync.Mutex // guards all below
	me      client.Member
	id      string        // of the subscription; empty while there is none
	there   chan struct{} // closed while there is one
	visits  int           // streams so far
	lost    bool          // the connection, and that was said
	current string        // the channel that is written to
	here    map[string]map[string]bool
	seen    ids
	unsent  int // lines
}

func newVisitor(s *settings, out *screen) (*visitor, error) {
	v := &visitor{
		screen: out, history: s.history, current: s.channels[0],
		there: make(chan struct{}), here: map[string]map[string]bool{}, seen: newIDs(),
	}
	var err error
	v.client, err = client.New(s.url, &client.Options{
		Face: s.face, Channels: s.channels, Presence: true, HTTP: s.http,
		Change: v.changed, Error: func(err error) { out.notice("%v", err) },
	})
	if err != nil {
		return nil, err
	}
	client.On(v.client, "stentor.open", func(o client.Open, _ sse.Event) { v.opened(o) })
	client.On(v.client, "stentor.gap", func(g client.Gap, _ sse.Event) { v.missed(g) })
	client.On(v.client, "stentor.join", func(m client.Member, _ sse.Event) { v.came(m) })
	client.On(v.client, "stentor.leave", func(m client.Member, _ sse.Event) { v.went(m) })
	client.On(v.client, "stentor.update", func(m client.Member, _ sse.Event) { v.came(m); v.went(m) })
	client.On(v.client, "chat", func(data json.RawMessage, e sse.Event) { v.heard(data, e) })
	client.On(v.client, "announce", func(text any, _ sse.Event) { out.notice("announcement: %v", text) })
	client.On(v.client, "message", func(text string, e sse.Event) { v.program(e) })
	return v, nil
}

// changed shows what becomes of the connection, once for each time that it is lost.
func (v *visitor) changed(change eventsource.Change) {
	if change.State == eventsource.Open {
		return // the first event says more
	}
	v.mu.Lock()
	if v.id != "" {
		v.id, v.there = "", make(chan struct{})
	}
	lost := change.State == eventsource.Connecting && change.Err != nil && !v.lost
	v.lost = v.lost || lost
	v.mu.Unlock()
	if lost {
		v.screen.notice("not connected (%v); trying again", change.Err)
	}
}

// opened is where each stream begins. What is said from here on comes on it; what was said before is in the history.
func (v *visitor) opened(o client.Open) {
	v.mu.Lock()
	before := v.me
	v.me, v.id, v.lost = o.Member, o.Subscription, false
	close(v.there)
	v.visits++
	again := v.visits > 1
	v.mu.Unlock()
	channels := v.client.Channels()
	switch {
	case again && before.User != o.Member.User: // the server has forgotten who this was
		v.screen.notice("connected again; you are %s now", shortName(o.Member.Name))
	case again:
		v.screen.notice("connected again")
	default:
		v.screen.notice("you are %s, on #%s; /help says what you can do", shortName(o.Member.Name), strings.Join(channels, ", #"))
	}
	for _, ch := range channels {
		v.look(ch)
	}
	if !again {
		v.recall(channels...)
	}
}

// missed: the history may have what the stream doesn't.
func (v *visitor) missed(g client.Gap) {
	if g.Reason != "ephemeral" {
		v.screen.notice("some messages may be missing here (%s)", g.Reason)
		v.recall(v.client.Channels()...)
	}
}

// recall shows what was said on channels, but for what was shown before.
func (v *visitor) recall(channels ...string) {
	if v.history <= 0 {
		return
	}
	query := url.Values{"channels": {strings.Join(channels, ",")}, "take": {strconv.Itoa(v.history)}}
	var answer struct{ Results []message }
	if err := v.client.Call(context.Background(), http.MethodGet, "chathistory?"+query.Encode(), nil, &answer); err != nil {
		v.screen.notice("there is no history: %v", err)
		return
	}
	for _, m := range answer.Results {
		v.show(m, m.Channel)
	}
}

// heard is a message of the chat, or what somebody published as one.
func (v *visitor) heard(data json.RawMessage, e sse.Event) {
	var m message
	if err := json.Unmarshal(data, &m); err != nil || m.Text == "" {
		v.program(e)
		return
	}
	v.show(m, e.Channel)
}

// show shows a message once. Without a channel it is for this user alone, or from it.
func (v *visitor) show(m message, channel string) {
	v.mu.Lock()
	fresh, me := m.ID == 0 || v.seen.add(m.ID), v.me.User
	v.mu.Unlock()
	if !fresh {
		return
	}
	place := "#" + channel
	switch {
	case channel == "" && m.From == me:
		place = "to " + shortName(m.ToName)
	case channel == "":
		place = "to you"
	}
	at := time.Now()
	if m.CreatedAt > 0 {
		at = time.UnixMilli(m.CreatedAt)
	}
	v.screen.message(at, place, m.From, m.Name, m.Text)
	if m.Note != "" && m.From == me {
		v.screen.notice("%s is %s", shortName(m.ToName), m.Note)
	}
}

// program shows what no person has written.
func (v *visitor) program(e sse.Event) {
	place := "to you"
	if e.Channel != "" {
		place = "#" + e.Channel
	}
	v.screen.message(time.Now(), place, "", "(a program)", e.Data)
}

// look takes over who is on a channel, without a word.
func (v *visitor) look(channel string) {
	users := map[string]bool{}
	for _, m := range v.client.Members(channel) {
		users[m.User] = true
	}
	v.mu.Lock()
	v.here[channel] = users
	v.mu.Unlock()
}

// came and went tell of users, where notices may tell of their windows.
func (v *visitor) came(m client.Member) {
	if v.moved(m, true) {
		v.screen.notice("%s joined #%s", shortName(m.Name), m.Channel)
	}
}

func (v *visitor) went(m client.Member) {
	if v.moved(m, false) {
		v.screen.notice("%s left #%s", shortName(m.Name), m.Channel)
	}
}

// moved says if somebody else has come to, or gone from, where it was not, or was.
func (v *visitor) moved(m client.Member, came bool) bool {
	is := slices.ContainsFunc(v.client.Members(m.Channel), func(o client.Member) bool { return o.User == m.User })
	v.mu.Lock()
	defer v.mu.Unlock()
	users := v.here[m.Channel]
	if users == nil || is != came || users[m.User] == is {
		return false
	}
	if is {
		users[m.User] = true
	} else {
		delete(users, m.User)
	}
	return m.User != v.me.User
}
