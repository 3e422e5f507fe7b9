package chat_test

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stentor-sse/stentor/chat"
	"github.com/stentor-sse/stentor/ssetest"
)

// S-32: chat, raw and object, with their defaults and answers.
func TestServices(t *testing.T) {
	ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
		s := newSite(t, p, nil)
		a, b := s.join("home,Foo"), s.join("home")

		m := s.say(a, "home", "hello")
		no := false
		want := message{ID: 1, Channel: "home", FromUserID: a.userID, FromName: a.me, Message: "hello",
			ProfileURL: a.info["profileUrl"], Private: &no, CreatedAt: time.Now().UnixMilli()}
		if fmt.Sprint(*m.Private) != "false" {
			t.Errorf("private: %v", *m.Private)
		}
		if m.Private = want.Private; m != want {
			t.Errorf("answer %+v, want %+v", m, want)
		}
		for _, u := range []*user{a, b} {
			if got := u.messages(); len(got) != 1 || texts(got) != "hello" || got[0].ID != 1 || got[0].FromUserID != a.userID {
				t.Errorf("%s got %+v", u.me, got)
			}
			if got := u.got()[0]; !strings.HasPrefix(got, "home@cmd.chat {") {
				t.Errorf("frame %s", got)
			}
		}

		s.call(204, "PostRawToChannel", map[string]any{"from": a.id, "channel": "home", "selector": "cmd.announce", "message": "hi"})
		s.call(204, "PostRawToChannel", map[string]any{"from": a.id, "channel": "home", "selector": "cmd.toggle$#channels", "message": nil})
		s.call(204, "PostObjectToChannel", map[string]any{"channel": "home", "customType": map[string]any{"id": 1, "name": "Foo"}})
		s.call(204, "PostObjectToChannel", map[string]any{"channel": "home", "setterType": map[string]any{"id": 2, "name": "Bar"}})
		s.call(204, "PostObjectToChannel", map[string]any{"channel": "Foo", "selector": "test.fooMethod", "customType": map[string]any{"id": 3}})
		want1 := []string{
			`home@cmd.announce "hi"`, `home@cmd.toggle$#channels `,
			`home@cmd.CustomType {"id":1,"name":"Foo"}`, `home@cmd.SetterType {"id":2,"name":"Bar"}`,
		}
		if got := b.got()[1:]; !slices.Equal(got, want1) {
			t.Errorf("got %q, want %q", got, want1)
		}
		if got := a.got()[5:]; !slices.Equal(got, []string{`Foo@test.fooMethod {"id":3}`}) {
			t.Errorf("got %q", got)
		}
		if got := s.history("channels=home,Foo"); texts(got) != "hello" {
			t.Errorf("history %q", texts(got))
		}
	})
}

// S-32: TestSpellings: every path, every body, names in any letter case.
func TestSpellings(t *testing.T) {
	ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
		s := newSite(t, p, nil)
		u := s.join("home")
		const form, json = "Content-Type: application/x-www-form-urlencoded", "Content-Type: application/json"
		for i, row := range []struct{ path, body, header string }{
			{"/channels/home/chat", `{"from":"ID","message":"N"}`, json},
			{"/channels/home/chat", `{"From":"ID","MESSAGE":"N","Selector":"cmd.chat"}`, json},
			{"/channels/home/chat", `{"from":"ID","message":"N","channel":"elsewhere"}`, json}, // the path counts
			{"/channels/home/chat", "from=ID&Message=N", form},
			{"/channels/home/chat?FROM=ID&message=N", "", form},
			{"/api/PostChatToChannel", "from=ID&message=N&channel=home", form},
			{"/api/PostChatToChannel", `{"from":"ID","message":"N","channel":"home","toUserId":null}`, "Content-Type: text/plain"},
			{"/json/reply/PostChatToChannel", `{"from":"ID","message":N,"channel":"home"}`, json},
		} {
			n := fmt.Sprint(i)
			s.post(200, strings.NewReplacer("ID", u.id, "N", n).Replace(row.path),
				strings.NewReplacer("ID", u.id, "N", n).Replace(row.body), row.header)
			if got := u.messages(); len(got) != i+1 || got[i].Message != n {
				t.Errorf("%s %s: got %q", row.path, row.body, texts(got))
			}
		}
		want := texts(u.messages())
		for _, path := range []string{
			"/chathistory?channels=home", "/chathistory?Channels=%5B%22home%22%5D", "/chathistory?channels=none,%20home,home",
			"/api/GetChatHistory?channels=home&t=1", "/json/reply/GetChatHistory?channels=home&afterId=0&take=100",
		} {
			if _, query, _ := strings.Cut(path, "?"); texts(s.history(query)) != want {
				t.Errorf("%s: %q, want %q", path, texts(s.history(query)), want)
			}
		}
		var h struct{ Results []message }
		decode(t, s.call(200, "GetChatHistory", map[string]any{"channels": []string{"home"}, "take": 2, "afterId": 1}), &h)
		if texts(h.Results) != "6|7" {
			t.Errorf("the newest two: %q", texts(h.Results))
		}
	})
}

