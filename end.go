package stentor

import (
	"context"
	"math/rand/v2"
	"time"

	"github.com/stentor-sse/stentor/internal/engine"
)

// Close ends the subscription with the cause and without linger: it is out of
// the directory when Close returns. The stream ends after a farewell that is
// on its way then. The first cause wins; nil means [ErrUnregistered]. It reports
// whether it was there.
func (s *Subscription) Close(cause error) bool {
	if cause == nil {
		cause = ErrUnregistered
	}
	return s.end(cause, stageLeft)
}

// Heartbeat proves that the client lives. From the first one on, the
// subscription expires when the lease passes without another. The client is
// answered on its stream with a heartbeat notice. What was written to it before
// counts as received (see [SubscribeOptions].Resume).
// It reports false when the subscription is gone.
func (s *Subscription) Heartbeat(lease time.Duration) bool {
	ok, taken := s.heartbeat(lease)
	if taken != nil {
		s.answer(taken)
	}
	return ok
}

// heartbeat renews the lease; taken is the connection to answer on, if the engine has it.
func (s *Subscription) heartbeat(lease time.Duration) (ok bool, taken *engine.Conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ending != nil {
		return s.to == stageLingering, nil
	}
	s.proved, s.stated, s.beatAt = s.reached, false, time.Now().UnixNano()
	if taken = s.conn.Load(); taken != nil {
		s.proved = max(s.proved, Position(taken.Reached()))
	} else {
		s.in.beat = true
		s.in.signal()
	}
	if lease <= 0 {
		return true, taken
	}
	if s.lease == nil {
		s.lease = time.AfterFunc(lease, func() { s.end(ErrExpired, stageLeft) })
	} else {
		s.lease.Reset(lease)
	}
	return true, taken
}

// end stops delivery if nobody has, and moves the subscription on to the stage
// that follows: lingering, taken or left. Moving on from one to a later one is
// a second end. It reports whether this call moved it.
func (s *Subscription) end(cause error, to stage) bool {
	s.mu.Lock()
	if s.ending != nil {
		further, through := s.to < to, s.ending.through
		s.to = max(s.to, to)
		wait := !s.hooking // the hook may be what calls
		s.mu.Unlock()
		if wait {
			<-through
		}
		s.settle()
		return further
	}
	through := make(chan struct{})
	s.ending, s.to = &ending{cause: cause, through: through}, to
	announced, cancel := s.stage == stageOpen, s.cancel()
	if s.done != nil {
		close(s.done)
	}
	if s.lease != nil {
		s.lease.Stop()
	}
	s.mu.Unlock()
	defer close(through)
	defer s.settle() // whatever a hook does: net/http would recover its panic
	if cancel != nil {
		cancel()
	}
	h := s.hub
	h.count.ended.Add(1)
	h.retire(s)
	if c := s.conn.Load(); c != nil {
		s.part(c, cause)
	}
	s.hook(func() {
		if hook := h.o.Hooks.Close; hook != nil && announced {
			hook(s, cause)
		}
		s.endings()(cause)
	})
	return true
}

// endings is what OnEnd was given. From now on there is nothing to wait for.
func (s *Subscription) endings() func(error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f := s.onEnd
	if s.onEnd, s.over = nil, true; f == nil {
		f = func(error) {}
	}
	return f
}

// hook runs a hook about the end of s.
func (s *Subscription) hook(run func()) {
	s.inHook(true)
	defer s.inHook(false)
	run()
}

func (s *Subscription) inHook(in bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.hooking = in
}

// settle brings an ended subscription to the stage it is to be at.
func (s *Subscription) settle() {
	h := s.hub
	s.mu.Lock()
	from := s.stage
	if from == stageHeld || s.to == stageLingering && h.o.Linger <= 0 {
		s.to = stageLeft
	}
	to := s.to
	if to <= from {
		s.mu.Unlock()
		return
	}
	s.stage = to
	var prior *Subscription
	switch {
	case to == stageLingering:
		s.ending.linger = time.AfterFunc(h.o.Linger, func() { s.end(ErrGone, stageLeft) })
	case s.ending.linger != nil:
		s.ending.linger.Stop()
	}
	if to == stageLeft {
		prior, s.prior = s.prior, nil
	}
	s.mu.Unlock()
	if to == stageLingering {
		if !h.keep(s) {
			s.mu.Lock()
			s.to = stageLeft
			s.mu.Unlock()
			s.settle()
		}
		return
	}
	h.forget(s)
	if to == stageLeft && from != stageHeld {
		h.left(s)
	}
	if prior != nil { // its place was taken, but never filled
		prior.end(ErrReplaced, stageLeft)
	}
}

// handOver ends s for a newcomer that takes its place. It reports false when
// there is no presence to take over, or somebody else does.
func (s *Subscription) handOver() bool {
	mine := s.end(ErrReplaced, stageTaken)
	s.mu.Lock()
	defer s.mu.Unlock()
	return mine && s.announced
}

// maxLingering bounds the subscriptions of one session that linger: whoever comes
// back looks through them all.
const maxLingering = 64

