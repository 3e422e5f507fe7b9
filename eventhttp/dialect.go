package eventhttp

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/stentor-sse/stentor"
	"github.com/stentor-sse/stentor/sse"
)

// dialect encodes the plain face. Equal values share their bytes: all plain streams
// of a hub do that have the same keepalive.
type dialect struct {
	keepAlive string // encoded; "" is an empty comment
	named     bool   // messages have the name of their channel
}

// newDialect makes the dialect whose streams are kept warm with e. An event that can't
// be one is an error, beside the dialect that does without it.
func newDialect(e sse.Event) (dialect, error) {
	if e == (sse.Event{}) {
		return dialect{}, nil
	}
	if e.ID != "" || e.Retry != 0 {
		return dialect{}, fmt.Errorf("%w keepalive: it has an ID or a Retry; both are the hub's", stentor.ErrInvalid)
	}
	frame, err := e.AppendText(nil)
	if err != nil {
		return dialect{}, fmt.Errorf("%w keepalive: %w", stentor.ErrInvalid, err)
	}
	return dialect{keepAlive: string(frame)}, nil
}

// AppendMessage writes id, type and data. The id stands in front of the event
// rather than in it: it costs no string, and an event with an id alone would not be
// dispatched.
func (d dialect) AppendMessage(b []byte, m *stentor.Message) ([]byte, error) {
	start := len(b)
	if m.Position > 0 {
		b = appendID(b, m.Position)
	}
	e := sse.Event{Type: m.Type, Data: m.Data}
	if m.JSON && m.Data == "" {
		e.Data = "null"
	}
	if d.named {
		e.Channel = string(m.Target.Channel)
	}
	out, err := e.AppendText(b)
	if err != nil {
		return b[:start], fmt.Errorf("eventhttp: message %d: %w", m.Position, err)
	}
	return out, nil
}

func (dialect) AppendNotice(b []byte, n *stentor.Notice) ([]byte, error) {
	switch n.Kind {
	case stentor.NoticeOpen:
		if n.Retry >= time.Millisecond {
			b = appendRetry(b, n.Retry)
		}
		if !n.StateFirst {
			b = appendID(b, n.Cursor)
		}
		open := struct {
			Subscription string            `json:"subscription"`
			Channels     []stentor.Channel `json:"channels,omitempty"`
			Member       *person           `json:"member,omitempty"`
		}{Subscription: n.Subscription.ID(), Channels: n.Channels}
		if n.Subscription.Presence() { // else nobody to tell oneself from
			me := personOf(n.Member)
			open.Member = &me
		}
		return appendControl(b, "stentor.open", open)
	case stentor.NoticeGap:
		return appendGap(b, n)
	case stentor.NoticeState:
		if n.Cursor > 0 {
			b = appendID(b, n.Cursor)
		}
		return appendControl(b, "stentor.state", struct {
			Channels []stentor.Channel `json:"channels"`
		}{append([]stentor.Channel{}, n.Channels...)})
	case stentor.NoticeJoin:
		return appendMember(b, "stentor.join", n, n.First)
	case stentor.NoticeLeave:
		return appendMember(b, "stentor.leave", n, n.First)
	case stentor.NoticeUpdate:
		switch {
		case n.Joined:
			return appendMember(b, "stentor.join", n, n.First)
		case n.Left:
			return appendMember(b, "stentor.leave", n, n.First)
		}
		return appendMember(b, "stentor.update", n, true)
	case stentor.NoticeRetry:
		if n.Retry < time.Millisecond {
			return b, nil
		}
		return append(appendRetry(b, n.Retry), '\n'), nil
	case stentor.NoticeFarewell:
		return appendEnd(b, n.Cause, n.Retry)
	}
	return b, nil // a heartbeat, and whatever comes later: not shown here
}

func (d dialect) AppendKeepAlive(b []byte) []byte {
	if d.keepAlive == "" {
		return append(b, ":\n\n"...)
	}
	return append(b, d.keepAlive...)
}

// farAway is the reconnection time of a stream that another has taken the place of. It
// would come back and evict the other one, which would come back and evict it.
const farAway = 24 * time.Hour

// appendEnd tells why the stream ends, after what its handler has to say, and, unless
// that is zero, when to come back.
func appendEnd(b []byte, cause error, retry time.Duration) ([]byte, error) {
	if last, ok := errors.AsType[*lastWords](cause); ok {
		b = append(b, last.frames...)
	}
	reason := endReason(cause)
	if reason == "replaced" {
		retry = farAway
	}
	if retry >= time.Millisecond {
		b = appendRetry(b, retry)
	}
	return appendControl(b, "stentor.end", struct {
		Reason string `json:"reason"`
	}{reason})
}

// appendGap tells what is missing. Positions are strings, as ids are; unknown ones
// are empty.
func appendGap(b []byte, n *stentor.Notice) ([]byte, error) {
	data := struct {
		Reason stentor.GapReason `json:"reason"`
		After  string            `json:"after"`
		Oldest string            `json:"oldest"`
	}{n.Gap.Reason, decimal(n.Gap.After), decimal(n.Gap.Oldest)}
	if n.Cursor > 0 && !n.StateFirst { // 0 would mean "everything again" when it comes back
		b = appendID(b, n.Cursor)
	}
	return appendControl(b, "stentor.gap", data)
}

func decimal(p stentor.Position) string {
	if p == 0 {
		return ""
	}
	return p.String()
}

// appendMember tells of a user on a channel, if it is the user's first or last
// subscription there: another tab is not another person.
func appendMember(b []byte, typ string, n *stentor.Notice, tell bool) ([]byte, error) {
	if !tell {
		return b, nil
	}
	return appendControl(b, typ, struct {
		Channel stentor.Channel `json:"channel"`
		person
	}{n.Channel, personOf(n.Member)})
}

// meta is an object even when there is none, so that readers need no test.
type meta map[string]string

func (m meta) MarshalJSON() ([]byte, error) {
	if m == nil {
		return []byte("{}"), nil
	}
	return json.Marshal(map[string]string(m))
}

func appendControl(b []byte, typ string, data any) ([]byte, error) {
	text, err := json.Marshal(data)
	if err != nil {
		return b, fmt.Errorf("eventhttp: %s: %w", typ, err)
	}
	return (&sse.Event{Type: typ, Data: string(text)}).AppendText(b)
}

func appendID(b []byte, p stentor.Position) []byte {
	b = append(b, "id: "...)
	b = strconv.AppendInt(b, int64(p), 10)
	return append(b, '\n')
}

func appendRetry(b []byte, d time.Duration) []byte {
	b = append(b, "retry: "...)
	b = strconv.AppendInt(b, d.Milliseconds(), 10)
	return append(b, '\n')
}

// endReason names why a stream ends. The text of an unknown cause is the
// application's own and stays here.
func endReason(cause error) string {
	for _, known := range []struct {
		err    error
		reason string
	}{
		{stentor.ErrReplaced, "replaced"},
		{stentor.ErrDismissed, "dismissed"},
		{stentor.ErrDraining, "draining"},
		{stentor.ErrClosed, "shutdown"},
		{stentor.ErrExpired, "expired"},
		{stentor.ErrUnregistered, "unregistered"},
		{stentor.ErrReset, "reset"},
		{stentor.ErrFull, "full"},
		{stentor.ErrSlow, "slow"},
	} {
		if errors.Is(cause, known.err) {
			return known.reason
		}
	}
	return "ended"
}
