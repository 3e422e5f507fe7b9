package stentor

import (
	"context"
	"fmt"
	"slices"
)

// Changed is what a change of channels did.
type Changed struct {
	Joined   []Channel // it was not on them before
	Left     []Channel // it was on them before
	Opened   []Channel // of Joined, those that nobody else of the hub was on
	Vanished []Channel // of Left, those that nobody of the hub is on any more
}

// Join adds channels; when it returns, what is published to them arrives.
// It adds all or, with an error, none. Channels it is already on are skipped.
func (s *Subscription) Join(ctx context.Context, channels ...Channel) (Changed, error) {
	return s.Change(ctx, nil, channels)
}

// Leave drops channels; when it returns, nothing that is published to them from
// now on arrives. Channels it is not on are skipped.
func (s *Subscription) Leave(ctx context.Context, channels ...Channel) (Changed, error) {
	return s.Change(ctx, channels, nil)
}

// Change leaves some channels and then joins others, each with its own round of
// update notices. With an error that wraps [ErrInvalid] or [ErrTooLarge], or is
// the broker's, nothing has changed. A subscription that has ended returns its cause.
func (s *Subscription) Change(ctx context.Context, leave, join []Channel) (Changed, error) {
	leave, err := distinct(leave)
	if err != nil {
		return Changed{}, err
	}
	if join, err = distinct(join); err != nil {
		return Changed{}, err
	}
	h := s.hub
	at, err := h.interest.acquire(ctx, join)
	if err != nil {
		return Changed{}, fmt.Errorf("stentor: join: %w", err)
	}
	if at > 0 {
		h.complete(at)
	}
	var c Changed
	room, err := s.shed(&c, leave, join)
	if err != nil {
		h.interest.release(join)
		return Changed{}, err
	}
	if len(c.Left) > 0 {
		s.changed(nil, c.Left)
	}
	if s.extend(&c, join, room); len(c.Joined) > 0 {
		s.changed(c.Joined, nil)
		for _, ch := range c.Joined {
			if there, err := h.hasState(ctx, ch, maxPosition); there || err != nil { // then the reader meets it too
				s.owe(ch, owesJoined)
			}
		}
	}
	if cause := s.Cause(); cause != nil {
		h.retire(s)
		return Changed{}, cause
	}
	return c, nil
}

// shed takes s off those channels of leave that it is on, and keeps room for
// those of join that it will not be on then.
func (s *Subscription) shed(c *Changed, leave, join []Channel) (room int, err error) {
	s.change.Lock()
	defer s.change.Unlock()
	s.mu.Lock()
	var left, rest []Channel
	for _, ch := range s.channels {
		if slices.Contains(leave, ch) {
			left = append(left, ch)
		} else {
			rest = append(rest, ch)
		}
	}
	for _, ch := range join {
		if !slices.Contains(rest, ch) {
			room++
		}
	}
	limit := s.hub.o.MaxChannels
	switch n := len(rest) + room + s.room; {
	case s.ending != nil:
		err = s.reason()
	case room > 0 && n > limit:
		err = fmt.Errorf("%w: %d channels, at most %d are allowed", ErrTooLarge, n, limit)
	default:
		s.room += room
		if len(left) > 0 {
			s.setChannels(rest)
		}
	}
	s.mu.Unlock()
	if err != nil {
		return 0, err
	}
	c.Left, c.Vanished = left, s.hub.unindex(s, left)
	return room, nil
}

// extend puts s on those of the channels that it is not on, and gives back the
// interest in the rest.
func (s *Subscription) extend(c *Changed, join []Channel, room int) {
	h := s.hub
	s.change.Lock()
	defer s.change.Unlock()
	s.mu.Lock()
	s.room -= room
	for _, ch := range join {
		if !slices.Contains(s.channels, ch) {
			c.Joined = append(c.Joined, ch)
		}
	}
	if len(c.Joined) > 0 {
		s.setChannels(slices.Concat(s.channels, c.Joined))
	}
	s.mu.Unlock()
	var surplus []Channel
	for _, ch := range join {
		added, first := false, false
		if slices.Contains(c.Joined, ch) {
			added, first = h.index.add(s, ch)
		}
		if !added {
			surplus = append(surplus, ch)
		}
		if first {
			c.Opened = append(c.Opened, ch)
		}
	}
	h.interest.release(surplus)
}

// State has the state of channels told again, of all that are named and that it is on: to somebody who
// has come to read along. What is kept about their subjects arrives, without positions, and
// then a NoticeState.
func (s *Subscription) State(ctx context.Context, channels ...Channel) error {
	for _, ch := range channels {
		there, err := s.hub.hasState(ctx, ch, maxPosition)
		if err != nil {
			return err
		}
		if there {
			s.owe(ch, owesAll)
		}
	}
	return s.Cause()
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
