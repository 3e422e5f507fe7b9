// Package problem answers requests with RFC 9457 problem documents.
package problem

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/stentor-sse/stentor"
)

// maxDetail bounds the detail in bytes. It may quote what the caller sent, and
// what the caller sent may be a megabyte.
const maxDetail = 512

// Document is the body of an answer. Its type member is left out, which RFC
// 9457 §4.2.1 reads as "about:blank": the status says what kind of problem it is.
type Document struct {
	Title  string `json:"title"`
	Status int    `json:"status"`
	Detail string `json:"detail,omitempty"`
}

// New makes a document: title is the status text, detail is cut at 512 bytes and
// made valid UTF-8. A status that is not an error becomes 500.
func New(status int, detail string) Document {
	if status < 400 || status > 599 {
		status = http.StatusInternalServerError
	}
	title := http.StatusText(status)
	if title == "" {
		title = "Error"
	}
	return Document{Title: title, Status: status, Detail: cut(detail)}
}

// Of is the document that err asks for: a *stentor.Refusal's status and detail,
// 413 for a *http.MaxBytesError and ErrTooLarge, 404 for ErrUnknown, 400 for ErrInvalid, 409
// for ErrKeyTaken, 403 for ErrDismissed, 503 for ErrClosed, ErrDraining and ErrFull, and
// otherwise a 500 that says nothing of err.
func Of(err error) Document {
	if refusal, ok := errors.AsType[*stentor.Refusal](err); ok {
		return New(refusal.Status, refusal.Detail)
	}
	if tooLarge, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return New(http.StatusRequestEntityTooLarge,
			fmt.Sprintf("the body is over %d bytes; send less at once", tooLarge.Limit))
	}
	switch {
	case errors.Is(err, stentor.ErrTooLarge):
		return New(http.StatusRequestEntityTooLarge, text(err))
	case errors.Is(err, stentor.ErrUnknown):
		return New(http.StatusNotFound, text(err))
	case errors.Is(err, stentor.ErrInvalid):
		return New(http.StatusBadRequest, text(err))
	case errors.Is(err, stentor.ErrKeyTaken):
		return New(http.StatusConflict, "somebody else holds this key; end that stream first, or take another key")
	case errors.Is(err, stentor.ErrDismissed):
		return New(http.StatusForbidden, "this subscriber was dismissed; don't come back")
	case errors.Is(err, stentor.ErrFull):
		return New(http.StatusServiceUnavailable, "there are as many subscriptions as this server takes; try again later")
	case errors.Is(err, stentor.ErrDraining), errors.Is(err, stentor.ErrClosed):
		return New(http.StatusServiceUnavailable, "this server is going away; try again")
	}
	return New(http.StatusInternalServerError, "the server failed to do this; its log says why")
}

// Write answers with a problem document: title is the status text, detail says
// what to change. It must be the first thing written to w.
func Write(w http.ResponseWriter, status int, detail string) { send(w, New(status, detail)) }

// Error answers with what err asks for, as in [Of]. A 503 says when to come
// back: after a random 2 to 30 s, so that those who were refused together don't
// return together.
func Error(w http.ResponseWriter, err error) { send(w, Of(err)) }

func send(w http.ResponseWriter, d Document) {
	body, err := json.Marshal(d)
	if err != nil { // two strings and an int: can't be
		http.Error(w, d.Title, d.Status)
		return
	}
	h := w.Header()
	// Whatever the handler had prepared was for another body.
	for _, name := range []string{"Content-Encoding", "Etag", "Last-Modified", "Trailer"} {
		h.Del(name)
	}
	h.Set("Content-Type", "application/problem+json")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Content-Length", strconv.Itoa(len(body)+1))
	switch d.Status {
	case http.StatusUnauthorized: // RFC 9110 §11.6.1: never without a challenge
		if h.Get("WWW-Authenticate") == "" {
			h.Set("WWW-Authenticate", "Bearer")
		}
	case http.StatusServiceUnavailable:
		if h.Get("Retry-After") == "" {
			h.Set("Retry-After", strconv.Itoa(2+rand.IntN(29)))
		}
	}
	w.WriteHeader(d.Status)
	w.Write(append(body, '\n')) // an error means that the caller is gone: nobody to tell
}

// text is err for the caller, without the package's name in front.
func text(err error) string { return strings.TrimPrefix(err.Error(), "stentor: ") }

// cut shortens s at a rune boundary. JSON has no way to hold other bytes than UTF-8.
func cut(s string) string {
	if len(s) > maxDetail {
		end := maxDetail - len("…")
		for end > 0 && !utf8.RuneStart(s[end]) {
			end--
		}
		s = s[:end] + "…"
	}
	return strings.ToValidUTF8(s, "\uFFFD")
}
