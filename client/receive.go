package client

import (
	"fmt"
	"reflect"
	"strings"

	"github.com/stentor-sse/stentor/sse"
)

// commands is the name of the receiver of messages whose type has no dot.
const commands = "cmd"

// receiver is the methods of a value, by name.
type receiver struct {
	methods map[string]*handler
	rest    *handler // nil: there is none
}

// Receive has the methods of a value called with messages: one of type "tv.watch" calls the method Watch of what
// receives "tv", whatever the letter case and without hyphens, beside what On has for that type. Of "cmd" it receives
// those whose type has no dot. What received that name before does no longer; stop takes it off.
//
// A method takes the data, decoded as for On, or the data and an [sse.Event], or an Event alone, or nothing,
// and may return an error, which is told to Options.Error. Others are no such methods; a value without one is an
// error. A method that alone has a parameter of a named type is called with the messages of that type's name too:
// Save(o Order) of "cmd" with those of type "Order". NoSuchMethod(e sse.Event) is called with what has no other.
//
// Whoever may publish can call all of these methods, those of embedded values and a Close included: give it a type that is made
// for it.
func Receive(c *Client, name string, value any) (stop func(), err error) {
	r, err := receiverOf(value)
	if err != nil {
		return nil, err
	}
	if name == "" || name == "stentor" || strings.ContainsAny(name, ".*$") {
		return nil, fmt.Errorf("client: %.64q is the name of no receiver; it is what precedes the dot in a type", name)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.receivers[name] = r
	return func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		if c.receivers[name] == r {
			delete(c.receivers, name)
		}
	}, nil
}

// method is that of a receiver for a message's type, nil if there is none. Call it with mu locked.
func (c *Client) method(name, member string, dotted bool) *handler {
	if !dotted {
		name, member = commands, name
	}
	r := c.receivers[name]
	if r == nil {
		return nil
	}
	if h := r.methods[plainName(member)]; h != nil {
		return h
	}
	return r.rest
}

// plainName is a name as names are compared.
func plainName(s string) string { return strings.ToLower(strings.ReplaceAll(s, "-", "")) }

// noSuchMethod is the method that gets what no other does.
const noSuchMethod = "NoSuchMethod"

func receiverOf(value any) (*receiver, error) {
	v := reflect.ValueOf(value)
	if !v.IsValid() {
		return nil, fmt.Errorf("client: nil receives nothing")
	}
	r := &receiver{methods: map[string]*handler{}}
	types := map[string][]*handler{} // by the parameter's type
	for i := range v.NumMethod() {
		f := v.Method(i)
		if !receives(f.Type()) {
			continue
		}
		h := &handler{func(e sse.Event) error { return invoke(f, e) }}
		if v.Type().Method(i).Name == noSuchMethod {
			r.rest = h
			continue
		}
		r.methods[plainName(v.Type().Method(i).Name)] = h
		if t := parameter(f.Type()); t != nil && t.PkgPath() != "" {
			name := plainName(t.Name())
			types[name] = append(types[name], h)
		}
	}
	for name, all := range types {
		if _, taken := r.methods[name]; !taken && len(all) == 1 {
			r.methods[name] = all[0]
		}
	}
	if len(r.methods) == 0 && r.rest == nil {
		return nil, fmt.Errorf("client: a %T has no method that receives; write one like Watch(url string)", value)
	}
	return r, nil
}

// receives says if a method can be called with a message.
func receives(f reflect.Type) bool {
	switch {
	case f.IsVariadic() || f.NumIn() > 2 || f.NumOut() > 1:
		return false
	case f.NumOut() == 1 && f.Out(0) != reflect.TypeFor[error]():
		return false
	}
	return f.NumIn() < 2 || f.In(1) == reflect.TypeFor[sse.Event]()
}

// parameter is the type of the data that a method takes, nil if it takes none.
func parameter(f reflect.Type) reflect.Type {
	if f.NumIn() == 0 || f.In(0) == reflect.TypeFor[sse.Event]() {
		return nil
	}
	if t := f.In(0); t.Kind() == reflect.Pointer {
		return t.Elem()
	}
	return f.In(0)
}

// invoke calls a method with an event.
func invoke(f reflect.Value, e sse.Event) error {
	in := make([]reflect.Value, 0, 2)
	switch {
	case f.Type().NumIn() == 0:
	case parameter(f.Type()) == nil:
		in = append(in, reflect.ValueOf(e))
	default:
		data := reflect.New(f.Type().In(0))
		if err := decode(e, data.Interface()); err != nil {
			return err
		}
		in = append(in, data.Elem())
	}
	if f.Type().NumIn() == 2 {
		in = append(in, reflect.ValueOf(e))
	}
	if out := f.Call(in); len(out) == 1 {
		if err, ok := out[0].Interface().(error); ok {
			return fmt.Errorf("client: %q message %s: %w", e.Type, e.ID, err)
		}
	}
	return nil
}
