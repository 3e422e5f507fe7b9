package eventsource

import (
	"math"
	"net/http"
	"time"
)

// Options configures [New]. The zero value is ready to use. The functions are called on
// the goroutine of the loop, without a lock held: they may use the Source, and hold up
// its events while they run.
type Options struct {
	// Client sends the requests. Its Timeout is not used, since it would cut every stream;
	// see ConnectTimeout. A CheckRedirect of its own decides on redirects, after what
	// must not leave the origin was removed from the next request.
	//
	// Nil means a client of the Source's own, whose connections end with the loop: it
	// finds a dead peer within a minute by itself, follows 20 redirects and asks for no
	// compression, which holds small events back. To share connections between Sources,
	// give them one Client, with a [NewTransport] perhaps.
	Client *http.Client
	// Method is the request's. Empty means GET.
	Method string
	// Body is sent with each attempt. It must not be changed. For one that is made
	// anew each time, set the request's Body, GetBody and ContentLength in Prepare.
	Body []byte
	// Header is sent with each attempt, beside Accept: text/event-stream and
	// Cache-Control: no-cache, which it may replace.
	Header http.Header
	// Prepare completes the request of each attempt: a fresh token, another query.
	// after is what the attempt before ended with, nil for the first: where it is a
	// [ResponseError] with status 401, a token that was kept is no good any more. An error
	// is that of the attempt. The request's context ends when the attempt does.
	Prepare func(r *http.Request, after error) error
	// LastEventID is where to go on: what LastEventID gave in an earlier life.
	LastEventID string

	// ConnectTimeout is how long an attempt may take until its answer has begun.
	// Zero means 30 s; negative means no limit.
	ConnectTimeout time.Duration
	// IdleTimeout is how long a stream may be silent before the connection is taken for
	// dead. Comments count as a sign of life. Zero means 5 min; negative means no limit. Of a server
	// that is known to send keepalives, two or three times their interval is better.
	IdleTimeout time.Duration
	// MaxEventSize is the most bytes that one event may have on the wire, as in
	// [sse.DecoderOptions]. Zero means 16 MiB; negative means no limit.
	MaxEventSize int

	// Retry is the reconnection time until the server sets one. Zero means 1 s; negative
	// means none: to connect again at once, unless attempts fail one after another.
	Retry time.Duration
	// MinRetry and MaxRetry are the limits within which the server may choose: with
	// retry fields, and beyond them with Retry-After. Zero means 100 ms and 10 min;
	// negative means none.
	MinRetry time.Duration
	MaxRetry time.Duration
	// MaxBackOff is how long the waits after failures that follow each other may grow,
	// unless the reconnection time is longer. Zero means 30 s; negative means that they
	// don't grow.
	MaxBackOff time.Duration
	// MaxFailures is after how many failures that follow each other the sequence ends
	// with the last one. Zero and negative mean never.
	MaxFailures int
	// Strict makes every answer final that is not a stream, as browsers have it. Else
	// another attempt follows 408, 429 and 5xx, and where there is a Prepare also 401, if
	// the attempt before had another end.
	Strict bool
	// Once takes one response for all there is, as of a service that answers a question
	// with a stream: attempts are made until one is answered with a stream, and when that
	// ends the sequence does, without an error if its end was clean.
	Once bool
	// Again has the last word: err is what an attempt ended with, and again if another
	// one would follow. What it returns is done. Nil leaves it at that. It isn't asked
	// after Close, Restart, the context's end, MaxFailures, or the one stream of Once.
	Again func(err error, again bool) bool

	// Comment is called with each comment as soon as its line has ended, in its place
	// among the events, without the colon and one space after it.
	Comment func(text string)
	// Change is told when the state changes, and when an attempt has failed.
	Change func(c Change)
}

func (o *Options) withDefaults() Options {
	var c Options
	if o != nil {
		c = *o
	}
	if c.Method == "" {
		c.Method = http.MethodGet
	}
	defaults(&c.ConnectTimeout, 30*time.Second, forever)
	defaults(&c.IdleTimeout, 5*time.Minute, forever)
	defaults(&c.Retry, time.Second, 0)
	defaults(&c.MinRetry, 100*time.Millisecond, 0)
	defaults(&c.MaxRetry, 10*time.Minute, forever)
	defaults(&c.MaxBackOff, 30*time.Second, 0)
	if c.MaxFailures <= 0 {
		c.MaxFailures = math.MaxInt
	}
	return c
}

// forever is longer than anything waits, and can be added to now.
const forever = 100 * 365 * 24 * time.Hour

// defaults sets *v to zero when it is zero, and to off when it is negative.
func defaults(v *time.Duration, zero, off time.Duration) {
	switch {
	case *v == 0:
		*v = zero
	case *v < 0:
		*v = off
	}
	*v = min(*v, forever)
}
