// Package origin decides which other sites' pages may call a handler: what they
// may read (CORS, the Fetch standard §3.3) and what they may change (cross-site
// request forgery).
package origin

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
)

const (
	// requestHeaders are those that pages may send: what the faces read, and what
	// EventSource polyfills and htmx add by themselves.
	requestHeaders = "Content-Type, Accept, Authorization, Last-Event-ID, Cache-Control, Idempotency-Key, " +
		"X-Requested-With, HX-Request, HX-Boosted, HX-Target, HX-Trigger, HX-Trigger-Name, HX-Current-URL, HX-Prompt"
	// exposedHeaders are those beyond the safelisted ones that pages may read.
	exposedHeaders = "Retry-After"
	// preflightAge is how long a browser may remember the answer to a preflight,
	// in seconds: two hours is the most that Chromium takes.
	preflightAge = "7200"
)

// Policy allows a list of origins. It is not changed after New, and safe for any
// goroutine.
type Policy struct {
	exact  []string
	any    bool
	guard  *http.CrossOriginProtection
	refuse Answer
}

// Answer writes an error in the manner of a face. It is the first thing written to w.
type Answer func(w http.ResponseWriter, status int, detail string)

// New makes a policy: exact origins (case, a default port and a trailing slash do
// not matter), or "*" for everyone without credentials; exact ones beside "*"
// may use theirs. What is not an origin, "null" among them, allows nobody; an empty
// list allows none but the same origin. refuse answers who may not.
func New(allow []string, refuse Answer) *Policy {
	p := &Policy{guard: http.NewCrossOriginProtection(), refuse: refuse}
	for _, entry := range allow {
		if strings.TrimSpace(entry) == "*" {
			p.any = true
			continue
		}
		o, ok := normal(entry)
		if ok && p.guard.AddTrustedOrigin(o) == nil {
			p.exact = append(p.exact, o)
		}
	}
	return p
}

// Handler answers OPTIONS, preflights included, with 204; adds the CORS headers of
// an allowed origin (with Vary: Origin); and refuses state-changing requests of
// pages from other origins with a 403. A request without
// Sec-Fetch-Site and Origin is not a page's and passes. It never wraps the
// ResponseWriter.
//
// methods are what next takes, for Allow; none means GET, HEAD, POST and DELETE.
func (p *Policy) Handler(next http.Handler, methods ...string) http.Handler {
	if len(methods) == 0 {
		methods = []string{http.MethodGet, http.MethodHead, http.MethodPost, http.MethodDelete}
	}
	allowed := strings.Join(methods, ", ") + ", " + http.MethodOptions
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		readable := p.mark(w.Header(), r)
		if r.Method == http.MethodOptions {
			preflight(w, r, allowed, readable)
			return
		}
		if p.guard.Check(r) != nil && !(p.any && !ambient(r)) {
			p.refuse(w, http.StatusForbidden,
				"a page of another origin may not change anything here; add its origin to the allowed ones")
			return
		}
		next.ServeHTTP(w, r)
	})
}

// mark adds the headers that let a page read the answer, and says whether it may.
// An allowed origin is answered with the policy's own spelling of it: nothing
// that a request holds is reflected.
func (p *Policy) mark(h http.Header, r *http.Request) bool {
	if len(p.exact) > 0 {
		h.Add("Vary", "Origin") // also on the answer to a request without one
	}
	o, ok := normal(r.Header.Get("Origin"))
	switch {
	case ok && slices.Contains(p.exact, o):
		h.Set("Access-Control-Allow-Origin", o)
		h.Set("Access-Control-Allow-Credentials", "true")
	case p.any:
		h.Set("Access-Control-Allow-Origin", "*")
	default:
		return false
	}
	h.Set("Access-Control-Expose-Headers", exposedHeaders)
	return true
}

// preflight answers OPTIONS. To a page that isn't allowed it says nothing: its
// browser takes that for a no.
func preflight(w http.ResponseWriter, r *http.Request, allowed string, readable bool) {
	h := w.Header()
	h.Set("Allow", allowed)
	if readable && r.Header.Get("Access-Control-Request-Method") != "" {
		h.Set("Access-Control-Allow-Methods", allowed)
		h.Set("Access-Control-Allow-Headers", requestHeaders)
		h.Set("Access-Control-Max-Age", preflightAge)
	}
	w.WriteHeader(http.StatusNoContent)
}

// ambient reports whether a browser may have added the caller's authority by
// itself. Only a bearer token is certain to be the page's own.
func ambient(r *http.Request) bool {
	if r.Header.Get("Cookie") != "" || r.TLS != nil && len(r.TLS.PeerCertificates) > 0 {
		return true
	}
	scheme, _, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	return scheme != "" && !strings.EqualFold(scheme, "Bearer")
}

// normal spells an origin as browsers do: in lower case, without a default port.
// It reports false for what is not one, such as "null".
func normal(s string) (string, bool) {
	s = strings.ToLower(strings.TrimSuffix(strings.TrimSpace(s), "/"))
	u, err := url.Parse(s)
	if err != nil || u.Scheme == "" || u.Host == "" || u.Scheme+"://"+u.Host != s {
		return "", false
	}
	switch u.Scheme {
	case "http":
		s = strings.TrimSuffix(s, ":80")
	case "https":
		s = strings.TrimSuffix(s, ":443")
	}
	return s, true
}
