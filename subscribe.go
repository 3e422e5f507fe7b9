package stentor

import (
	"cmp"
	"context"
	"crypto/rand"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"time"
)

// Subscribe registers a subscription; what is published from now on is held for
// it until Serve or Messages is called. Close it if neither will be.
// ctx bounds the call only. Errors about o wrap [ErrInvalid] or [ErrTooLarge];
// a hub that takes nobody returns [ErrFull], [ErrDraining] or [ErrClosed], and one
// that does not take this key [ErrDismissed] or [ErrKeyTaken].
// After an error nothing is registered and nobody was replaced.
func (h *Hub) Subscribe(ctx context.Context, o *SubscribeOptions) (*Subscription, error) {
	c, err := o.validate(h.o.MaxChannels)
	if err != nil {
		return nil, err
	}
	h.mu.Lock()
	err = h.refuses(c.Key, c.KeyRule)
	prior := h.findPlace(&c)
	h.mu.Unlock()
	if err != nil {
		return nil, err
	}
	asked := c.Channels
	same := prior != nil && prior.is(&c)
	if same {
		prior.passOn(&c)
	}
	s, err := h.newSubscription(ctx, &c, asked)
	if err != nil {
		return nil, err
	}
	if same {
		s.who.created = prior.who.created // to others it never went
	}
	if err := h.register(ctx, s, prior, c.KeyRule); err != nil {
		return nil, err
	}
	return s, nil
}

// refuses says why no subscription with that key can be taken now. The caller holds mu.
func (h *Hub) refuses(key string, rule KeyRule) error {
	if h.state != nil {
		return h.state
	}
	if key != "" && h.dismissed.has(key, time.Now()) {
		return ErrDismissed
	}
	if limit := h.o.MaxSubscriptions; limit > 0 && len(h.subs) >= limit {
		return ErrFull
	}
	if rule == KeyRefuse && newest(h.keys[key], (*Subscription).live) != nil {
		return ErrKeyTaken
	}
	return nil
}

// findPlace finds the subscription whose place a newcomer takes: the holder of
// its key, or the oldest of the same session and channels that lingers. Two tabs
// can't be told apart: without a cursor, whichever comes first goes on where the
// one that is further behind was, and so does the other. Where one was on just the
// channels that are asked for, its place is nearer. The caller holds mu.
func (h *Hub) findPlace(c *SubscribeOptions) *Subscription {
	if c.Key != "" && c.KeyRule != KeyAllow {
		return newest(h.keys[c.Key], func(*Subscription) bool { return true })
	}
	if c.Session == "" {
		return nil
	}
	var same []*Subscription
	for s := range h.lingering[c.Session] {
		if s.fits(c) {
			same = append(same, s)
		}
	}
	if len(same) == 0 {
		return nil
	}
	low := maxPosition
	for _, s := range same {
		low = min(low, s.progress(maxPosition))
	}
	for _, s := range same {
		s.progress(low)
	}
	return slices.MinFunc(same, func(a, b *Subscription) int {
		if a.isOn(c.Channels) != b.isOn(c.Channels) {
			if a.isOn(c.Channels) {
				return -1
			}
			return 1
		}
		return int(a.serial - b.serial)
	})
}

// isOn reports whether those are the channels that s is on.
func (s *Subscription) isOn(channels []Channel) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Equal(s.channels, channels)
}

// fits reports whether a newcomer may be the one that s was.
func (s *Subscription) fits(c *SubscribeOptions) bool {
	s.mu.Lock()
	same := slices.Equal(s.request(), c.Channels) || slices.Equal(s.channels, c.Channels)
	s.mu.Unlock()
	return same && s.who.is(byKey) == c.Key && s.is(c)
}

// is reports whether a newcomer is the user of s. Who has no name may be whoever the
// hub made one up for.
func (s *Subscription) is(c *SubscribeOptions) bool {
	return s.who.is(byUser) == c.User || c.User == "" && anonymous(s.who.is(byUser))
}

// progress is how far the reader of s came for certain, which is no further than
// limit from now on.
func (s *Subscription) progress(limit Position) Position {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.proved = min(s.proved, limit)
	return s.proved
}

// passOn fills in what a newcomer that is the same user takes over from s: for one that comes back by
// itself (it presents a cursor, and the channels it first asked for) the channels
// joined and left since; for one that can't present a cursor, the cursor; for
// an anonymous one the name it was known by.
func (s *Subscription) passOn(c *SubscribeOptions) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if c.Cursor != "" && slices.Equal(s.request(), c.Channels) {
		c.Channels = slices.Clone(s.channels)
	}
	if c.Cursor == "" && c.Resume && s.stage == stageLingering {
		c.Cursor, c.owing = s.proved.String(), s.stated
	}
	c.owing = c.owing || s.owing
	if c.User == "" {
		c.User, c.DisplayName = s.who.is(byUser), s.who.is(itsDisplayName)
	}
}

