// Package visitor names browsers by a cookie. The name proves nothing about a
// user: it lets a browser that comes back be known as the one that was here.
package visitor

import (
	"crypto/rand"
	"net/http"
	"strings"
	"time"
)

// Name is what a browser is known by.
type Name struct {
	cookie string // that holds it
	value  string
	fresh  bool // the browser does not have it yet
}

// Of reads the name from the cookie of a request, or makes one up where there is none
// of our making (see [Issued]).
func Of(r *http.Request, cookie string) Name {
	for _, c := range r.CookiesNamed(cookie) { // a sibling site may have set one too
		if Issued(c.Value) {
			return Name{cookie: cookie, value: c.Value}
		}
	}
	return Name{cookie: cookie, value: rand.Text(), fresh: true}
}

// String is the name; empty for the zero Name, which is nobody's.
func (n Name) String() string { return n.value }

// Fresh reports whether the name was made up just now.
func (n Name) Fresh() bool { return n.fresh }

// Set has the browser keep a name that was made up: for age, or where that is
// zero until it is closed. A name that the browser has is not set again. No script
// can read it, and pages of other sites don't send it but by a link.
func (n Name) Set(h http.Header, age time.Duration, secure bool) {
	if !n.fresh {
		return
	}
	c := &http.Cookie{
		Name: n.cookie, Value: n.value, Path: "/", MaxAge: int(age / time.Second),
		HttpOnly: true, Secure: secure, SameSite: http.SameSiteLaxMode,
	}
	h.Add("Set-Cookie", c.String())
}

// Secure says if a cookie may be kept from plain HTTP: the request came over
// TLS, or publicURL, where the server is reached, is https. Forwarded headers are not
// believed.
func Secure(r *http.Request, publicURL string) bool {
	return r.TLS != nil || strings.HasPrefix(publicURL, "https:")
}

// Issued reports whether a value looks like one of [rand.Text], 130 random bits in
// base 32. Another's choice is not taken for a name: it may be short, or known to
// many.
func Issued(value string) bool {
	if len(value) != len("ABCDEFGHIJKLMNOPQRSTUVWXYZ") {
		return false
	}
	for _, c := range []byte(value) {
		if (c < 'A' || c > 'Z') && (c < '2' || c > '7') {
			return false
		}
	}
	return true
}
