package eventhttp_test

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/stentor-sse/stentor"
	"github.com/stentor-sse/stentor/eventhttp"
	"github.com/stentor-sse/stentor/sse"
	"github.com/stentor-sse/stentor/ssetest"
)

// L-11, L-29, L-30: who a request is from is asked for each stream, after Accept and before anything is
// sent; unauthenticated is 401 with a challenge, forbidden 403.
func TestLibAuthorization(t *testing.T) {
	var asked notes
	o := &eventhttp.Options{Subscribe: func(r *http.Request, o *stentor.SubscribeOptions) error {
		asked.add("%s", r.Header.Get("Authorization"))
		switch r.Header.Get("Authorization") {
		case "":
			return &stentor.Refusal{Status: http.StatusUnauthorized, Detail: "sign in"}
		case "Bearer guest":
			return &stentor.Refusal{Status: http.StatusForbidden, Detail: "members only"}
		}
		o.User, o.Authenticated = "anna", true
		return nil
	}}
	ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
		hub, srv := serve(t, p, nil, o)
		resp, _ := srv.Do(t, "GET", "/events?channel=a", "", "Accept: text/html")
		if resp.StatusCode != 406 {
			t.Errorf("not acceptable: %d", resp.StatusCode)
		}
		asked.is(t, "asked before Accept was read")
		resp, body := srv.Do(t, "GET", "/events?channel=a", "")
		refused(t, resp, body, 401, "sign in")
		if resp.Header.Get("WWW-Authenticate") == "" {
			t.Error("401 without a challenge")
		}
		resp, body = srv.Do(t, "GET", "/events?channel=a", "", "Authorization: Bearer guest")
		refused(t, resp, body, 403, "members only")
		if n := hub.Stats().Subscribed; n != 0 {
			t.Errorf("%d subscribed", n)
		}
		_, sub := member(t, hub, srv, "/events?channel=a", "Authorization: Bearer anna")
		if m := sub.Member(); m.User != "anna" || !m.Authenticated || m.Anonymous() {
			t.Errorf("member %+v, want anna", m)
		}
		asked.is(t, "asked", "", "Bearer guest", "Bearer anna")
	})
}

// L-31: without a function everyone is anonymous, and nothing of the request is believed. What is
// checked at connect can be taken back while the stream is open.
func TestLibAuthorizationIsOptionalAndCanEnd(t *testing.T) {
	ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
		hub, srv := serve(t, p, nil, nil)
		_, sub := member(t, hub, srv, "/events?channel=a&user=admin&key=k&session=s", "Authorization: Bearer admin")
		if m := sub.Member(); !m.Anonymous() || sub.Key() != "" || sub.Session() == "s" {
			t.Errorf("%+v with key %q and session %q, want somebody anonymous", m, sub.Key(), sub.Session())
		}
		hub, srv = serve(t, p, nil, byUser())
		s, _ := member(t, hub, srv, "/events?channel=a&user=anna")
		other, _ := member(t, hub, srv, "/events?channel=a&user=bert")
		if n := hub.Drop(stentor.Target{User: "anna"}, &stentor.Refusal{Status: 401, Detail: "signed out"}); n != 1 {
			t.Errorf("%d dropped", n)
		}
		s.Wait(t)
		synctest.Wait()
		if other.Ended() {
			t.Error("bert's stream ended too")
		}
	})
}

