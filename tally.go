package stentor

import (
	"strconv"
	"strings"
)

// tally counts. Most are there once, and cost no number. The zero value is empty.
type tally[K comparable] struct {
	there map[K]struct{}
	more  map[K]int // how often beyond that
}

// add counts k once more and reports whether it was not there.
func (t *tally[K]) add(k K) (first bool) {
	if _, ok := t.there[k]; ok {
		if t.more == nil {
			t.more = map[K]int{}
		}
		t.more[k]++
		return false
	}
	if t.there == nil {
		t.there = map[K]struct{}{}
	}
	t.there[k] = struct{}{}
	return true
}

// remove counts it once less and reports whether it is there no longer.
func (t *tally[K]) remove(k K) (last bool) {
	switch t.more[k] {
	case 0:
		delete(t.there, k)
		return true
	case 1:
		delete(t.more, k)
	default:
		t.more[k]--
	}
	return false
}

// number is that of a user whose name the hub made.
func number(user string) (n int64, ok bool) {
	digits, ok := strings.CutPrefix(user, "-")
	if !ok {
		return 0, false
	}
	n, err := strconv.ParseInt(digits, 10, 64)
	return n, err == nil
}
