package sse

import (
	"mime"
	"net/http"
	"strconv"
	"strings"
)

// Acceptable reports whether the Accept header of r admits text/event-stream, as
// RFC 9110 §12.5.1 says: of the media ranges that match, the most specific one
// decides, and a weight of 0 refuses. given is false when there is no such header,
// or nothing in it; then everything is admitted. [Accept] doesn't ask.
//
// A parameter other than the weight narrows a range. The stream has one that
// matches, a charset of UTF-8. Ranges that can't be read match nothing.
func Acceptable(r *http.Request) (ok, given bool) {
	best := 0
	for _, line := range r.Header.Values("Accept") {
		for line != "" {
			var element string
			if element, line = nextElement(line); element == "" {
				continue
			}
			given = true
			if rank, weight := mediaRange(element); rank > best {
				best, ok = rank, weight > 0
			} else if rank > 0 && rank == best && weight > 0 {
				ok = true // said twice: the generous one counts
			}
		}
	}
	return ok || !given, given
}

// nextElement cuts the first element off a list. A comma in a quoted string is not
// one that ends an element.
func nextElement(list string) (element, rest string) {
	quoted := false
	for i := 0; i < len(list); i++ {
		switch c := list[i]; {
		case c == '"':
			quoted = !quoted
		case c == '\\' && quoted:
			i++
		case c == ',' && !quoted:
			return strings.Trim(list[:i], " \t"), list[i+1:]
		}
	}
	return strings.Trim(list, " \t"), ""
}

// mediaRange gives how closely a media range matches the stream's type, 0 for not at
// all, and its weight.
func mediaRange(element string) (rank int, weight float64) {
	name, params, err := mime.ParseMediaType(element)
	if err != nil {
		return 0, 0
	}
	switch name {
	case "*/*":
		rank = 1
	case "text/*":
		rank = 2
	case "text/event-stream":
		rank = 3
	}
	weight = 1
	for name, value := range params {
		switch {
		case name == "q":
			if weight, err = strconv.ParseFloat(value, 64); err != nil || !(weight >= 0 && weight <= 1) {
				return 0, 0
			}
		case name == "charset" && rank == 3 && strings.EqualFold(value, "utf-8"):
			rank = 4
		default:
			return 0, 0
		}
	}
	return rank, weight
}
