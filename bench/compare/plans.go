//go:build linux

package main

import "time"

// server is a program to measure.
type server struct {
	name    string
	folder  string // of this module, and name of the binary
	args    []string
	missing string // why it can't be measured yet
}

// servers are all there are.
func servers() []server {
	return []server{
		{name: "floor", folder: "floor"},
		{name: "floor at 16", folder: "floor", args: []string{"-batch", "16"}},
		{name: "floor at 512", folder: "floor", args: []string{"-batch", "512"}},
		{name: "naive", folder: "naive"},
		{name: "naive gzip each", folder: "naive", args: []string{"-gzip"}},
		{name: "tmaxmax", folder: "tmaxmax"},
		{name: "r3labs", folder: "r3labs"},
		{name: "alexandrevicenzi", folder: "alexandrevicenzi"},
		{name: "launchdarkly", folder: "launchdarkly"},
		{name: "nchan", folder: "nchan"},
		{name: "stentor", folder: "stentor"},
		{name: "stentor attached", folder: "stentor", args: []string{"-engine", "attached"}},
		// Once it does, give bench/stentor the flag and take the reason away.
		{name: "stentor gzip", folder: "stentor", args: []string{"-gzip"}},
	}
}

// row is one line of a plan's table: a server, and what is special about its load.
type row struct {
	label   string // empty: the server's name
	server  string
	stalled int  // of 100 connections
	seldom  bool // not in every round: no target is about it
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
	storm             time.Duration // all connections begin in this time; how many come through
	speak             string        // through the bridge: http1 or http2 over TLS, or gzip
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

// also adds servers that not every round measures.
func also(rows []row, names ...string) []row {
	for _, name := range names {
		rows = append(rows, row{server: name, seldom: true})
	}
	return rows
}

// guess is about how long one row takes, before it is known.
func (p plan) guess() time.Duration {
	s := 1 + float64(p.connections)/5_000
	switch {
	case p.events == 0:
	case p.rate > 0:
		s += float64(p.events*p.channels) / float64(p.rate)
	case p.window > 0: // servers that send many events in one call
		s += float64(p.events*p.connections) / 3_000_000
	default:
		s += float64(p.events*p.connections) / 200_000
	}
	if p.churn > 0 {
		s *= 2
	}
	if p.speak != "" {
		s *= 1.5
	}
	return time.Duration(s*float64(time.Second)) + p.idle + p.storm
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
