package chat_test

import (
	"slices"
	"testing"

	"github.com/stentor-sse/stentor"
	"github.com/stentor-sse/stentor/ssetest"
)

// S-32: a private message goes to that user and back to the sender as it is, and nowhere else; it is never
// kept. The sender's copy has no prefix that could grow.
func TestPrivate(t *testing.T) {
	ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
		s := newSite(t, p, nil)
		a, b, other, elsewhere := s.join("home"), s.join("home"), s.join("home"), s.join("away")
		for i, text := range []string{"for you", "and again"} {
			s.call(200, "PostChatToChannel", map[string]any{"from": a.id, "channel": "home", "message": text, "toUserId": b.userID})
			for _, u := range []*user{a, b} {
				got := u.messages()
				if len(got) != i+1 {
					t.Fatalf("%s got %q", u.me, texts(got))
				}
				if m := got[i]; m.Message != text || !*m.Private || m.FromUserID != a.userID || m.ToUserID != b.userID || m.ToName != b.me || m.Note != "" {
					t.Errorf("%s got %+v", u.me, m)
				}
			}
		}
		s.call(200, "PostChatToChannel", map[string]any{"from": a.id, "channel": "home", "message": "to self", "toUserId": a.userID})
		if got := texts(a.messages()); got != "for you|and again|to self" {
			t.Errorf("a message to oneself comes once: %q", got)
		}
		s.call(204, "PostRawToChannel", map[string]any{"from": a.id, "channel": "home", "selector": "cmd.announce", "message": "psst", "toUserId": elsewhere.userID})
		if got := elsewhere.got(); !slices.Equal(got, []string{`cmd.announce "psst"`}) {
			t.Errorf("got %q", got)
		}
		if got := other.got(); len(got) != 0 {
			t.Errorf("somebody else got %q", got)
		}
		if got := s.history("channels=home,away"); len(got) != 0 {
			t.Errorf("kept %q", texts(got))
		}
	})
}

// S-32: TestPrivateWindows: however many windows the recipient has, all windows of both users have a private message once.
func TestPrivateWindows(t *testing.T) {
	ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
		s := newSite(t, p, nil)
		window := func(name string) *stentor.Subscription {
			sub, err := s.hub.Subscribe(t.Context(), &stentor.SubscribeOptions{
				Channels: []stentor.Channel{"home"}, User: name, UserName: name, DisplayName: name, Authenticated: true})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { sub.Close(nil) })
			return sub
		}
		a1, a2, b1, b2, b3 := window("ann"), window("ann"), window("bob"), window("bob"), window("bob")
		var m message
		decode(t, s.call(200, "PostChatToChannel", map[string]any{"from": a1.ID(), "channel": "home", "message": "x", "toUserId": "bob"}), &m)
		if m.UserAuthID == nil || *m.UserAuthID != "ann" || m.Note != "" {
			t.Errorf("answered %+v", m)
		}
		s.say(&user{id: a1.ID()}, "home", "end")
		for i, sub := range []*stentor.Subscription{a1, a2, b1, b2, b3} {
			var got []string
			for m, err := range sub.Messages(t.Context()) {
				if err != nil {
					t.Fatal(err)
				}
				var c message
				decode(t, m.Data, &c)
				if got = append(got, c.Message); c.Message == "end" {
					break
				}
			}
			if !slices.Equal(got, []string{"x", "end"}) {
				t.Errorf("window %d got %q", i, got)
			}
		}
	})
}

// S-32: the sender has a copy when the recipient is not there.
func TestPrivateToNobody(t *testing.T) {
	ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
		s := newSite(t, p, nil)
		a, b := s.join("home"), s.join("home")
		s.post(200, "/event-unregister?id="+b.id, "")
		s.call(200, "PostChatToChannel", map[string]any{"from": a.id, "channel": "home", "message": "are you there?", "toUserId": b.userID})
		if got := a.messages(); len(got) != 1 || got[0].Note == "" || got[0].Message != "are you there?" {
			t.Errorf("got %+v", got)
		}
	})
}
