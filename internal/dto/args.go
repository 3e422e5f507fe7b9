package dto

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/stentor-sse/stentor"
)

// Args are the parameters of a request, by name in lower case.
type Args map[string][]Value

// Value is one value of a parameter: as text, or as it stands in JSON.
type Value struct {
	text string
	raw  json.RawMessage // nil outside JSON
	err  error           // of its escapes
}

func (a Args) add(name string, v Value) {
	name = strings.ToLower(name)
	a[name] = append(a[name], v)
}

// Text is the first value that is not empty; a number or boolean is taken as it is
// written. It reports false when there is none, or null. An error, which
// wraps [stentor.ErrInvalid], comes with the value as it was sent.
func (a Args) Text(name string) (string, bool, error) {
	given := false
	for _, v := range a[name] {
		s, ok, err := v.scalar()
		if err != nil {
			return s, true, invalid(name, err)
		}
		given = given || ok
		if s != "" {
			return s, true, nil
		}
	}
	return "", given, nil
}

// Number is a whole number of zero or more, or def when it is not given.
func (a Args) Number(name string, def int64) (int64, error) {
	s, ok, err := a.Text(name)
	if !ok || err != nil {
		return def, err
	}
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil || n < 0 {
		return 0, invalid(name, errors.New("send a whole number of zero or more"))
	}
	return n, nil
}

// List is all values of the names together, without blank ones. Each may be an
// array in any spelling: of JSON, or in a text a,b or [a,b] or ["a","b"].
func (a Args) List(names ...string) ([]string, error) {
	var out []string
	for _, name := range names {
		for _, v := range a[name] {
			items, err := v.list()
			if err != nil {
				return nil, invalid(name, err)
			}
			for _, item := range items {
				// Blanks alone: what else may stand around a name is part of it.
				if item = strings.Trim(item, " "); item != "" {
					out = append(out, item)
				}
			}
		}
	}
	return out, nil
}

// Split is all values of the names together, split at commas and nowhere else.
func (a Args) Split(names ...string) ([]string, error) {
	var out []string
	for _, name := range names {
		for _, v := range a[name] {
			s, _, err := v.scalar()
			if err != nil {
				return nil, invalid(name, err)
			}
			out = append(out, strings.Split(s, ",")...)
		}
	}
	return out, nil
}

// Object reads a JSON object into v; outside JSON, from a text that holds one.
// It reports false when there is none.
func (a Args) Object(name string, v any) (bool, error) {
	for _, value := range a[name] {
		raw := value.raw
		if s, ok, err := value.scalar(); err == nil && ok {
			raw = json.RawMessage(s)
		}
		if len(raw) == 0 || string(raw) == "null" {
			continue
		}
		if err := json.Unmarshal(raw, v); err != nil {
			return true, invalid(name, errors.New("send a JSON object"))
		}
		return true, nil
	}
	return false, nil
}

func invalid(name string, err error) error {
	return fmt.Errorf("%w %s: %w", stentor.ErrInvalid, Clip(strings.ToValidUTF8(name, "?"), MaxQuoted), err)
}

// scalar is the text of a value that is no array or object.
func (v Value) scalar() (string, bool, error) {
	if v.raw == nil {
		if v.err == nil && !utf8.ValidString(v.text) {
			return v.text, true, errors.New("not UTF-8")
		}
		return v.text, true, v.err
	}
	switch v.raw[0] {
	case '{', '[':
		return "", true, errors.New("send a string")
	case 'n':
		return "", false, nil
	case '"':
		var s string
		err := json.Unmarshal(v.raw, &s)
		return s, true, err
	}
	return string(v.raw), true, nil
}

// list is the elements of a value.
func (v Value) list() ([]string, error) {
	if v.raw != nil && v.raw[0] == '[' {
		items, ok := elements(v.raw)
		if !ok {
			return nil, errors.New("send a string or an array of strings")
		}
		return items, nil
	}
	s, _, err := v.scalar()
	if err != nil {
		return nil, err
	}
	s = strings.Trim(s, " ")
	inner, opened := strings.CutPrefix(s, "[")
	inner, closed := strings.CutSuffix(inner, "]")
	if !opened || !closed {
		return strings.Split(s, ","), nil
	}
	if items, ok := elements(json.RawMessage(s)); ok {
		return items, nil
	}
	return strings.Split(inner, ","), nil
}

// elements are the members of a JSON array of texts, numbers, booleans and nulls.
func elements(raw json.RawMessage) ([]string, bool) {
	var members []json.RawMessage
	if json.Unmarshal(raw, &members) != nil {
		return nil, false
	}
	out := make([]string, 0, len(members))
	for _, m := range members {
		s, _, err := Value{raw: m}.scalar()
		if err != nil {
			return nil, false
		}
		out = append(out, s)
	}
	return out, true
}
