package stentor

import (
	"hash/maphash"
	"strings"
	"sync"
)

// index finds the live subscriptions that a target covers: by channel, by who they are, and
// all of them. What it costs one of them is little, for there may be a hundred thousand: a
// list for each channel, and no list for a name that only one has.
type index struct {
	mu       sync.RWMutex
	channels map[Channel]*standing
	everyone standing
	seed     maphash.Seed
	people   map[uint64]*Subscription // by hash of a name, one of those that have it; the others are its kin
	byID     func(string) *Subscription
	last     Position // what is at or below it was spread to those who are here
}

// standing is who stands on a channel: all, and of those whose streams are not the
// engine's, who are given messages here, all and those that watch presence: a join must
// not cost what the whole channel costs when a few want to know.
type standing struct {
	name                 Channel
	all, given, watching []*Subscription
	taken, listening     int // whose streams are the engine's: how many, and of them those that watch
}

// place is where a subscription stands on a channel: its elements in the lists of the
// standing, -1 where it is in none.
type place struct {
	on              *standing
	since           Position // messages of the channel up to here are not for it
	at, give, watch int32
	owed            owed
}

// on is the place of s on ch, nil if it is not there. A list, because most have a few and
// there may be a hundred thousand of them. The caller holds index.mu.
func (s *Subscription) on(ch Channel) *place {
	for i := range s.places {
		if s.places[i].on.name == ch {
			return &s.places[i]
		}
	}
	return nil
}

// intern gives channels the names that the index has for them: a name from a request holds
// on to all of the request's line.
func (x *index) intern(channels []Channel) []Channel {
	out := make([]Channel, len(channels))
	x.mu.RLock()
	defer x.mu.RUnlock()
	for i, ch := range channels {
		if on := x.channels[ch]; on != nil {
			out[i] = on.name
		} else {
			out[i] = Channel(strings.Clone(string(ch)))
		}
	}
	return out
}

// enter makes s one of everyone, of its people and of those on the channels.
func (x *index) enter(s *Subscription, channels []Channel) {
	x.mu.Lock()
	defer x.mu.Unlock()
	s.indexed = true
	s.places = make([]place, 0, len(channels)+1)
	x.stand(s, &x.everyone, 0)
	for kind := range names {
		if p := s.who.person(kind); p.name != "" {
			x.enrol(s, p)
		}
	}
	for _, ch := range channels {
		x.stand(s, x.standing(ch), 0)
	}
}

// spread notes that what is at or below p was given to those who are here. The caller holds mu; for
// reading is enough for the feed, whose calls are serial.
func (x *index) spread(p Position) { x.last = max(x.last, p) }

// add puts s on ch and says if it was not there, and if nobody was. Nothing that was spread
// is for it, and all that is still to be spread.
func (x *index) add(s *Subscription, ch Channel) (added, first bool) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if !s.indexed || s.on(ch) != nil {
		return false, false
	}
	on := x.standing(ch)
	x.stand(s, on, x.last)
	return true, len(on.all) == 1
}

func (x *index) standing(ch Channel) *standing {
	on := x.channels[ch]
	if on == nil {
		on = &standing{name: ch}
		x.channels[ch] = on
	}
	return on
}

// stand puts s on a standing that it is not on.
func (x *index) stand(s *Subscription, on *standing, since Position) {
	p := place{on: on, at: int32(len(on.all)), give: -1, watch: -1, since: since}
	on.all = append(on.all, s)
	if c := s.conn.Load(); c != nil {
		on.count(s, 1)
		for _, route := range on.routes(nil, s) {
			c.Join(route)
		}
	} else {
		p.give = int32(len(on.given))
		on.given = append(on.given, s)
		if s.presence {
			p.watch = int32(len(on.watching))
			on.watching = append(on.watching, s)
		}
	}
	s.places = append(s.places, p)
}

// remove takes s off ch and says if it was there, and if nobody is any more.
func (x *index) remove(s *Subscription, ch Channel) (removed, last bool) {
	x.mu.Lock()
	defer x.mu.Unlock()
	p := s.on(ch)
	if p == nil {
		return false, false
	}
	if c := s.conn.Load(); c != nil {
		for _, route := range p.on.routes(nil, s) {
			c.Leave(route)
		}
	}
	return true, x.vacate(s, p)
}

// retire takes s out of the index and gives the channels that it was on; false if it was
// not there.
func (x *index) retire(s *Subscription) (channels []Channel, was bool) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if !s.indexed {
		return nil, false
	}
	s.indexed = false
	if c := s.conn.Load(); c != nil {
		c.Mute()
	}
	for kind := range names {
		if p := s.who.person(kind); p.name != "" {
			x.expel(s, p)
		}
	}
	for n := len(s.places); n > 0; n = len(s.places) {
		p := &s.places[n-1]
		if p.on != &x.everyone {
			channels = append(channels, p.on.name)
		}
		x.vacate(s, p)
	}
	s.places = nil
	return channels, true
}

