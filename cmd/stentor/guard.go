package main

import (
	"encoding/json"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// bodyTimeout is how long a request body may take to arrive. The server has no
// ReadTimeout, because that would end streams too.
const bodyTimeout = 30 * time.Second

// guard answers only requests that name this server: a loopback host, or the
// host of public. A page on the web whose name resolves to 127.0.0.1 names
// another (DNS rebinding), and gets 421 (RFC 9110 §15.5.20).
func guard(next http.Handler, public *url.URL) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		host := hostname(r.Host)
		if !isLoopback(host) && (public == nil || host != hostname(public.Host)) {
			refuse(w, http.StatusMisdirectedRequest,
				"this server answers only for 127.0.0.1, [::1] and localhost; start it with --public-url to have it answer for another host")
			return
		}
		if r.ContentLength != 0 {
			// Unsupported is not possible here, and would cost nothing but this bound.
			_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(bodyTimeout))
		}
		next.ServeHTTP(w, r)
	})
}

// hostname is the host of a Host field, without port, brackets, case and the
// root's dot.
func hostname(s string) string {
	if host, _, err := net.SplitHostPort(s); err == nil {
		s = host
	}
	s = strings.TrimSuffix(strings.TrimPrefix(s, "["), "]")
	return strings.ToLower(strings.TrimSuffix(s, "."))
}

// refuse answers with a problem document (RFC 9457).
func refuse(w http.ResponseWriter, status int, detail string) {
	body, err := json.Marshal(struct {
		Title  string `json:"title"`
		Status int    `json:"status"`
		Detail string `json:"detail"`
	}{http.StatusText(status), status, detail})
	if err != nil { // two strings and an int: can't be
		body = nil
	}
	h := w.Header()
	h.Set("Content-Type", "application/problem+json")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	w.Write(append(body, '\n')) // an error means that the caller is gone
}
