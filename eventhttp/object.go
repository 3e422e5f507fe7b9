package eventhttp

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/stentor-sse/stentor"
)

// readObject gives the members of a JSON object (RFC 8259) in their order. What a
// lenient reader would bend into shape is refused, for two readers could bend it
// differently: bytes that are not UTF-8, repeated names, anything after the object.
func readObject(body []byte, member func(name string, value json.RawMessage) error) error {
	if at := invalidUTF8(body); at >= 0 {
		return fmt.Errorf("%w JSON: not UTF-8 at %s", stentor.ErrInvalid, position(body, at))
	}
	var object json.RawMessage
	if err := json.Unmarshal(body, &object); err != nil {
		at := len(body)
		if syntax, ok := errors.AsType[*json.SyntaxError](err); ok {
			at = max(int(syntax.Offset)-1, 0)
		}
		return fmt.Errorf("%w JSON at %s: %w", stentor.ErrInvalid, position(body, at), err)
	}
	d := json.NewDecoder(bytes.NewReader(object))
	if open, err := d.Token(); err != nil || open != json.Delim('{') {
		return fmt.Errorf(`%w JSON: not an object; send {"channel":"home","data":"hello"} or the like`, stentor.ErrInvalid)
	}
	seen := map[string]bool{}
	for d.More() {
		name, err := d.Token()
		if err != nil {
			return fmt.Errorf("%w JSON: %w", stentor.ErrInvalid, err)
		}
		key, _ := name.(string)
		if seen[key] {
			return fmt.Errorf("%w JSON: %.64q is there twice", stentor.ErrInvalid, key)
		}
		seen[key] = true
		var value json.RawMessage
		if err := d.Decode(&value); err != nil {
			return fmt.Errorf("%w JSON: %w", stentor.ErrInvalid, err)
		}
		if err := member(key, value); err != nil {
			return err
		}
	}
	return nil
}

// stringValue is the string that value is. One that escapes half a surrogate pair is
// refused: it has no UTF-8 and would arrive as something else.
func stringValue(name string, value json.RawMessage) (string, error) {
	if value[0] != '"' {
		return "", badField(name, "write a string")
	}
	if halfPair(value) {
		return "", badField(name, "it escapes half a surrogate pair; send whole characters")
	}
	var s string
	if err := json.Unmarshal(value, &s); err != nil {
		return "", badField(name, "write a string")
	}
	return s, nil
}

// halfPair reports whether a valid JSON string has a \u escape of a surrogate
// without its other half.
func halfPair(s []byte) bool {
	for i := 0; i < len(s); i++ {
		if s[i] != '\\' {
			continue
		}
		i++
		if s[i] != 'u' {
			continue
		}
		r := escaped(s[i+1:])
		i += 4
		if !utf16.IsSurrogate(r) {
			continue
		}
		if i+6 >= len(s) || s[i+1] != '\\' || s[i+2] != 'u' ||
			utf16.DecodeRune(r, escaped(s[i+3:])) == utf8.RuneError {
			return true
		}
		i += 6
	}
	return false
}

func escaped(hex []byte) rune {
	n, err := strconv.ParseUint(string(hex[:4]), 16, 32)
	if err != nil {
		return 0
	}
	return rune(n)
}

// invalidUTF8 is where b stops being UTF-8; -1 when it doesn't.
func invalidUTF8(b []byte) int {
	for i := 0; i < len(b); {
		r, n := utf8.DecodeRune(b[i:])
		if r == utf8.RuneError && n == 1 {
			return i
		}
		i += n
	}
	return -1
}

// position says where an offset is, in the terms of an editor.
func position(body []byte, at int) string {
	before := body[:min(at, len(body))]
	line := bytes.Count(before, []byte("\n")) + 1
	column := len(before) - bytes.LastIndexByte(before, '\n')
	return fmt.Sprintf("line %d, column %d", line, column)
}
