package eventhttp

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"strconv"
	"time"

	"github.com/stentor-sse/stentor"
	"github.com/stentor-sse/stentor/sse"
)

// dialect encodes the plain face. It is stateless and all its values are equal,
// so that all plain streams of a hub share their bytes.
type dialect struct{}

// AppendMessage writes id, type and data. The id stands in front of the event
// rather than in it: it costs no string, and an event with an id alone would not be
// dispatched.
func (dialect) AppendMessage(b []byte, m *stentor.Message) ([]byte, error) {
	start := len(b)
	if m.Position > 0 {
		b = appendID(b, m.Position)
	}
	e := sse.Event{Type: m.Type, Data: m.Data}
	if m.JSON && m.Data == "" {
		e.Data = "null"
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
		// 3 s, spread by a third, so that those who lose a server together don't
		// come back together.
		b = appendRetry(b, 2*time.Second+rand.N(2*time.Second))
		b = appendID(b, n.Cursor)
		return appendControl(b, "stentor.open", struct {
			Subscription string `json:"subscription"`
		}{n.Subscription.ID()})
	case stentor.NoticeGap:
		return appendGap(b, n)
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
	case stentor.NoticeFarewell:
		e := sse.Event{Comment: farewell(n.Cause)}
		if n.Retry >= time.Millisecond {
			e.Retry = n.Retry
		}
		return e.AppendText(b)
	}
	return b, nil // a heartbeat, and whatever comes later: not shown here
}

func (dialect) AppendKeepAlive(b []byte) []byte { return append(b, ":\n\n"...) }

// appendGap tells what is missing. Positions are strings, as ids are; unknown ones
// are empty.
func appendGap(b []byte, n *stentor.Notice) ([]byte, error) {
	data := struct {
		Reason stentor.GapReason `json:"reason"`
		After  string            `json:"after"`
		Oldest string            `json:"oldest"`
	}{n.Gap.Reason, decimal(n.Gap.After), decimal(n.Gap.Oldest)}
	if n.Cursor > 0 { // 0 would mean "everything again" when it comes back
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
		User    string          `json:"user"`
		Name    string          `json:"name"`
		Meta    meta            `json:"meta"`
	}{n.Channel, n.Member.User, n.Member.DisplayName, n.Member.Meta})
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

// farewell says why a stream ends, for a person who watches it with curl. The text of
// an unknown cause is the application's own and stays here.
func farewell(cause error) string {
	for _, known := range []struct {
		err  error
		text string
	}{
		{stentor.ErrDraining, "this server is going away; come back"},
		{stentor.ErrClosed, "this server is shutting down; come back"},
		{stentor.ErrReplaced, "replaced by a newer stream with the same key"},
		{stentor.ErrExpired, "no heartbeat within the lease"},
		{stentor.ErrUnregistered, "ended on request"},
		{stentor.ErrFull, "this server is full; come back"},
	} {
		if errors.Is(cause, known.err) {
			return known.text
		}
	}
	return "ended"
}
