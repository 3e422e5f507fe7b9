// Package payload is the data of every event in the comparisons: a sequence number,
// when it was published, and padding. Servers append it and the load generator reads it
// back, so neither may cost more than it has to.
package payload

import "strconv"

// Append appends the data of event seq of a channel, published at the given Unix time in
// nanoseconds, padded to size bytes. A size too small for the numbers is exceeded.
func Append(b []byte, seq, at int64, size int) []byte {
	begin := len(b)
	b = strconv.AppendInt(b, seq, 10)
	b = append(b, ' ')
	b = strconv.AppendInt(b, at, 10)
	b = append(b, ' ')
	return pad(b, size-(len(b)-begin), uint64(seq))
}

const (
	letters = "the-quick-brown-fox-jumps-over-the-lazy-dog-0123456789-pack-my-box-with-five-dozen-jugs-"
	word    = 8
)

// pad appends n bytes that depend on the number: text that compresses about as well as
// JSON does, and not to nothing.
func pad(b []byte, n int, seed uint64) []byte {
	x := seed*0x9e3779b97f4a7c15 | 1
	for n > 0 {
		x ^= x << 13
		x ^= x >> 7
		x ^= x << 17
		from := int(x>>32) % (len(letters) - word)
		piece := letters[from : from+min(n, word)]
		b = append(b, piece...)
		n -= len(piece)
	}
	return b
}

// Parse is the numbers of such data; ok is false for any other text.
func Parse(data []byte) (seq, at int64, ok bool) {
	seq, n := number(data)
	if n == 0 || n >= len(data) || data[n] != ' ' {
		return 0, 0, false
	}
	at, m := number(data[n+1:])
	if m == 0 || n+1+m >= len(data) || data[n+1+m] != ' ' {
		return 0, 0, false
	}
	return seq, at, true
}

// number reads digits, at most the 19 that fit; n is how many.
func number(b []byte) (v int64, n int) {
	for n < len(b) && n < 19 && b[n]-'0' <= 9 {
		v = v*10 + int64(b[n]-'0')
		n++
	}
	if v < 0 { // 19 digits may be too many
		return 0, 0
	}
	return v, n
}
