package client

import (
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/stentor-sse/stentor/sse"
)

// plain is the plain face.
type plain struct {
	o      *Options
	server *url.URL
}

// idle is three keepalives.
func (p *plain) idle() time.Duration { return 45 * time.Second }

func (p *plain) stream(channels []string) *url.URL {
	query := url.Values{"channel": slices.Clone(channels), "named": {"true"}}
	if p.o.Presence {
		query.Set("presence", "true")
	}
	return streamAddress(p.o, p.server, "events", query)
}

// read has nothing to do: these are its words.
func (p *plain) read(e sse.Event) (sse.Event, bool, error) { return e, true, nil }

func (p *plain) change(id string, join, leave []string) call {
	in := struct {
		Join  []string `json:"join,omitempty"`
		Leave []string `json:"leave,omitempty"`
	}{join, leave}
	return call{method: http.MethodPost, url: p.subscription(id), in: in}
}

func (p *plain) end(id string) call {
	return call{method: http.MethodDelete, url: p.subscription(id)}
}

func (p *plain) subscription(id string) *url.URL {
	query := url.Values{}
	p.o.identify(query)
	return address(p.server, "subscriptions/"+url.PathEscape(id), query)
}

func (p *plain) members(channel string) (call, func() []Member) {
	var answer struct{ Members []Member }
	a := call{method: http.MethodGet, url: address(p.server, "presence", url.Values{"channel": {channel}}), out: &answer}
	return a, func() []Member { return answer.Members }
}

func (p *plain) eachUser() bool { return true }
