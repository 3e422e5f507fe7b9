//go:build linux

package main

import (
	"encoding/json"
	"fmt"
	"io"
	"math"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/stentor-sse/stentor/bench/load"
)

// benchResult is what came of a run. Its JSON is for scripts: times in milliseconds unless the
// name says otherwise.
type benchResult struct {
	Interrupted       bool         `json:"interrupted"`
	Asked             int          `json:"connections"`
	Connected         int          `json:"connected"`
	Failed            string       `json:"failed,omitempty"` // to connect, or later
	FailedFirst       string       `json:"firstFailure,omitempty"`
	ConnectSeconds    float64      `json:"connectSeconds"`
	ConnectsPerSecond int64        `json:"connectsPerSecond"`
	Rate              int          `json:"rate"` // that was asked for
	Seconds           float64      `json:"seconds"`
	Published         int64        `json:"published"`
	PublishedRate     int64        `json:"publishedPerSecond"`
	PublishedBytes    int64        `json:"publishedBytes"`
	Expected          int64        `json:"expected"`
	Delivered         int64        `json:"delivered"`
	DeliveredRate     int64        `json:"deliveredPerSecond"`
	Bytes             uint64       `json:"bytes"`
	Latency           benchLatency `json:"latency"`
	Lost              int64        `json:"lost"`
	Repeated          uint64       `json:"repeated"`
	OutOfOrder        uint64       `json:"outOfOrder"`
	Broken            int          `json:"broken"`
	OwnCPU            float64      `json:"ownCpuSeconds"`
	Saturated         bool         `json:"saturated"` // the load generator had no more to give
	Server            *benchServer `json:"server,omitempty"`
}

type benchLatency struct {
	P50 float64 `json:"p50"`
	P99 float64 `json:"p99"`
	Max float64 `json:"max"`
}

// benchServer is what our own server used.
type benchServer struct {
	CPU            float64 `json:"cpuSeconds"`
	CPUPerDelivery float64 `json:"cpuMicrosecondsPerDelivery"`
	Resident       int64   `json:"residentBytes"`
	Peak           int64   `json:"peakBytes"`
	ResidentBefore int64   `json:"residentBytesBefore"`
}

func seconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1e6 }

func millis(d time.Duration) float64 { return float64(d.Microseconds()) / 1e3 }

// whole is a rate without what nobody needs; a fraction of one event is one.
func whole(v float64) int64 { return int64(math.Ceil(v)) }

// opened takes what connecting came to.
func (r *benchResult) opened(l load.Report) {
	r.Connected, r.ConnectSeconds = l.Connected, seconds(l.Opening)
	r.ConnectsPerSecond = whole(float64(l.Connected) / max(l.Opening.Seconds(), 1e-6))
}

// failed takes which connections broke.
func (r *benchResult) failed(l load.Report) {
	r.Broken, r.Failed = l.Broken, l.Failed.String()
	if l.Err != nil {
		r.FailedFirst = strings.TrimPrefix(l.Err.Error(), "load: ")
	}
}

// counted takes what was delivered in the time that counts.
func (r *benchResult) counted(l load.Report, t *traffic, took time.Duration) {
	r.failed(l)
	r.Seconds = seconds(took)
	r.Published, r.PublishedBytes, r.Expected = t.published.Load(), t.bytes.Load(), t.expected.Load()
	r.Delivered = int64(l.Distinct)
	r.PublishedRate, r.DeliveredRate = whole(float64(r.Published)/r.Seconds), whole(float64(r.Delivered)/r.Seconds)
	r.Bytes = l.Bytes
	r.Latency = benchLatency{millis(l.Latency.Quantile(0.5)), millis(l.Latency.Quantile(0.99)), millis(l.Latency.Max())}
	r.Lost, r.Repeated, r.OutOfOrder = max(r.Expected-r.Delivered, 0), l.Repeated, l.Late
}

func (s *benchServer) add(before, after load.Usage, delivered int64) {
	s.CPU, s.Resident, s.Peak = seconds(after.CPU-before.CPU), after.Resident, after.Peak
	s.CPUPerDelivery = s.CPU * 1e6 / float64(max(delivered, 1))
}

