package chat_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/stentor-sse/stentor/sse"
	"github.com/stentor-sse/stentor/ssetest"
)

// window is one of a client of the plain face, as the page is.
type window struct {
	*ssetest.Recorder
	t    *testing.T
	id   string
	user string
	name string
	meta map[string]string
}

// watch opens a stream of the plain face, as the page does.
func (s *site) watch(query string, header ...string) *window {
	s.t.Helper()
	w := &window{Recorder: s.srv.Open(s.t, "/events?presence=true&named=true&"+query, header...), t: s.t}
	var open struct {
		Subscription string
		Member       struct {
			User, Name string
			Meta       map[string]string
		}
	}
	decode(s.t, w.Next(s.t).Data, &open)
	w.id, w.user, w.name, w.meta = open.Subscription, open.Member.User, open.Member.Name, open.Member.Meta
	synctest.Wait() // its joins are told
	return w
}

// got is what has come that is not the server's own: "channel@type data".
func (w *window) got() []string {
	w.t.Helper()
	synctest.Wait()
	var out []string
	for _, e := range w.Events() {
		if !strings.HasPrefix(e.Type, "stentor.") {
			out = append(out, spelled(e))
		}
	}
	return out
}

func spelled(e sse.Event) string { return e.Channel + "@" + e.Type + " " + e.Data }

// What a client of one face says, those of the other hear, on the same channel and as the same message.
func TestFacesTalk(t *testing.T) {
	ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
		s := newSite(t, p, nil)
		old, page, away := s.join("home"), s.watch("channel=home&channel=news"), s.watch("channel=away")
		said := s.say(old, "home", "from one")
		answer := s.call(200, "PostChatToChannel", map[string]any{"from": page.id, "channel": "home", "message": "from the other"})
		if got := texts(old.messages()); got != "from one|from the other" {
			t.Errorf("the ServiceStack client got %s", got)
		}
		text, err := json.Marshal(said)
		if err != nil {
			t.Fatal(err)
		}
		for i, want := range []string{string(text), answer} {
			var got, sent message
			channel, data, _ := strings.Cut(page.got()[i], "@chat ")
			decode(t, data, &got)
			decode(t, want, &sent)
			if channel != "home" || got.ID != sent.ID || got.Message != sent.Message || got.FromUserID != sent.FromUserID || got.ProfileURL == "" {
				t.Errorf("message %d: %s, want %s", i, page.got()[i], want)
			}
		}
		private := map[string]any{"from": page.id, "channel": "home", "message": "for you", "toUserId": old.userID}
		s.call(200, "PostChatToChannel", private)
		private["from"], private["toUserId"] = old.id, page.user
		s.call(200, "PostChatToChannel", private)
		if got := texts(old.messages()); got != "from one|from the other|for you|for you" {
			t.Errorf("with private ones the ServiceStack client got %s", got)
		}
		if got := page.got()[2:]; len(got) != 2 || !strings.HasPrefix(got[0], "@chat ") || !strings.HasPrefix(got[1], "@chat ") {
			t.Errorf("of no channel the page got %q", got)
		}
		for _, raw := range []map[string]any{
			{"selector": "cmd.announce", "message": "42"}, {"selector": "css.color$#top", "message": "red"}, {"selector": "cmd.toggle$#channels"},
		} {
			raw["from"], raw["channel"] = page.id, "news"
			s.call(204, "PostRawToChannel", raw)
		}
		s.call(204, "PostObjectToChannel", map[string]any{"channel": "home", "selector": "trigger.x", "customType": map[string]any{"id": 1, "name": "a"}})
		want := []string{"news@announce 42", "news@css.color$#top red", "news@toggle$#channels null", `home@trigger.x {"id":1,"name":"a"}`}
		if got := page.got()[4:]; !slices.Equal(got, want) {
			t.Errorf("the page got %q", got)
		}
		if got := away.got(); len(got) != 0 {
			t.Errorf("elsewhere came %q", got)
		}
	})
}

// Who is on a channel is told to the clients of either face.
func TestFacesSeeEachOther(t *testing.T) {
	ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
		s := newSite(t, p, byName())
		page, old := s.watch("channel=home"), s.join("home")
		if page.name == old.me || page.user == old.userID {
			t.Errorf("both are %q", page.name)
		}
		for what, told := range map[string]string{"the join": page.Events()[2].Data, "the list": s.read("/presence?channel=home")} {
			if !strings.Contains(told, `"user":"`+old.userID+`"`) || !strings.Contains(told, old.info["profileUrl"]) {
				t.Errorf("%s says %s", what, told)
			}
		}
		if list := s.read("/event-subscribers?channels=home"); !strings.Contains(list, `"userId":"`+page.user+`"`) || !strings.Contains(list, page.meta["profileUrl"]) {
			t.Errorf("listed %s", list)
		}
	})
}

// TestSignedInWindow: the page learns who it is, and that it has signed in, when its stream opens; everybody else does
// too.
func TestSignedInWindow(t *testing.T) {
	ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
		s := newSite(t, p, byName())
		cookie := s.signIn("Ada")
		nobody, ada := s.watch("channel=home"), s.watch("channel=home", cookie)
		if ada.user != "ada" || ada.name != "Ada" || ada.meta["isAuthenticated"] != "true" || drawn(t, ada.meta["profileUrl"]) == "" {
			t.Errorf("signed in as %q %q %q", ada.user, ada.name, ada.meta)
		}
		if nobody.meta["isAuthenticated"] != "" {
			t.Errorf("somebody else is %q", nobody.meta)
		}
		if told := spelled(nobody.Events()[2]); !strings.Contains(told, `"isAuthenticated":"true"`) {
			t.Errorf("told %s", told)
		}
		if in := s.join("home", cookie); in.userID != ada.user || in.info["isAuthenticated"] != "true" {
			t.Errorf("a ServiceStack client is %q", in.info)
		}
	})
}

// read is the answer to a GET.
func (s *site) read(path string) string {
	s.t.Helper()
	_, text := s.srv.Do(s.t, "GET", path, "")
	return text
}
