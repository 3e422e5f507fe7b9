//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"runtime"
	"slices"
	"strconv"
	"time"

	"github.com/stentor-sse/stentor/bench/load"
	"github.com/stentor-sse/stentor/bench/peer"
)

// metric names one number of a run.
type metric string

const (
	cpuPerEvent   metric = "server µs/event"
	loadPerEvent  metric = "client µs/event"
	userTime      metric = "user s"
	sysTime       metric = "kernel s"
	rate          metric = "events/s"
	servedMedian  metric = "served p50 ms"
	latency50     metric = "p50 ms"
	latency99     metric = "p99 ms"
	latencyMax    metric = "max ms"
	connectRate   metric = "connects/s"
	connectCPU    metric = "µs/connect"
	reconnectCPU  metric = "µs/reconnect"
	reconnects    metric = "reconnects"
	residentPer   metric = "bytes/connection"
	residentGC    metric = "bytes/connection after GC"
	kernelPer     metric = "kernel bytes/connection"
	stalledKernel metric = "kernel bytes/stalled"
	stalledOwn    metric = "own bytes/stalled"
	stalledAll    metric = "bytes/stalled"
	faulty        metric = "lost, twice or late"
	connected     metric = "connected"
	refused       metric = "refused"
	reset         metric = "reset"
	ended         metric = "ended"
	timedOut      metric = "timed out"
	failed        metric = "failed"
	openSeconds   metric = "s until all were open"
)

// sample is what one run came to.
type sample struct {
	numbers map[metric]float64
	fault   string // what went wrong, "" for nothing
}

// run is one server under one plan.
type run struct {
	plan
	row   row
	proc  *process
	load  *load.Load
	begun struct { // before there was a server
		objects, buffers int64
		slabs            bool
		resident         int64 // of the server without connections
	}
	numbers map[metric]float64
}

// errTooSlow is why a run ended before everything was delivered.
var errTooSlow = errors.New("gave up")

// measure runs one server once, and profiles it to a file if that has a name. An error is one
// of the comparison; what the server does wrong is in the sample.
func measure(ctx context.Context, bin string, p plan, r row, s server, profile string, progress func(*load.Load)) (sample, error) {
	runtime.LockOSThread() // the load generator is measured, and pinned, by thread
	defer runtime.UnlockOSThread()
	m := &run{plan: p, row: r, numbers: map[metric]float64{}}
	m.begun.objects, m.begun.buffers, m.begun.slabs = kernelMemory()
	if p.speak == "http1" || p.speak == "http2" {
		s.args = append(slices.Clone(s.args), "-tls", p.speak)
	}
	proc, err := begin(ctx, bin, s, p.pinned)
	if err != nil {
		return sample{}, err
	}
	defer proc.stop()
	m.proc = proc
	m.begun.resident = proc.used().Resident
	address := proc.ready.Events
	if p.speak != "" {
		bridge, err := begin(ctx, bin, server{name: "bridge", folder: "bridge", args: []string{"-to", address, "-speak", p.speak}}, false)
		if err != nil {
			return sample{}, err
		}
		defer bridge.stop()
		address = bridge.ready.Events
	}
	if p.pinned {
		if err := pin(loadCPU); err != nil {
			return sample{}, err
		}
		defer pin(allCPUs)
	}
	o := &load.Options{
		Address: address, Connections: p.connections, Expected: p.events,
		Stalled: p.connections * r.stalled / 100, Churned: p.churned, Progress: progress,
		Path: func(i int) string { return "/events?channel=" + peer.Channel(i%p.channels) },
	}
	if p.storm > 0 {
		o.Ramp, o.Window, o.Partial = p.storm, p.connections, true
	}
	if m.load, err = load.New(o); err != nil {
		return sample{}, err
	}
	defer m.load.Close()
	if profile != "" {
		if err := proc.order(ctx, "/profile", url.Values{"file": {profile}}); err != nil {
			return sample{}, err
		}
	}
	err = m.all(ctx)
	if profile != "" {
		err = errors.Join(err, proc.order(ctx, "/profile", nil))
	}
	if ctx.Err() != nil {
		return sample{}, context.Cause(ctx)
	}
	report := m.load.Report()
	fault := report.Faults()
	if err != nil {
		got := float64(report.Deliveries) / float64(max(p.events*(p.connections-p.churned-p.connections*r.stalled/100), 1))
		fault = fmt.Sprintf("%.0f %% delivered: %v %s", 100*got, err, fault)
	}
	return sample{m.numbers, fault}, nil
}

