//go:build linux

package main

import (
	"context"
	"fmt"
	"net/url"
	"strconv"
	"time"

	"github.com/stentor-sse/stentor/bench/load"
)

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
