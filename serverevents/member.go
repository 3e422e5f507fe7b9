package serverevents

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/stentor-sse/stentor"
)

// Names in the payload of onConnect that are for one subscriber alone.
const (
	idName          = "id"
	heartbeatName   = "heartbeatUrl"
	unRegisterName  = "unRegisterUrl"
	updateName      = "updateSubscriberUrl"
	intervalName    = "heartbeatIntervalMs"
	idleTimeoutName = "idleTimeoutMs"
	profileName     = "profileUrl"
)

// person is the picture of someone without one: a head and shoulders, without
// a space or a quote that would break where pages put it.
const person = "data:image/svg+xml,%3Csvg%20xmlns=%22http://www.w3.org/2000/svg%22%20viewBox=%220%200%2032%2032%22%3E" +
	"%3Cpath%20fill=%22%239aa5b1%22%20d=%22M16%204a6%206%200%201%201%200%2012a6%206%200%200%201%200-12z" +
	"M4%2029a12%2010%200%200%201%2024%200z%22/%3E%3C/svg%3E"

// public reports whether an application may give a value this name. A client
// spreads them over its own message: one called "selector" would replace the
// message's. Those that the face gives are not to be contradicted.
func public(name string) bool {
	switch name {
	case "channel", "type", "selector", "data", "json", "op", "target", "eventId", "cssSelector", "meta", "body",
		"userId", "isAuthenticated", "displayName", "channels", "createdAt", profileName:
		return false
	case idName, heartbeatName, unRegisterName, updateName, intervalName, idleTimeoutName:
		return false
	}
	return true
}

// appendMember appends what everybody may know of a subscriber, as an object.
func appendMember(b []byte, m *stentor.Member) []byte {
	o := object{b: append(b, '{')}
	o.member(m, nil)
	return append(o.b, '}')
}

// appendConnect appends what onConnect tells: the member, and what is for its
// subscriber alone.
func appendConnect(b []byte, s *stentor.Subscription, m *stentor.Member) []byte {
	private := s.Private()
	o := object{b: append(b, '{')}
	o.member(m, private)
	o.add(idName, s.ID())
	for _, name := range [...]string{unRegisterName, heartbeatName, updateName, intervalName, idleTimeoutName} {
		if v := private[name]; v != "" {
			o.add(name, v)
		}
	}
	o.values(private, nil)
	return append(o.b, '}')
}

// member adds m, but for the values that another map will give.
func (o *object) member(m *stentor.Member, but map[string]string) {
	o.add("userId", m.User)
	o.add("isAuthenticated", strconv.FormatBool(m.Authenticated))
	o.add("displayName", m.DisplayName)
	o.add("channels", joined(m.Channels))
	o.add("createdAt", strconv.FormatInt(m.Created.UnixMilli(), 10))
	profile := m.Meta[profileName]
	if profile == "" {
		profile = person
	}
	o.add(profileName, profile)
	o.values(m.Meta, but)
}

// values adds the application's values in the order of their names.
func (o *object) values(values, but map[string]string) {
	for _, name := range slices.Sorted(maps.Keys(values)) {
		if _, other := but[name]; public(name) && !other {
			o.add(name, values[name])
		}
	}
}

func joined(channels []stentor.Channel) string {
	names := make([]string, len(channels))
	for i, ch := range channels {
		names[i] = string(ch)
	}
	return strings.Join(names, ",")
}
