package eventhttp_test

import (
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/stentor-sse/stentor"
	"github.com/stentor-sse/stentor/eventhttp"
	"github.com/stentor-sse/stentor/sse"
	"github.com/stentor-sse/stentor/ssetest"
)

func TestChange(t *testing.T) {
	ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
		hub, srv := serve(t, p, nil, nil)
		s := srv.Open(t, "/events?channel=a")
		id := opened(t, s)
		for _, row := range []struct{ body, channels string }{
			{`{"join":["b","c"],"leave":["a"]}`, `["b","c"]`},
			{`{"join":["b"]}`, `["b","c"]`},
			{`{"join":["d"],"leave":["d","b"]}`, `["c","d"]`},
			{`{}`, `["c","d"]`},
			{`{"leave":["nowhere"],"join":[]}`, `["c","d"]`},
			{`{"leave":["c","d"]}`, `[]`},
			{`{"join":["b"]}`, `["b"]`},
		} {
			resp, body := srv.Do(t, "POST", "/subscriptions/"+id, row.body, jsonType)
			if resp.StatusCode != 200 || body != `{"channels":`+row.channels+"}\n" {
				t.Errorf("%s: %d %s, want %s", row.body, resp.StatusCode, body, row.channels)
			}
		}
		publish(t, hub, to("a", "left"))
		at := publish(t, hub, to("b", "joined"))
		want(t, s, sse.Event{ID: at.String(), Data: "joined"})
	})
}

func TestChangeIsWhole(t *testing.T) {
	rows := []struct {
		name, contentType, body string
		status                  int
		detail                  string
	}{
		{"bad channel to join", jsonType, `{"leave":["a"],"join":["b","c,d"]}`, 400, "leave out"},
		{"bad channel to leave", jsonType, `{"join":["b"],"leave":["\u0000"]}`, 400, "control character"},
		{"too many", jsonType, `{"leave":["a"],"join":["b","c","d"]}`, 400, "at most 2"},
		{"not a list", jsonType, `{"join":"b"}`, 400, "join: write a list"},
		{"a list of numbers", jsonType, `{"join":[1]}`, 400, "join: write a string"},
		{"null", jsonType, `{"join":null}`, 400, "join: write a list"},
		{"unknown field", jsonType, `{"subscribe":["b"]}`, 400, "there are join, leave and state"},
		{"repeated", jsonType, `{"join":["b"],"join":["c"]}`, 400, "twice"},
		{"malformed", jsonType, `{"join":["b"`, 400, "column"},
		{"form", formType, `join=b`, 415, "application/json"},
	}
	ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
		hub, srv := serve(t, p, &stentor.Options{MaxChannels: 2}, nil)
		s := srv.Open(t, "/events?channel=a")
		id := opened(t, s)
		for _, row := range rows {
			resp, body := srv.Do(t, "POST", "/subscriptions/"+id, row.body, row.contentType)
			refused(t, resp, body, row.status, row.detail)
			if t.Failed() {
				t.Fatalf("in row %q", row.name)
			}
			if got := hub.Subscription(id).Channels(); !slices.Equal(got, []stentor.Channel{"a"}) {
				t.Fatalf("%s: channels %v after a refusal, want [a]", row.name, got)
			}
		}
	})
}

func TestDelete(t *testing.T) {
	ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
		hub, srv := serve(t, p, nil, nil)
		s := srv.Open(t, "/events?channel=a")
		id := opened(t, s)
		resp, body := srv.Do(t, "DELETE", "/subscriptions/"+id, "")
		if resp.StatusCode != 204 || body != "" {
			t.Errorf("%d %q, want 204", resp.StatusCode, body)
		}
		if err := s.Wait(t); err != nil {
			t.Errorf("the stream ended with %v, want a clean end", err)
		}
		if st := hub.Stats(); st.Subscriptions != 0 || len(hub.Members("a")) != 0 {
			t.Errorf("still there: %+v", st)
		}
		resp, body = srv.Do(t, "DELETE", "/subscriptions/"+id, "")
		refused(t, resp, body, 404, "no such subscription")
	})
}

