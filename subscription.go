package stentor

import (
	"context"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/stentor-sse/stentor/internal/engine"
)

// Subscription is one receiver in a hub. All methods may be called from any
// goroutine, but only one Serve or Messages may run.
//
// Most are idle for hours: what a subscription needs only while it is read here is in its
// inbox, what few need is made when they need it.
type Subscription struct {
	hub     *Hub
	serial  int64 // order of registration
	who     who
	dialect Dialect
	sent    struct{ messages, bytes atomic.Uint64 }
	conn    atomic.Pointer[engine.Conn] // once the engine writes the stream; set under hub.index.mu and mu

	places []place // guarded by hub.index.mu, as are kin and indexed
	kin    *kin
	rooms  []Channel  // where it is present; guarded by hub.presence.mu, as is present
	change sync.Mutex // held while channels and places are brought in line

	mu       sync.Mutex    // guards the rest
	in       *inbox        // nil once the engine writes the stream
	catch    *catchUp      // while the engine waits for history; one goroutine at a time works on it
	ending   *ending       // nil until it ends
	done     chan struct{} // closed when delivery has ended; made when somebody asks
	channels []Channel     // never changed, but replaced
	asked    *[]Channel    // those first asked for, where they are others
	meta     map[string]string
	private  map[string]string
	values   *value   // of each Property
	reached  Position // everything up to here was handed to the reader
	proved   Position // and up to here before its last heartbeat
	prior    *Subscription
	onEnd    func(error)
	beatAt   int64 // of the last heartbeat, in nanoseconds since 1970
	lease    *time.Timer
	room     int // channels that are about to be joined

	stage, to stage // where it is; after cause: where to settle
	served    bool
	announced bool
	unsaid    bool // its leave is told to nobody
	hooking   bool // a hook about its end runs
	over      bool // what OnEnd was given has run

	owing      bool // the state of some channels has not been told,
	stated     bool // or has been since the last heartbeat
	indexed    bool // guarded by hub.index.mu
	present    bool // guarded by hub.presence.mu
	presence   bool // it watches; never changes, as what follows
	heartbeats bool // its client sends heartbeats
}

// ending is what there is to know of one that has ended.
type ending struct {
	cause   error
	through chan struct{} // closed when the first end is
	linger  *time.Timer
}

// stage is how far a subscription is on its way. It only grows.
type stage int8

const (
	stageHeld      stage = iota // registered, live messages held, nobody told
	stageOpen                   // served and announced
	stageLingering              // its reader vanished; still present
	stageTaken                  // another subscription takes its place
	stageLeft                   // out of the directory
)

// ID names the subscription: unguessable and known to its own client only.
func (s *Subscription) ID() string { return s.who.is(itsID) }

// Session is the session it was subscribed with, "" without one.
func (s *Subscription) Session() string { return s.who.is(bySession) }

// Key is the key it was subscribed with, "" without one.
func (s *Subscription) Key() string { return s.who.is(byKey) }

// Address is where the reader comes from, as told to Subscribe.
func (s *Subscription) Address() string { return s.who.is(itsAddress) }

// Member is the public view: what others may know. It is a copy.
func (s *Subscription) Member() Member {
	m := s.member()
	m.Channels = slices.Clone(m.Channels)
	return m
}

// member is the same with channels that must not be changed.
func (s *Subscription) member() Member {
	s.mu.Lock()
	defer s.mu.Unlock()
	return Member{
		User: s.who.is(byUser), UserName: s.who.is(byUserName), DisplayName: s.who.is(itsDisplayName),
		Authenticated: s.who.authenticated, Created: s.Created(),
		Channels: s.channels, Meta: maps.Clone(s.meta),
	}
}

// Presence reports whether it is told of joins, leaves and updates.
func (s *Subscription) Presence() bool { return s.presence }

// Channels are the channels it is on, in the order they were joined.
func (s *Subscription) Channels() []Channel {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.channels)
}

// Private are the values told to this subscriber only. The map is a copy.
func (s *Subscription) Private() map[string]string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return maps.Clone(s.private)
}

// SetPrivate sets one of the values told to this subscriber only; "" removes
// it. It shows in the open notice if it is set before Serve or by Hooks.Open.
func (s *Subscription) SetPrivate(name, value string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	set(&s.private, name, value)
}

