//go:build linux

package main

import "time"

// server is a program to measure.
type server struct {
	name   string
	folder string // of this module, and name of the binary
	args   []string
}

// servers are all there are. An engine of Stentor's that is chosen by hand gets a
// line here, like {"stentor, attached", "stentor", []string{"-engine", "attached"}}, rows in
// the plans and a target of its own.
func servers() []server {
	return []server{
		{"floor", "floor", nil},
		{"floor at 16", "floor", []string{"-batch", "16"}},
		{"floor at 512", "floor", []string{"-batch", "512"}},
		{"naive", "naive", nil},
		{"tmaxmax", "tmaxmax", nil},
		{"r3labs", "r3labs", nil},
		{"alexandrevicenzi", "alexandrevicenzi", nil},
		{"launchdarkly", "launchdarkly", nil},
		{"nchan", "nchan", nil},
		{"stentor", "stentor", nil},
	}
}

// row is one line of a plan's table: a server, and what is special about its load.
type row struct {
	label   string // empty: the server's name
	server  string
	stalled int // of 100 connections
}

func (r row) name() string {
	if r.label != "" {
		return r.label
	}
	return r.server
}

// plan is one kind of load.
type plan struct {
	name, title, text string
	rows              []row
	connections       int
	channels          int // the connections are spread over them
	events            int // for each channel
	size              int // of an event's data
	rate              int // messages a second in all; zero: no pause
	window            int // events that the readers may be behind; zero: any number
	pinned            bool
	churned, churn    int           // connections that reconnect, reconnects a second
	idle              time.Duration // no events: memory, after so long
	limit             time.Duration // to give up; zero: a minute beyond what the rate asks for
	columns           []column
}

// column is one column of a plan's table.
type column struct {
	title string
	of    metric
	to    string // the row that it is a ratio to; empty: the number itself
}

func only(names ...string) []row {
	rows := make([]row, len(names))
	for i, name := range names {
		rows[i] = row{server: name}
	}
	return rows
}

