package stentor

import (
	"fmt"
	"reflect"
)

// Property is a value that the server keeps with each subscription and tells
// nobody: what the request proved, where the user is on the page, a limit. Make one
// for each such value and share it; two properties are never the same, whatever
// their names. It is safe for any goroutine. Values end with their subscription.
//
//	plan := stentor.NewProperty[string]("plan")
//	...
//	plan.Set(sub, "free")
//	name, ok := plan.Get(sub)
type Property[T any] struct {
	name string
	flag *value // the value alone, where all of T are the same
}

// NewProperty makes a property. The name is for people.
func NewProperty[T any](name string) *Property[T] {
	p := &Property[T]{name: name}
	if reflect.TypeFor[T]().Size() == 0 {
		p.flag = &value{property: p, v: new(T)}
	}
	return p
}

// String is the name.
func (p *Property[T]) String() string { return fmt.Sprintf("property %q", p.name) }

// Preset gives the subscription that o is going to be a value, from where the
// request is at hand. A copy of o has it too.
func (p *Property[T]) Preset(o *SubscribeOptions, v T) {
	if o.values == nil && p.flag != nil {
		o.values = p.flag
		return
	}
	o.values = &value{p, &v, o.values.without(p)}
}

// value is what a subscription has of a property, and the next one. It is never changed:
// many may share it.
type value struct {
	property, v any // a *Property[T] and a *T: v itself may be a nil interface
	next        *value
}

// of is the value of a property, nil if there is none.
func (l *value) of(property any) *value {
	for l != nil && l.property != property {
		l = l.next
	}
	return l
}

// without is the list without a property.
func (l *value) without(property any) *value {
	switch {
	case l.of(property) == nil:
		return l
	case l.property == property:
		return l.next
	}
	return &value{l.property, l.v, l.next.without(property)}
}

// Get is the value that s has; ok says if it has one.
func (p *Property[T]) Get(s *Subscription) (v T, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if l := s.values.of(p); l != nil {
		return *l.v.(*T), true
	}
	return v, false
}

// Set gives s a value in place of what it has.
func (p *Property[T]) Set(s *Subscription, v T) { p.put(s, v, true) }

// Add gives s a value unless it has one. It reports whether it did.
func (p *Property[T]) Add(s *Subscription, v T) bool { return p.put(s, v, false) }

func (p *Property[T]) put(s *Subscription, v T, over bool) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !over && s.values.of(p) != nil {
		return false
	}
	s.values = &value{p, &v, s.values.without(p)}
	return true
}

// Delete takes the value away and gives what it was.
func (p *Property[T]) Delete(s *Subscription) (v T, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	l := s.values.of(p)
	if l == nil {
		return v, false
	}
	s.values = s.values.without(p)
	return *l.v.(*T), true
}
