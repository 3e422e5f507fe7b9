package client

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/stentor-sse/stentor/sse"
)

// handler is called with an event of its type. It is a pointer's worth, so that it can be found again.
type handler struct{ call func(e sse.Event) error }

// On has f called with the data of each message of a type, after those that On was given for that type
// before, and returns what takes it off. Data is decoded from JSON, for a string it is taken as it is, for an any
// too where it is no JSON; what can't be decoded is told to Options.Error, and f is not called. f runs
// within Run, and holds up what follows.
//
// A type is that of the messages; "message" for those without one; "tv.*" for each that begins with
// "tv." and has no handler of its own; "*" for each that has none at all. What follows a $ in
// a message's type, an element's name to ServiceStack, is not compared; the event has it.
//
// The server's own events have types too, which "*" leaves out and "stentor.*" does not: stentor.gap ([Gap])
// says that messages are missing here, stentor.state ([State]) that what is kept about the subjects of channels has come, stentor.join, stentor.leave and stentor.update ([Member]) come with
// Options.Presence, stentor.end ([End]) before the server ends a stream, stentor.open ([Open])
// when there is a new one, stentor.heartbeat ([Member]) when it has heard a heartbeat. No message can have such a type.
func On[T any](c *Client, kind string, f func(data T, e sse.Event)) (stop func()) {
	h := &handler{func(e sse.Event) error {
		var v T
		if err := decode(e, &v); err != nil {
			return err
		}
		f(v, e)
		return nil
	}}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.handlers[kind] = append(c.handlers[kind], h)
	return func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		left := slices.DeleteFunc(slices.Clone(c.handlers[kind]), func(o *handler) bool { return o == h })
		if c.handlers[kind] = left; len(left) == 0 {
			delete(c.handlers, kind)
		}
	}
}

// decode puts the data of an event into what v points to.
func decode(e sse.Event, v any) error {
	if text, ok := v.(*string); ok {
		*text = e.Data
		return nil
	}
	err := json.Unmarshal([]byte(e.Data), v)
	if anything, ok := v.(*any); ok && err != nil {
		*anything, err = e.Data, nil
	}
	if err != nil {
		return fmt.Errorf("client: %q message %s: %w", e.Type, e.ID, err)
	}
	return nil
}

// dispatch calls the handlers of an event.
func (c *Client) dispatch(e sse.Event) {
	if c.o.Event != nil {
		c.o.Event(e)
	}
	for _, h := range c.handlersOf(e.Type) {
		if err := h.call(e); err != nil {
			c.trouble(err)
		}
	}
}

// handlersOf are those of a type: its own and a receiver's, else those for several types.
func (c *Client) handlersOf(kind string) []*handler {
	kind, _, _ = strings.Cut(kind, "$")
	if kind == "" {
		kind = "message"
	}
	name, member, dotted := strings.Cut(kind, ".")
	server := dotted && name == "stentor"
	c.mu.Lock()
	defer c.mu.Unlock()
	found := c.handlers[kind]
	if h := c.method(name, member, dotted); h != nil {
		found = append(slices.Clip(found), h) // and not to the list of all
	}
	if len(found) == 0 && dotted {
		found = c.handlers[name+".*"]
	}
	if len(found) == 0 && !server {
		found = c.handlers["*"]
	}
	return found
}
