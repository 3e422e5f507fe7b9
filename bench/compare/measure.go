//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"runtime"
	"slices"

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