// all does what the plan says.
func (m *run) all(ctx context.Context) error {
	if m.storm > 0 {
		return m.rush(ctx)
	}
	if err := m.connect(ctx); err != nil {
		return err
	}
	if m.idle > 0 {
		return m.rest(ctx)
	}
	if err := m.warm(ctx); err != nil {
		return err
	}
	if m.churn == 0 {
		return m.deliver(ctx, 1)
	}
	return m.reconnect(ctx)
}

// reconnect delivers twice, the second time while connections come and go: what
// that cost is the difference.
func (m *run) reconnect(ctx context.Context) error {
	if err := m.proc.order(ctx, "/gc", nil); err != nil { // what connecting left behind is not to be charged to the first
		return err
	}
	before := m.proc.used().CPU
	if err := m.deliver(ctx, 1); err != nil {
		return err
	}
	quiet := m.proc.used().CPU - before
	m.load.Churn(m.churn)
	before = m.proc.used().CPU
	if err := m.deliver(ctx, 1+m.events); err != nil {
		return err
	}
	report := m.load.Report()
	n := report.Reconnects
	m.numbers[reconnects] = float64(n)
	m.numbers[faulty] = float64(report.Lost + report.Late + report.Repeated)
	m.numbers[reconnectCPU] = micro(m.proc.used().CPU-before-quiet) / float64(max(n, 1))
	return nil
}

func (m *run) connect(ctx context.Context) error {
	ctx, cancel := context.WithTimeoutCause(ctx, time.Minute, errTooSlow)
	defer cancel()
	before := m.proc.used().CPU
	if err := m.load.Open(ctx); err != nil {
		return fmt.Errorf("connecting: %w", err)
	}
	m.numbers[connectRate] = float64(m.connections) / m.load.Report().Opening.Seconds()
	m.numbers[connectCPU] = micro(m.proc.used().CPU-before) / float64(m.connections)
	return nil
}

// rush opens all connections in a short time, and says what became of each.
func (m *run) rush(ctx context.Context) error {
	before := m.proc.used().CPU
	opening, cancel := context.WithTimeout(ctx, rushLimit)
	defer cancel()
	if err := m.load.Open(opening); err != nil {
		return err
	}
	r := m.load.Report()
	if r.Failed.Timeout == 0 {
		m.numbers[openSeconds] = r.Opening.Seconds()
	}
	if r.Connected > 0 {
		m.numbers[connectCPU] = micro(m.proc.used().CPU-before) / float64(r.Connected)
	}
	if err := m.wait(ctx, m.idle); err != nil { // some may end right after
		return err
	}
	r = m.load.Report()
	for name, n := range map[metric]int{
		connected: r.Connected, refused: r.Failed.Refused, reset: r.Failed.Reset, ended: r.Failed.EOF,
		timedOut: r.Failed.Timeout, failed: r.Broken,
	} {
		m.numbers[name] = float64(n)
	}
	return nil
}

// rushLimit is how long it may take.
const rushLimit = 30 * time.Second

