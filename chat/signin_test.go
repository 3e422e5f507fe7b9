package chat_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stentor-sse/stentor"
	"github.com/stentor-sse/stentor/chat"
	"github.com/stentor-sse/stentor/ssetest"
)

func byName() *chat.Options { return &chat.Options{SignIn: []chat.Provider{chat.ByName{}}} }

// accountOf is what /account answers to who has a cookie.
func (s *site) accountOf(want int, header ...string) map[string]string {
	s.t.Helper()
	resp, text := s.srv.Do(s.t, http.MethodGet, "/account", "", header...)
	if resp.StatusCode != want {
		s.t.Fatalf("/account: %d %s, want %d", resp.StatusCode, text, want)
	}
	var m map[string]string
	if want == http.StatusOK {
		decode(s.t, text, &m)
	} else if !strings.HasPrefix(text, `{"responseStatus":{"errorCode":"Unauthorized"`) {
		s.t.Errorf("/account: no envelope: %s", text)
	}
	return m
}

// S-32: /account tells who has signed in; a 401 envelope otherwise.
func TestAccount(t *testing.T) {
	ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
		s := newSite(t, p, byName())
		s.accountOf(401)
		ada := s.signIn("Ada  Lovelace")
		m := s.accountOf(200, ada)
		for name, want := range map[string]string{
			"provider": "name", "userId": "ada lovelace", "userName": "ada lovelace", "displayName": "Ada Lovelace",
		} {
			if m[name] != want {
				t.Errorf("%s: %q, want %q", name, m[name], want)
			}
		}
		if !strings.HasPrefix(m["profileUrl"], "data:image/svg+xml") {
			t.Errorf("picture %q", m["profileUrl"])
		}
		for _, path := range []string{"/api/GetUserDetails", "/json/reply/GetUserDetails"} {
			if text := s.post(200, path, "", ada); !strings.Contains(text, `"userId":"ada lovelace"`) {
				t.Errorf("%s: %s", path, text)
			}
		}
		for _, cookie := range []string{"chat-session=", "chat-session=" + strings.Repeat("A", 26), "chat-session=ada", "ss-id=" + ada} {
			s.accountOf(401, "Cookie: "+cookie)
		}
	})
}

// S-32: who has signed in is that user on the stream, in messages and to others.
func TestSignedInSubscriber(t *testing.T) {
	ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
		s := newSite(t, p, byName())
		other := s.join("home")
		ada := s.join("home", s.signIn("Ada"))
		if ada.userID != "ada" || ada.me != "Ada" || ada.info["isAuthenticated"] != "true" || other.info["isAuthenticated"] != "false" {
			t.Errorf("connected as %v, beside %v", ada.info, other.info)
		}
		m := s.say(ada, "home", "hello")
		if m.FromUserID != "ada" || m.FromName != "Ada" || m.UserAuthID == nil || *m.UserAuthID != "ada" {
			t.Errorf("said %+v", m)
		}
		receipt, err := s.hub.Publish(t.Context(), stentor.Message{Target: stentor.Target{UserName: "ada"}, Data: "x"})
		if err != nil || receipt.Matched != 1 {
			t.Errorf("to the user name: %+v, %v", receipt, err)
		}
	})
}

// Where the application says who subscribers are, a session's picture is only its own user's.
func TestPictureIsTheUsers(t *testing.T) {
	ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
		s := newSite(t, p, &chat.Options{SignIn: []chat.Provider{away{}}})
		resp, _ := s.srv.Do(t, "GET", "/auth/away/callback?state=s3cret&code=good", "", "Cookie: state=s3cret")
		r := request()
		r.Header.Set("Cookie", strings.TrimPrefix(cookieOf(t, resp), "Cookie: "))
		for user, own := range map[string]bool{"away:7": true, "another": false} {
			sub, err := s.hub.Subscribe(t.Context(), &stentor.SubscribeOptions{User: user})
			if err != nil {
				t.Fatal(err)
			}
			defer sub.Close(nil)
			if err := s.chat.Prepare(nil, r, sub); err != nil {
				t.Fatal(err)
			}
			if got := sub.Member().Meta["profileUrl"]; (got == "https://id.example/7.png") != own {
				t.Errorf("%s has the picture %s", user, got)
			}
		}
	})
}

