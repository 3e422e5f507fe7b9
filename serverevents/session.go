package serverevents

import (
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/stentor-sse/stentor"
	"github.com/stentor-sse/stentor/internal/visitor"
)

// Cookies of a ServiceStack session. The one counts while the browser is open; the
// other is kept, and counts instead where the third says "perm".
const (
	sessionCookie   = "ss-id"
	permanentCookie = "ss-pid"
	optionsCookie   = "ss-opt"
)

const permanentAge = 365 * 24 * time.Hour

// session is who a browser is, as its cookies say.
type session struct {
	id, pid       visitor.Name
	usesPermanent bool
}

// sessionOf reads the cookies of a request, and makes up what is missing or not of
// our making.
func sessionOf(r *http.Request) session {
	s := session{id: visitor.Of(r, sessionCookie), pid: visitor.Of(r, permanentCookie)}
	if c, err := r.Cookie(optionsCookie); err == nil {
		s.usesPermanent = slices.Contains(strings.Split(c.Value, ","), "perm")
	}
	return s
}

// name is what the hub knows the session by.
func (s *session) name() string {
	if s.usesPermanent {
		return s.pid.String()
	}
	return s.id.String()
}

// set has the browser keep what was made up.
func (s *session) set(w http.ResponseWriter, secure bool) {
	s.id.Set(w.Header(), 0, secure)
	s.pid.Set(w.Header(), permanentAge, secure)
}

// approve asks the application about o, and sees to what is not the
// application's to set.
func (f *Face) approve(r *http.Request, o *stentor.SubscribeOptions) error {
	if f.o.Subscribe == nil {
		return nil
	}
	return f.o.Subscribe(r, o)
}

// authenticated refuses who is not, where the face is limited to them.
func (f *Face) authenticated(o *stentor.SubscribeOptions) error {
	if f.o.LimitToAuthenticatedUsers && !o.Authenticated {
		return &stentor.Refusal{Status: http.StatusUnauthorized, Detail: "sign in first"}
	}
	return nil
}
