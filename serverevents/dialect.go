package serverevents

import (
	"errors"
	"strconv"

	"github.com/stentor-sse/stentor"
)

// dialect encodes the ServiceStack face. It is stateless and all its values are
// equal, so that all of a hub's ServiceStack streams share their bytes.
//
// A frame is `id: n`, `data: selector json` and an empty line, with LF alone, and
// has no other field. The parsers of C# and Java stumble over comments, retry
// lines, several data lines and ids that are not integers, but take a frame without
// an id, which is how one without a position is told.
type dialect struct{}

// AppendMessage writes a message. The channel stands before the selector when it is
// all that the message was for. A message that would pass for a lifecycle message is
// not shown.
func (dialect) AppendMessage(b []byte, m *stentor.Message) ([]byte, error) {
	selector := Selector(m.Type)
	if reserved(selector) {
		return b, nil
	}
	if m.Position > 0 {
		b = appendID(b, m.Position)
	}
	b = append(b, "data: "...)
	if ch := m.Target.Channel; ch != "" && m.Target == (stentor.Target{Channel: ch}) {
		b = append(append(b, ch...), '@')
	}
	b = append(append(b, selector...), ' ') // the space stands before an empty body too
	switch {
	case !m.JSON:
		b = appendString(b, m.Data)
	case m.Data != "null":
		b = appendValue(b, m.Data)
	}
	return append(b, "\n\n"...), nil
}

// AppendNotice writes a lifecycle message. The reconnection time is not told, nor a
// farewell after which the client may come back: no frame of this protocol means that. One
// that should stay away, because it would only push out the one that took its place or be
// refused, is told so.
func (dialect) AppendNotice(b []byte, n *stentor.Notice) ([]byte, error) {
	switch n.Kind {
	case stentor.NoticeOpen:
		if !n.StateFirst {
			b = appendID(b, n.Cursor)
		}
		b = appendConnect(begin(b, "", onConnect), n.Subscription, n.Member)
	case stentor.NoticeGap:
		if n.Cursor > 0 && !n.StateFirst { // 0 would mean "everything again" when it comes back
			b = appendID(b, n.Cursor)
		}
		b = appendGap(begin(b, "", onGap), n.Gap)
	case stentor.NoticeState:
		if n.Cursor > 0 {
			b = appendID(b, n.Cursor)
		}
		o := object{b: append(begin(b, "", onState), '{')}
		o.add("channels", joined(n.Channels))
		b = append(o.b, '}')
	case stentor.NoticeJoin:
		b = appendMember(begin(b, n.Channel, onJoin), n.Member)
	case stentor.NoticeLeave:
		b = appendMember(begin(b, n.Channel, onLeave), n.Member)
	case stentor.NoticeUpdate:
		b = appendMember(begin(b, n.Channel, onUpdate), n.Member)
	case stentor.NoticeHeartbeat:
		b = appendMember(begin(b, "", onHeartbeat), n.Member)
	case stentor.NoticeFarewell:
		reason := final(n.Cause)
		if reason == "" {
			return b, nil
		}
		o := object{b: append(begin(b, "", onEnd), '{')}
		o.add("reason", reason)
		b = append(o.b, '}')
	default:
		return b, nil
	}
	return append(b, "\n\n"...), nil
}

// final is what a client is told of an end after which it should not come back; "" for others.
func final(cause error) string {
	switch {
	case errors.Is(cause, stentor.ErrReplaced):
		return "replaced"
	case errors.Is(cause, stentor.ErrDismissed):
		return "dismissed"
	}
	return ""
}

// AppendKeepAlive writes an empty line: the one thing that no client minds.
func (dialect) AppendKeepAlive(b []byte) []byte { return append(b, '\n') }

func appendID(b []byte, p stentor.Position) []byte {
	b = append(b, "id: "...)
	b = strconv.AppendInt(b, int64(p), 10)
	return append(b, '\n')
}

// begin writes the data line up to the body of a lifecycle message.
func begin(b []byte, ch stentor.Channel, name string) []byte {
	b = append(b, "data: "...)
	if ch != "" {
		b = append(append(b, ch...), '@')
	}
	b = append(b, command...)
	return append(append(b, name...), ' ')
}

// appendGap tells what is missing. Like all that the face says, the values are
// strings.
func appendGap(b []byte, g *stentor.Gap) []byte {
	o := object{b: append(b, '{')}
	o.add("reason", string(g.Reason))
	o.add("after", decimal(g.After))
	o.add("oldest", decimal(g.Oldest))
	return append(o.b, '}')
}

// decimal is empty where there is no position to tell.
func decimal(p stentor.Position) string {
	if p == 0 {
		return ""
	}
	return p.String()
}
