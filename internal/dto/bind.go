package dto

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/stentor-sse/stentor"
)

// MaxBody bounds the body of a request, in bytes.
const MaxBody = 64 << 10

// Bind reads the parameters from the named wildcards of the path, the query and the
// body, in that order of belief. A body is JSON if it says or looks so, else a
// form; browsers' beacons say nothing.
func Bind(w http.ResponseWriter, r *http.Request, path ...string) (Args, error) {
	a := Query(r)
	for _, name := range path {
		if v := r.PathValue(name); v != "" {
			a[name] = append([]Value{{text: v}}, a[name]...)
		}
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, MaxBody))
	if _, tooLarge := errors.AsType[*http.MaxBytesError](err); tooLarge {
		return nil, err
	}
	if err != nil { // the caller broke off
		return nil, fmt.Errorf("%w body: %w", stentor.ErrInvalid, err)
	}
	return a, a.body(bytes.TrimSpace(body), r.Header.Get("Content-Type"))
}

// Query reads the parameters of the query alone.
func Query(r *http.Request) Args {
	a := Args{}
	a.form(r.URL.RawQuery)
	return a
}

func (a Args) body(body []byte, contentType string) error {
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
	a.form(string(body))
	return nil
}

func (a Args) json(body []byte) error {
	var members map[string]json.RawMessage
	if err := json.Unmarshal(body, &members); err != nil {
		return fmt.Errorf("%w body: send a JSON object: %w", stentor.ErrInvalid, err)
	}
	// In an order of their own, so that two that differ in case alone always agree.
	for _, name := range slices.Sorted(maps.Keys(members)) {
		a.add(name, Value{raw: members[name]})
	}
	return nil
}

// form adds the pairs of a URL-encoded form. A broken escape is the pair's own.
func (a Args) form(raw string) {
	for pair := range strings.SplitSeq(raw, "&") {
		name, value, _ := strings.Cut(pair, "=")
		name, err := url.QueryUnescape(name)
		if err != nil {
			continue // no parameter of ours
		}
		text, err := url.QueryUnescape(value)
		if err != nil {
			text = value
		}
		a.add(name, Value{text: text, err: err})
	}
}
