package serverevents

import (
	"unicode/utf16"
	"unicode/utf8"
)

const hex = "0123456789abcdef"

// appendString appends s as a JSON string in ASCII. The clients for C# and Java
// decode each read of the socket by itself, and make U+FFFD of a character that
// was cut between two.
func appendString(b []byte, s string) []byte {
	b = append(b, '"')
	for i, r := range s {
		switch {
		case r == '"' || r == '\\':
			b = append(b, '\\', byte(r))
		case r == '\n':
			b = append(b, '\\', 'n')
		case r == '\r':
			b = append(b, '\\', 'r')
		case r == '\t':
			b = append(b, '\\', 't')
		case r < ' ' || r == 0x7f:
			b = appendUnit(b, uint16(r))
		case r < utf8.RuneSelf:
			b = append(b, s[i])
		default:
			b = appendRune(b, r)
		}
	}
	return append(b, '"')
}

// appendValue appends a JSON value in ASCII and on one line. The hub has checked and
// compacted what it published; a line end in it could only come from a broker
// that others write to, and is white space there, so that it can't forge a frame.
func appendValue(b []byte, value string) []byte {
	for i, r := range value {
		switch {
		case r < ' ':
			b = append(b, ' ')
		case r < utf8.RuneSelf:
			b = append(b, value[i])
		default:
			b = appendRune(b, r) // within a string: nothing else holds it
		}
	}
	return b
}

func appendRune(b []byte, r rune) []byte {
	if hi, lo := utf16.EncodeRune(r); hi != utf8.RuneError {
		return appendUnit(appendUnit(b, uint16(hi)), uint16(lo))
	}
	return appendUnit(b, uint16(r))
}

func appendUnit(b []byte, u uint16) []byte {
	return append(b, '\\', 'u', hex[u>>12], hex[u>>8&15], hex[u>>4&15], hex[u&15])
}

// object appends members of a JSON object whose values are all strings.
type object struct {
	b     []byte
	begun bool
}

func (o *object) add(name, value string) {
	if o.begun {
		o.b = append(o.b, ',')
	}
	o.begun = true
	o.b = append(appendString(o.b, name), ':')
	o.b = appendString(o.b, value)
}
