package visitor_test

import (
	"crypto/rand"
	"crypto/tls"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stentor-sse/stentor/internal/visitor"
)

func request(cookies ...string) *http.Request {
	r := httptest.NewRequest("GET", "/", nil)
	for _, c := range cookies {
		r.Header.Add("Cookie", c)
	}
	return r
}

// Only values of our own making are taken: a page or another site of the same domain
// can set any other.
func TestOnlyIssuedNamesAreTaken(t *testing.T) {
	ours := rand.Text()
	rows := []struct {
		name   string
		cookie []string
		taken  bool
	}{
		{"ours", []string{"who=" + ours}, true},
		{"ours beside a foreign one", []string{"who=me", "who=" + ours}, true},
		{"none", nil, false},
		{"another cookie", []string{"other=" + ours}, false},
		{"empty", []string{"who="}, false},
		{"short", []string{"who=" + ours[1:]}, false},
		{"long", []string{"who=" + ours + "A"}, false},
		{"lower case", []string{"who=" + strings.ToLower("A"+ours[1:])}, false},
		{"digits that are not of base 32", []string{"who=0" + ours[1:]}, false},
		{"not a character", []string{"who=" + ours[1:] + "é"}, false},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			got := visitor.Of(request(row.cookie...), "who")
			if (got.String() == ours) != row.taken || !visitor.Issued(got.String()) {
				t.Errorf("named %q from %q", got, row.cookie)
			}
			h := http.Header{}
			got.Set(h, 0, false)
			if set := h.Get("Set-Cookie") != ""; set == row.taken {
				t.Errorf("Set-Cookie: %q", h.Get("Set-Cookie"))
			}
		})
	}
	if a, b := visitor.Of(request(), "who"), visitor.Of(request(), "who"); a == b {
		t.Error("two browsers are given the same name")
	}
}

func TestCookieIsKeptFromScriptsAndOtherSites(t *testing.T) {
	h := http.Header{}
	session := visitor.Of(request(), "s")
	session.Set(h, 0, true)
	kept := visitor.Of(request(), "k")
	kept.Set(h, 24*time.Hour, false)
	want := []string{
		"s=" + session.String() + "; Path=/; HttpOnly; Secure; SameSite=Lax",
		"k=" + kept.String() + "; Path=/; Max-Age=86400; HttpOnly; SameSite=Lax",
	}
	got := h.Values("Set-Cookie")
	if len(got) != 2 || got[0] != want[0] || got[1] != want[1] {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestSecure(t *testing.T) {
	over := request()
	over.TLS = &tls.ConnectionState{}
	forged := request()
	forged.Header.Set("X-Forwarded-Proto", "https")
	for name, row := range map[string]struct {
		r      *http.Request
		public string
		want   bool
	}{
		"plain":           {request(), "", false},
		"TLS":             {over, "", true},
		"declared https":  {request(), "https://app.example", true},
		"declared http":   {request(), "http://app.example", false},
		"a header's word": {forged, "", false},
	} {
		if got := visitor.Secure(row.r, row.public); got != row.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}
