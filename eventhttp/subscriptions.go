package eventhttp

import (
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strings"

	"github.com/stentor-sse/stentor"
)

// change leaves and joins channels of a live subscription: after an error nothing has
// changed.
func (f *Face) change(w http.ResponseWriter, r *http.Request) {
	if _, err := contentType(r, "application/json"); err != nil {
		f.refuse(w, r, err)
		return
	}
	body, err := f.body(w, r)
	if err != nil {
		f.refuse(w, r, err)
		return
	}
	c, err := parseChange(body)
	if err != nil {
		f.refuse(w, r, err)
		return
	}
	so := &stentor.SubscribeOptions{Channels: c.join}
	sub, err := f.owned(r, so)
	if err == nil && sub.Cause() != nil {
		err = errNotFound() // it lingers: nothing can reach it any more
	}
	if err == nil {
		_, err = sub.Change(r.Context(), c.leave, so.Channels)
	}
	if err == nil {
		err = sub.State(r.Context(), c.state...)
	}
	if err != nil {
		if sub != nil && sub.Cause() != nil {
			err = errNotFound()
		}
		f.refuse(w, r, limited(err))
		return
	}
	f.answer(w, struct {
		Channels []stentor.Channel `json:"channels"`
	}{append([]stentor.Channel{}, sub.Channels()...)})
}

// end ends a subscription, a lingering one included, at once.
func (f *Face) end(w http.ResponseWriter, r *http.Request) {
	sub, err := f.owned(r, &stentor.SubscribeOptions{})
	if err == nil && !sub.Close(nil) {
		err = errNotFound() // somebody was faster
	}
	if err != nil {
		f.refuse(w, r, err)
		return
	}
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(http.StatusNoContent)
}

// owned finds the subscription that a request names, if it is the caller's. One of
// somebody else gets the same answer as one that isn't, so that ids can't be tried.
func (f *Face) owned(r *http.Request, so *stentor.SubscribeOptions) (*stentor.Subscription, error) {
	presented := f.presented(r)
	so.Session, so.Address = presented, f.o.Address(r)
	if err := f.approve(r, so); err != nil {
		return nil, err
	}
	sub := f.hub.Subscription(strings.TrimPrefix(r.URL.Path, subscriptionsPath))
	if sub == nil || !f.same(so, presented, sub) {
		return nil, errNotFound()
	}
	return sub, nil
}

func errNotFound() error {
	return &stentor.Refusal{
		Status: http.StatusNotFound,
		Detail: "no such subscription; take the id from the stentor.open event of a stream that is open",
	}
}

// limited makes a 400 of too many channels: the body was not too large.
func limited(err error) error {
	if !errors.Is(err, stentor.ErrTooLarge) {
		return err
	}
	return &stentor.Refusal{
		Status: http.StatusBadRequest,
		Detail: strings.TrimPrefix(err.Error(), stentor.ErrTooLarge.Error()+": "),
	}
}

// changes are what is to become of a subscription.
type changes struct{ join, leave, state []stentor.Channel }

// parseChange reads {"join":[…],"leave":[…],"state":[…]}. A channel in both join and leave is joined.
func parseChange(body []byte) (c changes, err error) {
	lists := map[string]*[]stentor.Channel{"join": &c.join, "leave": &c.leave, "state": &c.state}
	err = readObject(body, func(name string, value json.RawMessage) error {
		list := lists[name]
		if list == nil {
			return badField("field", "there are join, leave and state")
		}
		var raw []json.RawMessage
		if err := json.Unmarshal(value, &raw); err != nil || raw == nil {
			return badField(name, "write a list of channel names")
		}
		names := make([]string, len(raw))
		for i, v := range raw {
			var err error
			if names[i], err = stringValue(name, v); err != nil {
				return err
			}
		}
		var err error
		*list, err = channels(names)
		return err
	})
	c.leave = slices.DeleteFunc(c.leave, func(ch stentor.Channel) bool { return slices.Contains(c.join, ch) })
	return c, err
}
