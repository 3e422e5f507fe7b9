package stentor

import (
	"fmt"
	"maps"
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
type Property[T any] struct{ name string }

// NewProperty makes a property. The name is for people.
func NewProperty[T any](name string) *Property[T] { return &Property[T]{name} }

// String is the name.
func (p *Property[T]) String() string { return fmt.Sprintf("property %q", p.name) }

// Preset gives the subscription that o is going to be a value, from where the
// request is at hand. A copy of o has it too.
func (p *Property[T]) Preset(o *SubscribeOptions, v T) {
	values := maps.Clone(o.values)
	if values == nil {
		values = map[any]any{}
	}
	values[p] = &v
	o.values = values
}

// Get is the value that s has; ok says if it has one.
func (p *Property[T]) Get(s *Subscription) (v T, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if at, has := s.values[p].(*T); has { // by address, because v may be a nil interface
		return *at, true
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
	if _, has := s.values[p]; has && !over {
		return false
	}
	if s.values == nil {
		s.values = map[any]any{}
	}
	s.values[p] = &v
	return true
}

// Delete takes the value away and gives what it was.
func (p *Property[T]) Delete(s *Subscription) (v T, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if at, has := s.values[p].(*T); has {
		v, ok = *at, true
	}
	delete(s.values, p)
	return v, ok
}
