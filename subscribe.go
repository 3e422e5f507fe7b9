package stentor

import (
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
// a hub that takes nobody returns [ErrFull], [ErrDraining] or [ErrClosed].
// After an error nothing is registered and nobody was replaced.
func (h *Hub) Subscribe(ctx context.Context, o *SubscribeOptions) (*Subscription, error) {
	c, err := o.validate(h.o.MaxChannels)
	if err != nil {
		return nil, err
	}
	h.mu.Lock()
	err = h.refuses()
	prior := h.findPlace(&c)
	h.mu.Unlock()
	if err != nil {
		return nil, err
	}
	asked := c.Channels
	if prior != nil {
		prior.passOn(&c)
	}
	s, err := h.newSubscription(ctx, &c, asked)
	if err != nil {
		return nil, err
	}
	if err := h.register(ctx, s, prior); err != nil {
		return nil, err
	}
	return s, nil
}

// refuses says why no subscription can be taken now. The caller holds mu.
func (h *Hub) refuses() error {
	if h.state != nil {
		return h.state
	}
	if limit := h.o.MaxSubscriptions; limit > 0 && len(h.subs) >= limit {
		return ErrFull
	}
	return nil
}

// findPlace finds the subscription whose place a newcomer takes: the holder of
// its key, or one of the same session and channels that lingers. The caller
// holds mu.
func (h *Hub) findPlace(c *SubscribeOptions) *Subscription {
	if c.Key != "" {
		return h.keys[c.Key]
	}
	if c.Session == "" {
		return nil
	}
	for s := range h.lingering[c.Session] {
		same := slices.Equal(s.requested, c.Channels) || slices.Equal(s.Channels(), c.Channels)
		if same && (s.who.user == c.User || c.User == "" && !s.who.authenticated) {
			return s
		}
	}
	return nil
}

// passOn fills in what a newcomer takes over from s: for one that comes back by
// itself (it presents a cursor, and the channels it first asked for) the channels
// joined and left since; for an anonymous one the name it was known by.
func (s *Subscription) passOn(c *SubscribeOptions) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if c.Cursor != "" && slices.Equal(s.requested, c.Channels) {
		c.Channels = slices.Clone(s.channels)
	}
	if c.Cursor == "" && c.Resume && s.stage == stageLingering {
		c.Cursor = s.reached.String()
	}
	if c.User == "" && !s.who.authenticated {
		c.User, c.DisplayName = s.who.user, s.who.displayName
	}
}

// newSubscription makes one from valid options. Nobody knows of it yet.
func (h *Hub) newSubscription(ctx context.Context, c *SubscribeOptions, asked []Channel) (*Subscription, error) {
	s := &Subscription{
		hub: h, id: rand.Text(), dialect: c.Dialect, presence: c.Presence,
		presented: c.Cursor, requested: asked,
		wake:   make(chan struct{}, 1),
		places: map[Channel]place{}, channels: slices.Clone(c.Channels),
		meta: maps.Clone(c.Meta), private: maps.Clone(c.Private),
		who: who{
			user: c.User, userName: c.UserName, displayName: c.DisplayName, session: c.Session,
			key: c.Key, address: c.Address, authenticated: c.Authenticated, created: time.Now(),
		},
	}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	if s.who.displayName == "" {
		s.who.displayName = c.UserName
	}
	if s.who.user != "" {
		if s.who.displayName == "" {
			s.who.displayName = c.User
		}
		return s, nil
	}
	n, err := h.Next(ctx, "anonUser")
	if err != nil {
		return nil, err
	}
	s.who.user = "-" + strconv.FormatInt(n, 10)
	if s.who.displayName == "" {
		s.who.displayName = "user" + strconv.FormatInt(n, 10)
	}
	return s, nil
}