// A live subscription stays who it is: a page connects anew after signing in or out.
func TestIdentityIsTakenAtConnect(t *testing.T) {
	ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
		s := newSite(t, p, byName())
		const browser = "Cookie: ss-id=" + "AAAAAAAAAAAAAAAAAAAAAAAAAA"
		before := s.join("home", browser)
		cookie := s.signIn("Ada", browser)
		if m := s.say(before, "home", "still me"); m.FromUserID != before.userID {
			t.Errorf("said as %q", m.FromUserID)
		}
		before.Close()
		synctest.Wait()
		after := s.join("home", browser+"; "+strings.TrimPrefix(cookie, "Cookie: "))
		if after.userID != "ada" {
			t.Errorf("connected as %q", after.userID)
		}
		s.post(303, "/auth/logout", "", cookie)
		if m := s.say(after, "home", "still Ada"); m.FromUserID != "ada" {
			t.Errorf("said as %q", m.FromUserID)
		}
		after.Close()
		synctest.Wait()
		if again := s.join("home", browser, cookie); again.userID == "ada" || again.info["isAuthenticated"] != "false" {
			t.Errorf("connected as %v after signing out", again.info)
		}
	})
}

func TestSessionCookie(t *testing.T) {
	for _, row := range []struct {
		publicURL string
		secure    bool
	}{{"", false}, {"http://chat.example", false}, {"https://chat.example", true}} {
		ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
			o := byName()
			o.PublicURL = row.publicURL
			s := newSite(t, p, o)
			resp, _ := s.srv.Do(t, "POST", "/auth/name", "name=Ada", "Content-Type: application/x-www-form-urlencoded")
			c := resp.Cookies()
			if len(c) != 1 || !c[0].HttpOnly || c[0].SameSite != http.SameSiteLaxMode || c[0].Path != "/" || c[0].Domain != "" ||
				c[0].Secure != row.secure || c[0].MaxAge != 0 || len(c[0].Value) != 26 {
				t.Errorf("%q: %+v", row.publicURL, c)
			}
		})
	}
}

// Signing in gives a browser a new token, and that of before is worth nothing any more.
func TestSignInChangesTheToken(t *testing.T) {
	ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
		s := newSite(t, p, byName())
		first := s.signIn("Ada")
		second := s.signIn("Eve", first)
		if first == second {
			t.Errorf("twice %s", first)
		}
		s.accountOf(401, first)
		if m := s.accountOf(200, second); m["userId"] != "eve" {
			t.Errorf("account %v", m)
		}
		if another := s.signIn("Ada"); another == first {
			t.Errorf("twice %s", first)
		}
	})
}

func TestSignOut(t *testing.T) {
	ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
		s := newSite(t, p, byName())
		ada, elsewhere := s.signIn("Ada"), s.signIn("Ada")
		if resp, _ := s.srv.Do(t, "GET", "/auth/logout", "", ada); resp.StatusCode == http.StatusSeeOther {
			t.Error("a link signs out")
		}
		s.accountOf(200, ada)
		resp, _ := s.srv.Do(t, "POST", "/auth/logout", "", ada)
		if c := resp.Cookies(); resp.StatusCode != 303 || resp.Header.Get("Location") != "/" || len(c) != 1 || c[0].MaxAge >= 0 {
			t.Errorf("sign out: %d, %+v", resp.StatusCode, c)
		}
		s.accountOf(401, ada)
		s.accountOf(200, elsewhere)
		s.post(303, "/auth/logout", "", ada) // harmless
	})
}

// TestSessionsEnd: after a day without use, and for whoever was away for longest when there are
// too many.
func TestSessionsEnd(t *testing.T) {
	ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
		s := newSite(t, p, byName())
		used, unused := s.signIn("used"), s.signIn("unused")
		for range 3 {
			time.Sleep(20 * time.Hour)
			s.accountOf(200, used)
		}
		s.accountOf(401, unused)
		time.Sleep(24*time.Hour + time.Second)
		s.accountOf(401, used)
	})
}

func TestSessionsAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hub, err := stentor.New(t.Context(), nil)
		if err != nil {
			t.Fatal(err)
		}
		defer hub.Shutdown(t.Context())
		c := chat.New(hub, byName())
		do := func(method, path, cookie string) *http.Response {
			r, w := httptest.NewRequest(method, path, nil), httptest.NewRecorder()
			r.Header.Set("Cookie", strings.TrimPrefix(cookie, "Cookie: "))
			r.Form = url.Values{"name": {"ada"}}
			r.PostForm = r.Form
			c.ServeHTTP(w, r)
			return w.Result()
		}
		oldest, second := cookieOf(t, do("POST", "/auth/name", "")), cookieOf(t, do("POST", "/auth/name", ""))
		do("GET", "/account", oldest) // used: now the second is away for longer
		for range 9_999 {
			do("POST", "/auth/name", "")
		}
		if a, b := do("GET", "/account", oldest).StatusCode, do("GET", "/account", second).StatusCode; a != 200 || b != 401 {
			t.Errorf("the one that was used: %d, the other: %d", a, b)
		}
	})
}

func TestSignInFromElsewhereIsRefused(t *testing.T) {
	ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
		s := newSite(t, p, byName())
		const form = "Content-Type: application/x-www-form-urlencoded"
		for _, h := range []string{"Sec-Fetch-Site: cross-site", "Origin: https://evil.example"} {
			for _, path := range []string{"/auth/name", "/auth/logout"} {
				resp, _ := s.srv.Do(t, "POST", path, "name=Ada", form, h)
				if resp.StatusCode != 403 || len(resp.Cookies()) != 0 {
					t.Errorf("%s with %s: %d %v", path, h, resp.StatusCode, resp.Cookies())
				}
			}
		}
	})
}

func TestNoSignIn(t *testing.T) {
	ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
		s := newSite(t, p, nil)
		for _, path := range []string{"/auth/name", "/auth/github", "/auth/"} {
			if resp, _ := s.srv.Do(t, "GET", path, ""); resp.StatusCode != 404 {
				t.Errorf("%s: %d", path, resp.StatusCode)
			}
		}
		s.accountOf(401)
	})
}

// away is a provider as OAuth has them: out to another site, and back with a code.
type away struct{}

func (away) Name() string { return "away" }

func (away) Authenticate(w http.ResponseWriter, r *http.Request) (*chat.User, error) {
	const state = "s3cret" // random, in earnest
	if r.URL.Path == "/auth/away" {
		http.SetCookie(w, &http.Cookie{Name: "state", Value: state, Path: "/auth/away/", HttpOnly: true, SameSite: http.SameSiteLaxMode})
		http.Redirect(w, r, "https://id.example/authorize?state="+state, http.StatusFound)
		return nil, nil
	}
	if c, err := r.Cookie("state"); err != nil || c.Value != r.URL.Query().Get("state") {
		return nil, &stentor.Refusal{Status: http.StatusForbidden, Detail: "begin again at /auth/away"}
	}
	switch r.URL.Query().Get("code") {
	case "good":
		return &chat.User{ID: "away:7", DisplayName: "Grace Hopper", Picture: "https://id.example/7.png"}, nil
	case "broken":
		return nil, errors.New("the secret of id.example is wrong")
	}
	return nil, &stentor.Refusal{Status: http.StatusUnauthorized, Detail: "id.example does not know you"}
}

