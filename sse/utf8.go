package sse

import "unicode/utf8"

// appendValid appends p with U+FFFD for each maximal subpart of an ill-formed
// sequence, which is what the WHATWG Encoding Standard's "UTF-8 decode" does.
// The standard library replaces byte by byte, or a whole run at once.
//
// Text may be repaired line by line and value by value: CR, LF, colon and space
// are never part of a longer sequence, so none spans them.
func appendValid(b, p []byte) []byte {
	for len(p) > 0 {
		n := 0
		for n < len(p) {
			r, size := utf8.DecodeRune(p[n:])
			if r == utf8.RuneError && size == 1 {
				break
			}
			n += size
		}
		b = append(b, p[:n]...)
		if p = p[n:]; len(p) > 0 {
			b = utf8.AppendRune(b, utf8.RuneError)
			p = p[subpart(p):]
		}
	}
	return b
}

// subpart gives the length of the maximal subpart at the start of p: the bytes
// that could have begun a character, or one that could not. p must not begin
// with a whole character.
func subpart(p []byte) int {
	need, low, high := 0, byte(0x80), byte(0xBF)
	switch c := p[0]; {
	case c >= 0xC2 && c <= 0xDF:
		need = 1
	case c >= 0xE0 && c <= 0xEF:
		need = 2
		if c == 0xE0 {
			low = 0xA0 // below: longer than it need be
		} else if c == 0xED {
			high = 0x9F // above: a surrogate
		}
	case c >= 0xF0 && c <= 0xF4:
		need = 3
		if c == 0xF0 {
			low = 0x90 // below: longer than it need be
		} else if c == 0xF4 {
			high = 0x8F // above: beyond U+10FFFF
		}
	}
	for i := 1; i <= need; i++ {
		if i == len(p) || p[i] < low || p[i] > high {
			return i
		}
		low, high = 0x80, 0xBF
	}
	return 1
}
