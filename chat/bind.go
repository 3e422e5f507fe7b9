package chat

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/stentor-sse/stentor"
)

// maxBody bounds the body of a request, in bytes: the longest message, with every
// character escaped, and room for the rest.
const maxBody = 64 << 10

// args are the parameters of a request as JSON values, by name in lower case.
// Those of a query or a form are JSON strings. The first one given counts.
type args map[string]json.RawMessage

// bind reads the parameters from the path, the query and the body, in that order of
// belief. A body is JSON if it says or looks so, else a form.
func bind(w http.ResponseWriter, r *http.Request) (args, error) {
	a := args{}
	if err := a.add("channel", r.PathValue("channel")); err != nil {
		return nil, err
	}
	if err := a.form(r.URL.RawQuery, "query"); err != nil {
		return nil, err
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if _, tooLarge := errors.AsType[*http.MaxBytesError](err); tooLarge {
		return nil, err
	}
	if err != nil { // the caller broke off
		return nil, fmt.Errorf("%w body: %w", stentor.ErrInvalid, err)
	}
	return a, a.body(body, r.Header.Get("Content-Type"))
}

func (a args) body(body []byte, contentType string) error {
	body = bytes.TrimSpace(body)
	if len(body) == 0 {
		return nil
	}
	if !utf8.Valid(body) {
		return fmt.Errorf("%w body: not UTF-8", stentor.ErrInvalid)
	}
	kind, _, err := mime.ParseMediaType(contentType)
	switch {
	case err == nil && strings.HasPrefix(kind, "multipart/"):
		return &stentor.Refusal{Status: http.StatusUnsupportedMediaType, Detail: "send JSON or a URL-encoded form"}
	case body[0] == '{' || err == nil && (kind == "application/json" || strings.HasSuffix(kind, "+json")):
		return a.json(body)
	}
	return a.form(string(body), "form")
}

func (a args) json(body []byte) error {
	var members map[string]json.RawMessage
	if err := json.Unmarshal(body, &members); err != nil {
		return fmt.Errorf("%w body: send a JSON object: %w", stentor.ErrInvalid, err)
	}
	for name, raw := range members {
		if name = strings.ToLower(name); a[name] == nil {
			a[name] = raw
		}
	}
	return nil
}

// form adds the pairs of a query or a form. Parameters of others, such as a
// client's "t", may be anything that can be read.
func (a args) form(raw, where string) error {
	values, err := url.ParseQuery(raw)
	if err != nil {
		return fmt.Errorf("%w %s: %w", stentor.ErrInvalid, where, err)
	}
	for name, list := range values {
		if err := a.add(name, list[0]); err != nil {
			return err
		}
	}
	return nil
}

func (a args) add(name, value string) error {
	if !utf8.ValidString(value) {
		return fmt.Errorf("%w %s: not UTF-8", stentor.ErrInvalid, clip(strings.ToValidUTF8(name, "?"), maxQuoted))
	}
	name = strings.ToLower(name)
	if value == "" || a[name] != nil {
		return nil
	}
	raw, err := encode(value)
	a[name] = raw
	return err
}

// text is a parameter that is a text, or a number or boolean as it is written. It
// reports false for one that is missing or null.
func (a args) text(name string) (string, bool, error) {
	raw := a[name]
	if len(raw) == 0 || raw[0] == 'n' {
		return "", false, nil
	}
	switch raw[0] {
	case '{', '[':
		return "", false, badRequest(name + ": send a string")
	case '"':
		var s string
		err := json.Unmarshal(raw, &s)
		return s, err == nil, err
	}
	return string(raw), true, nil
}

// number is a parameter that is a whole number of zero or more, or def if it is missing.
func (a args) number(name string, def int64) (int64, error) {
	s, ok, err := a.text(name)
	if !ok || err != nil {
		return def, err
	}
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil || n < 0 {
		return 0, badRequest(name + ": send a whole number of zero or more")
	}
	return n, nil
}

// list is a parameter that is an array of texts, in one of its spellings: JSON, or
// a,b or ["a","b"] as a text.
func (a args) list(name string) ([]string, error) {
	raw := a[name]
	if len(raw) > 0 && raw[0] != '[' {
		s, _, err := a.text(name)
		if err != nil {
			return nil, err
		}
		if !strings.HasPrefix(s, "[") {
			return strings.Split(s, ","), nil
		}
		raw = json.RawMessage(s)
	}
	if len(raw) == 0 {
		return nil, nil
	}
	var out []string
	if err := json.Unmarshal(raw, &out); err != nil {
		return nil, badRequest(name + ": send an array of strings, or a,b")
	}
	return out, nil
}
