package stentor

import (
	"slices"
	"sync"
	"time"
)

// presence knows who is on which channel, lingering subscriptions included. Its
// lock is held while notices are queued, so that joins and leaves of one
// channel reach every reader in the order they happened.
type presence struct {
	mu    sync.Mutex
	rooms map[Channel]*room
}

type room struct {
	subs  map[*Subscription]struct{}
	named tally[string] // subscriptions of each user
	made  tally[int64]  // and of those whose names the hub made, by number
}

// add reports whether s is its user's first subscription on ch.
func (p *presence) add(s *Subscription, ch Channel) (first bool) {
	r := p.rooms[ch]
	if r == nil {
		r = &room{subs: map[*Subscription]struct{}{}}
		p.rooms[ch] = r
	}
	r.subs[s] = struct{}{}
	if n, ok := number(s.who.is(byUser)); ok {
		return r.made.add(n)
	}
	return r.named.add(s.who.is(byUser))
}

// remove reports whether s was its user's last subscription on ch.
func (p *presence) remove(s *Subscription, ch Channel) (last bool) {
	r := p.rooms[ch]
	delete(r.subs, s)
	if len(r.subs) == 0 {
		delete(p.rooms, ch)
	}
	if n, ok := number(s.who.is(byUser)); ok {
		return r.made.remove(n)
	}
	return r.named.remove(s.who.is(byUser))
}

// announce makes s present and tells its channels. Where s takes the place of
// prior, nothing has happened for the others; s itself is told of its joins all
// the same. It reports false if s has ended meanwhile.
func (h *Hub) announce(s *Subscription) bool {
	prior, ok := h.appear(s)
	if prior != nil {
		prior.end(ErrReplaced, stageLeft)
	}
	return ok
}

func (h *Hub) appear(s *Subscription) (prior *Subscription, ok bool) {
	p := &h.presence
	p.mu.Lock()
	defer p.mu.Unlock()
	if prior, ok = s.opened(); !ok {
		return nil, false
	}
	m := s.member()
	var before []Channel
	if prior != nil {
		before = prior.rooms
	}
	s.rooms, s.present = m.Channels, true
	for _, ch := range m.Channels {
		there := slices.Contains(before, ch)
		n := Notice{Kind: NoticeJoin, Channel: ch, Member: &m, First: p.add(s, ch) && !there}
		if !there {
			h.notify(n)
		} else if s.presence {
			s.push(item{notice: &n})
		}
	}
	h.depart(prior, m.Channels)
	return prior, true
}

// move brings presence in line with the channels that s is on now, and tells
// those it is and was on.
func (h *Hub) move(s *Subscription) {
	p := &h.presence
	p.mu.Lock()
	defer p.mu.Unlock()
	if !s.present {
		return
	}
	before, m := s.rooms, s.member()
	s.rooms = m.Channels
	for _, ch := range before {
		n := Notice{Kind: NoticeUpdate, Channel: ch, Member: &m}
		if n.Left = !slices.Contains(m.Channels, ch); n.Left {
			n.First = p.remove(s, ch)
		}
		h.notify(n)
	}
	for _, ch := range m.Channels {
		if !slices.Contains(before, ch) {
			h.notify(Notice{Kind: NoticeUpdate, Channel: ch, Member: &m, Joined: true, First: p.add(s, ch)})
		}
	}
}

// depart takes s out of presence and tells its channels, but for those in kept,
// where someone else has taken its place. The caller holds presence.mu.
func (h *Hub) depart(s *Subscription, kept []Channel) {
	p := &h.presence
	if s == nil || !s.present {
		return
	}
	rooms := s.rooms
	s.rooms, s.present = nil, false
	told := !h.closed() && !s.silenced() // a shutdown is nobody's leave, and there is soon nobody to tell
	m := s.member()
	for _, ch := range rooms {
		last := p.remove(s, ch)
		if told && !slices.Contains(kept, ch) {
			h.notify(Notice{Kind: NoticeLeave, Channel: ch, Member: &m, First: last})
		}
	}
}

// Member is what others may know of a subscription. It never holds its id.
type Member struct {
	User          string
	UserName      string
	DisplayName   string
	Authenticated bool
	Channels      []Channel
	Created       time.Time // when it came; a reconnect is not a coming
	Meta          map[string]string
}

// Anonymous reports whether nobody said who it is: User is one that the hub made up.
func (m Member) Anonymous() bool { return anonymous(m.User) }

// Members lists who is present on any of the channels, lingering ones
// included, one entry a subscription, oldest first. No channel means all.
func (h *Hub) Members(channels ...Channel) []Member {
	h.presence.mu.Lock()
	found := map[*Subscription]struct{}{}
	if len(channels) == 0 {
		for _, s := range h.everybody() {
			if s.present {
				found[s] = struct{}{}
			}
		}
	}
	for _, ch := range channels {
		if r := h.presence.rooms[ch]; r != nil {
			for s := range r.subs {
				found[s] = struct{}{}
			}
		}
	}
	list := make([]*Subscription, 0, len(found))
	for s := range found {
		list = append(list, s)
	}
	h.presence.mu.Unlock()
	slices.SortFunc(list, func(a, b *Subscription) int { return int(a.serial - b.serial) })
	out := make([]Member, len(list))
	for i, s := range list {
		out[i] = s.Member()
	}
	return out
}