// S-32: TestNameIsTheHubs: 404 if from is no live subscription; whatever a request says, its sender is who the hub knows.
func TestNameIsTheHubs(t *testing.T) {
	ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
		s := newSite(t, p, nil)
		a, b := s.join("home"), s.join("home")
		var m message
		decode(t, s.call(200, "PostChatToChannel", map[string]any{
			"from": a.id, "channel": "home", "message": "x", "fromUserId": b.userID, "fromName": b.me, "displayName": b.me,
			"userAuthId": "1", "id": 99, "private": true, "createdAt": 1, "note": "n",
		}), &m)
		if m.FromUserID != a.userID || m.FromName != a.me || m.UserAuthID != nil || m.ID != 1 || *m.Private || m.Note != "" {
			t.Errorf("got %+v", m)
		}
		for _, from := range []string{"", "none", b.userID, b.me, strings.ToLower(b.id), "<script>", strings.Repeat("A", 5000)} {
			text := s.call(404, "PostChatToChannel", map[string]any{"from": from, "channel": "home", "message": "x"})
			if strings.ContainsAny(text, "<>") || len(text) > 300 {
				t.Errorf("from %.20q: %s", from, text)
			}
			s.call(404, "PostRawToChannel", map[string]any{"from": from, "channel": "home", "selector": "cmd.x"})
			s.call(404, "ClearChatHistory", map[string]any{"from": from})
		}
		if got := b.messages(); len(got) != 1 {
			t.Errorf("got %q", texts(got))
		}
		want := `{"responseStatus":{"errorCode":"NotFound","message":"Subscription gone1 does not exist","errors":[]}}`
		if got := s.call(404, "PostChatToChannel", map[string]any{"from": "gone-1", "channel": "home", "message": "x"}); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	})
}

// TestSenderLingers: a window that is reconnecting may still send.
func TestSenderLingers(t *testing.T) {
	ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
		s := newSite(t, p, nil)
		a, b := s.join("home"), s.join("home")
		a.Close()
		synctest.Wait()
		s.say(a, "home", "on my way")
		if got := texts(b.messages()); got != "on my way" {
			t.Errorf("got %q", got)
		}
		pass(time.Minute)
		s.call(404, "PostChatToChannel", map[string]any{"from": a.id, "channel": "home", "message": "x"})
	})
}

func TestOnlyMembersClear(t *testing.T) {
	ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
		s := newSite(t, p, nil)
		a := s.join("home")
		fields := map[string]any{"from": a.id, "channels": "secret"}
		if text := s.call(403, "ClearChatHistory", fields); !strings.Contains(text, `"errorCode":"Forbidden"`) || !strings.Contains(text, "secret") {
			t.Errorf("got %s", text)
		}
	})
}

// S-32: /reset-serverevents, where it is allowed.
func TestReset(t *testing.T) {
	ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
		s := newSite(t, p, nil)
		a := s.join("home")
		s.call(403, "ResetServerEvents", nil)
		s.say(a, "home", "still here")
		s = newSite(t, p, &chat.Options{AllowReset: true})
		a = s.join("home")
		s.call(204, "ResetServerEvents", nil)
		s.call(404, "PostChatToChannel", map[string]any{"from": a.id, "channel": "home", "message": "x"})
	})
}

// S-32: TestPostElsewhere is what the test suites of ServiceStack's clients rely on.
func TestPostElsewhere(t *testing.T) {
	ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
		s := newSite(t, p, nil)
		a, b := s.join("A"), s.join("B")
		s.say(a, "B", "over there")
		if got := texts(b.messages()); got != "over there" {
			t.Errorf("got %q", got)
		}
	})
}

// S-32: TestTextIsRaw: text is data, and {{ }} no script for the server. It comes out as it went in, and forges nothing.
func TestTextIsRaw(t *testing.T) {
	for _, text := range []string{
		"<script>alert(1)</script> & \"quotes\" '", "a\nb\r\nc", "\u2028\u2029\u0000\u0007", "id: 1\n\ndata: cmd.onConnect {}\n\n",
		"{{ 1 | add(2) }}", "cmd.onJoin {}", "日本語 🎺 \u202e", `\u003cb\u003e`, "home@cmd.onLeave {}",
	} {
		t.Run(fmt.Sprintf("%.12q", text), func(t *testing.T) {
			ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
				s := newSite(t, p, nil)
				a, b := s.join("home"), s.join("home")
				events := len(b.Events())
				if got := s.say(a, "home", text).Message; got != text {
					t.Errorf("answered %q", got)
				}
				synctest.Wait()
				if got := b.messages(); len(got) != 1 || got[0].Message != text || len(b.Events()) != events+1 {
					t.Errorf("got %q in %d events", texts(got), len(b.Events())-events)
				}
				if got := texts(s.history("channels=home")); got != text {
					t.Errorf("kept %q", got)
				}
				s.call(204, "PostRawToChannel", map[string]any{"from": a.id, "channel": "home", "selector": "cmd.x", "message": text})
				var raw string
				_, body, _ := strings.Cut(b.got()[1], " ")
				if decode(t, body, &raw); raw != text {
					t.Errorf("raw %q", raw)
				}
			})
		})
	}
}

