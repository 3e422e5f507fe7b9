package eventhttp

import (
	"encoding/json"
	"fmt"
	"net/url"
	"strconv"
	"unicode/utf8"

	"github.com/stentor-sse/stentor"
)

// parseJSON reads one message from a JSON object.
func parseJSON(body []byte) (stentor.Message, error) {
	var m stentor.Message
	err := readObject(body, func(name string, value json.RawMessage) error {
		switch name {
		case "data":
			return setData(&m, value)
		case "all", "ephemeral", "remove":
			var on bool
			if err := json.Unmarshal(value, &on); err != nil || string(value) == "null" {
				return badField(name, "write true or false")
			}
			*flag(&m, name) = on
			return nil
		}
		if !known(name) {
			return unknownField(name)
		}
		text, err := stringValue(name, value)
		if err != nil {
			return err
		}
		return setField(&m, name, text)
	})
	return m, err
}

// parseForm reads one message from an application/x-www-form-urlencoded body. Its
// data is text.
func parseForm(body []byte) (stentor.Message, error) {
	var m stentor.Message
	form, err := url.ParseQuery(string(body))
	if err != nil {
		return m, fmt.Errorf("%w form: %w", stentor.ErrInvalid, err)
	}
	for name, values := range form {
		if err := formField(&m, name, values); err != nil {
			if len(body) > 0 && body[0] == '{' { // curl -d without -H
				return m, fmt.Errorf("%w; or, if this was meant as JSON, set Content-Type to application/json", err)
			}
			return m, err
		}
	}
	return m, nil
}

func formField(m *stentor.Message, name string, values []string) error {
	switch {
	case name != "data" && name != "all" && name != "ephemeral" && name != "remove" && !known(name):
		return unknownField(name)
	case len(values) != 1:
		return badField(name, "give it once")
	case !utf8.ValidString(values[0]):
		return badField(name, "send UTF-8")
	}
	switch name {
	case "data":
		m.Data = values[0]
		return nil
	case "all", "ephemeral", "remove":
		on, err := strconv.ParseBool(values[0])
		if err != nil {
			return badField(name, "write true or false")
		}
		*flag(m, name) = on
		return nil
	}
	return setField(m, name, values[0])
}

func known(name string) bool {
	switch name {
	case "channel", "user", "userName", "session", "key", "subscription", "type", "subject":
		return true
	}
	return false
}

// setField sets a text field. A target that is empty is refused: a program that
// forgot to fill in the user must not reach everyone on the channel.
func setField(m *stentor.Message, name, value string) error {
	if value == "" && name != "type" {
		return badField(name, "it is empty; leave it out or say who")
	}
	t := &m.Target
	switch name {
	case "channel":
		t.Channel = stentor.Channel(value)
		return t.Channel.Validate()
	case "user":
		t.User = value
	case "userName":
		t.UserName = value
	case "session":
		t.Session = value
	case "key":
		t.Key = value
	case "subscription":
		t.Subscription = value
	case "type":
		m.Type = value
	case "subject":
		m.Subject = value
	}
	return nil
}

func flag(m *stentor.Message, name string) *bool {
	switch name {
	case "all":
		return &m.Target.All
	case "remove":
		return &m.Remove
	}
	return &m.Ephemeral
}

// setData takes a string for text and every other value as it is.
func setData(m *stentor.Message, value json.RawMessage) error {
	if value[0] != '"' {
		m.Data, m.JSON = string(value), true
		return nil
	}
	text, err := stringValue("data", value)
	m.Data = text
	return err
}

func unknownField(name string) error {
	return fmt.Errorf("%w field: %.64q; there are channel, user, userName, session, key, subscription, all, "+
		"type, data and ephemeral", stentor.ErrInvalid, name)
}

func badField(name, change string) error {
	return fmt.Errorf("%w %s: %s", stentor.ErrInvalid, name, change)
}