// A subscription whose reader vanished can be ended, but not changed.
func TestLingeringSubscription(t *testing.T) {
	ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
		hub, srv := serve(t, p, nil, nil)
		s := srv.Open(t, "/events?channel=a")
		id := opened(t, s)
		s.Close()
		synctest.Wait()
		if hub.Stats().Lingering != 1 {
			t.Fatalf("it does not linger: %+v", hub.Stats())
		}
		resp, body := srv.Do(t, "POST", "/subscriptions/"+id, `{"join":["b"]}`, jsonType)
		refused(t, resp, body, 404, "no such subscription")
		if resp, _ := srv.Do(t, "DELETE", "/subscriptions/"+id, ""); resp.StatusCode != 204 {
			t.Errorf("DELETE: %d", resp.StatusCode)
		}
		if n := hub.Stats().Subscriptions; n != 0 {
			t.Errorf("%d subscriptions left", n)
		}
	})
}

// A stolen id is worth nothing to another user, and looks like one that was never
// given out.
func TestSubscriptionIsItsOwners(t *testing.T) {
	o := &eventhttp.Options{Subscribe: func(r *http.Request, o *stentor.SubscribeOptions) error {
		o.User, o.Session = r.Header.Get("X-User"), r.Header.Get("X-Session")
		return nil
	}}
	ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
		hub, srv := serve(t, p, nil, o)
		owners := []string{"X-User: anna", "X-User: bert", "X-Session: s1", "X-Session: s2", "X-Nothing: 1"}
		ids := make([]string, len(owners))
		for i, owner := range owners {
			ids[i] = opened(t, srv.Open(t, "/events?channel=a", owner))
		}
		_, unknown := srv.Do(t, "DELETE", "/subscriptions/AAAAAAAAAAAAAAAAAAAAAAAAAA", "", owners[0])
		for i, id := range ids {
			for j, caller := range owners {
				resp, body := srv.Do(t, "POST", "/subscriptions/"+id, `{"join":["b"]}`, jsonType, caller)
				switch {
				case i == j && resp.StatusCode != 200:
					t.Errorf("the owner %s: %d %s", caller, resp.StatusCode, body)
				case i != j && (resp.StatusCode != 404 || body != unknown):
					t.Errorf("%s on the subscription of %s: %d %s, want %s", caller, owners[i], resp.StatusCode, body, unknown)
				}
				if i == j {
					continue
				}
				if resp, body := srv.Do(t, "DELETE", "/subscriptions/"+id, "", caller); resp.StatusCode != 404 || body != unknown {
					t.Errorf("%s ends the subscription of %s: %d %s", caller, owners[i], resp.StatusCode, body)
				}
			}
			if hub.Subscription(id) == nil {
				t.Errorf("the subscription of %s is gone", owners[i])
			}
		}
	})
}

func TestChangeAsksTheHook(t *testing.T) {
	o := &eventhttp.Options{Subscribe: func(r *http.Request, o *stentor.SubscribeOptions) error {
		if slices.Contains(o.Channels, "secret") {
			return &stentor.Refusal{Status: 403, Detail: "not this channel"}
		}
		o.Channels = slices.DeleteFunc(o.Channels, func(c stentor.Channel) bool { return c == "quiet" })
		return nil
	}}
	ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
		_, srv := serve(t, p, nil, o)
		id := opened(t, srv.Open(t, "/events?channel=a"))
		resp, body := srv.Do(t, "POST", "/subscriptions/"+id, `{"join":["secret"]}`, jsonType)
		refused(t, resp, body, 403, "not this channel")
		if _, body := srv.Do(t, "POST", "/subscriptions/"+id, `{"join":["quiet","b"]}`, jsonType); body != `{"channels":["a","b"]}`+"\n" {
			t.Errorf("answer %s, want what the hook left", body)
		}
	})
}

// One that comes back as it came is on the channels that it has joined since, and is told so.
func TestChangedChannelsAreTold(t *testing.T) {
	ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
		_, srv := serve(t, p, nil, open())
		s := srv.Open(t, "/events?channel=a&session=s")
		id := opened(t, s)
		srv.Do(t, "POST", "/subscriptions/"+id+"?session=s", `{"join":["b"]}`, jsonType)
		cursor := s.LastEventID()
		s.Close()
		synctest.Wait()
		e := srv.Open(t, "/events?channel=a&session=s", "Last-Event-ID: "+cursor).Next(t)
		if !strings.HasSuffix(e.Data, `","channels":["a","b"]}`) {
			t.Errorf("it is told %s", e.Data)
		}
	})
}

