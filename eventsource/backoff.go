package eventsource

import (
	"errors"
	"math/rand/v2"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// healthy is how long a stream must have been open to be no failure; one that moved on
// to another last event id never is.
const healthy = 5 * time.Second

// firstGrowth is what the wait grows from where there would be none.
const firstGrowth = 50 * time.Millisecond

// pause is how long to wait after that many failures, the one of err included. It is never
// less than the server asked for. Above that it is spread, so that the readers of one
// server don't come back together, and the spread doubles with each failure.
func (s *Source) pause(failures int, err error, now time.Time) time.Duration {
	base := s.retry
	floor := max(base, min(retryAfter(err, now), s.o.MaxRetry))
	top := base
	for range failures {
		if top = 2 * max(top, firstGrowth); top >= s.o.MaxBackOff {
			top = max(base, s.o.MaxBackOff)
			break
		}
	}
	top = max(top, floor) + max(base/2, floor/8)
	return floor + rand.N(top-floor+1)
}

// retryAfter is how long an answer asks to wait (RFC 9110 §10.2.3): in seconds, or until a
// date by its own clock. Zero: it doesn't.
func retryAfter(err error, now time.Time) time.Duration {
	r, ok := errors.AsType[*ResponseError](err)
	if !ok {
		return 0
	}
	value := strings.TrimSpace(r.Header.Get("Retry-After"))
	if n, err := strconv.ParseUint(value, 10, 64); err == nil || errors.Is(err, strconv.ErrRange) {
		return time.Duration(min(n, uint64(forever/time.Second))) * time.Second
	}
	at, err := http.ParseTime(value)
	if err != nil {
		return 0
	}
	if date, err := http.ParseTime(r.Header.Get("Date")); err == nil {
		now = date
	}
	return min(max(at.Sub(now), 0), forever)
}
