package load

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Report is what was seen so far.
type Report struct {
	Opening    time.Duration // of all connections, until each had its head
	Deliveries uint64        // events that were numbered, faulty ones included
	Lost       uint64        // numbers that were left out
	Repeated   uint64        // numbers not above one that came before: twice, or out of order
	Foreign    uint64        // events that the server sends of itself
	Broken     int           // connections that ended
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

// Report is a copy of what was seen so far.
func (l *Load) Report() Report {
	r := l.report
	r.Served = slices.Clone(r.Served)
	return r
}

// Faults is what is wrong, "" for nothing.
func (r *Report) Faults() string {
	var faults []string
	for _, f := range []struct {
		n    uint64
		what string
	}{{r.Lost, "lost"}, {r.Repeated, "repeated or out of order"}, {uint64(r.Broken), "connections broken"}} {
		if f.n > 0 {
			faults = append(faults, fmt.Sprintf("%d %s", f.n, f.what))
		}
	}
	if r.Err != nil {
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
	if r.Err == nil {
		r.Err = err
	}
}

// begin forgets everything but the faults and the connections.
func (r *Report) begin() {
	clear(r.Served)
	*r = Report{
		Opening: r.Opening, Reconnects: r.Reconnects, Served: r.Served, Foreign: r.Foreign,
		Lost: r.Lost, Repeated: r.Repeated, Broken: r.Broken, Err: r.Err,
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

// String is where the load stands, in a few words.
func (l *Load) String() string {
	s := fmt.Sprintf("%d of %d connections", l.open, len(l.conns))
	if l.report.Deliveries > 0 {
		s += fmt.Sprintf(", %d events", l.report.Deliveries)
	}
	if faults := l.report.Faults(); faults != "" {
		s += ", " + faults
	}
	return s
}
