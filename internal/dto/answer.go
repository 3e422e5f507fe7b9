package dto

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/stentor-sse/stentor/internal/problem"
)

// MaxQuoted bounds what an answer repeats of what was sent, in bytes.
const MaxQuoted = 64

// Unknown says that no subscription has the id. Clients take the answer for "connect
// again".
type Unknown struct{ ID string }

// Error leaves the id out: it may be another's capability, and errors end in logs.
func (Unknown) Error() string { return "no such subscription" }

// Foreign says that the subscription with the id is not the caller's to act for.
type Foreign struct{ ID string }

// Error leaves the id out, as Unknown does.
func (Foreign) Error() string { return "another's subscription" }

// Explain is the status of an error and the text for the caller. The texts about
// subscriptions and their cleaning are ServiceStack's: clients show them.
func Explain(err error) (status int, message string) {
	if unknown, ok := errors.AsType[Unknown](err); ok {
		return http.StatusNotFound, clean("Subscription '" + Clip(unknown.ID, MaxQuoted) + "' does not exist")
	}
	if foreign, ok := errors.AsType[Foreign](err); ok { // it exists, so its id has nothing to clean
		return http.StatusForbidden, "Access to Subscription '" + foreign.ID + "' is forbidden"
	}
	d := problem.Of(err)
	return d.Status, d.Detail
}

// clean keeps letters, digits, white space and a few signs.
func clean(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case unicode.IsLetter(r), unicode.IsDigit(r), unicode.IsSpace(r), strings.ContainsRune(`_.,@[\+/`, r):
			return r
		}
		return -1
	}, s)
}

// Error answers with the error envelope. It must be the first thing written to w.
func Error(w http.ResponseWriter, status int, message string) {
	if status == http.StatusUnauthorized && w.Header().Get("WWW-Authenticate") == "" {
		// RFC 9110 §11.6.1: never without a challenge. Not Basic: a browser would
		// ask its user for a password.
		w.Header().Set("WWW-Authenticate", "Bearer")
	}
	type responseStatus struct {
		ErrorCode string     `json:"errorCode"`
		Message   string     `json:"message"`
		Errors    []struct{} `json:"errors"`
	}
	code := strings.ReplaceAll(http.StatusText(status), " ", "")
	body, err := Encode(struct {
		ResponseStatus responseStatus `json:"responseStatus"`
	}{responseStatus{code, message, []struct{}{}}})
	if err != nil { // two strings: can't be
		body = []byte("{}")
	}
	Answer(w, status, body)
}

// Answer answers with JSON, which no cache may keep and no browser take for a page.
func Answer(w http.ResponseWriter, status int, body []byte) {
	h := w.Header()
	h.Set("Content-Type", "application/json; charset=utf-8")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	w.Write(body) // an error means that the caller is gone: nobody to tell
}

// Encode leaves <, > and & as they were written: user text is data, and
// whoever shows it as text needs no escapes in it.
func Encode(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}

// Clip cuts s to at most n bytes, between characters.
func Clip(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}
