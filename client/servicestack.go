package client

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/stentor-sse/stentor/sse"
)

// serviceStack is the ServiceStack face. Of its services it takes those that the clients for C# and
// TypeScript do, /api/ and a name, because they stay where they are when paths are moved.
type serviceStack struct {
	o      *Options
	server *url.URL
}

// idle is long: servers may say nothing but that they heard a heartbeat, and choose how often that is.
func (s *serviceStack) idle() time.Duration { return 5 * time.Minute }

func (s *serviceStack) stream(channels []string) *url.URL {
	query := url.Values{}
	if len(channels) > 0 {
		query.Set("channels", strings.Join(channels, ","))
	}
	return streamAddress(s.o, s.server, "event-stream", query)
}

func (s *serviceStack) change(id string, join, leave []string) call {
	in := struct {
		ID    string   `json:"id"`
		Join  []string `json:"subscribeChannels,omitempty"`
		Leave []string `json:"unsubscribeChannels,omitempty"`
	}{id, join, leave}
	return call{method: http.MethodPost, url: address(s.server, "api/UpdateEventSubscriber", nil), in: in}
}

func (s *serviceStack) end(id string) call {
	in := struct {
		ID string `json:"id"`
	}{id}
	return call{method: http.MethodPost, url: address(s.server, "api/UnRegisterEventSubscriber", nil), in: in}
}

func (s *serviceStack) members(channel string) (call, func() []Member) {
	var answer []values
	query := url.Values{"channels": {channel}}
	a := call{method: http.MethodGet, url: address(s.server, "api/GetEventSubscribers", query), out: &answer}
	return a, func() []Member {
		list := make([]Member, len(answer))
		for i, v := range answer {
			list[i] = v.member(channel)
		}
		return list
	}
}

func (s *serviceStack) eachUser() bool { return false }

// read takes [channel@]op.target[$css] and JSON apart.
func (s *serviceStack) read(e sse.Event) (sse.Event, bool, error) {
	if e.Type != "" && e.Type != "message" {
		return e, false, nil // not of this protocol
	}
	token, body, _ := strings.Cut(e.Data, " ")
	channel, selector, named := strings.Cut(token, "@")
	if !named {
		channel, selector = "", token
	}
	op, target, _ := strings.Cut(selector, ".")
	switch {
	case op == "" || target == "":
		return e, false, fmt.Errorf("%.64q is no selector; it has an op and a target, as in cmd.chat", token)
	case op == "stentor":
		return e, false, nil // words that nobody can publish
	}
	if e.Channel = channel; op == "cmd" {
		if own, ok, err := s.own(e, target, body); ok || err != nil {
			return own, err == nil && (s.o.Presence || own.Type != joinType && own.Type != leaveType && own.Type != updateType), err
		}
	}
	e.Type, e.Data = selector, text(body)
	if op == "cmd" && !strings.Contains(target, ".") {
		if e.Type = target; target == "message" {
			e.Type = ""
		}
	}
	return e, true, nil
}

// own reads what the server says itself. What it says of a channel names that, and what it says to this
// client none: else a publisher has said it.
func (s *serviceStack) own(e sse.Event, target, body string) (_ sse.Event, ok bool, _ error) {
	kind := ""
	switch target {
	case "onJoin":
		kind = joinType
	case "onLeave":
		kind = leaveType
	case "onUpdate":
		kind = updateType
	}
	if (kind != "") != (e.Channel != "") {
		return e, false, nil
	}
	switch target {
	case "onConnect":
		kind = openType
	case "onHeartbeat":
		kind = heartbeatType
	case "onGap":
		kind = gapType
	case "onState":
		kind = stateType
	case "onEnd":
		kind = endType
	}
	if kind == "" {
		return e, false, nil
	}
	e.Type, e.Data = kind, body
	if kind == gapType || kind == endType {
		return e, true, nil // they are called the same
	}
	var v values
	if err := json.Unmarshal([]byte(body), &v); err != nil {
		return e, false, fmt.Errorf("cmd.%s: %w", target, err)
	}
	var data any
	switch kind {
	case openType:
		data = v.open()
	case stateType:
		data = State{Channels: strings.Split(v["channels"], ",")}
	default:
		data = v.member(e.Channel)
	}
	b, err := json.Marshal(data)
	e.Data, e.Channel = string(b), ""
	return e, err == nil, err
}

// text is a body as the plain face sends it: text that is no JSON string, and null for nothing.
func text(body string) string {
	if body == "" {
		return "null"
	}
	var s string
	if body[0] == '"' && json.Unmarshal([]byte(body), &s) == nil {
		return s
	}
	return body
}

// values is an object of strings. What is no string there, as some servers have it, is its JSON.
type values map[string]string

// UnmarshalJSON reads one.
func (v *values) UnmarshalJSON(b []byte) error {
	var all map[string]json.RawMessage
	if err := json.Unmarshal(b, &all); err != nil {
		return err
	}
	*v = make(values, len(all))
	for name, value := range all {
		if string(value) != "null" {
			(*v)[name] = text(string(value))
		}
	}
	return nil
}

// Values that have a place of their own.
const (
	userValue     = "userId"
	nameValue     = "displayName"
	idValue       = "id"
	beatValue     = "heartbeatUrl"
	intervalValue = "heartbeatIntervalMs"
	leaseValue    = "idleTimeoutMs"
)

// member is the subscriber that the values tell of. What has no other place is in Meta.
func (v values) member(channel string) Member {
	m := Member{Channel: channel, User: v[userValue], Name: v[nameValue], Meta: map[string]string{}}
	for name, value := range v {
		switch name {
		case userValue, nameValue, idValue, beatValue, intervalValue, leaseValue, "unRegisterUrl", "updateSubscriberUrl":
		case "channel": // some servers name it there too
		default:
			m.Meta[name] = value
		}
	}
	return m
}

// defaultBeat is the interval of heartbeats where the server names none that is one.
const defaultBeat = 10 * time.Second

func (v values) open() Open {
	o := Open{Subscription: v[idValue], Member: v.member("")}
	if at := v[beatValue]; at != "" {
		o.Heartbeat = &Heartbeat{URL: at, Interval: milliseconds(v[intervalValue]), Lease: milliseconds(v[leaseValue])}
		if o.Heartbeat.Interval == 0 {
			o.Heartbeat.Interval = defaultBeat
		}
	}
	return o
}

// milliseconds reads a time, zero where there is none.
func milliseconds(s string) time.Duration {
	n, err := strconv.ParseInt(s, 10, 32)
	if err != nil || n < 0 {
		return 0
	}
	return time.Duration(n) * time.Millisecond
}
