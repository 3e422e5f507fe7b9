package stentor

import "hash/maphash"

// person is a name that one or several subscriptions have.
type person struct {
	kind detail
	name string
}

// person is the name of that kind; "" for none.
func (w *who) person(kind detail) person {
	if kind == byUserName && !w.authenticated {
		return person{kind: kind}
	}
	return person{kind, w.is(kind)}
}

// person is the name that fewest of those that t covers share, if it has any.
func (t *Target) person() (person, bool) {
	switch {
	case t.Key != "":
		return person{byKey, t.Key}, true
	case t.Session != "":
		return person{bySession, t.Session}, true
	case t.User != "":
		return person{byUser, t.User}, true
	case t.UserName != "":
		return person{byUserName, t.UserName}, true
	}
	return person{}, false
}

// hash is what a person is found by. The few that share one by accident stand in one ring.
func (x *index) hash(p person) uint64 { return maphash.Comparable(x.seed, p) }

// kin are the neighbours of a subscription among those of the same name, in a ring for each kind
// of name; nil where it is alone. Most are alone in all of them and have no kin.
type kin [names]struct{ prev, next *Subscription }

// ring gives s its place in a ring, of which it may be all.
func (s *Subscription) ring(k detail) *struct{ prev, next *Subscription } {
	if s.kin == nil {
		s.kin = &kin{}
	}
	r := &s.kin[k]
	if r.next == nil {
		r.prev, r.next = s, s
	}
	return r
}

// after is who follows s in the ring.
func (s *Subscription) after(k detail) *Subscription {
	if s.kin == nil || s.kin[k].next == nil {
		return s
	}
	return s.kin[k].next
}

// enrol makes s one of those with the name. The caller holds mu.
func (x *index) enrol(s *Subscription, p person) {
	h := x.hash(p)
	head := x.people[h]
	if head == nil {
		x.people[h] = s
		return
	}
	first, mine := head.ring(p.kind), s.ring(p.kind)
	mine.prev, mine.next = first.prev, head
	first.prev.ring(p.kind).next = s
	head.ring(p.kind).prev = s
}

// expel makes it one no longer. The caller holds mu.
func (x *index) expel(s *Subscription, p person) {
	h, next := x.hash(p), s.after(p.kind)
	if next == s {
		delete(x.people, h)
		return
	}
	mine := s.ring(p.kind)
	mine.prev.ring(p.kind).next = next
	next.ring(p.kind).prev = mine.prev
	mine.prev, mine.next = nil, nil
	if x.people[h] == s {
		x.people[h] = next
	}
}

// kin calls f for all with the name. The caller holds mu.
func (x *index) kin(p person, f func(*Subscription)) {
	head := x.people[x.hash(p)]
	for s := head; s != nil; {
		if s.who.person(p.kind) == p {
			f(s)
		}
		if s = s.after(p.kind); s == head {
			return
		}
	}
}