// SetMeta sets a public value; "" removes it. The members of its channels are
// told with an update notice.
func (s *Subscription) SetMeta(name, value string) {
	h := s.hub
	h.presence.mu.Lock()
	defer h.presence.mu.Unlock()
	s.mu.Lock()
	set(&s.meta, name, value)
	told := s.stage == stageOpen
	s.mu.Unlock()
	if !told {
		return
	}
	m := s.Member()
	for _, ch := range m.Channels {
		h.notify(Notice{Kind: NoticeUpdate, Channel: ch, Member: &m})
	}
}

func set(m *map[string]string, name, value string) {
	if value == "" {
		delete(*m, name)
		return
	}
	if *m == nil {
		*m = map[string]string{}
	}
	(*m)[name] = value
}

// Done is closed when delivery has ended; Cause then says why.
func (s *Subscription) Done() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.done == nil {
		s.done = make(chan struct{})
		if s.ending != nil {
			close(s.done)
		}
	}
	return s.done
}

// delivery is a context that ends with s, until over is called. Whoever delivers keeps in
// cancel what end needs for that.
func (s *Subscription) delivery(cancel *context.CancelFunc) (ctx context.Context, over func()) {
	ctx, end := context.WithCancel(context.Background())
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ending != nil {
		end()
	}
	*cancel = end
	return ctx, end
}

// cancel is what ends the delivery, nil where nothing is under way. The caller holds mu.
func (s *Subscription) cancel() context.CancelFunc {
	switch {
	case s.in != nil:
		return s.in.cancel
	case s.catch != nil:
		return s.catch.cancel
	}
	return nil
}

// request are the channels that s was asked for with, to know it again. The caller holds mu.
func (s *Subscription) request() []Channel {
	if s.asked != nil {
		return *s.asked
	}
	return s.channels
}

// setChannels replaces the channels of s. The caller holds mu.
func (s *Subscription) setChannels(list []Channel) {
	if s.asked == nil {
		before := s.channels
		s.asked = &before
	}
	s.channels = list
}

// Created is when it came. One that took another's place came when that did.
func (s *Subscription) Created() time.Time { return time.Unix(0, s.who.created) }

// Cursor is what the client presented to go on from, as SubscribeOptions had it: empty for one
// that begins. It is any text at all.
func (s *Subscription) Cursor() string { return s.who.is(itsCursor) }

// LastHeartbeat is when the client last proved that it lives; zero before the
// first time.
func (s *Subscription) LastHeartbeat() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.beatAt == 0 {
		return time.Time{}
	}
	return time.Unix(0, s.beatAt)
}

// Sent is what a reader was given.
type Sent struct {
	Messages uint64 // notices are not counted
	Bytes    uint64 // of frames written, notices and keepalives included; zero without Serve
}

// Sent is what the reader was given so far.
func (s *Subscription) Sent() Sent {
	sent := Sent{Messages: s.sent.messages.Load(), Bytes: s.sent.bytes.Load()}
	if c := s.conn.Load(); c != nil {
		messages, bytes := c.Sent()
		sent.Messages, sent.Bytes = sent.Messages+messages, sent.Bytes+bytes
	}
	return sent
}

// OnEnd runs f with the cause when delivery ends, after Hooks.Close and on the
// goroutine that ended it; at once if it has ended.
func (s *Subscription) OnEnd(f func(cause error)) {
	s.mu.Lock()
	over := s.over
	if before := s.onEnd; !over && before != nil {
		s.onEnd = func(cause error) { before(cause); f(cause) }
	} else if !over {
		s.onEnd = f
	}
	s.mu.Unlock()
	if over {
		f(s.Cause())
	}
}

func (s *Subscription) live() bool { return s.Cause() == nil }

// Cause is nil while the subscription delivers or waits to.
func (s *Subscription) Cause() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.reason()
}

// reason is the same where the caller holds mu.
func (s *Subscription) reason() error {
	if s.ending == nil {
		return nil
	}
	return s.ending.cause
}

// routes are all channels that messages for s may come by, given its plain ones.
func (s *Subscription) routes(plain []Channel) []Channel {
	r := make([]Channel, 0, len(plain)+2+int(names))
	r = append(r, plain...)
	r = append(r, everyone, reserved('i', s.ID()))
	for kind := range names {
		if p := s.who.person(kind); p.name != "" {
			r = append(r, reserved("uskn"[kind], p.name))
		}
	}
	return r
}