// L-32, §8: typed values of the server, safe for any goroutine, that end with the connection.
func TestLibProperties(t *testing.T) {
	visits := stentor.NewProperty[int]("visits")
	claims := stentor.NewProperty[map[string]string]("claims")
	namesake := stentor.NewProperty[string]("visits")
	o := &eventhttp.Options{Subscribe: func(r *http.Request, o *stentor.SubscribeOptions) error {
		claims.Preset(o, map[string]string{"role": r.Header.Get("X-Role")}) // L-34, User: what the request proved
		o.Key = "k"
		return nil
	}}
	ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
		hub, srv := serve(t, p, nil, o)
		s, sub := member(t, hub, srv, "/events?channel=a", "X-Role: editor")
		t.Log("SetProperty without overwrite")
		if !visits.Add(sub, 1) || visits.Add(sub, 2) {
			t.Error("Add: true and false are wanted")
		}
		if v, ok := visits.Get(sub); v != 1 || !ok {
			t.Errorf("after Add: %d, %v", v, ok)
		}
		t.Log("SetProperty with overwrite")
		visits.Set(sub, 3)
		t.Log("GetProperty of what is absent")
		if v, ok := namesake.Get(sub); v != "" || ok {
			t.Errorf("a namesake has %q, %v", v, ok)
		}
		t.Log("RemoveProperty")
		if v, ok := visits.Delete(sub); v != 3 || !ok {
			t.Errorf("Delete: %d, %v", v, ok)
		}
		if v, ok := visits.Delete(sub); v != 0 || ok {
			t.Errorf("Delete of nothing: %d, %v", v, ok)
		}
		var together sync.WaitGroup
		var mu sync.Mutex
		first := 0
		for i := range 50 {
			together.Go(func() {
				if visits.Add(sub, i) {
					mu.Lock()
					first++
					mu.Unlock()
				}
			})
		}
		together.Wait()
		if first != 1 {
			t.Errorf("%d of 50 were the first", first)
		}
		if c, _ := claims.Get(sub); c["role"] != "editor" {
			t.Errorf("claims %v", c)
		}
		s.Close()
		synctest.Wait()
		_, again := member(t, hub, srv, "/events?channel=a")
		if _, ok := visits.Get(again); ok {
			t.Error("a value outlived its connection")
		}
	})
}

// L-33, L-44, L-50: what has ended can't be sent to, nor put on a channel: an error says why, and
// nothing is left.
func TestLibEndedSubscription(t *testing.T) {
	ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
		hub, srv := serve(t, p, &stentor.Options{Linger: -1}, nil)
		s, sub := member(t, hub, srv, "/events?channel=a")
		if sub.Cause() != nil { // IsConnected
			t.Errorf("connected, with cause %v", sub.Cause())
		}
		s.Close()
		synctest.Wait()
		if sub.Cause() == nil {
			t.Error("no cause, but the reader has gone")
		}
		if _, err := sub.Publish(context.Background(), stentor.Message{Data: "x"}); !errors.Is(err, stentor.ErrUnknown) {
			t.Errorf("a message to it: %v", err)
		}
		if _, err := sub.Join(context.Background(), "late"); !errors.Is(err, stentor.ErrGone) {
			t.Errorf("joining: %v", err)
		}
		if len(hub.Channels()) != 0 || hub.Count(stentor.Target{Channel: "late"}) != 0 {
			t.Errorf("channels %v", hub.Channels())
		}
	})
}

// L-34, §8, §9.3: what there is on a subscription that Lib's client has not.
func TestLibSubscriptionKnowsMore(t *testing.T) {
	o := &eventhttp.Options{
		Subscribe: func(_ *http.Request, o *stentor.SubscribeOptions) error { o.Key = "k"; return nil },
		Address:   func(r *http.Request) string { return r.Header.Get("X-Real-IP") },
	}
	ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
		hub, srv := serve(t, p, nil, o)
		s, sub := member(t, hub, srv, "/events?channel=b&channel=a", "Last-Event-ID: 0", "X-Real-IP: 192.0.2.7")
		publish(t, hub, to("a", "x"))
		synctest.Wait()
		sent := sub.Sent()
		if sub.Created().IsZero() || sub.Cursor() != "0" || sub.Address() != "192.0.2.7" || sent.Messages != 1 || int(sent.Bytes) != len(s.Raw()) {
			t.Errorf("created %v, cursor %q, from %q, sent %+v of %d bytes", sub.Created(), sub.Cursor(), sub.Address(), sent, len(s.Raw()))
		}
		if got := sub.Channels(); !slices.Equal(got, []stentor.Channel{"b", "a"}) {
			t.Errorf("channels %v", got)
		}
	})
}

