package serverevents

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

// maxBody bounds the body of a request, in bytes.
const maxBody = 64 << 10

// args are the parameters of a request by name in lower case: clients write
// subscribeChannels, SubscribeChannels, or as they like.
type args map[string][]arg

// arg is one value of a parameter: a text, or the elements of a JSON array.
type arg struct {
	text  string
	items []string // not nil: an array
}

func (a args) add(name string, v arg) {
	name = strings.ToLower(name)
	a[name] = append(a[name], v)
}

// text is the first value that is not empty.
func (a args) text(name string) string {
	for _, v := range a[name] {
		if v.text != "" {
			return v.text
		}
	}
	return ""
}

// list is all values of the names together.
func (a args) list(names ...string) []string {
	var out []string
	for _, name := range names {
		for _, v := range a[name] {
			if v.items != nil {
				out = append(out, v.items...)
			} else {
				out = append(out, spelled(v.text)...)
			}
		}
	}
	return out
}

// spelled takes apart an array in one of its spellings: a,b or [a,b] or ["a","b"]
// or [] for none.
func spelled(s string) []string {
	s = strings.Trim(s, " ")
	inner, opened := strings.CutPrefix(s, "[")
	inner, closed := strings.CutSuffix(inner, "]")
	if !opened || !closed {
		return strings.Split(s, ",")
	}
	var items []scalar
	if json.Unmarshal([]byte(s), &items) == nil {
		return texts(items)
	}
	return strings.Split(inner, ",")
}

// bind reads the parameters from the path, the query and the body, in that order
// of belief. A body is JSON if it says or looks so, else a form; browsers' beacons
// say nothing.
func bind(w http.ResponseWriter, r *http.Request) (args, error) {
	a := args{}
	if id := r.PathValue("id"); id != "" {
		a.add(idName, arg{text: id})
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

// body adds what a body says.
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

// form adds the pairs of a URL-encoded form. A broken escape is an error in any
// that has a say here, and ignored in others.
func (a args) form(raw, where string) error {
	for pair := range strings.SplitSeq(raw, "&") {
		name, value, _ := strings.Cut(pair, "=")
		name, err := url.QueryUnescape(name)
		if err != nil {
			continue
		}
		text, err := url.QueryUnescape(value)
		if err == nil && !utf8.ValidString(text) {
			err = errors.New("not UTF-8")
		}
		switch {
		case err == nil:
			a.add(name, arg{text: text})
		case anyText(strings.ToLower(name)):
			a.add(name, arg{text: value})
		case parameter(strings.ToLower(name)):
			return fmt.Errorf("%w %s: %s: %w", stentor.ErrInvalid, where, clip(name, maxQuoted), err)
		}
	}
	return nil
}

// Names of parameters, in lower case.
const (
	channelParam     = "channel"
	channelsParam    = "channels"
	subscribeParam   = "subscribechannels"
	unsubscribeParam = "unsubscribechannels"
	cursorParam      = "lasteventid"
)

func parameter(name string) bool {
	switch name {
	case idName, cursorParam, channelParam, channelsParam, subscribeParam, unsubscribeParam:
		return true
	}
	return false
}

// anyText reports whether a parameter is never malformed: a bad id is one that
// nobody has, a bad cursor is a gap.
func anyText(name string) bool { return name == idName || name == cursorParam }

// json adds the members of an object. Those that have no say here may be anything.
func (a args) json(body []byte) error {
	var members map[string]json.RawMessage
	if err := json.Unmarshal(body, &members); err != nil {
		return fmt.Errorf("%w body: send a JSON object: %w", stentor.ErrInvalid, err)
	}
	for _, name := range slices.Sorted(maps.Keys(members)) {
		if !parameter(strings.ToLower(name)) {
			continue
		}
		raw := members[name]
		var one scalar
		var many []scalar
		switch {
		case json.Unmarshal(raw, &one) == nil:
			a.add(name, arg{text: string(one)})
		case json.Unmarshal(raw, &many) == nil:
			a.add(name, arg{items: texts(many)})
		default:
			return fmt.Errorf("%w body: %s: send a string or an array of strings", stentor.ErrInvalid, name)
		}
	}
	return nil
}

// scalar is a JSON string, or a number or boolean as it is written, or null as "".
type scalar string

func (s *scalar) UnmarshalJSON(b []byte) error {
	switch b[0] {
	case '"':
		return json.Unmarshal(b, (*string)(s))
	case '{', '[':
		return errors.New("neither text nor number")
	case 'n':
		return nil
	}
	*s = scalar(b)
	return nil
}

func texts(items []scalar) []string {
	out := make([]string, len(items))
	for i, item := range items {
		out[i] = string(item)
	}
	return out
}
