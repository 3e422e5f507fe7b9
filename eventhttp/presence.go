package eventhttp

import (
	"fmt"
	"net/http"

	"github.com/stentor-sse/stentor"
)

// person is what others see of a member. It holds no id of a subscription: whoever has
// one can change and end it.
type person struct {
	User string `json:"user"`
	Name string `json:"name"`
	Meta meta   `json:"meta"`
}

func personOf(m *stentor.Member) person {
	return person{m.User, m.DisplayName, m.Meta}
}

// listed is one user on a channel, over all tabs and devices.
type listed struct {
	person
	Count int `json:"count"` // subscriptions
}

// presence lists who is on one channel, those who came first in front.
func (f *Face) presence(w http.ResponseWriter, r *http.Request) {
	list, err := f.present(r)
	if err != nil {
		f.refuse(w, r, err)
		return
	}
	f.answer(w, struct {
		Channel stentor.Channel `json:"channel"`
		Members []listed        `json:"members"`
	}{list[0], merge(f.hub.Members(list...))})
}

// present reads and has approved what a presence request asks for.
func (f *Face) present(r *http.Request) ([]stentor.Channel, error) {
	if f.o.Presence == nil {
		return nil, &stentor.Refusal{
			Status: http.StatusForbidden,
			Detail: "listing who is present is off here; the server switches it on with Options.Presence of its plain face",
		}
	}
	query, err := parseQuery(r.URL.RawQuery)
	if err != nil {
		return nil, err
	}
	list, err := channels(query["channel"])
	if err != nil {
		return nil, err
	}
	if len(list) != 1 {
		return nil, fmt.Errorf("%w presence: name one channel, as in ?channel=home", stentor.ErrInvalid)
	}
	return list, f.o.Presence(r, list)
}

// merge makes one of all subscriptions of a user. The newest one says what
// the user is called and how it looks.
func merge(members []stentor.Member) []listed {
	people := []listed{}
	at := map[string]int{}
	for _, m := range members {
		i, ok := at[m.User]
		if !ok {
			i = len(people)
			at[m.User] = i
			people = append(people, listed{})
		}
		people[i].person = personOf(&m)
		people[i].Count++
	}
	return people
}

// healthz says that the process serves.
func (f *Face) healthz(w http.ResponseWriter, _ *http.Request) {
	respond(w, "text/plain; charset=utf-8", []byte("ok\n"))
}

// readyz says whether the hub takes subscriptions, so that a balancer sends new ones
// elsewhere while it drains.
func (f *Face) readyz(w http.ResponseWriter, r *http.Request) {
	if err := f.hub.State(); err != nil {
		f.refuse(w, r, err)
		return
	}
	respond(w, "text/plain; charset=utf-8", []byte("ready\n"))
}
