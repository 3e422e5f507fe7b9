package serverevents

import (
	"net/http"
	"slices"

	"github.com/stentor-sse/stentor"
	"github.com/stentor-sse/stentor/internal/dto"
)

// subscribers lists who is on any of the channels, or everybody.
func (f *Face) subscribers(w http.ResponseWriter, r *http.Request) {
	a, err := dto.Bind(w, r, idName)
	if err != nil {
		f.refuse(w, r, err)
		return
	}
	names, err := a.List(channelParam, channelsParam)
	if err != nil {
		f.refuse(w, r, err)
		return
	}
	members, err := f.members(r, names)
	if err != nil {
		f.refuse(w, r, err)
		return
	}
	b := []byte{'['}
	for i := range members {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendMember(b, &members[i])
	}
	dto.Answer(w, http.StatusOK, append(b, ']'))
}

// members are those that the application lets the caller see.
func (f *Face) members(r *http.Request, names []string) ([]stentor.Member, error) {
	asked, err := channels(names)
	if err != nil {
		return nil, err
	}
	all := len(asked) == 0
	if f.o.Subscribe == nil && !f.o.LimitToAuthenticatedUsers && !f.o.LimitSubscribersToMembers {
		return f.hub.Members(asked...), nil
	}
	if all {
		asked = known(f.hub.Members())
	}
	browser := sessionOf(r)
	o := &stentor.SubscribeOptions{Channels: asked, Session: browser.name(), Address: f.o.Address(r)}
	if err := f.approve(r, o); err != nil {
		return nil, err
	}
	if err := f.authenticated(o); err != nil {
		return nil, err
	}
	if f.o.LimitSubscribersToMembers {
		joined := f.joined(o)
		o.Channels = slices.DeleteFunc(o.Channels, func(ch stentor.Channel) bool { return !joined[ch] })
	}
	if len(o.Channels) == 0 {
		return nil, nil // no channel would mean all
	}
	return f.hub.Members(o.Channels...), nil
}

// joined are the channels that the caller is on, as the browser that its cookies name
// or as the user that it proved to be.
func (f *Face) joined(o *stentor.SubscribeOptions) map[stentor.Channel]bool {
	targets := []stentor.Target{{Session: o.Session}}
	if o.Authenticated {
		targets = append(targets, stentor.Target{User: o.User})
	}
	on := map[stentor.Channel]bool{}
	for _, t := range targets {
		if t == (stentor.Target{}) {
			continue // it would be everybody
		}
		for s := range f.hub.Subscriptions(t) {
			for _, ch := range s.Channels() {
				on[ch] = true
			}
		}
	}
	return on
}

// known are all channels that somebody is on.
func known(members []stentor.Member) []stentor.Channel {
	var out []stentor.Channel
	seen := map[stentor.Channel]struct{}{}
	for i := range members {
		for _, ch := range members[i].Channels {
			if _, ok := seen[ch]; !ok {
				seen[ch] = struct{}{}
				out = append(out, ch)
			}
		}
	}
	return out
}
