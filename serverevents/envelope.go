package serverevents

import (
	"net/http"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/stentor-sse/stentor/internal/problem"
)

// maxQuoted bounds what an answer repeats of an id, in bytes.
const maxQuoted = 64

// unknownError says that no subscription has the id. Clients take it for "connect
// again".
type unknownError struct{ id string }

// Error leaves the id out: it may be another's capability, and ends in logs.
func (unknownError) Error() string { return "serverevents: no such subscription" }

// explain is the status and the text for the caller.
func explain(err error) (status int, message string) {
	if unknown, ok := err.(unknownError); ok {
		// The text and its cleaning are ServiceStack's: clients show it.
		return http.StatusNotFound, clean("Subscription '" + clip(unknown.id, maxQuoted) + "' does not exist")
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

// answerError answers with ServiceStack's error envelope. It must be the first
// thing written to w.
func answerError(w http.ResponseWriter, status int, message string) {
	if status == http.StatusUnauthorized && w.Header().Get("WWW-Authenticate") == "" {
		// RFC 9110 §11.6.1: never without a challenge. Not Basic: a browser would
		// ask its user for a password.
		w.Header().Set("WWW-Authenticate", "Bearer")
	}
	code := strings.ReplaceAll(http.StatusText(status), " ", "")
	b := append([]byte(`{"responseStatus":{"errorCode":`), appendString(nil, code)...)
	b = append(appendString(append(b, `,"message":`...), message), `,"errors":[]}}`...)
	answer(w, status, b)
}

// answer answers with JSON, which no cache may keep.
func answer(w http.ResponseWriter, status int, body []byte) {
	h := w.Header()
	h.Set("Content-Type", "application/json; charset=utf-8")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	w.Write(body) // an error means that the caller is gone: nobody to tell
}

// clip cuts s to at most n bytes, between characters.
func clip(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}
