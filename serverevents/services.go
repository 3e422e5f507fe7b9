package serverevents

import (
	"net/http"

	"github.com/stentor-sse/stentor"
	"github.com/stentor-sse/stentor/internal/dto"
)

// find is the subscription that a request names. Its id is a capability: who knows
// it may act for it, and what is no id at all looks like one that nobody has.
func (f *Face) find(r *http.Request, a dto.Args) (*stentor.Subscription, error) {
	id, _, err := a.Text(idName) // what is malformed is nobody's
	if err != nil || id == "" {
		return nil, dto.Unknown{ID: id}
	}
	sub := f.hub.Subscription(id)
	switch {
	case sub == nil:
		return nil, dto.Unknown{ID: id}
	case f.o.ValidateUserAddress && sub.Address() != f.o.Address(r):
		return nil, dto.Foreign{ID: id}
	}
	return sub, nil
}

// heartbeat proves that the client lives. It is answered here with a status alone,
// and on the stream with onHeartbeat: some clients watch the one, some the other.
func (f *Face) heartbeat(w http.ResponseWriter, r *http.Request) {
	if hook := f.o.Heartbeat; hook != nil {
		if err := hook(r); err != nil {
			f.count.heartbeatRefused.Add(1)
			f.refuse(w, r, err)
			return
		}
	}
	err := f.beat(w, r)
	f.count.heartbeats.add(err)
	status := http.StatusOK
	if err != nil {
		if status, _ = dto.Explain(err); status != http.StatusNotFound && status != http.StatusForbidden {
			f.refuse(w, r, err)
			return
		}
	}
	// ServiceStack says more in the reason phrase, which net/http does not let one
	// set and HTTP/2 does not have.
	w.Header().Set("Cache-Control", "no-store") // GET heartbeats must not come from a cache
	w.WriteHeader(status)
}

func (f *Face) beat(w http.ResponseWriter, r *http.Request) error {
	a, err := dto.Bind(w, r, idName)
	if err != nil {
		return err
	}
	sub, err := f.find(r, a)
	if err != nil {
		return err
	}
	if !sub.Heartbeat(f.o.IdleTimeout) {
		return dto.Unknown{ID: sub.ID()}
	}
	return nil
}

// unregister ends a subscription. Its members are told before the caller is.
func (f *Face) unregister(w http.ResponseWriter, r *http.Request) {
	m, err := f.end(w, r)
	f.count.unregisters.add(err)
	if err != nil {
		f.refuse(w, r, err)
		return
	}
	dto.Answer(w, http.StatusOK, appendMember(nil, &m))
}

func (f *Face) end(w http.ResponseWriter, r *http.Request) (stentor.Member, error) {
	a, err := dto.Bind(w, r, idName)
	if err != nil {
		return stentor.Member{}, err
	}
	sub, err := f.find(r, a)
	if err != nil {
		return stentor.Member{}, err
	}
	m := sub.Member()
	if !sub.Close(nil) { // somebody else was faster
		return m, dto.Unknown{ID: sub.ID()}
	}
	return m, nil
}

// update changes the channels of a live subscription: first those to leave, then
// those to join, each with its own round of onUpdate. Everything is looked at before
// anything changes.
func (f *Face) update(w http.ResponseWriter, r *http.Request) {
	err := f.change(w, r)
	f.count.updates.add(err)
	if err != nil {
		f.refuse(w, r, err)
		return
	}
	dto.Answer(w, http.StatusOK, []byte("{}"))
}

func (f *Face) change(w http.ResponseWriter, r *http.Request) error {
	a, err := dto.Bind(w, r, idName)
	if err != nil {
		return err
	}
	sub, err := f.find(r, a)
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
		o := &stentor.SubscribeOptions{Channels: join, Session: sub.Session(), Address: f.o.Address(r)}
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