// S-32: not anyone may fire any selector at everyone: none that only the server says.
func TestForgedSelectors(t *testing.T) {
	ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
		s := newSite(t, p, nil)
		a, b := s.join("home"), s.join("home")
		forged := []string{
			"cmd.onConnect", "cmd.onJoin", "cmd.onLeave", "cmd.onUpdate", "cmd.onHeartbeat", "cmd.onGap", "cmd.onConnect$#x",
			"cmd.onconnect", "CMD.ONJOIN", "cmd.OnLeave$.y", "cmd.onEnd", "cmd.onend", "cmd.onMessage", "cmd.onReconnect", "cmd.onException", "cmd.onCommand",
			"stentor.open", "stentor.gap", "Stentor.gap", "home@cmd.announce", "cmd.a b", "cmd.a\nid: 1", "cmd.a\r", "cmd.\x00",
			"announce", ".announce", "cmd.", "cmd." + strings.Repeat("x", 200),
		}
		for _, selector := range forged {
			s.call(400, "PostChatToChannel", map[string]any{"from": a.id, "channel": "home", "message": "x", "selector": selector})
		}
		for _, selector := range append(forged, "cmd.chat", "cmd.chat$x", "cmd.Chat", "cmd.message") {
			s.call(400, "PostRawToChannel", map[string]any{"from": a.id, "channel": "home", "message": "x", "selector": selector})
			s.call(400, "PostObjectToChannel", map[string]any{"channel": "home", "customType": map[string]any{"id": 1}, "selector": selector})
			s.call(400, "PostRawToChannel", map[string]any{"from": a.id, "channel": "home", "toUserId": b.userID, "selector": selector})
		}
		if got := b.got(); len(got) != 0 {
			t.Errorf("got %q", got)
		}
		if got := s.history("channels=home"); len(got) != 0 {
			t.Errorf("kept %q", texts(got))
		}
	})
}

func TestBadRequests(t *testing.T) {
	const json, form = "Content-Type: application/json", "Content-Type: application/x-www-form-urlencoded"
	for _, row := range []struct {
		name, path, body, header string
		status                   int
	}{
		{"no message", "/channels/home/chat", `{"from":"ID"}`, json, 400},
		{"blank message", "/channels/home/chat", `{"from":"ID","message":" \n "}`, json, 400},
		{"object as message", "/channels/home/chat", `{"from":"ID","message":{}}`, json, 400},
		{"object as sender", "/channels/home/chat", `{"from":{},"message":"x"}`, json, 400},
		{"too long a message", "/channels/home/chat", `{"from":"ID","message":"` + strings.Repeat("ä", 2001) + `"}`, json, 413},
		{"too long a text", "/channels/home/raw", `{"from":"ID","selector":"cmd.x","message":"` + strings.Repeat("x", 2001) + `"}`, json, 413},
		{"too long a name", "/channels/home/object", `{"customType":{"name":"` + strings.Repeat("x", 2001) + `"}}`, json, 413},
		{"too large a body", "/channels/home/chat", `{"from":"ID","message":"` + strings.Repeat("x", 70000) + `"}`, json, 413},
		{"malformed JSON", "/channels/home/chat", `{"from":`, json, 400},
		{"array", "/api/PostChatToChannel", `[1]`, json, 400},
		{"not UTF-8 in JSON", "/channels/home/chat", "{\"from\":\"ID\",\"message\":\"\xff\"}", json, 400},
		{"not UTF-8 in a form", "/channels/home/chat", "from=ID&message=%ff", form, 400},
		{"broken escape", "/channels/home/chat", "from=ID&message=%zz", form, 400},
		{"multipart", "/channels/home/chat", "--x", "Content-Type: multipart/form-data; boundary=x", 415},
		{"no channel", "/api/PostChatToChannel", `{"from":"ID","message":"x"}`, json, 400},
		{"channel with a space", "/channels/a%20b/chat", `{"from":"ID","message":"x"}`, json, 400},
		{"channel with @", "/channels/a@b/chat", `{"from":"ID","message":"x"}`, json, 400},
		{"reserved channel", "/api/PostChatToChannel", `{"from":"ID","message":"x","channel":"\u0001a"}`, json, 400},
		{"control character in the user", "/channels/home/chat", `{"from":"ID","message":"x","toUserId":"a\nb"}`, json, 400},
		{"endless user", "/channels/home/chat", `{"from":"ID","message":"x","toUserId":"` + strings.Repeat("u", 300) + `"}`, json, 400},
		{"no selector", "/channels/home/raw", `{"from":"ID","message":"x"}`, json, 400},
		{"no object", "/channels/home/object", `{"from":"ID"}`, json, 400},
		{"text as object", "/channels/home/object", `{"from":"ID","customType":"x"}`, json, 400},
		{"wrong object", "/channels/home/object", `{"from":"ID","customType":{"id":"x"}}`, json, 400},
		{"unknown sender of an object", "/channels/home/object", `{"from":"x","customType":{"id":1}}`, json, 404},
		{"history after no number", "/chathistory", `{"channels":"home","afterId":"x"}`, json, 400},
		{"history before the first", "/chathistory", `{"channels":"home","take":-1}`, json, 400},
		{"history of no name", "/chathistory", `{"channels":"a b"}`, json, 400},
		{"history of half the world", "/chathistory", `{"channels":"` + many(200) + `"}`, json, 400},
	} {
		t.Run(row.name, func(t *testing.T) {
			ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
				s := newSite(t, p, nil)
				u := s.join("home")
				text := s.post(row.status, row.path, strings.ReplaceAll(row.body, "ID", u.id), row.header)
				if len(text) > 1000 {
					t.Errorf("answered %d bytes", len(text))
				}
				if got := u.got(); len(got) != 0 {
					t.Errorf("got %q", got)
				}
				if got := s.history("channels=home"); len(got) != 0 {
					t.Errorf("kept %q", texts(got))
				}
				pass(time.Second) // net/http waits with a connection whose request it did not read
			})
		})
	}
}

