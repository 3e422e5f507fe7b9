package client

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/stentor-sse/stentor/sse"
)

// handler is called with an event of its type.
type handler func(e sse.Event) error

// Gap is the data of a stentor.gap event: what is missing. Either position is empty when nobody
// can say.
type Gap struct {
	Reason string `json:"reason"`
	After  string `json:"after"`
	Oldest string `json:"oldest"`
}

// End is the data of a stentor.end event: why the server ends the stream.
type End struct {
	Reason string `json:"reason"`
}

// On has f called with the data of each message of a type, in place of what On was given for
// that type before; nil takes it off. Data is decoded from JSON, for a string it is taken as it is; what
// can't be decoded is told to Options.Error, and f is not called. f runs within Run, and
// holds up what follows.
//
// A type is that of the messages; "message" for those without one; "tv.*" for each that begins with
// "tv." and has no handler of its own; "*" for each that has none at all. The server's own events
// have types too, which "*" leaves out: stentor.gap ([Gap]) says that messages are missing here,
// stentor.join, stentor.leave and stentor.update ([Member]) come with Options.Presence, stentor.end
// ([End]) before the server ends a stream, and stentor.open when there is a new one.
func On[T any](c *Client, kind string, f func(data T, e sse.Event)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if f == nil {
		delete(c.handlers, kind)
		return
	}
	c.handlers[kind] = func(e sse.Event) error {
		var v T
		if text, ok := any(&v).(*string); ok {
			*text = e.Data
		} else if err := json.Unmarshal([]byte(e.Data), &v); err != nil {
			return fmt.Errorf("client: %q message %s: %w", kind, e.ID, err)
		}
		f(v, e)
		return nil
	}
}

// dispatch calls the handler of an event.
func (c *Client) dispatch(e sse.Event) {
	if f := c.handler(e.Type); f != nil {
		if err := f(e); err != nil {
			c.trouble(err)
		}
	}
}

func (c *Client) handler(kind string) handler {
	if kind == "" {
		kind = "message"
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if f, ok := c.handlers[kind]; ok {
		return f
	}
	receiver, _, dotted := strings.Cut(kind, ".")
	if receiver == "stentor" && dotted {
		return nil
	}
	if f, ok := c.handlers[receiver+".*"]; ok && dotted {
		return f
	}
	return c.handlers["*"]
}
