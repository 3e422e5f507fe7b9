package chat_test

import (
	"encoding/xml"
	"fmt"
	"html"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/stentor-sse/stentor"
	"github.com/stentor-sse/stentor/chat"
	"github.com/stentor-sse/stentor/ssetest"
)

func TestNameForm(t *testing.T) {
	ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
		s := newSite(t, p, byName())
		resp, text := s.srv.Do(t, "GET", "/auth/name", "")
		if resp.StatusCode != 200 || resp.Header.Get("Content-Type") != "text/html; charset=utf-8" || resp.Header.Get("Cache-Control") != "no-store" {
			t.Errorf("%d %v", resp.StatusCode, resp.Header)
		}
		csp := resp.Header.Get("Content-Security-Policy")
		for _, want := range []string{"default-src 'none'", "form-action 'self'", "frame-ancestors 'none'", "base-uri 'none'"} {
			if !strings.Contains(csp+";", want+";") {
				t.Errorf("no %s in %s", want, csp)
			}
		}
		if strings.Contains(csp, "script-src") || strings.Contains(csp, "unsafe") || resp.Header.Get("X-Frame-Options") != "DENY" {
			t.Errorf("policy %s", csp)
		}
		for _, want := range []string{`<form method="post" action="/auth/name">`, `<label for="name">`, `maxlength="32"`} {
			if !strings.Contains(text, want) {
				t.Errorf("no %s in the form", want)
			}
		}
		if strings.Contains(text, "role=\"alert\"") {
			t.Error("something is wrong before anything was typed")
		}
		for _, path := range []string{"/auth/name/callback", "/auth/name/"} {
			if resp, _ := s.srv.Do(t, "GET", path, ""); resp.StatusCode != 404 {
				t.Errorf("%s: %d", path, resp.StatusCode)
			}
		}
	})
}

func TestNamesThatAreRefused(t *testing.T) {
	rows := []string{
		"", "   ", "me", "ME", "user1", "User12", "user٣" + "\u202e", "-5", ".ada", "'", "\u0301x", "a@b", "a/b", "a,b", "a<b>", "#home",
		"a\u202eb", "a\u2066b", "a\u0000b", "a\u200bb", "\u200d", strings.Repeat("x", 33), "\xff\xfe", `"><script>alert(1)</script>`, "{{.Max}}",
	}
	ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
		s := newSite(t, p, byName())
		for _, name := range rows {
			resp, text := s.srv.Do(t, "POST", "/auth/name", url.Values{"name": {name}}.Encode(), "Content-Type: application/x-www-form-urlencoded")
			if resp.StatusCode != 400 || len(resp.Cookies()) != 0 {
				t.Errorf("%q: %d, %v", name, resp.StatusCode, resp.Cookies())
			}
			if !strings.Contains(text, `role="alert"`) || strings.Contains(text, "<script") {
				t.Errorf("%q: %s", name, text)
			}
			if typed := fmt.Sprintf(`value="%s"`, html.EscapeString(strings.ToValidUTF8(name, "\ufffd"))); len(name) < 5 && name == "a/b" && !strings.Contains(text, typed) {
				t.Errorf("%q is not in the form again: %s", name, text)
			}
		}
		// What is too large, or no form.
		resp, _ := s.srv.Do(t, "POST", "/auth/name", "name="+strings.Repeat("x", 1<<17), "Content-Type: application/x-www-form-urlencoded")
		if resp.StatusCode != 400 {
			t.Errorf("a large form: %d", resp.StatusCode)
		}
		if resp, _ := s.srv.Do(t, "POST", "/auth/name", `{"name":"Ada"}`, "Content-Type: application/json"); resp.StatusCode != 400 {
			t.Errorf("JSON: %d", resp.StatusCode)
		}
	})
}

// TestNames: any script, emoji, and one user whatever the letter case.
func TestNames(t *testing.T) {
	rows := []struct{ typed, id, shown string }{
		{"Ada", "ada", "Ada"}, {"ADA", "ada", "ADA"}, {"  Grace \t Hopper ", "grace hopper", "Grace Hopper"}, {"O'Neill-Smith_2", "o'neill-smith_2", "O'Neill-Smith_2"},
		{"Ömer", "ömer", "Ömer"}, {"王小明", "王小明", "王小明"}, {"דנה כהן", "דנה כהן", "דנה כהן"}, {"مريم", "مريم", "مريم"}, {"🎺 Stentor", "🎺 stentor", "🎺 Stentor"},
		{"👩‍🚀", "👩‍🚀", "👩‍🚀"}, {"हिन्दी", "हिन्दी", "हिन्दी"}, {"7 of 9", "7 of 9", "7 of 9"}, {"username", "username", "username"}, {strings.Repeat("🎺", 32), strings.Repeat("🎺", 32), strings.Repeat("🎺", 32)},
	}
	ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
		s := newSite(t, p, byName())
		for _, row := range rows {
			m := s.accountOf(200, s.signIn(row.typed))
			if m["userId"] != row.id || m["displayName"] != row.shown {
				t.Errorf("%q: %v", row.typed, m)
			}
		}
	})
}

// FuzzByName: whatever is typed is refused, or is a user whom the hub takes and who can be drawn.
func FuzzByName(f *testing.F) {
	for _, seed := range []string{"Ada", "👩‍🚀 x", "\u202e", "user1", "İ", "-5", strings.Repeat("\u0301", 40), "<b>", "\x00", "ﬁ"} {
		f.Add(seed)
	}
	hub, err := stentor.New(f.Context(), nil)
	if err != nil {
		f.Fatal(err)
	}
	c := chat.New(hub, byName())
	f.Fuzz(func(t *testing.T, name string) {
		w, r := httptest.NewRecorder(), httptest.NewRequest("POST", "/auth/name", strings.NewReader(url.Values{"name": {name}}.Encode()))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		c.ServeHTTP(w, r)
		if w.Code == 400 && strings.Contains(w.Body.String(), `role="alert"`) {
			return
		}
		if w.Code != 303 {
			t.Fatalf("%q: %d", name, w.Code)
		}
		r = request()
		r.Header.Set("Cookie", strings.TrimPrefix(cookieOf(t, w.Result()), "Cookie: "))
		o := &stentor.SubscribeOptions{}
		if err := c.Subscribe(r, o); err != nil {
			t.Fatal(err)
		}
		sub, err := hub.Subscribe(t.Context(), o)
		if err != nil {
			t.Fatalf("%q: %v", name, err)
		}
		defer sub.Close(nil)
		if err := c.Prepare(nil, r, sub); err != nil {
			t.Fatal(err)
		}
		svg := drawn(t, sub.Member().Meta["profileUrl"])
		if err := xml.Unmarshal([]byte(svg), new(any)); err != nil || len(svg) > 400 {
			t.Errorf("%q: %v: %s", name, err, svg)
		}
	})
}
