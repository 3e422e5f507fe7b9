package serverevents_test

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/stentor-sse/stentor"
	"github.com/stentor-sse/stentor/serverevents"
	"github.com/stentor-sse/stentor/ssetest"
)

// SetterType is what a C# service would send without naming a selector.
type SetterType struct {
	ID   int    `json:"id"`
	Name string `json:"name,omitempty"`
}

// named signs requests in with a header "User: id" or "User: id name".
func named(r *http.Request, o *stentor.SubscribeOptions) error {
	o.User, o.UserName, _ = strings.Cut(r.Header.Get("User"), " ")
	o.Authenticated = o.User != ""
	return nil
}

// audience is everyone on a site: who has heard what.
type audience struct {
	t       *testing.T
	streams map[string]*stream
}

// heard are the names of those who got the message, with its token.
func (a *audience) heard(token, body string) string {
	a.t.Helper()
	var who []string
	for name, st := range a.streams {
		for _, f := range st.frames() {
			if f.String() == token+" "+body {
				who = append(who, name)
			}
		}
	}
	slices.Sort(who)
	return strings.Join(who, " ")
}

// S-23: each Notify with and without a channel as a filter, which adds no prefix (S-03).
func TestNotify(t *testing.T) {
	ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
		s := newSite(t, p, nil, &serverevents.Options{Subscribe: named})
		ann := s.open("/event-stream?channels=A", "User: 42 ann.b@example.org")
		a := &audience{t, map[string]*stream{
			"ann1": ann,
			"ann2": s.open("/event-stream?channels=B", "User: 42 ann.b@example.org", "Cookie: "+ann.cookies()),
			"bob":  s.open("/event-stream?channels=A,B", "User: 43 bob"),
			"anon": s.open("/event-stream?channels=A,c.d"),
		}}
		session := s.hub.Subscription(ann.id()).Session()
		for i, row := range []struct {
			call   string
			target stentor.Target
			prefix string
			want   string
		}{
			{"NotifyAll", stentor.Target{All: true}, "", "ann1 ann2 anon bob"},
			{"NotifyChannel", on("A"), "A@", "ann1 anon bob"},
			{"NotifyChannel of a name with a dot", on("c.d"), "c.d@", "anon"},
			{"NotifyChannel of nobody", on("Z"), "Z@", ""},
			{"NotifySubscription", stentor.Target{Subscription: ann.id()}, "", "ann1"},
			{"NotifySubscription on a channel", stentor.Target{Subscription: ann.id(), Channel: "A"}, "", "ann1"},
			{"NotifySubscription not on it", stentor.Target{Subscription: ann.id(), Channel: "B"}, "", ""},
			{"NotifyUserId", stentor.Target{User: "42"}, "", "ann1 ann2"},
			{"NotifyUserId on a channel", stentor.Target{User: "42", Channel: "B"}, "", "ann2"},
			{"NotifyUserId of an anonymous", stentor.Target{User: "-1"}, "", "anon"},
			{"NotifyUserId of nobody", stentor.Target{User: "44"}, "", ""},
			{"NotifyUserName", stentor.Target{UserName: "ann.b@example.org"}, "", "ann1 ann2"},
			{"NotifyUserName on a channel", stentor.Target{UserName: "ann.b@example.org", Channel: "A"}, "", "ann1"},
			{"NotifyUserName of a display name", stentor.Target{UserName: "user1"}, "", ""},
			{"NotifySession", stentor.Target{Session: session}, "", "ann1 ann2"},
			{"NotifySession on a channel", stentor.Target{Session: session, Channel: "B"}, "", "ann2"},
		} {
			body := fmt.Sprint(`"message `, i, `"`)
			s.send(row.target, "t", strings.Trim(body, `"`))
			if got := a.heard(row.prefix+"cmd.t", body); got != row.want {
				t.Errorf("%s: heard by %q, want %q", row.call, got, row.want)
			}
		}
	})
}

// S-23: their calls say nothing of how many there were, and ignore who is unknown; ours say.
func TestNotifyTellsHowMany(t *testing.T) {
	ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
		s := newSite(t, p, nil, nil)
		for range 3 {
			s.open("/event-stream?channels=A")
		}
		for target, want := range map[stentor.Target]int{{All: true}: 3, on("A"): 3, {User: "-2"}: 1, on("B"): 0} {
			r, err := s.hub.Publish(t.Context(), stentor.Message{Target: target, Type: "t"})
			if err != nil || r.Matched != want {
				t.Errorf("%+v: matched %d, %v, want %d", target, r.Matched, err, want)
			}
		}
		if _, err := s.hub.Publish(t.Context(), stentor.Message{Target: stentor.Target{Subscription: "none"}, Type: "t"}); !errors.Is(err, stentor.ErrUnknown) {
			t.Errorf("unknown subscription: %v", err)
		}
	})
}