func plans() []plan {
	return []plan{
		{
			name: "paced", title: "Nothing to batch",
			text:        "One channel, 20 events, 5 a second: every connection gets each event by itself.",
			rows:        only("floor", "naive", "tmaxmax", "r3labs", "alexandrevicenzi", "launchdarkly", "nchan", "stentor"),
			connections: 10_000, channels: 1, events: 20, size: 100, rate: 5,
			columns: []column{
				{"CPU µs/event", cpuPerEvent, ""}, {"to naive", cpuPerEvent, "naive"}, {"to floor", cpuPerEvent, "floor"},
				{"user s", userTime, ""}, {"kernel s", sysTime, ""}, {"all served, p50 ms", servedMedian, ""},
				{"to naive", servedMedian, "naive"}, {"p99 ms", latency99, ""}, {"client µs/event", loadPerEvent, ""},
			},
		},
		{
			name: "flood", title: "Flood",
			text:        "One channel, 500 events without a pause. The server has one processor, the load generator the other.",
			rows:        only("floor", "floor at 16", "naive", "tmaxmax", "r3labs", "alexandrevicenzi", "launchdarkly", "stentor"),
			connections: 1_000, channels: 1, events: 500, size: 100, pinned: true,
			columns: []column{
				{"events/s", rate, ""}, {"to naive", rate, "naive"}, {"CPU µs/event", cpuPerEvent, ""}, {"to naive", cpuPerEvent, "naive"},
				{"all served, p50 ms", servedMedian, ""}, {"max ms", latencyMax, ""}, {"client µs/event", loadPerEvent, ""},
			},
		},
		{
			name: "sustained", title: "Sustained",
			text:        "One channel, 20,000 events, pinned as above. Publishing waits while an average reader is 512 events behind: the floor does so by itself.",
			rows:        only("floor at 16", "floor at 512", "stentor"),
			connections: 1_000, channels: 1, events: 20_000, size: 100, window: 512, pinned: true,
			columns: []column{
				{"events/s", rate, ""}, {"to floor at 512", rate, "floor at 512"}, {"CPU µs/event", cpuPerEvent, ""},
				{"to floor at 512", cpuPerEvent, "floor at 512"}, {"client µs/event", loadPerEvent, ""},
			},
		},
		{
			name: "big", title: "One big channel",
			text:        "One channel, 60 events without a pause.",
			rows:        only("floor", "naive", "r3labs", "stentor"),
			connections: 19_000, channels: 1, events: 60, size: 100,
			columns: []column{
				{"events/s", rate, ""}, {"to naive", rate, "naive"}, {"CPU µs/event", cpuPerEvent, ""}, {"to naive", cpuPerEvent, "naive"},
				{"client µs/event", loadPerEvent, ""},
			},
		},
		{
			name: "many", title: "Many channels, flood",
			text:        "1,900 channels with 10 connections each, 40 events to each channel by turns, without a pause.",
			rows:        only("floor", "naive", "r3labs", "alexandrevicenzi", "launchdarkly", "stentor"),
			connections: 19_000, channels: 1_900, events: 40, size: 100,
			columns: []column{
				{"events/s", rate, ""}, {"to naive", rate, "naive"}, {"CPU µs/event", cpuPerEvent, ""}, {"to naive", cpuPerEvent, "naive"},
				{"client µs/event", loadPerEvent, ""},
			},
		},
		{
			name: "many-paced", title: "Many channels, paced",
			text:        "The same, 4,000 messages a second in all.",
			rows:        only("floor", "naive", "tmaxmax", "r3labs", "stentor"),
			connections: 19_000, channels: 1_900, events: 6, size: 100, rate: 4_000,
			columns: []column{
				{"CPU µs/event", cpuPerEvent, ""}, {"to naive", cpuPerEvent, "naive"}, {"p50 ms", latency50, ""},
				{"to naive", latency50, "naive"}, {"p99 ms", latency99, ""}, {"max ms", latencyMax, ""},
			},
		},
		{
			name: "idle", title: "Connecting, and idle connections",
			text:        "One channel, no events: memory of the server 3 s after the last connect, then after it was told to collect garbage. Kernel memory is for both ends of a connection.",
			rows:        only("naive", "tmaxmax", "r3labs", "alexandrevicenzi", "launchdarkly", "nchan", "stentor"),
			connections: 19_000, channels: 1, idle: 3 * time.Second,
			columns: []column{
				{"bytes/connection", residentPer, ""}, {"to naive", residentPer, "naive"}, {"after GC", residentGC, ""}, {"to naive", residentGC, "naive"},
				{"kernel", kernelPer, ""}, {"connects/s", connectRate, ""}, {"CPU µs/connect", connectCPU, ""}, {"to naive", connectCPU, "naive"},
			},
		},
		{
			name: "churn", title: "Reconnects",
			text:        "One channel, 10 events a second for 5 s, then again while half of the connections reconnect by turns, 1,500 a second.",
			rows:        only("naive", "stentor"),
			connections: 5_000, channels: 1, events: 50, size: 100, rate: 10, churned: 2_500, churn: 1_500,
			columns: []column{
				{"CPU µs/reconnect", reconnectCPU, ""}, {"to naive", reconnectCPU, "naive"}, {"reconnects", reconnects, ""}, {"p99 ms", latency99, ""},
			},
		},
		{
			name: "stalled", title: "Stalled readers",
			text:        "One channel, 6,000 events of 1,000 bytes, 1,500 a second. Of the stalled row 300 connections read nothing at all; latency is that of the others. Memory is what it grew by, for each stalled connection: the kernel's of both ends, and the server's own.",
			rows:        []row{{server: "stentor", label: "stentor, all read"}, {server: "stentor", label: "stentor, 30 % stalled", stalled: 30}, {server: "naive", label: "naive, 30 % stalled", stalled: 30}},
			connections: 1_000, channels: 1, events: 6_000, size: 1_000, rate: 1_500, limit: 12 * time.Second,
			columns: []column{
				{"p50 ms", latency50, ""}, {"p99 ms", latency99, ""}, {"to all read", latency99, "stentor, all read"}, {"CPU µs/event", cpuPerEvent, ""},
				{"kernel bytes/stalled", stalledKernel, ""}, {"own bytes/stalled", stalledOwn, ""},
			},
		},
	}
}

// quick makes a plan short, to see that everything works; its numbers say little.
func (p plan) quick() plan {
	p.connections = min(p.connections/10, 500)
	if p.channels > 1 {
		p.channels = p.connections / 10
	}
	p.churned, p.churn = p.churned/10, p.churn/5
	p.events = max(p.events/20, min(p.events, 10))
	if p.rate > 0 {
		p.rate = max(p.rate, p.events*p.channels)
	}
	p.idle, p.limit = min(p.idle, time.Second/2), 5*time.Second
	return p
}