// print writes the summary.
func (r *benchResult) print(w io.Writer, asJSON bool) error {
	var err error
	if asJSON {
		e := json.NewEncoder(w)
		e.SetEscapeHTML(false)
		err = e.Encode(r)
	} else {
		err = r.table(w)
	}
	if err != nil && !readerGone(err) {
		return fmt.Errorf("bench: standard output: %w", err)
	}
	return nil
}

func (r *benchResult) table(w io.Writer) error {
	t := tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
	row := func(name, format string, args ...any) { fmt.Fprintf(t, "%s\t%s\n", name, fmt.Sprintf(format, args...)) }
	row("connected", "%s of %s in %.3gs, %s a second", grouped(r.Connected), grouped(r.Asked), r.ConnectSeconds, grouped(r.ConnectsPerSecond))
	if r.Broken > 0 {
		row("broken", "%s connections: %s; the first: %s", grouped(r.Broken), r.Failed, visible(r.FailedFirst))
	}
	if r.Seconds > 0 {
		r.traffic(row)
	}
	if r.Saturated {
		row("note", "the load generator was busy all the time: the server could do more than this says")
	}
	if r.Seconds > 0 && r.PublishedRate < int64(r.Rate)*9/10 && !r.Interrupted {
		row("note", "publishing did not keep up with %s a second; try more --publishers", grouped(r.Rate))
	}
	if r.Interrupted {
		row("note", "interrupted")
	}
	return t.Flush()
}

// traffic has the rows about what was counted.
func (r *benchResult) traffic(row func(name, format string, args ...any)) {
	row("published", "%s in %.3gs, %s a second", grouped(r.Published), r.Seconds, grouped(r.PublishedRate))
	row("delivered", "%s of %s, %s a second", grouped(r.Delivered), grouped(r.Expected), grouped(r.DeliveredRate))
	row("latency", "p50 %.3gms, p99 %.3gms, max %.3gms", r.Latency.P50, r.Latency.P99, r.Latency.Max)
	row("lost", "%s", grouped(r.Lost))
	row("repeated", "%s", grouped(r.Repeated))
	row("out of order", "%s", grouped(r.OutOfOrder))
	row("bytes", "%s", inBytes(int64(r.Bytes)))
	row("own CPU", "%.3gs", r.OwnCPU)
	if s := r.Server; s != nil {
		row("server CPU", "%.3gs, %.3gµs a delivery", s.CPU, s.CPUPerDelivery)
		row("server memory", "%s, at most %s; %s before the first connection", inBytes(s.Resident), inBytes(s.Peak), inBytes(s.ResidentBefore))
	}
}

// verdict is an error when something is wrong with what arrived.
func (r *benchResult) verdict() error {
	var faults []string
	for _, f := range []struct {
		n    int64
		what string
	}{{r.Lost, "lost"}, {int64(r.Repeated), "repeated"}, {int64(r.OutOfOrder), "out of order"}} {
		if f.n > 0 {
			faults = append(faults, fmt.Sprintf("%d events %s", f.n, f.what))
		}
	}
	if r.Broken > 0 {
		faults = append(faults, fmt.Sprintf("%d connections broken", r.Broken))
	}
	if len(faults) == 0 {
		return nil
	}
	return fmt.Errorf("bench: %s", strings.Join(faults, ", "))
}

// rounded is d with three digits or so.
func rounded(d time.Duration) time.Duration {
	for unit := time.Second; unit > time.Microsecond; unit /= 10 {
		if d >= unit {
			return d.Round(unit / 100)
		}
	}
	return d
}

// grouped is n with commas.
func grouped[N int | int64 | uint64](n N) string {
	s := fmt.Sprint(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// inBytes is n with its unit.
func inBytes(n int64) string {
	for _, u := range units() {
		if u.bytes&(u.bytes-1) == 0 && n >= u.bytes {
			return fmt.Sprintf("%.1f %s", float64(n)/float64(u.bytes), u.suffix)
		}
	}
	return fmt.Sprintf("%d B", n)
}
