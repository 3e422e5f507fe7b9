package stentor

import "sync"

// index finds the live subscriptions of a channel, reserved ones included.
type index struct {
	mu       sync.RWMutex
	channels map[Channel][]*Subscription
	plain    int // channels in the map that are not reserved
}

// place is where a subscription stands in a channel.
type place struct {
	at    int      // its element in index.channels[ch]
	since Position // messages of the channel up to here are not for it
}

// add puts s on ch; it reports false if it was there.
func (x *index) add(s *Subscription, ch Channel, since Position) bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	if _, ok := s.places[ch]; ok {
		return false
	}
	list, known := x.channels[ch]
	if !known && !ch.reserved() {
		x.plain++
	}
	s.places[ch] = place{at: len(list), since: since}
	x.channels[ch] = append(list, s)
	return true
}

// remove takes s off ch; it reports false if it was not there.
func (x *index) remove(s *Subscription, ch Channel) bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	p, ok := s.places[ch]
	if !ok {
		return false
	}
	delete(s.places, ch)
	list := x.channels[ch]
	last := list[len(list)-1]
	list[len(list)-1] = nil
	list = list[:len(list)-1]
	if last != s {
		list[p.at] = last
		moved := last.places[ch]
		moved.at = p.at
		last.places[ch] = moved
	}
	if len(list) > 0 {
		x.channels[ch] = list
		return true
	}
	delete(x.channels, ch)
	if !ch.reserved() {
		x.plain--
	}
	return true
}

// each calls f for the subscriptions that t covers. f must not block.
func (x *index) each(t Target, f func(*Subscription)) {
	x.mu.RLock()
	defer x.mu.RUnlock()
	for _, s := range x.channels[t.Route()] {
		if x.covers(t, s) {
			f(s)
		}
	}
}

// covers tests the conditions of t beside its route. The caller holds mu.
func (x *index) covers(t Target, s *Subscription) bool {
	if t.Channel != "" {
		if _, ok := s.places[t.Channel]; !ok {
			return false
		}
	}
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
		return len(x.channels[t.Channel])
	}
	x.each(t, func(*Subscription) { n++ })
	return n
}

// takes reports whether a kept message is for s: its target covers s, and s was
// on its channel then.
func (x *index) takes(s *Subscription, m *Message) bool {
	x.mu.RLock()
	defer x.mu.RUnlock()
	p, ok := s.places[m.Target.Route()]
	if !ok || m.Position <= p.since || !x.covers(m.Target, s) {
		return false
	}
	return m.Target.Channel == "" || m.Position > s.places[m.Target.Channel].since
}

// standing lists the channels of s, reserved ones included, and since when.
func (x *index) standing(s *Subscription) map[Channel]Position {
	x.mu.RLock()
	defer x.mu.RUnlock()
	m := make(map[Channel]Position, len(s.places))
	for ch, p := range s.places {
		m[ch] = p.since
	}
	return m
}

// size is the number of channels that are not reserved.
func (x *index) size() int {
	x.mu.RLock()
	defer x.mu.RUnlock()
	return x.plain
}
