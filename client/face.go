package client

import (
	"fmt"
	"net/url"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/stentor-sse/stentor/sse"
)

// Face is the protocol that a client speaks with a hub. All else is the same whatever it is: handlers,
// channels, presence, gaps.
type Face int

const (
	// Plain is the plain face, /events.
	Plain Face = iota
	// ServiceStack is ServiceStack's Server Events, /event-stream: that of a Stentor server, or of
	// ServiceStack itself.
	ServiceStack
)

// face is what the protocols differ in.
type face interface {
	// idle is how long a stream may be silent by default.
	idle() time.Duration
	// stream is the address of a stream of channels.
	stream(channels []string) *url.URL
	// read puts an event into the words of the plain face. It is false for what is not for anybody here.
	read(e sse.Event) (_ sse.Event, ok bool, _ error)
	// change has the channels of a subscription changed.
	change(id string, join, leave []string) call
	// end ends a subscription.
	end(id string) call
	// members asks who is on a channel; list is the answer, a user once or for each subscription.
	members(channel string) (_ call, list func() []Member)
	// eachUser says that joins and leaves are told of users. Else they are told of
	// subscriptions, and what they come to has to be asked.
	eachUser() bool
}

func newFace(o *Options, server *url.URL) (face, error) {
	switch o.Face {
	case Plain:
		return &plain{o, server}, nil
	case ServiceStack:
		return &serviceStack{o, server}, nil
	}
	return nil, fmt.Errorf("client: there is no Face %d; use Plain or ServiceStack", o.Face)
}

// Types of the server's own events.
const (
	openType      = "stentor.open"
	gapType       = "stentor.gap"
	stateType     = "stentor.state"
	endType       = "stentor.end"
	joinType      = "stentor.join"
	leaveType     = "stentor.leave"
	updateType    = "stentor.update"
	heartbeatType = "stentor.heartbeat"
)

// Open is the data of a stentor.open event: a stream has begun.
type Open struct {
	// Subscription is its id, which is a secret: who has it may act for this client.
	Subscription string `json:"subscription"`
	// Channels are those that the stream is on, where they are others than this client has asked for: those that its
	// subscription had. On the plain face alone.
	Channels []string `json:"channels,omitempty"`
	// Member is who this is, without a channel. On the plain face it takes Options.Presence.
	Member Member `json:"member"`
	// Heartbeat says how the client proves that it lives, which it does by itself. Nil: it need not.
	Heartbeat *Heartbeat `json:"heartbeat,omitempty"`
}

// Heartbeat is what a server wants to hear of a client.
type Heartbeat struct {
	URL      string        `json:"url"`
	Interval time.Duration `json:"interval"`
	// Lease is how long one heartbeat holds. Zero: the server doesn't say.
	Lease time.Duration `json:"lease"`
}

// Gap is the data of a stentor.gap event: what is missing. Either position is empty when nobody
// can say.
type Gap struct {
	Reason string `json:"reason"`
	After  string `json:"after"`
	Oldest string `json:"oldest"`
}

// State is the data of a stentor.state event: what is kept about the subjects of these channels came before it, without
// ids.
type State struct {
	Channels []string `json:"channels"`
}

// End is the data of a stentor.end event: why the server ends the stream.
type End struct {
	Reason string `json:"reason"`
}

// address is that of a path under the server's.
func address(server *url.URL, path string, query url.Values) *url.URL {
	u := server.JoinPath(path)
	u.RawQuery = query.Encode()
	return u
}

// streamAddress is that of the stream.
func streamAddress(o *Options, server *url.URL, path string, query url.Values) *url.URL {
	if o.StreamPath != "" {
		path = o.StreamPath
	}
	o.identify(query)
	return address(server, path, query)
}

// identify says who this is.
func (o *Options) identify(query url.Values) {
	for name, value := range map[string]string{"user": o.User, "session": o.Session, "key": o.Key} {
		if value != "" {
			query.Set(name, value)
		}
	}
}

// maxChannel is the longest name of a channel, in bytes.
const maxChannel = 255

// checkChannels refuses what is the name of no channel on any server: on its way it would become another
// one, or several.
func checkChannels(names []string) error {
	for _, name := range names {
		switch {
		case name == "":
			return fmt.Errorf("client: the empty string names no channel")
		case len(name) > maxChannel || !utf8.ValidString(name):
			return fmt.Errorf("client: channel %.64q: take 1 to %d bytes of UTF-8", name, maxChannel)
		case strings.ContainsAny(name, " ,@") || strings.ContainsFunc(name, unicode.IsControl):
			return fmt.Errorf("client: channel %.64q: leave out spaces, commas, @ and control characters", name)
		}
	}
	return nil
}