// rest measures the memory of connections that do nothing.
func (m *run) rest(ctx context.Context) error {
	if err := m.wait(ctx, m.idle); err != nil {
		return err
	}
	n := float64(m.connections)
	m.numbers[residentPer] = float64(m.proc.used().Resident-m.begun.resident) / n
	if objects, buffers, ok := kernelMemory(); ok && m.begun.slabs {
		m.numbers[kernelPer] = float64(objects+buffers-m.begun.objects-m.begun.buffers) / n
	}
	if err := m.proc.order(ctx, "/gc", nil); err != nil {
		return err
	}
	m.numbers[residentGC] = float64(m.proc.used().Resident-m.begun.resident) / n
	return nil
}

// wait reads for a while.
func (m *run) wait(ctx context.Context, d time.Duration) error {
	end := time.Now().Add(d)
	return m.load.Run(ctx, func() bool { return !time.Now().Before(end) })
}

// warm publishes until everyone has heard something: a head says that a server has
// answered, not that the subscription is in place.
func (m *run) warm(ctx context.Context) error {
	ctx, cancel := context.WithTimeoutCause(ctx, 20*time.Second, fmt.Errorf("%w: some hear nothing", errTooSlow))
	defer cancel()
	for !m.load.Warm() {
		end := time.Now().Add(time.Second)
		heard := func() bool { return m.load.Warm() || time.Now().After(end) }
		if err := m.publish(ctx, 0, 0, 0, heard); err != nil {
			return err
		}
	}
	return nil
}

// deliver publishes the events of the plan, numbered from first on, and measures.
func (m *run) deliver(ctx context.Context, first int) error {
	limit := m.limit
	if limit == 0 {
		limit = time.Minute
		if m.rate > 0 {
			limit += time.Duration(m.events*m.channels/m.rate) * time.Second
		}
	}
	ctx, cancel := context.WithTimeoutCause(ctx, limit, errTooSlow)
	defer cancel()
	last := first + m.events - 1
	m.load.Expect(int64(first), int64(last))
	before, own := m.proc.used(), load.ThreadCPU()
	err := m.publish(ctx, first, last, m.rate, m.load.Complete)
	after := m.proc.used()
	cpu := after.CPU - before.CPU
	own = load.ThreadCPU() - own
	report := m.load.Report()
	if n := float64(report.Deliveries); n > 0 {
		m.numbers[cpuPerEvent] = micro(cpu) / n
		m.numbers[loadPerEvent] = micro(own) / n
	}
	m.numbers[userTime], m.numbers[sysTime] = (after.User - before.User).Seconds(), (after.Kernel - before.Kernel).Seconds()
	if n := m.connections * m.row.stalled / 100; n > 0 {
		_, buffers, _ := kernelMemory()
		m.numbers[stalledKernel] = float64(buffers-m.begun.buffers) / float64(n)
		m.numbers[stalledOwn] = float64(after.Resident-before.Resident) / float64(n)
		m.numbers[stalledAll] = m.numbers[stalledKernel] + max(m.numbers[stalledOwn], 0) // it may shrink by what was garbage before
	}
	if err == nil { // what took too long is not in there
		m.numbers[latency50] = milli(report.Latency.Quantile(0.5))
		m.numbers[latency99] = milli(report.Latency.Quantile(0.99))
		m.numbers[latencyMax] = milli(report.Latency.Max())
		m.numbers[rate] = report.Rate()
		m.numbers[servedMedian] = milli(report.ServedMedian())
	}
	return err
}

// publish has the server publish, and reads until the condition holds.
func (m *run) publish(ctx context.Context, first, last, perSecond int, until func() bool) error {
	query := url.Values{}
	for name, n := range map[string]int{"channels": m.channels, "first": first, "last": last, "size": m.size, "rate": perSecond, "window": m.window} {
		query.Set(name, strconv.Itoa(n))
	}
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan error, 1)
	go func() { done <- m.proc.order(ctx, "/publish", query) }()
	err := m.load.Run(ctx, until)
	if err != nil {
		cancel() // a server that publishes for a reader that has given up
		<-done
		return err
	}
	defer cancel()
	return <-done
}

func micro(d time.Duration) float64 { return float64(d) / float64(time.Microsecond) }

func milli(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
