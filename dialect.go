package stentor

import (
	"fmt"
	"net"
	"time"
)

// Dialect encodes for one face. Subscriptions with equal dialects share the
// encoded bytes, so a Dialect must be comparable, stateless as seen from here,
// and safe for any goroutine. Appending nothing means that this face does not
// show it.
type Dialect interface {
	// AppendMessage appends the frame of m.
	AppendMessage(b []byte, m *Message) ([]byte, error)
	// AppendNotice appends the frame of n.
	AppendNotice(b []byte, n *Notice) ([]byte, error)
	// AppendKeepAlive appends what keeps a silent pipe warm.
	AppendKeepAlive(b []byte) []byte
}

// Response is one open response as the hub needs it. *sse.Stream is one.
type Response interface {
	// WriteFrames writes whole frames with one write and one flush, within a
	// deadline of its own. Any error ends the subscription.
	WriteFrames(p []byte) error
	// Done is closed when the reader is gone or the response was closed. A response
	// that also has a method Cause() error says with it why.
	Done() <-chan struct{}
	// Detach hands the connection over, with the framing that its response
	// began with. errors.ErrUnsupported means: stay attached.
	Detach() (c net.Conn, chunked bool, err error)
}

// NoticeKind says what a notice is about.
type NoticeKind int

const (
	// NoticeOpen is the first frame of a stream. Subscription and Member are
	// whose, Cursor is where it starts, Retry when to come back.
	NoticeOpen NoticeKind = iota + 1
	// NoticeGap says that something is missing: Gap says what. Cursor is where
	// the stream goes on.
	NoticeGap
	// NoticeJoin, NoticeLeave: Member came to or went from Channel.
	NoticeJoin
	NoticeLeave
	// NoticeUpdate: Member's channels or meta changed; it goes to every channel
	// that the member is or was on, and Joined or Left says if it has just come
	// to or gone from this one.
	NoticeUpdate
	// NoticeHeartbeat answers a heartbeat. Subscription and Member are whose.
	NoticeHeartbeat
	// NoticeRetry says that Retry is the reconnection time from now on.
	NoticeRetry
	// NoticeState says that the state of Channels has been told, by messages without a
	// position before it. Cursor is where a stream that began with it goes on, zero for
	// one that went on all the while.
	NoticeState
	// NoticeFarewell is the last frame. Cause says why, Retry when to come back
	// (zero: as the client likes).
	NoticeFarewell
)

// Notice is a frame about the stream or about presence. It is never kept. A
// dialect must not change it.
type Notice struct {
	Kind   NoticeKind
	Cursor Position
	// Subscription is set for NoticeOpen and NoticeHeartbeat only.
	Subscription *Subscription
	// StateFirst says of a NoticeOpen, and of a NoticeGap behind it, that the state of its channels
	// comes next: a client that goes away before it has all of it has no cursor yet.
	StateFirst bool
	// Channels are those of a NoticeState; of a NoticeOpen those of the place that was taken, where they are others
	// than were asked for.
	Channels []Channel
	// Channel is whom a join, leave or update is for.
	Channel Channel
	// Member is whom it is about, as of then.
	Member *Member
	// Joined and Left qualify a NoticeUpdate.
	Joined, Left bool
	// First says of a join that the user had no other subscription on the
	// channel, of a leave that none is left; the same for an update with Joined
	// or Left.
	First bool
	// Gap is what a NoticeGap is about.
	Gap *Gap
	// Cause belongs to a NoticeFarewell.
	Cause error
	// Retry is the reconnection time to tell with a NoticeOpen, NoticeRetry or
	// NoticeFarewell. Zero: tell none.
	Retry time.Duration
}

// GapReason says why messages are missing.
type GapReason string

const (
	GapExpired       GapReason = "expired"       // older than what is kept
	GapDiscontinuity GapReason = "discontinuity" // from before a break in the log
	GapUnknown       GapReason = "unknown"       // not a position at all
	GapAhead         GapReason = "ahead"         // beyond the newest message
	GapSlow          GapReason = "slow"          // the reader fell out of the history
	GapLimit         GapReason = "limit"         // more than may be replayed
	GapCorrupt       GapReason = "corrupt"       // damaged in the store
	GapDegraded      GapReason = "degraded"      // the broker can't say
	GapEphemeral     GapReason = "ephemeral"     // notices or ephemeral messages lost to a slow reader
)

// Gap says what a subscriber missed. It is an error so that Messages can yield
// it in its place.
type Gap struct {
	Reason GapReason
	// After is the subscriber's position; zero when it presented none that
	// could be read.
	After Position
	// Oldest is the position of the first kept message that follows; zero
	// when there is none and the stream goes on live.
	Oldest Position
}

func (g *Gap) Error() string {
	return fmt.Sprintf("stentor: gap after %d, goes on at %d: %s", g.After, g.Oldest, g.Reason)
}
