package stentor

import "fmt"

// Property is a value that the server keeps with each subscription and tells
// nobody: what the request proved, where the user is on the page, a limit. Make one
// for each such value and share it; two properties are never the same, whatever
// their names. It is safe for any goroutine. Values end with their subscription.
//
//	plan := stentor.NewProperty[string]("plan")
//	...
//	plan.Set(sub, "free")
//	name, ok := plan.Get(sub)
type Property[T any] struct{ name string }

// NewProperty makes a property. The name is for people.
func NewProperty[T any](name string) *Property[T] { return &Property[T]{name} }

// String is the name.
func (p *Property[T]) String() string { return fmt.Sprintf("property %q", p.name) }

// Preset gives the subscription that o is going to be a value, from where the
// request is at hand. A copy of o has it too.
func (p *Property[T]) Preset(o *SubscribeOptions, v T) {
	o.values = &value{p, &v, o.values}
}

// value is what a subscription has of a property, and the next one. Most have none or
// a few.
type value struct {
	property, v any // a *Property[T] and a *T: v itself may be a nil interface
	next        *value
}

// find is where the value of a property is; at the end of the list if there is none.
func find(at **value, property any) **value {
	for *at != nil && (*at).property != property {
		at = &(*at).next
	}
	return at
}

// clone is the list with the first of each property: options can be used again.
func (l *value) clone() (list *value) {
	for ; l != nil; l = l.next {
		if at := find(&list, l.property); *at == nil {
			*at = &value{property: l.property, v: l.v}
		}
	}
	return list
}

// Get is the value that s has; ok says if it has one.
func (p *Property[T]) Get(s *Subscription) (v T, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if at := *find(&s.values, p); at != nil {
		return *at.v.(*T), true
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
	at := find(&s.values, p)
	if *at != nil && !over {
		return false
	}
	if *at == nil {
		*at = &value{property: p}
	}
	(*at).v = &v
	return true
}

// Delete takes the value away and gives what it was.
func (p *Property[T]) Delete(s *Subscription) (v T, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	at := find(&s.values, p)
	if *at == nil {
		return v, false
	}
	v = *(*at).v.(*T)
	*at = (*at).next
	return v, true
}
