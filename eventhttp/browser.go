package eventhttp

import (
	"net/http"

	"github.com/stentor-sse/stentor"
	"github.com/stentor-sse/stentor/internal/visitor"
)

// browser is who a stream request is from, by its cookie. A page of another site is
// nobody: its browser would not keep what the answer sets (SameSite=Lax).
func (f *Face) browser(r *http.Request) visitor.Name {
	if f.o.Cookie == "" {
		return visitor.Name{}
	}
	who := visitor.Of(r, f.o.Cookie)
	if who.Fresh() && r.Header.Get("Sec-Fetch-Site") == "cross-site" {
		return visitor.Name{}
	}
	return who
}

// presented is the browser that a request says it is from, "" where it says nothing.
func (f *Face) presented(r *http.Request) string {
	if who := f.browser(r); !who.Fresh() {
		return who.String()
	}
	return ""
}

// greet marks the subscription that o is going to be as one whose browser was
// given its name only now: nobody knows yet if it keeps cookies.
func (f *Face) greet(o *stentor.SubscribeOptions, who visitor.Name) {
	if who.Fresh() && o.Session == who.String() {
		f.newcomer.Preset(o, struct{}{})
	}
}

// remember has the browser of sub keep its name, if the application made use of it.
func (f *Face) remember(h http.Header, r *http.Request, sub *stentor.Subscription, who visitor.Name) {
	if name := who.String(); name == sub.Session() || name == sub.Key() {
		who.Set(h, 0, visitor.Secure(r, f.o.PublicURL))
	}
}

// same reports whether so is who sub is. An anonymous caller owns the anonymous
// subscriptions of its session. Where sub's request showed no cookie, knowing the id has to
// do, unless the application says who calls: its client may keep none, or was given two
// names by two streams that it opened together.
func (f *Face) same(so *stentor.SubscribeOptions, presented string, sub *stentor.Subscription) bool {
	m := sub.Member()
	if so.User != "" {
		return so.User == m.User
	}
	if !m.Anonymous() {
		return false
	}
	_, newcomer := f.newcomer.Get(sub)
	return so.Session == sub.Session() || newcomer && so.Session == presented
}