// L-46, L-47, L-51, §9.4: groups are channels: made by using them, several a client, gone with it;
// what a change did is told.
func TestLibGroups(t *testing.T) {
	ctx := context.Background()
	type result struct {
		joined, opened, left, vanished int
	}
	of := func(c stentor.Changed, err error) (result, error) {
		return result{len(c.Joined), len(c.Opened), len(c.Left), len(c.Vanished)}, err
	}
	ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
		hub, srv := serve(t, p, &stentor.Options{Linger: -1}, byUser())
		a, anna := member(t, hub, srv, "/events?user=anna")
		b, bert := member(t, hub, srv, "/events?user=bert")
		for _, row := range []struct {
			name string
			do   func() (stentor.Changed, error)
			want result
		}{
			{"AddedToNewGroup", func() (stentor.Changed, error) { return anna.Join(ctx, "g") }, result{joined: 1, opened: 1}},
			{"AddedToExistingGroup", func() (stentor.Changed, error) { return bert.Join(ctx, "g") }, result{joined: 1}},
			{"AddedToExistingGroup: it was in it", func() (stentor.Changed, error) { return bert.Join(ctx, "g") }, result{}},
			{"NotFoundGroup", func() (stentor.Changed, error) { return anna.Leave(ctx, "nowhere") }, result{}},
			{"RemovedFromExistingGroup", func() (stentor.Changed, error) { return bert.Leave(ctx, "g") }, result{left: 1}},
			{"NotInGroup", func() (stentor.Changed, error) { return bert.Leave(ctx, "g") }, result{}},
			{"the last one leaves", func() (stentor.Changed, error) { return anna.Leave(ctx, "g") }, result{left: 1, vanished: 1}},
			{"several at once", func() (stentor.Changed, error) { return anna.Join(ctx, "g", "G", "h") }, result{joined: 3, opened: 3}},
			{"from some to others", func() (stentor.Changed, error) {
				return anna.Change(ctx, []stentor.Channel{"G"}, []stentor.Channel{"i"})
			}, result{joined: 1, opened: 1, left: 1, vanished: 1}},
		} {
			if got, err := of(row.do()); got != row.want || err != nil {
				t.Errorf("%s: %+v, %v; want %+v", row.name, got, err, row.want)
			}
		}
		// L-52: the names, and a client's.
		if got := hub.Channels(); !slices.Equal(got, []stentor.Channel{"g", "h", "i"}) {
			t.Errorf("channels %v", got)
		}
		if got := anna.Channels(); !slices.Equal(got, []stentor.Channel{"g", "h", "i"}) {
			t.Errorf("hers %v", got)
		}
		publish(t, hub, to("g", "for the group"))
		if got := data(a); !slices.Equal(got, []string{"for the group"}) || len(data(b)) != 0 {
			t.Errorf("anna got %q, bert %q", got, data(b))
		}
		// L-48, L-49: it leaves them all, and they are gone.
		a.Close()
		synctest.Wait()
		if got := hub.Channels(); len(got) != 0 {
			t.Errorf("channels %v when the last has gone", got)
		}
	})
}

// L-49: names that were used once leave nothing behind.
func TestLibEmptyGroupsVanish(t *testing.T) {
	ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
		hub, srv := serve(t, p, nil, nil)
		_, sub := member(t, hub, srv, "/events?channel=a")
		name := []byte("00000")
		for range 1000 {
			for i := 4; i >= 0; i-- {
				if name[i]++; name[i] <= '9' {
					break
				}
				name[i] = '0'
			}
			if c, err := sub.Join(t.Context(), stentor.Channel(name)); err != nil || len(c.Opened) != 1 {
				t.Fatal(c, err)
			}
			if c, err := sub.Leave(t.Context(), stentor.Channel(name)); err != nil || len(c.Vanished) != 1 {
				t.Fatal(c, err)
			}
		}
		if got := hub.Channels(); !slices.Equal(got, []stentor.Channel{"a"}) || hub.Stats().Channels != 1 {
			t.Errorf("channels %v", got)
		}
	})
}

