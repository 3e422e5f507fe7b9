package stentor

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"time"
	"unicode/utf8"
)

// maxType bounds a message type, in bytes.
const maxType = 128

// Message is an event on its way to a target.
type Message struct {
	// Target is whom the message is for.
	Target Target
	// Type is what readers dispatch on, at most 128 bytes without space, `@`
	// and control characters. Types that begin with "stentor." are reserved.
	// Empty is a message without a type.
	Type string
	// Data is text, or with JSON set a JSON value, which Publish makes compact.
	// It must be valid UTF-8 of at most Options.MaxData bytes.
	Data string
	// JSON says that Data is a JSON value. Empty Data with JSON set becomes null.
	JSON bool
	// Ephemeral messages have no position: they reach who is connected and
	// are never kept.
	Ephemeral bool
	// Subject is what the message is the latest word about, as the ticker symbol of a
	// price or the id of an order: it takes the place of the one that its channel kept
	// about the same subject. What is kept about all subjects is the channel's state, which
	// those get at once who come without a cursor or join. It is at most 255 bytes, for
	// messages to a channel alone, and not for ephemeral ones. Empty: the message takes
	// no other's place.
	Subject string
	// Remove says that there is nothing more to say about Subject: it is taken out of the
	// state. The message itself is kept like any other.
	Remove bool
	// IdempotencyKey makes publishing safe to repeat: of several messages with the same key
	// the broker takes the first, and the others get its receipt. It is for messages that are
	// kept, at most 255 bytes, and never reaches a reader.
	IdempotencyKey string

	// Position, Prev and Time are set by the broker.

	// Position is the message's place in the log, zero while it has none.
	Position Position
	// Prev is the position of the message before it on the same channel, or
	// the floor of the channel when there was none.
	Prev Position
	// Time is when the broker took the message.
	Time time.Time
}

// JSON makes a message whose data is v in JSON.
func JSON(t Target, typ string, v any) (Message, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return Message{}, fmt.Errorf("%w data: %w", ErrInvalid, err)
	}
	return Message{Target: t, Type: typ, Data: strings.TrimSuffix(b.String(), "\n"), JSON: true}, nil
}

// Typed makes a message whose data is v in JSON and whose type is the name of v's
// type, without package, pointer and type parameters. The zero Target is the channel of
// that name. Errors wrap [ErrInvalid]: v has to be of a type with a name.
func Typed(t Target, v any) (Message, error) {
	name := typeName(v)
	if name == "" {
		return Message{}, fmt.Errorf("%w data: a %T has no name to send it by; use JSON and name the type", ErrInvalid, v)
	}
	if t == (Target{}) {
		t.Channel = Channel(name)
	}
	return JSON(t, name, v)
}

func typeName(v any) string {
	t := reflect.TypeOf(v)
	for t != nil && t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if t == nil || t.PkgPath() == "" { // of the language itself, like string
		return ""
	}
	name, _, _ := strings.Cut(t.Name(), "[")
	return name
}

// prepare validates a message from outside and brings it into the form that
// travels; nothing of m that the broker sets survives.
func (m *Message) prepare(maxData int) error {
	m.Position, m.Prev, m.Time = 0, 0, time.Time{}
	if err := m.Target.validate(); err != nil {
		return err
	}
	if err := checkType(m.Type); err != nil {
		return err
	}
	if err := checkName("idempotency key", m.IdempotencyKey); err != nil {
		return err
	}
	if m.IdempotencyKey != "" && m.Ephemeral {
		return fmt.Errorf("%w idempotency key: an ephemeral message has no place that a retry could be given; leave one of them out", ErrInvalid)
	}
	if err := m.checkSubject(); err != nil {
		return err
	}
	if len(m.Data) > maxData {
		return fmt.Errorf("%w: %d bytes of data, at most %d are allowed", ErrTooLarge, len(m.Data), maxData)
	}
	if !utf8.ValidString(m.Data) {
		return fmt.Errorf("%w data: not UTF-8", ErrInvalid)
	}
	if !m.JSON {
		return nil
	}
	if m.Data == "" {
		m.Data = "null"
	}
	// Compact, because a face may need the value on one line.
	var b bytes.Buffer
	b.Grow(len(m.Data))
	if err := json.Compact(&b, []byte(m.Data)); err != nil {
		return fmt.Errorf("%w data: not JSON: %w", ErrInvalid, err)
	}
	m.Data = b.String()
	return nil
}

func (m *Message) checkSubject() error {
	switch err := checkName("subject", m.Subject); {
	case err != nil:
		return err
	case m.Subject == "" && m.Remove:
		return fmt.Errorf("%w remove: say with subject what is to be removed", ErrInvalid)
	case m.Subject == "":
		return nil
	case m.Ephemeral:
		return fmt.Errorf("%w subject: an ephemeral message is not kept; leave one of them out", ErrInvalid)
	case m.Target != Target{Channel: m.Target.Channel}:
		return fmt.Errorf("%w subject: it is for messages to a channel alone; leave out the other conditions of the target", ErrInvalid)
	}
	return nil
}

func checkType(t string) error {
	if len(t) > maxType {
		return fmt.Errorf("%w type: %d bytes, at most %d are allowed", ErrInvalid, len(t), maxType)
	}
	if err := checkName("type", t); err != nil {
		return err
	}
	if strings.ContainsAny(t, " @") {
		return fmt.Errorf("%w type: %q holds a space or @", ErrInvalid, t)
	}
	if strings.HasPrefix(t, "stentor.") {
		return fmt.Errorf("%w type: %q is reserved: types that begin with stentor. are the server's", ErrInvalid, t)
	}
	return nil
}