// vacate takes s off its place and says if nobody is there any more.
func (x *index) vacate(s *Subscription, p *place) (last bool) {
	on, at := p.on, p.at
	if s.conn.Load() != nil {
		on.count(s, -1)
	}
	on.stop(p)
	on.all = unlist(on.all, at, func(moved *Subscription) { moved.on(on.name).at = at })
	end := len(s.places) - 1
	*p, s.places[end] = s.places[end], place{}
	s.places = s.places[:end]
	if len(on.all) > 0 || on == &x.everyone {
		return false
	}
	delete(x.channels, on.name)
	return true
}

// count notes that the engine has, or no longer has, the stream of one that is here.
func (on *standing) count(s *Subscription, n int) {
	on.taken += n
	if s.presence {
		on.listening += n
	}
}

// stop gives nothing any more to whom p is the place of.
func (on *standing) stop(p *place) {
	if p.give >= 0 {
		on.given = unlist(on.given, p.give, func(moved *Subscription) { moved.on(on.name).give = p.give })
	}
	if p.watch >= 0 {
		on.watching = unlist(on.watching, p.watch, func(moved *Subscription) { moved.on(on.name).watch = p.watch })
	}
	p.give, p.watch = -1, -1
}

// unlist takes an element out of a list and puts the last one in its place.
func unlist(list []*Subscription, at int32, moved func(*Subscription)) []*Subscription {
	end := int32(len(list) - 1)
	last := list[end]
	list[end] = nil
	if at < end {
		list[at] = last
		moved(last)
	}
	return list[:end]
}

// whole is the standing that t is for all of, nil if there is none or t has other
// conditions. The caller holds mu.
func (x *index) whole(t Target) *standing {
	switch t {
	case Target{All: true}:
		return &x.everyone
	case Target{Channel: t.Channel}, Target{Channel: t.Channel, All: true}:
		return x.channels[t.Channel]
	}
	return nil
}

// each calls f for the subscriptions that t covers. f must not block. The caller holds mu.
func (x *index) each(t Target, f func(*Subscription)) {
	if t.Subscription != "" {
		if s := x.byID(t.Subscription); s != nil && s.indexed && x.covers(t, s) {
			f(s)
		}
		return
	}
	if p, ok := t.person(); ok {
		x.kin(p, func(s *Subscription) {
			if x.covers(t, s) {
				f(s)
			}
		})
		return
	}
	if on := x.whole(t); on != nil {
		for _, s := range on.all {
			f(s)
		}
	}
}

// covers tests all conditions of t. The caller holds mu.
func (x *index) covers(t Target, s *Subscription) bool {
	return (t.Channel == "" || s.on(t.Channel) != nil) && t.names(s)
}

// names tests the conditions of t about who s is, which never change.
func (t *Target) names(s *Subscription) bool {
	return (t.Subscription == "" || t.Subscription == s.ID()) &&
		(t.Key == "" || t.Key == s.who.is(byKey)) &&
		(t.Session == "" || t.Session == s.who.is(bySession)) &&
		(t.User == "" || t.User == s.who.is(byUser)) &&
		(t.UserName == "" || t.UserName == s.who.is(byUserName) && s.who.authenticated)
}

// list is a snapshot of those that t covers.
func (x *index) list(t Target) (list []*Subscription) {
	x.mu.RLock()
	defer x.mu.RUnlock()
	x.each(t, func(s *Subscription) { list = append(list, s) })
	return list
}

// count says how many subscriptions t covers.
func (x *index) count(t Target) (n int) {
	x.mu.RLock()
	defer x.mu.RUnlock()
	if on := x.whole(t); on != nil {
		return len(on.all)
	}
	x.each(t, func(*Subscription) { n++ })
	return n
}

// takes reports whether a kept message is for s: its target covers s, and s was
// on its channel then.
func (x *index) takes(s *Subscription, m *Message) bool {
	x.mu.RLock()
	defer x.mu.RUnlock()
	if !s.indexed || !m.Target.names(s) {
		return false
	}
	if m.Target.Channel == "" {
		return true
	}
	p := s.on(m.Target.Channel)
	return p != nil && m.Position > p.since
}

// channel is one that messages for a subscription come by, and since when.
type channel struct {
	name  Channel
	since Position
}

// sinces lists the channels of s, reserved ones included; none when it is in the index no
// longer.
func (x *index) sinces(s *Subscription) []channel {
	private := s.routes(nil)
	x.mu.RLock()
	defer x.mu.RUnlock()
	if !s.indexed {
		return nil
	}
	list := make([]channel, 0, len(private)+len(s.places))
	for _, ch := range private {
		list = append(list, channel{name: ch})
	}
	for _, p := range s.places {
		if p.on != &x.everyone {
			list = append(list, channel{p.on.name, p.since})
		}
	}
	return list
}

// names lists the channels.
func (x *index) names() []Channel {
	x.mu.RLock()
	defer x.mu.RUnlock()
	list := make([]Channel, 0, len(x.channels))
	for ch := range x.channels {
		list = append(list, ch)
	}
	return list
}

// size is the number of channels.
func (x *index) size() int {
	x.mu.RLock()
	defer x.mu.RUnlock()
	return len(x.channels)
}