// L-47: in a group again after a reconnect, by the hook; a browser that takes its place again
// is on the channels it had joined.
func TestLibMembershipIsRestored(t *testing.T) {
	ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
		hub, srv := serve(t, p, nil, keyed())
		s, sub := member(t, hub, srv, "/events?channel=a")
		have := cookie(t, s.Response)
		if _, err := sub.Join(t.Context(), "later"); err != nil {
			t.Fatal(err)
		}
		id := s.LastEventID()
		s.Close()
		synctest.Wait()
		missed := publish(t, hub, to("later", "missed"))
		s, sub = member(t, hub, srv, "/events?channel=a", have, "Last-Event-ID: "+id)
		if got := sub.Channels(); !slices.Equal(got, []stentor.Channel{"a", "later"}) {
			t.Errorf("channels %v", got)
		}
		want(t, s, sse.Event{ID: missed.String(), Data: "missed"})
	})
}

// §9.3: one by its id or key, all, those of a group; each a snapshot.
func TestLibLookup(t *testing.T) {
	ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
		hub, srv := serve(t, p, nil, byUser())
		_, anna := member(t, hub, srv, "/events?channel=g&key=ka")
		_, bert := member(t, hub, srv, "/events?channel=g&channel=h&key=kb")
		if hub.Subscription(anna.ID()) != anna || hub.Holder("kb") != bert {
			t.Error("one by its id, or by its key, is another")
		}
		if hub.Subscription("nobody") != nil || hub.Holder("nobody") != nil {
			t.Error("somebody is there by an unknown id or key")
		}
		for target, n := range map[stentor.Target]int{
			{}: 2, {Channel: "g"}: 2, {Channel: "h"}: 1, {Channel: "nowhere"}: 0, {Channel: "h", Key: "ka"}: 0,
		} {
			got := slices.Collect(hub.Subscriptions(target))
			if len(got) != n || hub.Count(target) != n {
				t.Errorf("%+v: %d and a count of %d, want %d", target, len(got), hub.Count(target), n)
			}
		}
		for s := range hub.Subscriptions(stentor.Target{}) { // while it changes
			s.Close(nil)
		}
		if n := hub.Count(stentor.Target{}); n != 0 {
			t.Errorf("%d are left", n)
		}
	})
}

// L-51: joins, leaves, sends and ends at the same time leave neither a name nor a member behind.
func TestLibConcurrentGroups(t *testing.T) {
	ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
		hub, srv := serve(t, p, &stentor.Options{Linger: -1}, nil)
		groups := []stentor.Channel{"a", "b", "c", "d"}
		var all sync.WaitGroup
		for i := range 20 {
			_, sub := member(t, hub, srv, "/events?channel=a")
			all.Go(func() {
				for j := range 50 {
					ch := groups[(i+j)%len(groups)]
					if _, err := sub.Join(t.Context(), ch); err != nil && sub.Cause() == nil {
						t.Error(err)
					}
					if _, err := hub.Publish(t.Context(), to(ch, "x")); err != nil {
						t.Error(err)
					}
					if _, err := sub.Leave(t.Context(), groups[(i*j)%len(groups)]); err != nil && sub.Cause() == nil {
						t.Error(err)
					}
				}
			})
			if i%2 == 0 {
				all.Go(func() { sub.Close(nil) })
			}
		}
		all.Wait()
		hub.Drop(stentor.Target{}, nil)
		synctest.Wait()
		if got := hub.Channels(); len(got) != 0 || hub.Count(stentor.Target{}) != 0 || hub.Stats().Subscriptions != 0 {
			t.Errorf("left over: %v, %+v", got, hub.Stats())
		}
	})
}
