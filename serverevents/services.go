package serverevents

import (
	"net/http"

	"github.com/stentor-sse/stentor"
	"github.com/stentor-sse/stentor/internal/dto"
)

// find is the subscription that a request names. Its id is a capability: who knows
// it may act for it, and what is no id at all looks like one that nobody has.
func (f *Face) find(a dto.Args) (*stentor.Subscription, error) {
	id, _, err := a.Text(idName) // what is malformed is nobody's
	if err == nil && id != "" {
		if sub := f.hub.Subscription(id); sub != nil {
			return sub, nil
		}
	}
	return nil, dto.Unknown{ID: id}
}

// heartbeat proves that the client lives. It is answered here with a status alone,
// and on the stream with onHeartbeat: some clients watch the one, some the other.
func (f *Face) heartbeat(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "no-store") // GET heartbeats must not come from a cache
	a, err := dto.Bind(w, r, idName)
	if err != nil {
		f.refuse(w, r, err)
		return
	}
	sub, err := f.find(a)
	if err != nil || !sub.Heartbeat(f.o.IdleTimeout) {
		// ServiceStack says more in the reason phrase, which net/http does not
		// let one set and HTTP/2 does not have.
		w.WriteHeader(http.StatusNotFound)
		return
	}
	w.WriteHeader(http.StatusOK)
}

// unregister ends a subscription. Its members are told before the caller is.
func (f *Face) unregister(w http.ResponseWriter, r *http.Request) {
	a, err := dto.Bind(w, r, idName)
	if err != nil {
		f.refuse(w, r, err)
		return
	}
	sub, err := f.find(a)
	if err != nil {
		f.refuse(w, r, err)
		return
	}
	m := sub.Member()
	if !sub.Close(nil) { // somebody else was faster
		f.refuse(w, r, dto.Unknown{ID: sub.ID()})
		return
	}
	dto.Answer(w, http.StatusOK, appendMember(nil, &m))
}

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
	if f.o.Subscribe == nil && !f.o.LimitToAuthenticatedUsers {
		return f.hub.Members(asked...), nil
	}
	if all {
		asked = known(f.hub.Members())
	}
	visitor := sessionOf(r)
	o := &stentor.SubscribeOptions{Channels: asked, Session: visitor.name(), Address: address(r)}
	if err := f.admit(r, o); err != nil {
		return nil, err
	}
	if len(o.Channels) == 0 {
		return nil, nil // no channel would mean all
	}
	return f.hub.Members(o.Channels...), nil
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

// update changes the channels of a live subscription: first those to leave, then
// those to join, each with its own round of onUpdate. Everything is looked at before
// anything changes.
func (f *Face) update(w http.ResponseWriter, r *http.Request) {
	a, err := dto.Bind(w, r, idName)
	if err == nil {
		err = f.change(r, a)
	}
	if err != nil {
		f.refuse(w, r, err)
		return
	}
	dto.Answer(w, http.StatusOK, []byte("{}"))
}

func (f *Face) change(r *http.Request, a dto.Args) error {
	sub, err := f.find(a)
	if err != nil {
		return err
	}
	leave, err := listed(a, unsubscribeParam)
	if err != nil {
		return err
	}
	join, err := listed(a, subscribeParam)
	if err != nil {
		return err
	}
	if len(join) > 0 {
		o := &stentor.SubscribeOptions{Channels: join, Session: sub.Session(), Address: address(r)}
		if err := f.approve(r, o); err != nil {
			return err
		}
		join = o.Channels
	}
	if _, err := sub.Change(r.Context(), leave, join); err != nil {
		if sub.Cause() != nil { // its reader is gone, or it ended meanwhile
			return dto.Unknown{ID: sub.ID()}
		}
		return err
	}
	return nil
}
