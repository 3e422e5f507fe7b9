// Package origin decides which other sites' pages may call a handler.
package origin

import "net/http"

// Policy allows a list of origins; nil allows none but the same origin.
type Policy struct{}

// New makes a policy: exact origins (case and a trailing slash do not matter), or
// "*" for everyone without credentials.
func New(allow []string) *Policy { panic("skeleton") }

// Handler answers preflights (OPTIONS), adds the CORS headers of an allowed
// origin (with Vary: Origin), and refuses state-changing requests of pages from other
// origins with a problem document. It never wraps the ResponseWriter.
func (p *Policy) Handler(next http.Handler) http.Handler { panic("skeleton") }
