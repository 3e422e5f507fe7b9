package serverevents

import (
	"crypto/rand"
	"net/http"
	"strings"
	"time"

	"github.com/stentor-sse/stentor"
)

// Cookies of a ServiceStack session. The one counts while the browser is open; the
// other is kept, and counts instead where the third says "perm".
const (
	sessionCookie   = "ss-id"
	permanentCookie = "ss-pid"
	optionsCookie   = "ss-opt"
)

const permanentAge = 365 * 24 * time.Hour

// session is who a browser is, as its cookies say. It proves nothing about a user:
// it lets a browser that comes back take its place again. (Sign-in gives sessions
// their users, and is to come here.)
type session struct {
	id, pid       string
	newID, newPID bool
	usesPermanent bool
}

// sessionOf reads the cookies of a request, and makes up what is missing or not of
// our making.
func sessionOf(r *http.Request) session {
	s := session{id: cookie(r, sessionCookie), pid: cookie(r, permanentCookie)}
	if s.newID = !issued(s.id); s.newID {
		s.id = rand.Text()
	}
	if s.newPID = !issued(s.pid); s.newPID {
		s.pid = rand.Text()
	}
	for option := range strings.SplitSeq(cookie(r, optionsCookie), ",") {
		s.usesPermanent = s.usesPermanent || option == "perm"
	}
	return s
}

// name is what the hub knows the session by.
func (s *session) name() string {
	if s.usesPermanent {
		return s.pid
	}
	return s.id
}

// set has the browser keep what was made up.
func (s *session) set(w http.ResponseWriter, secure bool) {
	if s.newID {
		http.SetCookie(w, newCookie(sessionCookie, s.id, secure))
	}
	if s.newPID {
		c := newCookie(permanentCookie, s.pid, secure)
		c.MaxAge = int(permanentAge / time.Second)
		http.SetCookie(w, c)
	}
}

func newCookie(name, value string, secure bool) *http.Cookie {
	return &http.Cookie{
		Name: name, Value: value, Path: "/",
		HttpOnly: true, Secure: secure, SameSite: http.SameSiteLaxMode,
	}
}

func cookie(r *http.Request, name string) string {
	c, err := r.Cookie(name)
	if err != nil {
		return ""
	}
	return c.Value
}

// issued reports whether a value looks like one of [rand.Text], 130 random bits in
// base 32. Another's choice is not taken for a session: it may be short, or known to many.
func issued(value string) bool {
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

// approve asks the application about o, and sees to what is not the
// application's to set.
func (f *Face) approve(r *http.Request, o *stentor.SubscribeOptions) error {
	if f.o.Subscribe == nil {
		return nil
	}
	return f.o.Subscribe(r, o)
}

// admit is approve for what only the authenticated may have, where the face is
// limited to them.
func (f *Face) admit(r *http.Request, o *stentor.SubscribeOptions) error {
	if err := f.approve(r, o); err != nil {
		return err
	}
	if f.o.LimitToAuthenticatedUsers && !o.Authenticated {
		return &stentor.Refusal{Status: http.StatusUnauthorized, Detail: "sign in first"}
	}
	return nil
}
