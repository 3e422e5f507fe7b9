package load

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"syscall"
	"time"
)

// Report is what was seen so far.
type Report struct {
	Opening    time.Duration // of all connections, until each had its head
	Deliveries uint64        // events that were numbered, faulty ones included
	Distinct   uint64        // the same, each once
	Lost       uint64        // numbers that were left out
	Late       uint64        // numbers that came after a higher one
	Repeated   uint64        // numbers that came twice
	Foreign    uint64        // events that the server sends of itself
	Connected  int           // connections that were opened, each time counted
	Broken     int           // connections that ended
	Failed     Failed        // how they did
	Err        error         // of the first that did
	Reconnects int           // connections that were closed and opened again
	Bytes      uint64        // of the responses
	Reads      uint64        // system calls that had some
	Latency    Histogram     // from publishing to reading
	// Served has for each number how long it took until the last connection had it. It is of
	// use with one channel.
	Served []time.Duration
	// First is when the first of the expected events was published, Last when the last of
	// them was read.
	First, Last time.Time
}

// Failed counts connections that ended, or were not to be had, by what told it.
type Failed struct {
	Refused  int // nobody listens
	Reset    int // by the other side
	EOF      int // ended in order, but too early
	Timeout  int // no answer in time
	Answered int // with something that is no stream
	Other    int
}

// String is those that there are, in words.
func (f Failed) String() string {
	var parts []string
	for _, p := range []struct {
		n    int
		what string
	}{{f.Refused, "refused"}, {f.Reset, "reset"}, {f.EOF, "ended"}, {f.Timeout, "timed out"}, {f.Answered, "answered otherwise"}, {f.Other, "failed otherwise"}} {
		if p.n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", p.n, p.what))
		}
	}
	return strings.Join(parts, ", ")
}

func (f *Failed) add(err error) {
	switch {
	case errors.Is(err, syscall.ECONNREFUSED):
		f.Refused++
	case errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE):
		f.Reset++
	case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, ErrEnded):
		f.EOF++
	case errors.Is(err, syscall.ETIMEDOUT):
		f.Timeout++
	case errors.Is(err, ErrNoStream):
		f.Answered++
	default:
		f.Other++
	}
}

// Faults is what is wrong, "" for nothing.
func (r *Report) Faults() string {
	var faults []string
	for _, f := range []struct {
		n    uint64
		what string
	}{{r.Lost, "lost"}, {r.Repeated, "repeated"}, {r.Late, "out of order"}, {uint64(r.Broken), "connections broken"}} {
		if f.n > 0 {
			faults = append(faults, fmt.Sprintf("%d %s", f.n, f.what))
		}
	}
	if r.Broken > 0 && r.Err != nil {
		faults = append(faults, r.Err.Error())
	}
	return strings.Join(faults, ", ")
}

// ServedMedian is the median of Served over the events that came.
func (r *Report) ServedMedian() time.Duration {
	var came []time.Duration
	for _, d := range r.Served {
		if d > 0 {
			came = append(came, d)
		}
	}
	if len(came) == 0 {
		return 0
	}
	slices.Sort(came)
	return came[len(came)/2]
}

func (r *Report) broke(err error) {
	r.Broken++
	r.Failed.add(err)
	if r.Err == nil {
		r.Err = err
	}
}

// begin forgets everything but the faults and the connections.
func (r *Report) begin() {
	clear(r.Served)
	*r = Report{
		Opening: r.Opening, Connected: r.Connected, Reconnects: r.Reconnects, Served: r.Served, Foreign: r.Foreign,
		Lost: r.Lost, Late: r.Late, Repeated: r.Repeated, Broken: r.Broken, Failed: r.Failed, Err: r.Err,
	}
}

// Rate is deliveries a second, from the first that was published to the last that was read.
func (r *Report) Rate() float64 {
	took := r.Last.Sub(r.First)
	if took <= 0 {
		return 0
	}
	return float64(r.Deliveries) / took.Seconds()
}
