package chat

import (
	"fmt"
	"net/http"
	"slices"

	"github.com/stentor-sse/stentor"
	"github.com/stentor-sse/stentor/internal/dto"
	"github.com/stentor-sse/stentor/internal/visitor"
)

// User is somebody who has signed in.
type User struct {
	// ID is the user id in the hub: who has it, gets what is sent to it. It is stable, and
	// unique over all providers ("github:1234").
	ID string
	// UserName is the name that targets match. Empty means none.
	UserName string
	// DisplayName is what others see. Empty means UserName, or else the ID.
	DisplayName string
	// Picture is a URL that others may load, https or data. Empty means initials.
	Picture string
}

// Provider finds out who somebody is. It is called from many goroutines.
type Provider interface {
	// Name stands in its path, /auth/{name}, and on the page's link: lower-case
	// letters, digits and hyphens.
	Name() string
	// Authenticate answers GET and POST at /auth/{name} and below. Once it knows who it
	// is, it returns the user and has written nothing but headers: the chat gives the browser a session and
	// sends it back to the page. Until then it answers by itself, and returns nil:
	// with a form, or with a redirect to where the user is known (for OAuth with a random
	// state, kept in a cookie; the callback, /auth/{name}/callback, compares it,
	// exchanges the code and returns the user). An error is answered with
	// its envelope; a [*stentor.Refusal] says with which status.
	Authenticate(w http.ResponseWriter, r *http.Request) (*User, error)
}

// Subscribe says who a subscriber is, for the option of this name of both faces: who has signed
// in is that user; everybody else is left as they are.
//
// A live subscription stays who it is. Pages connect anew after signing in or out.
func (c *Chat) Subscribe(r *http.Request, o *stentor.SubscribeOptions) error {
	if s := c.signedIn(r); s != nil {
		o.User, o.UserName, o.DisplayName, o.Authenticated = s.user.ID, s.user.UserName, s.user.DisplayName, true
	}
	return nil
}

// Prepare gives a subscriber a picture, for the option of this name of both faces: that of
// the user who has signed in, or initials. Everyone on its channels is told of it, as profileUrl; and,
// as isAuthenticated, of those who proved who they are.
func (c *Chat) Prepare(_ http.Header, r *http.Request, s *stentor.Subscription) error {
	m := s.Member()
	if m.Authenticated {
		s.SetMeta("isAuthenticated", "true")
	}
	if in := c.signedIn(r); in != nil && in.user.ID == m.User && in.user.Picture != "" {
		s.SetMeta(profileName, in.user.Picture)
		return nil
	}
	s.SetMeta(profileName, initialsPicture(m.User, m.DisplayName))
	return nil
}

// Presence lets everybody see who is on which channel, for the option of this name of the plain
// face: the page shows it.
func (c *Chat) Presence(*http.Request, []stentor.Channel) error { return nil }

// profileName is a picture's name among public values and in answers.
const profileName = "profileUrl"

// signIn adds the routes of the providers.
func (c *Chat) signIn() {
	var names []string
	for _, p := range c.o.SignIn {
		name := p.Name()
		if !providerName(name) || slices.Contains(names, name) {
			panic(fmt.Sprintf("chat: sign-in: provider name %q: use lower-case letters, digits and hyphens, once, and not logout", name))
		}
		names = append(names, name)
		c.add(c.authenticating(p), []string{http.MethodGet, http.MethodPost}, "/auth/"+name, "/auth/"+name+"/")
	}
	c.add(http.HandlerFunc(c.signOut), []string{http.MethodPost}, "/auth/"+logout)
}

// logout stands where the name of a provider does.
const logout = "logout"

func providerName(s string) bool {
	for _, c := range []byte(s) {
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' {
			return false
		}
	}
	return s != "" && len(s) <= 32 && s != logout
}

// authenticating answers with p until it knows who it is.
func (c *Chat) authenticating(p Provider) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "no-store")
		r.Body = http.MaxBytesReader(w, r.Body, dto.MaxBody)
		user, err := p.Authenticate(w, r)
		switch {
		case err != nil:
			c.refuse(w, r, err)
		case user != nil:
			// A new name for the browser: one that was known before is worth nothing.
			c.sessions.end(tokenOf(r))
			setToken(w, r, c.sessions.begin(&session{user: *user, provider: p.Name()}), c.o.PublicURL)
			http.Redirect(w, r, "/", http.StatusSeeOther)
		}
	})
}

// signOut ends the session of the browser.
func (c *Chat) signOut(w http.ResponseWriter, r *http.Request) {
	c.sessions.end(tokenOf(r))
	setToken(w, r, "", c.o.PublicURL)
	w.Header().Set("Cache-Control", "no-store")
	http.Redirect(w, r, "/", http.StatusSeeOther)
}

// signedIn is the session of a request, or nil.
func (c *Chat) signedIn(r *http.Request) *session { return c.sessions.find(tokenOf(r)) }

// account tells who has signed in.
func (c *Chat) account(r *http.Request, _ dto.Args) (any, error) {
	s := c.signedIn(r)
	if s == nil {
		return nil, &stentor.Refusal{Status: http.StatusUnauthorized, Detail: "sign in first"}
	}
	a := struct {
		Provider    string `json:"provider"`
		UserID      string `json:"userId"`
		UserName    string `json:"userName,omitempty"`
		DisplayName string `json:"displayName"`
		ProfileURL  string `json:"profileUrl"`
	}{s.provider, s.user.ID, s.user.UserName, shownName(&s.user), s.user.Picture}
	if a.ProfileURL == "" {
		a.ProfileURL = initialsPicture(a.UserID, a.DisplayName)
	}
	return &a, nil
}

// shownName is the display name that the hub gives u.
func shownName(u *User) string {
	for _, name := range []string{u.DisplayName, u.UserName} {
		if name != "" {
			return name
		}
	}
	return u.ID
}

// tokenCookie names a browser that has signed in.
const tokenCookie = "chat-session"

// tokenOf is what the browser shows of its session, "" for none.
func tokenOf(r *http.Request) string {
	c, err := r.Cookie(tokenCookie)
	if err != nil {
		return ""
	}
	return c.Value
}

// setToken has the browser show a token from now on, until it is closed; "" none.
func setToken(w http.ResponseWriter, r *http.Request, token, publicURL string) {
	c := &http.Cookie{
		Name: tokenCookie, Value: token, Path: "/",
		HttpOnly: true, Secure: visitor.Secure(r, publicURL), SameSite: http.SameSiteLaxMode,
	}
	if token == "" {
		c.MaxAge = -1
	}
	http.SetCookie(w, c)
}