// S-10, S-23: without a selector, it is made of the name of the value's type.
func TestNotifyTyped(t *testing.T) {
	ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
		s := newSite(t, p, nil, nil)
		st := s.open("/event-stream?channels=A,SetterType")
		for target, want := range map[stentor.Target]string{
			on("A"):      `A@cmd.SetterType {"id":7,"name":"é"}`,
			{User: "-1"}: `cmd.SetterType {"id":7,"name":"é"}`,
			{}:           `SetterType@cmd.SetterType {"id":7,"name":"é"}`, // the channel of that name
		} {
			seen := len(st.frames())
			m, err := stentor.Typed(target, &SetterType{ID: 7, Name: "é"})
			if err != nil {
				t.Fatal(err)
			}
			s.publish(m)
			st.expect(seen, strings.Replace(want, "é", `\u00e9`, 1))
		}
		for _, v := range []any{nil, "text", 7, map[string]int{}, struct{ A int }{1}} {
			if _, err := stentor.Typed(on("A"), v); !errors.Is(err, stentor.ErrInvalid) {
				t.Errorf("%T: %v", v, err)
			}
		}
	})
}

// S-04, S-23 NotifyJson: raw JSON is looked at before anybody gets it; what would break a frame is refused.
func TestNotifyRawJSON(t *testing.T) {
	ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
		s := newSite(t, p, nil, nil)
		st := s.open("/event-stream?channels=A")
		for _, bad := range []string{
			"{", `{"a":1}` + "\n\ndata: cmd.forged {}\n\n", "1 2", `"a` + "\n" + `b"`, "nul", "{'a':1}", "\"\xff\"", `{"a":1,}`,
		} {
			_, err := s.hub.Publish(t.Context(), stentor.Message{Target: on("A"), Type: "t", Data: bad, JSON: true})
			if !errors.Is(err, stentor.ErrInvalid) {
				t.Errorf("%q: %v", bad, err)
			}
		}
		st.expect(2)
		s.publish(stentor.Message{Target: on("A"), Type: "t", Data: "\r\n{\r\n \"a\" : [1,\n2]\n}\n", JSON: true}) // pretty: one line of it
		st.expect(2, `A@cmd.t {"a":[1,2]}`)
	})
}

// S-23: what their calls check in some of them, ours refuse in all.
func TestNotifyRefuses(t *testing.T) {
	hub := newHub(t, nil)
	for name, m := range map[string]stentor.Message{
		"no target":              {Type: "t"},
		"channel with @":         {Target: on("a@b"), Type: "t"},
		"channel with a space":   {Target: on("a b"), Type: "t"},
		"channel with a comma":   {Target: on("a,b"), Type: "t"},
		"filter with @":          {Target: stentor.Target{User: "1", Channel: "a@b"}, Type: "t"},
		"type with @":            {Target: on("a"), Type: "x@cmd.t"},
		"type with a space":      {Target: stentor.Target{All: true}, Type: "cmd.a b"},
		"type with a line feed":  {Target: on("a"), Type: "cmd.a\n"},
		"user with a line feed":  {Target: stentor.Target{User: "a\nb"}, Type: "t"},
		"data that is not UTF-8": {Target: on("a"), Type: "t", Data: "\xff"},
	} {
		if _, err := hub.Publish(t.Context(), m); !errors.Is(err, stentor.ErrInvalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if n := hub.Stats(); n.Published != 0 || n.Channels != 0 {
		t.Errorf("%+v", n)
	}
}

// S-23 GetNextSequence: 1, 2, 3 for each name; anonymous names are drawn from one of them (S-24).
func TestSequences(t *testing.T) {
	ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
		s := newSite(t, p, nil, nil)
		next := func(name string) int64 {
			n, err := s.hub.Next(t.Context(), name)
			if err != nil {
				t.Fatal(err)
			}
			return n
		}
		for want := range int64(3) {
			if a, b := next("chatMsg"), next("other"); a != want+1 || b != want+1 {
				t.Errorf("%d and %d, want %d", a, b, want+1)
			}
		}
		s.open("/event-stream")
		if n := next("anonUser"); n != 2 {
			t.Errorf("anonUser is at %d, want 2", n)
		}
		if got := s.open("/event-stream").connect()["userId"]; got != "-3" {
			t.Errorf("userId %s", got)
		}
	})
}