// keep lists s among those that linger; false when its session has no room. A
// drained one is out of the directory: its client learns from its next heartbeat that it
// must move.
func (h *Hub) keep(s *Subscription) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stage != stageLingering {
		return true // it has moved on
	}
	set := h.lingering[s.who.is(bySession)]
	if s.who.is(bySession) != "" && len(set) >= maxLingering {
		return false
	}
	if s.reason() == ErrDraining {
		delete(h.subs, s.ID())
	}
	if set == nil {
		set = map[*Subscription]struct{}{}
		h.lingering[s.who.is(bySession)] = set
	}
	set[s] = struct{}{}
	return true
}

// forget takes s out of the directory.
func (h *Hub) forget(s *Subscription) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.subs, s.ID())
	holders := h.keys[s.who.is(byKey)]
	if delete(holders, s); len(holders) == 0 {
		delete(h.keys, s.who.is(byKey))
	}
	set := h.lingering[s.who.is(bySession)]
	if delete(set, s); len(set) == 0 {
		delete(h.lingering, s.who.is(bySession))
	}
}

// left runs the last hook and tells the channels.
func (h *Hub) left(s *Subscription) {
	defer func() {
		h.presence.mu.Lock()
		defer h.presence.mu.Unlock()
		h.depart(s, nil)
	}()
	if hook := h.o.Hooks.Leave; hook != nil {
		s.hook(func() { hook(s) })
	}
}

// retire takes s out of the index. Nothing reaches it any more.
func (h *Hub) retire(s *Subscription) {
	if channels, was := h.index.retire(s); was {
		h.interest.release(s.routes(channels))
	}
}

// unindex takes s off the channels, gives back its interest in them and says which
// nobody is on any more.
func (h *Hub) unindex(s *Subscription, channels []Channel) (vanished []Channel) {
	var gone []Channel
	for _, ch := range channels {
		removed, last := h.index.remove(s, ch)
		if removed {
			gone = append(gone, ch)
		}
		if last {
			vanished = append(vanished, ch)
		}
	}
	h.interest.release(gone)
	return vanished
}

// everybody lists who is registered or lingers.
func (h *Hub) everybody() []*Subscription {
	h.mu.Lock()
	defer h.mu.Unlock()
	list := make([]*Subscription, 0, len(h.subs))
	for _, s := range h.subs {
		list = append(list, s)
	}
	for _, set := range h.lingering {
		for s := range set {
			if s.Cause() == ErrDraining {
				list = append(list, s)
			}
		}
	}
	return list
}

// Reset forgets every subscription, and tells nobody of their leaves. The stream of
// a client that sends heartbeats stays open and silent: the next heartbeat finds
// nobody, and the client connects again. All others end with a farewell.
func (h *Hub) Reset() {
	for _, s := range h.everybody() {
		s.mu.Lock()
		s.unsaid = true
		s.mu.Unlock()
		s.end(ErrReset, stageLeft)
	}
}

func (s *Subscription) silenced() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.unsaid
}

// drainStep is the longest that a drain waits between two: ten a second are no
// storm, and few subscriptions must not hold up a deploy.
const drainStep = 100 * time.Millisecond

// Drain refuses new subscriptions and ends the open ones one after the other,
// in random order and at an even rate over the given time, or over less when that is
// at ten a second, so that their readers move elsewhere without a storm. It
// returns when all are told or ctx ends. Publishing goes on; Shutdown is the
// next step.
func (h *Hub) Drain(ctx context.Context, over time.Duration) error {
	h.mu.Lock()
	if h.state == nil {
		h.state = ErrDraining
	}
	h.mu.Unlock()
	list := h.everybody()
	rand.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
	step := min(over/time.Duration(max(len(list), 1)), drainStep)
	begin := time.Now()
	timer := time.NewTimer(0)
	defer timer.Stop()
	for i, s := range list {
		timer.Reset(time.Until(begin.Add(step * time.Duration(i+1))))
		select {
		case <-timer.C:
		case <-ctx.Done():
			return ctx.Err()
		}
		s.end(ErrDraining, stageLingering)
	}
	return nil
}

// Shutdown ends every subscription with a farewell, waits until their readers
// have let go or ctx ends, and detaches from the broker. A second call is
// harmless: it waits for the first.
func (h *Hub) Shutdown(ctx context.Context) error {
	h.mu.Lock()
	first := h.state != ErrClosed
	if h.state = ErrClosed; first {
		close(h.down)
	}
	h.mu.Unlock()
	if !first {
		select {
		case <-h.gone:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	defer close(h.gone)
	for _, s := range h.everybody() {
		s.end(ErrClosed, stageLeft)
	}
	h.writer.release()
	err := h.wait(ctx)
	h.writer.close()
	h.interest.close()
	h.settle.close()
	if e := h.link.Close(ctx); err == nil {
		err = e
	}
	return err
}

// wait returns when no Serve and no Messages runs.
func (h *Hub) wait(ctx context.Context) error {
	h.mu.Lock()
	if h.serving == 0 {
		h.mu.Unlock()
		return nil
	}
	quiet := make(chan struct{})
	h.quiet = quiet
	h.mu.Unlock()
	select {
	case <-quiet:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