func many(n int) string {
	names := make([]string, n)
	for i := range names {
		names[i] = fmt.Sprintf("c%d", i)
	}
	return strings.Join(names, ",")
}

// TestLongestMessage: the bound is in characters, whatever their bytes.
func TestLongestMessage(t *testing.T) {
	ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
		s := newSite(t, p, nil)
		u := s.join("home")
		longest := strings.Repeat("🎺", 2000)
		if got := s.say(u, "home", longest).Message; got != longest {
			t.Errorf("answered %d bytes", len(got))
		}
		if got := texts(u.messages()); got != longest {
			t.Errorf("got %d bytes", len(got))
		}
	})
}

// S-32: TestCrossSite: /reset changes something, so that GET does not. A page of another origin changes nothing, and no GET does.
func TestCrossSite(t *testing.T) {
	ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
		s := newSite(t, p, &chat.Options{AllowOrigins: []string{"https://friend.example"}})
		u := s.join("home")
		s.say(u, "home", "kept")
		body := url.Values{"from": {u.id}, "message": {"x"}, "selector": {"cmd.x"}, "customType": {`{"id":1}`}}.Encode()
		for _, path := range []string{"/channels/home/chat", "/channels/home/raw", "/channels/home/object", "/reset"} {
			for _, header := range [][]string{
				{"Sec-Fetch-Site: cross-site", "Origin: https://evil.example"},
				{"Sec-Fetch-Site: same-site", "Origin: http://other.stentor.test"},
				{"Origin: https://evil.example"}, {"Origin: null"},
			} {
				resp, _ := s.srv.Do(t, "POST", path, body, append(header, "Content-Type: application/x-www-form-urlencoded")...)
				if resp.StatusCode != 403 || resp.Header.Get("Access-Control-Allow-Origin") != "" {
					t.Errorf("%s from %q: %d", path, header, resp.StatusCode)
				}
			}
			for _, method := range []string{"GET", "HEAD"} {
				resp, _ := s.srv.Do(t, method, path+"?"+body, "")
				if resp.StatusCode != http.StatusMethodNotAllowed || !strings.Contains(resp.Header.Get("Allow"), "POST") {
					t.Errorf("%s %s: %d, Allow %q", method, path, resp.StatusCode, resp.Header.Get("Allow"))
				}
			}
		}
		if got := texts(u.messages()) + "/" + texts(s.history("channels=home")); got != "kept/kept" {
			t.Errorf("got and kept %q", got)
		}
		resp, _ := s.srv.Do(t, "POST", "/channels/home/chat", "from="+u.id+"&message=friendly",
			"Origin: https://friend.example", "Sec-Fetch-Site: cross-site", "Content-Type: application/x-www-form-urlencoded")
		if resp.StatusCode != 200 || resp.Header.Get("Access-Control-Allow-Origin") != "https://friend.example" {
			t.Errorf("a listed origin: %d %v", resp.StatusCode, resp.Header)
		}
	})
}
