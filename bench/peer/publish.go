package peer

import (
	"context"
	"fmt"
	"net/url"
	"strconv"
	"time"

	"github.com/stentor-sse/stentor/bench/load/payload"
)

// run is one order to publish.
type run struct {
	channels    int
	first, last int64
	size        int
	rate        float64 // messages a second; zero: no pause
	window      int     // events that the readers may be behind; zero: any number
}

func parseRun(q url.Values) (run, error) {
	var o run
	var err error
	number := func(name string) int64 {
		n, e := strconv.ParseInt(q.Get(name), 10, 64)
		if e != nil || n < 0 {
			err = fmt.Errorf("%s=%q: want a number that is not negative", name, q.Get(name))
		}
		return n
	}
	o.channels, o.first, o.last = int(number("channels")), number("first"), number("last")
	o.size, o.rate, o.window = int(number("size")), float64(number("rate")), int(number("window"))
	if err == nil && (o.channels == 0 || o.last < o.first) {
		err = fmt.Errorf("channels=%d first=%d last=%d: nothing to publish", o.channels, o.first, o.last)
	}
	return o, err
}

// publish carries out o, or stops with ctx.
func (s *Server) publish(ctx context.Context, o run) error {
	names := make([]string, o.channels)
	for i := range names {
		names[i] = Channel(i)
	}
	var data []byte
	begun, sent := time.Now(), 0
	for seq := o.first; seq <= o.last; seq++ {
		for _, name := range names {
			if err := pause(ctx, begun, sent, o.rate); err != nil {
				return err
			}
			if err := s.room(ctx, sent, o.window); err != nil {
				return err
			}
			data = payload.Append(data[:0], seq, time.Now().UnixNano(), o.size)
			if err := s.Publish(name, string(data)); err != nil {
				return err
			}
			sent++
		}
	}
	if s.Flush != nil {
		return s.Flush()
	}
	return nil
}

// Channel is the name of channel i.
func Channel(i int) string { return "c" + strconv.Itoa(i) }

// pause waits until it is time for the next after sent messages, at a rate.
func pause(ctx context.Context, begun time.Time, sent int, rate float64) error {
	if rate == 0 {
		return ctx.Err()
	}
	due := time.Duration(float64(sent) / rate * float64(time.Second))
	if left := due - time.Since(begun); left > 0 {
		select {
		case <-time.After(left):
		case <-ctx.Done():
		}
	}
	return ctx.Err()
}

// room waits while the readers are too far behind, which is looked at now and then.
func (s *Server) room(ctx context.Context, sent, window int) error {
	if s.Behind == nil || window == 0 || sent%max(window/8, 1) != 0 {
		return nil
	}
	for ctx.Err() == nil && s.Behind() > window {
		time.Sleep(50 * time.Microsecond)
	}
	return ctx.Err()
}