func TestPresenceEvents(t *testing.T) {
	o := &eventhttp.Options{Subscribe: func(r *http.Request, o *stentor.SubscribeOptions) error {
		if err := eventhttp.QuerySubscribe(r, o); err != nil {
			return err
		}
		if o.User == "bert" {
			o.DisplayName, o.Meta = "Bert <b>", map[string]string{"mood": "fine"}
		}
		return nil
	}}
	ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
		hub, srv := serve(t, p, nil, o)
		quiet := srv.Open(t, "/events?channel=a&user=carl")
		opened(t, quiet)
		s := srv.Open(t, "/events?channel=a&user=anna&presence=true")
		me := s.Next(t)
		if m := regexp.MustCompile(`^{"subscription":"\w+","member":{"user":"anna","name":"anna","meta":{}}}$`); !m.MatchString(me.Data) {
			t.Errorf("%s %s doesn't say who has opened it", me.Type, me.Data)
		}
		want(t, s, sse.Event{Type: "stentor.join", Data: `{"channel":"a","user":"anna","name":"anna","meta":{}}`})

		bert := `"user":"bert","name":"Bert \u003cb\u003e","meta":{"mood":"fine"}}`
		one := srv.Open(t, "/events?channel=a&user=bert")
		id := opened(t, one)
		want(t, s, sse.Event{Type: "stentor.join", Data: `{"channel":"a",` + bert})
		two := srv.Open(t, "/events?channel=b&user=bert") // another tab, elsewhere
		other := opened(t, two)
		srv.Do(t, "POST", "/subscriptions/"+other+"?user=bert", `{"join":["a"]}`, jsonType) // bert is there already
		hub.Subscription(id).SetMeta("mood", "great")
		great := strings.Replace(bert, "fine", "great", 1)
		want(t, s, sse.Event{Type: "stentor.update", Data: `{"channel":"a",` + great})
		srv.Do(t, "DELETE", "/subscriptions/"+id+"?user=bert", "") // the other tab is left
		synctest.Wait()
		srv.Do(t, "POST", "/subscriptions/"+other+"?user=bert", `{"leave":["a"]}`, jsonType)
		want(t, s, sse.Event{Type: "stentor.leave", Data: `{"channel":"a",` + bert})

		synctest.Wait()
		if n := len(quiet.Events()); n != 1 {
			t.Errorf("who did not ask for presence got %d events: %+v", n, quiet.Events())
		}
		if strings.Contains(s.Raw(), id) || strings.Contains(s.Raw(), other) {
			t.Error("a presence event holds the id of another subscription")
		}
	})
}

func TestPresenceList(t *testing.T) {
	ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
		_, srv := serve(t, p, nil, open())
		ids := []string{
			opened(t, srv.Open(t, "/events?channel=a&user=anna")),
			opened(t, srv.Open(t, "/events?channel=a&user=bert")),
			opened(t, srv.Open(t, "/events?channel=a&channel=b&user=anna")),
		}
		resp, body := srv.Do(t, "GET", "/presence?channel=a", "")
		wanted := `{"channel":"a","members":[{"user":"anna","name":"anna","meta":{},"count":2},` +
			`{"user":"bert","name":"bert","meta":{},"count":1}]}` + "\n"
		if resp.StatusCode != 200 || body != wanted {
			t.Errorf("got %d %s, want %s", resp.StatusCode, body, wanted)
		}
		for _, id := range ids {
			if strings.Contains(body, id) {
				t.Error("the list holds the id of a subscription")
			}
		}
		if _, body := srv.Do(t, "GET", "/presence?channel=empty", ""); body != `{"channel":"empty","members":[]}`+"\n" {
			t.Errorf("nobody: %s", body)
		}
		for query, detail := range map[string]string{
			"": "name one channel", "?channel=a&channel=b": "name one channel", "?channel=a,b": "leave out", "?channel=%zz": "query",
		} {
			resp, body := srv.Do(t, "GET", "/presence"+query, "")
			refused(t, resp, body, 400, detail)
		}
	})
}