// S-32: /auth/{provider} redirects out; the callback signs in.
func TestProviderElsewhere(t *testing.T) {
	ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
		s := newSite(t, p, &chat.Options{SignIn: []chat.Provider{chat.ByName{}, away{}}})
		resp, _ := s.srv.Do(t, "GET", "/auth/away", "")
		if resp.StatusCode != 302 || resp.Header.Get("Location") != "https://id.example/authorize?state=s3cret" || resp.Header.Get("Cache-Control") != "no-store" {
			t.Errorf("out: %d %v", resp.StatusCode, resp.Header)
		}
		const back, state = "/auth/away/callback?state=s3cret&code=", "Cookie: state=s3cret"
		for _, row := range []struct {
			path, header string
			status       int
		}{
			{back + "good", "Cookie: state=other", 403}, {back + "good", "X: y", 403}, {back + "bad", state, 401}, {back + "broken", state, 500},
		} {
			resp, text := s.srv.Do(t, "GET", row.path, "", row.header)
			if resp.StatusCode != row.status || strings.Contains(text, "secret") || len(resp.Cookies()) != 0 {
				t.Errorf("%s: %d %s", row.path, resp.StatusCode, text)
			}
		}
		resp, _ = s.srv.Do(t, "GET", back+"good", "", state, "Sec-Fetch-Site: cross-site")
		if resp.StatusCode != 303 || resp.Header.Get("Location") != "/" {
			t.Fatalf("back: %d %v", resp.StatusCode, resp.Header)
		}
		cookie := cookieOf(t, resp)
		want := map[string]string{"provider": "away", "userId": "away:7", "displayName": "Grace Hopper", "profileUrl": "https://id.example/7.png"}
		for name, v := range want {
			if got := s.accountOf(200, cookie)[name]; got != v {
				t.Errorf("%s: %q, want %q", name, got, v)
			}
		}
		if u := s.join("home", cookie); u.info["profileUrl"] != "https://id.example/7.png" || u.me != "Grace Hopper" {
			t.Errorf("connected as %v", u.info)
		}
	})
}

func TestProviderNames(t *testing.T) {
	try := func(names ...string) (refused bool) {
		defer func() { refused = recover() != nil }()
		o := &chat.Options{}
		for _, name := range names {
			o.SignIn = append(o.SignIn, named(name))
		}
		hub, err := stentor.New(t.Context(), nil)
		if err != nil {
			t.Fatal(err)
		}
		defer hub.Shutdown(t.Context())
		chat.New(hub, o)
		return false
	}
	for _, bad := range [][]string{{""}, {"logout"}, {"Git"}, {"a/b"}, {"{x}"}, {"a b"}, {"a", "a"}, {strings.Repeat("a", 33)}} {
		if !try(bad...) {
			t.Errorf("%q is taken", bad)
		}
	}
	if try("github", "my-id2") {
		t.Error("good names are refused")
	}
}

type named string

func (n named) Name() string                                                      { return string(n) }
func (named) Authenticate(http.ResponseWriter, *http.Request) (*chat.User, error) { return nil, nil }

// S-32: LimitRemoteControlToAuthenticatedUsers. What acts on others' pages is refused to the
// anonymous, by whichever service.
func TestRemoteControlIsLimited(t *testing.T) {
	ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
		o := byName()
		o.LimitRemoteControl = true
		s := newSite(t, p, o)
		anon, ada, reader := s.join("home"), s.join("home", s.signIn("Ada")), s.join("home")
		object := map[string]any{"id": 1}
		for _, row := range []struct {
			service string
			fields  map[string]any
		}{
			{"PostRawToChannel", map[string]any{"selector": "cmd.announce", "message": "x"}},
			{"PostRawToChannel", map[string]any{"selector": "tv.off", "toUserId": reader.userID}},
			{"PostChatToChannel", map[string]any{"selector": "tv.off", "message": "x"}},
			{"PostChatToChannel", map[string]any{"selector": "cmd.chat$x", "message": "x"}},
			{"PostObjectToChannel", map[string]any{"selector": "cmd.toggle$#channels", "customType": object}},
			{"PostObjectToChannel", map[string]any{"customType": object}},
		} {
			row.fields["channel"] = "home"
			if row.service == "PostObjectToChannel" {
				s.call(403, row.service, row.fields) // names nobody
			}
			row.fields["from"] = anon.id
			if text := s.call(403, row.service, row.fields); !strings.Contains(text, "sign in") || !strings.Contains(text, `"errorCode":"Forbidden"`) {
				t.Errorf("%v: %s", row.fields, text)
			}
			if got := reader.got(); len(got) != 0 {
				t.Errorf("%v: got %q", row.fields, got)
			}
		}
		s.say(anon, "home", "anonymous users still chat")
		s.call(204, "PostRawToChannel", map[string]any{"from": ada.id, "channel": "home", "selector": "cmd.announce", "message": "hi"})
		if got := reader.got(); len(got) != 2 || !slices.Contains(got, `home@cmd.announce "hi"`) {
			t.Errorf("got %q", got)
		}
	})
}
