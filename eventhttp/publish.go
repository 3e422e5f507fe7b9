package eventhttp

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/stentor-sse/stentor"
	"github.com/stentor-sse/stentor/internal/problem"
)

// bodyTimeout is how long a request may take to deliver its body.
const bodyTimeout = 30 * time.Second

// receipt answers one published message. ID is left out for an ephemeral one,
// matched when the broker joins several hubs and nobody can count, durability when
// nothing outlives the process.
type receipt struct {
	ID         string `json:"id,omitempty"`
	Matched    *int   `json:"matched,omitempty"`
	Durability string `json:"durability,omitempty"`
	Repeated   bool   `json:"repeated,omitempty"`
}

func newReceipt(r stentor.Receipt) receipt {
	out := receipt{Repeated: r.Repeated}
	if r.Durability != "memory" && r.Durability != "none" {
		out.Durability = r.Durability
	}
	if r.Position > 0 {
		out.ID = r.Position.String()
	}
	if r.Matched >= 0 {
		out.Matched = &r.Matched
	}
	return out
}

// publish takes one message as JSON or a form, or several as ndjson.
func (f *Face) publish(w http.ResponseWriter, r *http.Request) {
	if f.o.Publish == nil {
		f.refuse(w, r, &stentor.Refusal{
			Status: http.StatusForbidden,
			Detail: "publishing over HTTP is off here; the server switches it on with Options.Publish of its plain face",
		})
		return
	}
	kind, err := contentType(r, "application/json", "application/x-www-form-urlencoded", "application/x-ndjson")
	if err != nil {
		f.refuse(w, r, err)
		return
	}
	body, err := f.body(w, r)
	if err != nil {
		f.refuse(w, r, err)
		return
	}
	if kind == "application/x-ndjson" {
		f.publishBatch(w, r, body)
		return
	}
	parse := parseJSON
	if kind == "application/x-www-form-urlencoded" {
		parse = parseForm
	}
	m, err := parse(body)
	if err == nil {
		m.IdempotencyKey, err = idempotencyKey(r)
	}
	if err == nil {
		err = f.o.Publish(r, &m)
	}
	if err != nil {
		f.refuse(w, r, err)
		return
	}
	answer, err := f.hub.Publish(r.Context(), m)
	if err != nil {
		f.refuse(w, r, err)
		return
	}
	f.answer(w, newReceipt(answer))
}

// idempotencyKey is the header of that name, with or without the quotes that its draft
// (draft-ietf-httpapi-idempotency-key-header-07 §2.1) asks for; empty without one.
func idempotencyKey(r *http.Request) (string, error) {
	values := r.Header.Values("Idempotency-Key")
	if len(values) == 0 {
		return "", nil
	}
	key := values[0]
	if n := len(key); n >= 2 && key[0] == '"' && key[n-1] == '"' {
		key = key[1 : n-1]
	}
	if len(values) > 1 || key == "" || len(key) > maxIdempotencyKey || strings.ContainsAny(key, `"\\`) {
		return "", fmt.Errorf("%w Idempotency-Key: send one, of 1 to %d bytes without quotes and backslashes in it",
			stentor.ErrInvalid, maxIdempotencyKey)
	}
	return key, nil
}

// answer writes v as JSON.
func (f *Face) answer(w http.ResponseWriter, v any) {
	body, err := json.Marshal(v)
	if err != nil {
		f.o.Logger.Error("answer not encoded", "err", err)
		problem.Error(w, err)
		return
	}
	respond(w, "application/json", append(body, '\n'))
}

func respond(w http.ResponseWriter, contentType string, body []byte) {
	h := w.Header()
	h.Set("Content-Type", contentType)
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	w.Write(body) // an error means that the caller is gone: nobody to tell
}

// contentType gives the media type of the body if it is one of the allowed. A
// body without one is refused, because a page of another site can send that, and
// text/plain, without being asked first.
func contentType(r *http.Request, allowed ...string) (string, error) {
	refuse := func(detail string) (string, error) {
		return "", &stentor.Refusal{Status: http.StatusUnsupportedMediaType, Detail: detail}
	}
	if e := r.Header.Get("Content-Encoding"); e != "" && !strings.EqualFold(e, "identity") {
		return refuse("send the body without Content-Encoding")
	}
	kind, params, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err == nil {
		if c := params["charset"]; c != "" && !strings.EqualFold(c, "utf-8") {
			return refuse("send the body in UTF-8")
		}
		for _, a := range allowed {
			if kind == a {
				return kind, nil
			}
		}
	}
	return refuse("set Content-Type to " + strings.Join(allowed, " or "))
}

// body reads the whole body within its bounds of size and time.
func (f *Face) body(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	// Where deadlines are not supported the server's own hold.
	_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(bodyTimeout))
	from := r.Body
	if f.o.MaxBody > 0 {
		from = http.MaxBytesReader(w, r.Body, f.o.MaxBody)
	}
	body, err := io.ReadAll(from)
	if err == nil {
		return body, nil
	}
	if _, tooLarge := errors.AsType[*http.MaxBytesError](err); tooLarge {
		return nil, err
	}
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return nil, &stentor.Refusal{Status: http.StatusRequestTimeout, Detail: "the body took longer than 30 s; send it faster"}
	}
	return nil, &stentor.Refusal{Status: http.StatusBadRequest, Detail: "the body ended before its end; send it again"}
}
