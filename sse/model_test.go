package sse_test

import (
	"strconv"
	"strings"
	"time"

	"github.com/stentor-sse/stentor/sse"
)

// model decodes as the standard is written, step by step and all at once. The
// decoder must agree with it about any input whose numbers are small.
func model(input string) record {
	got := record{retry: -1}
	text := strings.TrimPrefix(utf8Decode(input), "\uFEFF")
	text = strings.ReplaceAll(strings.ReplaceAll(text, "\r\n", "\n"), "\r", "\n")
	lines := strings.Split(text, "\n")
	var data, kind, channel, id, buffer string
	var retry time.Duration
	for _, line := range lines[:len(lines)-1] {
		name, value, _ := strings.Cut(line, ":")
		value = strings.TrimPrefix(value, " ")
		switch {
		case line == "":
			got.lastID = buffer
			if data != "" {
				got.seen = append(got.seen, show(sse.Event{ID: id, Type: kind, Channel: channel, Data: strings.TrimSuffix(data, "\n"), Retry: retry}))
			}
			data, kind, channel, id, retry = "", "", "", "", 0
		case name == "":
			got.seen = append(got.seen, "comment "+value)
		case name == "data":
			data += value + "\n"
		case name == "event":
			kind = value
		case name == "channel": // which is ours; the standard ignores it
			channel = value
		case name == "id" && !strings.Contains(value, "\x00"):
			id, buffer = value, value
		case name == "retry" && value != "" && strings.Trim(value, "0123456789") == "":
			ms, err := strconv.ParseInt(value, 10, 64)
			if most := int64(9223372036854); err != nil || ms > most {
				ms = most
			}
			retry = time.Duration(ms) * time.Millisecond
			got.retry = retry
		}
	}
	return got
}

// utf8Decode is the decoder of the Encoding Standard (§8.1.1), a byte at a time.
func utf8Decode(input string) string {
	var out strings.Builder
	var point rune
	needed, seen, lower, upper := 0, 0, byte(0x80), byte(0xBF)
	for i := 0; i < len(input); i++ {
		c := input[i]
		if needed == 0 {
			switch {
			case c <= 0x7F:
				out.WriteByte(c)
			case c >= 0xC2 && c <= 0xDF:
				needed, point = 1, rune(c&0x1F)
			case c >= 0xE0 && c <= 0xEF:
				if c == 0xE0 {
					lower = 0xA0
				}
				if c == 0xED {
					upper = 0x9F
				}
				needed, point = 2, rune(c&0xF)
			case c >= 0xF0 && c <= 0xF4:
				if c == 0xF0 {
					lower = 0x90
				}
				if c == 0xF4 {
					upper = 0x8F
				}
				needed, point = 3, rune(c&0x7)
			default:
				out.WriteRune(0xFFFD)
			}
			continue
		}
		if c < lower || c > upper {
			point, needed, seen, lower, upper = 0, 0, 0, 0x80, 0xBF
			out.WriteRune(0xFFFD)
			i-- // once more, as a first byte
			continue
		}
		lower, upper = 0x80, 0xBF
		point = point<<6 | rune(c&0x3F)
		if seen++; seen == needed {
			out.WriteRune(point)
			point, needed, seen = 0, 0, 0
		}
	}
	if needed != 0 {
		out.WriteRune(0xFFFD)
	}
	return out.String()
}