// register makes s known and lets it collect. From here on it may be ended by
// others at any time.
func (h *Hub) register(ctx context.Context, s, prior *Subscription) error {
	routes := s.routes(s.channels)
	at, err := h.interest.acquire(ctx, routes)
	if err != nil {
		return fmt.Errorf("stentor: subscribe: %w", err)
	}
	h.raise(at)
	h.mu.Lock()
	if err := h.refuses(); err != nil {
		h.mu.Unlock()
		h.interest.release(routes)
		return err
	}
	h.subs[s.id] = s
	s.serial = int64(h.count.subscribed.Add(1))
	if s.who.key != "" {
		// Whoever holds the key now is the one to replace, found before or not.
		prior, h.keys[s.who.key] = h.keys[s.who.key], s
	}
	h.mu.Unlock()
	if prior != nil && prior.handOver() {
		s.replace(prior)
	}
	for _, ch := range routes {
		h.index.add(s, ch, 0)
	}
	// A message at or below the place may have been spread before s stood in
	// the index; every later one finds it there.
	s.start = Position(h.place.Load())
	if s.Cause() != nil { // ended while it was put in place
		h.retire(s)
	}
	return nil
}

// replace keeps prior's place for s, until s is announced or ends.
func (s *Subscription) replace(prior *Subscription) {
	s.mu.Lock()
	ended := s.cause != nil
	if !ended {
		s.prior = prior
	}
	s.mu.Unlock()
	if ended {
		prior.end(ErrReplaced, stageLeft)
	}
}

// Join adds channels; when it returns, what is published to them arrives.
// It adds all or, with an error, none. Channels it is already on are skipped.
func (s *Subscription) Join(ctx context.Context, channels ...Channel) error {
	list, err := distinct(channels)
	if err != nil {
		return err
	}
	h := s.hub
	at, err := h.interest.acquire(ctx, list)
	if err != nil {
		return fmt.Errorf("stentor: join: %w", err)
	}
	h.raise(at)
	joined, err := s.extend(list)
	if len(joined) > 0 {
		s.changed(joined, nil)
	}
	if cause := s.Cause(); err == nil && cause != nil {
		h.retire(s)
		err = cause
	}
	return err
}

// extend puts s on those of the channels that it is not on, and gives back the
// interest in the rest.
func (s *Subscription) extend(list []Channel) ([]Channel, error) {
	h := s.hub
	s.change.Lock()
	defer s.change.Unlock()
	since := Position(h.place.Load())
	s.mu.Lock()
	var fresh []Channel
	for _, ch := range list {
		if !slices.Contains(s.channels, ch) {
			fresh = append(fresh, ch)
		}
	}
	var err error
	switch {
	case s.cause != nil:
		err = s.cause
	case len(s.channels)+len(fresh) > h.o.MaxChannels:
		err = fmt.Errorf("%w %d channels, at most %d are allowed", ErrTooLarge, len(s.channels)+len(fresh), h.o.MaxChannels)
	}
	if err == nil {
		s.channels = append(s.channels, fresh...)
	} else {
		fresh = nil
	}
	s.mu.Unlock()
	var surplus []Channel
	for _, ch := range list {
		if !slices.Contains(fresh, ch) || !h.index.add(s, ch, since) {
			surplus = append(surplus, ch)
		}
	}
	h.interest.release(surplus)
	return fresh, err
}

// Leave drops channels; when it returns, nothing that is published to them from
// now on arrives. Channels it is not on are skipped.
func (s *Subscription) Leave(ctx context.Context, channels ...Channel) error {
	list, err := distinct(channels)
	if err != nil {
		return err
	}
	if cause := s.Cause(); cause != nil {
		return cause
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	if left := s.shed(list); len(left) > 0 {
		s.changed(nil, left)
	}
	return nil
}

// shed takes s off those of the channels that it is on.
func (s *Subscription) shed(list []Channel) (left []Channel) {
	s.change.Lock()
	defer s.change.Unlock()
	s.mu.Lock()
	for _, ch := range list {
		if i := slices.Index(s.channels, ch); i >= 0 {
			s.channels = slices.Delete(s.channels, i, i+1)
			left = append(left, ch)
		}
	}
	s.mu.Unlock()
	s.hub.unindex(s, left)
	return left
}

// changed tells the hook and the members of all channels that s is or was on.
func (s *Subscription) changed(joined, left []Channel) {
	h := s.hub
	s.mu.Lock()
	open := s.stage == stageOpen
	s.mu.Unlock()
	if !open {
		return // the join notices will tell
	}
	if hook := h.o.Hooks.Change; hook != nil {
		hook(s, joined, left)
	}
	h.move(s)
}