// newSubscription makes one from valid options. Nobody knows of it yet.
func (h *Hub) newSubscription(ctx context.Context, c *SubscribeOptions, asked []Channel) (*Subscription, error) {
	who := [details]string{
		byUser: c.User, bySession: c.Session, byKey: c.Key, byUserName: c.UserName,
		itsID: rand.Text(), itsDisplayName: c.DisplayName, itsAddress: c.Address, itsCursor: c.Cursor,
	}
	made := ""
	if c.User == "" {
		n, err := h.Next(ctx, "anonUser")
		if err != nil {
			return nil, err
		}
		number := strconv.FormatInt(n, 10)
		who[byUser], made = "-"+number, "user"+number
	}
	who[itsDisplayName] = cmp.Or(c.DisplayName, c.UserName, c.User, made)
	s := &Subscription{
		hub: h, who: describe(who), dialect: c.Dialect, presence: c.Presence, heartbeats: c.Heartbeats,
		in:       &inbox{wake: make(chan struct{}, 1), replay: c.Replay, keepAlive: cmp.Or(c.KeepAlive, h.o.KeepAlive), owing: c.owing},
		channels: h.index.intern(c.Channels),
		meta:     maps.Clone(c.Meta), private: maps.Clone(c.Private), values: c.values,
	}
	s.who.authenticated, s.who.created = c.Authenticated, time.Now().UnixNano()
	if !slices.Equal(asked, s.channels) {
		list := h.index.intern(asked)
		s.asked = &list
	}
	return s, nil
}

// register makes s known and lets it collect. From here on it may be ended by
// others at any time.
func (h *Hub) register(ctx context.Context, s, prior *Subscription, rule KeyRule) error {
	var routes []Channel
	if !h.interest.whole {
		routes = s.routes(s.channels)
	}
	at, err := h.interest.acquire(ctx, routes)
	if err != nil {
		return fmt.Errorf("stentor: subscribe: %w", err)
	}
	h.raise(at)
	h.mu.Lock()
	if err := h.refuses(s.who.is(byKey), rule); err != nil {
		h.mu.Unlock()
		h.interest.release(routes)
		return err
	}
	h.subs[s.ID()] = s
	s.serial = int64(h.count.subscribed.Add(1))
	h.settle.arrived(uint64(s.serial), h.moved)
	var others []*Subscription
	if s.who.is(byKey) != "" {
		prior, others = h.takeKey(s, prior, rule)
	}
	h.mu.Unlock()
	ousted := false
	defer func() {
		if !ousted { // a hook of theirs panicked: s never came
			s.end(errPanicked, stageLeft)
			h.interest.release(routes)
		}
	}()
	s.oust(prior, others)
	ousted = true
	h.index.enter(s, s.channels)
	// A message at or below the place may have been spread before s stood in
	// the index; every later one finds it there.
	s.in.start = Position(h.place.Load())
	if s.Cause() != nil { // ended while it was put in place
		h.retire(s)
	}
	return nil
}

// oust ends those whose key or place s takes.
func (s *Subscription) oust(prior *Subscription, others []*Subscription) {
	for _, other := range others {
		other.end(ErrReplaced, stageLeft)
	}
	switch {
	case prior == nil:
	case prior.who.is(byUser) != s.who.is(byUser): // another user's key: it goes, and s comes
		prior.end(ErrReplaced, stageLeft)
	case prior.handOver():
		s.replace(prior)
	}
}

// takeKey makes s a holder of its key and gives who is to be replaced: whoever holds it
// now, found before or not. The newest of them hands its place over. The caller
// holds mu.
func (h *Hub) takeKey(s, prior *Subscription, rule KeyRule) (place *Subscription, others []*Subscription) {
	set := h.keys[s.who.is(byKey)]
	if rule == KeyAllow {
		place = prior
	} else {
		place = newest(set, func(*Subscription) bool { return true })
		for other := range set {
			if other != place {
				others = append(others, other)
			}
		}
	}
	if set == nil {
		set = map[*Subscription]struct{}{}
		h.keys[s.who.is(byKey)] = set
	}
	set[s] = struct{}{}
	return place, others
}

// replace keeps prior's place for s, until s is announced or ends.
func (s *Subscription) replace(prior *Subscription) {
	s.mu.Lock()
	ended := s.ending != nil
	if !ended {
		s.prior = prior
	}
	s.mu.Unlock()
	if ended {
		prior.end(ErrReplaced, stageLeft)
	}
}
