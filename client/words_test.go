package client_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"

	"github.com/stentor-sse/stentor/client"
)

// words are what a face says and is asked, byte by byte.
type words interface {
	name() string
	face() client.Face
	opening(n int) string
	message(id, channel, kind, data string) string
	notice(kind, channel, user, name string) string
	gap(reason, after, oldest string) string
	end(reason string) string
	list(users ...string) string
	problem(detail string) string
	// request is what a request asks for: a verb and its arguments.
	request(r *http.Request, body []byte) (verb, arguments string)
}

// changes is the arguments of a change.
func changes(id string, join, leave []string) string {
	for _, ch := range join {
		id += " +" + ch
	}
	for _, ch := range leave {
		id += " -" + ch
	}
	return id
}

type plainWords struct{}

func (plainWords) name() string      { return "plain" }
func (plainWords) face() client.Face { return client.Plain }

func (plainWords) opening(n int) string {
	return fmt.Sprintf("retry: 1000\nid: %d00\nevent: stentor.open\ndata: {\"subscription\":\"s%d\",\"member\":{\"user\":\"7\",\"name\":\"Ada\",\"meta\":{\"a\":\"b\"}}}\n\n", n, n)
}

func (plainWords) message(id, channel, kind, data string) string {
	return field("id", id) + field("event", kind) + field("channel", channel) + "data: " + data + "\n\n"
}

func (plainWords) notice(kind, channel, user, name string) string {
	return fmt.Sprintf("event: stentor.%s\ndata: {\"channel\":%q,\"user\":%q,\"name\":%q,\"meta\":{\"m\":\"1\"}}\n\n", kind, channel, user, name)
}

func (plainWords) gap(reason, after, oldest string) string {
	return fmt.Sprintf("event: stentor.gap\ndata: {\"reason\":%q,\"after\":%q,\"oldest\":%q}\n\n", reason, after, oldest)
}

func (plainWords) end(reason string) string {
	return "retry: 86400000\nevent: stentor.end\ndata: {\"reason\":\"" + reason + "\"}\n\n"
}

func (plainWords) list(users ...string) string {
	list := []client.Member{}
	for _, u := range users {
		list = append(list, client.Member{User: u})
	}
	return toJSON(map[string]any{"members": list})
}

func (plainWords) problem(detail string) string { return toJSON(map[string]string{"detail": detail}) }

func (plainWords) request(r *http.Request, body []byte) (verb, arguments string) {
	id, ok := strings.CutPrefix(r.URL.Path, "/subscriptions/")
	switch query := r.URL.Query(); {
	case r.URL.Path == "/events":
		return "stream", strings.Join(query["channel"], " ")
	case r.URL.Path == "/presence":
		return "members", query.Get("channel")
	case r.URL.Path == "/publish":
		return "publish", ""
	case ok && r.Method == "DELETE":
		return "end", id
	case ok && r.Method == "POST":
		var in struct{ Join, Leave []string }
		json.Unmarshal(body, &in)
		return "change", changes(id, in.Join, in.Leave)
	}
	return "", ""
}

type serviceStackWords struct{}

func (serviceStackWords) name() string      { return "ServiceStack" }
func (serviceStackWords) face() client.Face { return client.ServiceStack }

func (s serviceStackWords) opening(n int) string { return s.connect(n, 10_000, 30_000) }

// connect is the first frame. The face under test has no retry lines, but the test's patience needs one.
func (serviceStackWords) connect(n, interval, lease int) string {
	return fmt.Sprintf("retry: 1000\nid: %d00\ndata: cmd.onConnect "+`{"id":"s%d","userId":"7","displayName":"Ada","isAuthenticated":"true",`+
		`"channels":"x","a":"b","heartbeatUrl":"http://stentor.test/event-heartbeat?id=s%d","unRegisterUrl":"u","updateSubscriberUrl":"v",`+
		`"heartbeatIntervalMs":"%d","idleTimeoutMs":%d}`+"\n\n", n, n, n, interval, lease)
}

func (serviceStackWords) message(id, channel, kind, data string) string {
	switch {
	case kind == "":
		kind = "cmd.message"
	case !strings.Contains(kind, "."):
		kind = "cmd." + kind
	}
	if channel != "" {
		kind = channel + "@" + kind
	}
	if !json.Valid([]byte(data)) || strings.HasPrefix(data, `"`) {
		data = toJSON(data)
	}
	return field("id", id) + "data: " + kind + " " + data + "\n\n"
}

func (serviceStackWords) notice(kind, channel, user, name string) string {
	kind = strings.ToUpper(kind[:1]) + kind[1:]
	return fmt.Sprintf("data: %s@cmd.on%s {\"userId\":%q,\"displayName\":%q,\"m\":\"1\"}\n\n", channel, kind, user, name)
}

func (serviceStackWords) gap(reason, after, oldest string) string {
	return fmt.Sprintf("data: cmd.onGap {\"reason\":%q,\"after\":%q,\"oldest\":%q}\n\n", reason, after, oldest)
}

func (serviceStackWords) end(reason string) string {
	return "data: cmd.onEnd {\"reason\":\"" + reason + "\"}\n\n"
}

func (serviceStackWords) list(users ...string) string {
	list := []map[string]string{}
	for _, u := range users {
		list = append(list, map[string]string{"userId": u})
	}
	return toJSON(list)
}

func (serviceStackWords) problem(detail string) string {
	return toJSON(map[string]any{"responseStatus": map[string]string{"errorCode": "NotFound", "message": detail}})
}

func (serviceStackWords) request(r *http.Request, body []byte) (verb, arguments string) {
	var in struct {
		ID    string   `json:"id"`
		Join  []string `json:"subscribeChannels"`
		Leave []string `json:"unsubscribeChannels"`
	}
	json.Unmarshal(body, &in)
	switch query := r.URL.Query(); r.URL.Path {
	case "/event-stream":
		return "stream", strings.ReplaceAll(query.Get("channels"), ",", " ")
	case "/api/GetEventSubscribers":
		return "members", query.Get("channels")
	case "/publish":
		return "publish", ""
	case "/api/UnRegisterEventSubscriber":
		return "end", in.ID
	case "/api/UpdateEventSubscriber":
		return "change", changes(in.ID, in.Join, in.Leave)
	case "/event-heartbeat":
		return "beat", query.Get("id")
	}
	return "", ""
}

func field(name, value string) string {
	if value == "" {
		return ""
	}
	return name + ": " + value + "\n"
}
