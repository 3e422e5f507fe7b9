package stentor

import (
	"slices"
	"sync"
)

// index finds the live subscriptions of a channel, reserved ones included, and
// those of them that watch presence: a join must not cost what the whole
// channel costs when a few want to know.
type index struct {
	mu       sync.RWMutex
	channels map[Channel]*standing
	plain    int // channels in the map that are not reserved
}

// standing is who stands on a channel: all, and of those whose streams are not the
// engine's, who are given messages here, all and those that watch.
type standing struct{ all, given, watching []*Subscription }

// place is where a subscription stands in a channel: its elements in the lists of the
// standing, -1 where it is in none.
type place struct {
	ch              Channel
	at, give, watch int32
	since           Position // messages of the channel up to here are not for it
}

// on is the place of s on ch, nil if it is not there. A list, because most have a few and
// there may be a hundred thousand of them. The caller holds index.mu.
func (s *Subscription) on(ch Channel) *place {
	for i := range s.places {
		if s.places[i].ch == ch {
			return &s.places[i]
		}
	}
	return nil
}

// add puts s on ch and says if it was not there, and if nobody was.
func (x *index) add(s *Subscription, ch Channel, since Position) (added, first bool) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if s.on(ch) != nil {
		return false, false
	}
	on := x.channels[ch]
	if first = on == nil; first {
		on = &standing{}
		x.channels[ch] = on
		if !ch.reserved() {
			x.plain++
		}
	}
	p := place{ch: ch, at: int32(len(on.all)), give: -1, watch: -1, since: since}
	on.all = append(on.all, s)
	if c := s.conn.Load(); c != nil {
		for _, route := range s.seats(nil, ch) {
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
	return true, first
}

// remove takes s off ch and says if it was there, and if nobody is any more.
func (x *index) remove(s *Subscription, ch Channel) (removed, last bool) {
	x.mu.Lock()
	defer x.mu.Unlock()
	i := slices.IndexFunc(s.places, func(p place) bool { return p.ch == ch })
	if i < 0 {
		return false, false
	}
	on := x.channels[ch]
	on.stop(ch, &s.places[i])
	p := s.places[i]
	s.places = slices.Delete(s.places, i, i+1)
	if c := s.conn.Load(); c != nil {
		for _, route := range s.seats(nil, ch) {
			c.Leave(route)
		}
	}
	on.all = vacate(on.all, p.at, func(moved *Subscription) { moved.on(ch).at = p.at })
	if len(on.all) > 0 {
		return true, false
	}
	delete(x.channels, ch)
	if !ch.reserved() {
		x.plain--
	}
	return true, true
}

// stop gives nothing of ch any more to whom p is the place of.
func (on *standing) stop(ch Channel, p *place) {
	if p.give >= 0 {
		on.given = vacate(on.given, p.give, func(moved *Subscription) { moved.on(ch).give = p.give })
	}
	if p.watch >= 0 {
		on.watching = vacate(on.watching, p.watch, func(moved *Subscription) { moved.on(ch).watch = p.watch })
	}
	p.give, p.watch = -1, -1
}

// vacate takes an element out of a list and puts the last one in its place.
func vacate(list []*Subscription, at int32, moved func(*Subscription)) []*Subscription {
	end := int32(len(list) - 1)
	last := list[end]
	list[end] = nil
	if at < end {
		list[at] = last
		moved(last)
	}
	return list[:end]
}

// deliver calls f for the subscriptions that t covers and that are given what they get
// here; if watching, for those of them that watch presence. The caller holds mu.
func (x *index) deliver(t Target, watching bool, f func(*Subscription)) {
	on := x.channels[t.Route()]
	if on == nil {
		return
	}
	list := on.given
	if watching {
		list = on.watching
	}
	for _, s := range list {
		if x.covers(t, s) {
			f(s)
		}
	}
}

// each calls f for the subscriptions that t covers. f must not block.
func (x *index) each(t Target, f func(*Subscription)) {
	x.mu.RLock()
	defer x.mu.RUnlock()
	on := x.channels[t.Route()]
	if on == nil {
		return
	}
	for _, s := range on.all {
		if x.covers(t, s) {
			f(s)
		}
	}
}

// covers tests the conditions of t beside its route. The caller holds mu.
func (x *index) covers(t Target, s *Subscription) bool {
	if t.Channel != "" && s.on(t.Channel) == nil {
		return false
	}
	return t.names(s)
}

// names tests the conditions of t about who s is, which never change.
func (t *Target) names(s *Subscription) bool {
	return (t.Subscription == "" || t.Subscription == s.id) &&
		(t.Key == "" || t.Key == s.who.key) &&
		(t.Session == "" || t.Session == s.who.session) &&
		(t.User == "" || t.User == s.who.user) &&
		(t.UserName == "" || t.UserName == s.who.userName && s.who.authenticated)
}

// count says how many subscriptions t covers.
func (x *index) count(t Target) (n int) {
	if t == (Target{Channel: t.Channel}) {
		x.mu.RLock()
		defer x.mu.RUnlock()
		if on := x.channels[t.Channel]; on != nil {
			return len(on.all)
		}
		return 0
	}
	x.each(t, func(*Subscription) { n++ })
	return n
}

// takes reports whether a kept message is for s: its target covers s, and s was
// on its channel then.
func (x *index) takes(s *Subscription, m *Message) bool {
	x.mu.RLock()
	defer x.mu.RUnlock()
	p := s.on(m.Target.Route())
	if p == nil || m.Position <= p.since || !x.covers(m.Target, s) {
		return false
	}
	return m.Target.Channel == "" || m.Position > s.on(m.Target.Channel).since
}

// sinces lists the channels of s, reserved ones included, and since when.
func (x *index) sinces(s *Subscription) map[Channel]Position {
	x.mu.RLock()
	defer x.mu.RUnlock()
	m := make(map[Channel]Position, len(s.places))
	for _, p := range s.places {
		m[p.ch] = p.since
	}
	return m
}

// names lists the channels that are not reserved.
func (x *index) names() []Channel {
	x.mu.RLock()
	defer x.mu.RUnlock()
	list := make([]Channel, 0, x.plain)
	for ch := range x.channels {
		if !ch.reserved() {
			list = append(list, ch)
		}
	}
	return list
}

// size is the number of channels that are not reserved.
func (x *index) size() int {
	x.mu.RLock()
	defer x.mu.RUnlock()
	return x.plain
}
