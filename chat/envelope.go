package chat

import (
	"bytes"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/stentor-sse/stentor"
	"github.com/stentor-sse/stentor/internal/problem"
)

// maxQuoted bounds what an answer or a log line repeats of what was sent, in bytes.
const maxQuoted = 64

// service is one of the services: nil without an error answers 204.
type service func(r *http.Request, a args) (any, error)

// unknownError says that no subscription has the id. Clients take the answer for
// "connect again". The text leaves the id out: it may be another's capability, and
// errors end in logs.
type unknownError struct{ id string }

func (unknownError) Error() string { return "chat: no such subscription" }

// answering reads the parameters, calls s and answers with what it returns.
func (c *Chat) answering(s service) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var result any
		a, err := bind(w, r)
		if err == nil {
			result, err = s(r, a)
		}
		var body []byte
		if err == nil && result != nil {
			body, err = encode(result)
		}
		switch {
		case err != nil:
			c.refuse(w, r, err)
		case result == nil:
			w.Header().Set("Cache-Control", "no-store")
			w.WriteHeader(http.StatusNoContent)
		default:
			answer(w, http.StatusOK, body)
		}
	})
}

// refuse answers with the envelope that err asks for and logs it once: what the
// caller can mend at debug, what only the operator can at error.
func (c *Chat) refuse(w http.ResponseWriter, r *http.Request, err error) {
	status, message := explain(err)
	level := slog.LevelDebug
	if status == http.StatusInternalServerError && r.Context().Err() == nil {
		level = slog.LevelError
	}
	c.o.Logger.Log(r.Context(), level, "request refused",
		"method", r.Method, "pattern", r.Pattern, "status", status, "err", clip(err.Error(), 256))
	answerError(w, status, message)
}

// explain is the status and the text for the caller.
func explain(err error) (status int, message string) {
	if unknown, ok := errors.AsType[unknownError](err); ok {
		return http.StatusNotFound, "Subscription " + clean(clip(unknown.id, maxQuoted)) + " does not exist"
	}
	d := problem.Of(err)
	return d.Status, d.Detail
}

func forbidden(detail string) error {
	return &stentor.Refusal{Status: http.StatusForbidden, Detail: detail}
}

func badRequest(detail string) error {
	return &stentor.Refusal{Status: http.StatusBadRequest, Detail: detail}
}

// envelope is ServiceStack's form of an error.
type envelope struct {
	ResponseStatus responseStatus `json:"responseStatus"`
}

type responseStatus struct {
	ErrorCode string     `json:"errorCode"`
	Message   string     `json:"message"`
	Errors    []struct{} `json:"errors"`
}

// answerError must be the first thing written to w.
func answerError(w http.ResponseWriter, status int, message string) {
	code := strings.ReplaceAll(http.StatusText(status), " ", "")
	body, err := encode(envelope{responseStatus{ErrorCode: code, Message: message, Errors: []struct{}{}}})
	if err != nil { // two strings: can't be
		body = []byte("{}")
	}
	answer(w, status, body)
}

// answer answers with JSON, which no cache may keep and no browser take for a page.
func answer(w http.ResponseWriter, status int, body []byte) {
	h := w.Header()
	h.Set("Content-Type", "application/json; charset=utf-8")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	w.Write(body) // an error means that the caller is gone: nobody to tell
}

// encode leaves <, > and & as they were written: user text is data, and
// whoever shows it as text needs no escapes in it.
func encode(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}

// clean keeps letters and digits: an id has nothing else.
func clean(s string) string {
	return strings.Map(func(r rune) rune {
		if r == utf8.RuneError || !unicode.IsLetter(r) && !unicode.IsDigit(r) {
			return -1
		}
		return r
	}, s)
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
