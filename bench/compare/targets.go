//go:build linux

package main

import "github.com/stentor-sse/stentor/bench/report"

// target is what Stentor is to reach in one number of one plan.
type target struct {
	what            string
	plan, row       string
	of              metric
	to              string // the row that it is a ratio to; empty: the number itself
	atLeast         bool   // else at most
	enough, stretch float64
}

func targets() []target {
	return []target{
		{"CPU an event, nothing to batch, to naive", "paced", "stentor", cpuPerEvent, "naive", false, 0.70, 0.58},
		{"the same, to the floor", "paced", "stentor", cpuPerEvent, "floor", false, 1.25, 1.0},
		{"time to serve all 10,000, p50, to naive", "paced", "stentor", servedMedian, "naive", false, 0.80, 0.65},
		{"flood, events/s, to naive", "flood", "stentor", rate, "naive", true, 25, 50},
		{"flood, attached, events/s, to naive", "flood", "stentor attached", rate, "naive", true, 10, 20},
		{"sustained, events/s, to the floor at 512 a call", "sustained", "stentor", rate, "floor at 512", true, 0.7, 0.95},
		{"one channel of 19,000, flood, events/s, to naive", "big", "stentor", rate, "naive", true, 10, 20},
		{"1,900 channels of 10, flood, events/s, to naive", "many", "stentor", rate, "naive", true, 4, 8},
		{"1,900 channels of 10, paced, p50, to naive", "many-paced", "stentor", latency50, "naive", false, 0.6, 0.3},
		{"idle HTTP/1.1, bytes a connection", "idle", "stentor", residentPer, "", false, 1_500, 600},
		{"the same, to naive", "idle", "stentor", residentPer, "naive", false, 1.0 / 16, 1.0 / 41},
		{"idle over TLS, HTTP/1.1, bytes after GC", "idle-tls", "stentor", residentGC, "", false, 12_000, 6_000},
		{"idle HTTP/2 stream, bytes after GC", "idle-http2", "stentor", residentGC, "", false, 13_000, 8_000},
		{"a stalled reader, bytes, the kernel's and ours", "stalled", "stentor, 30 % stalled", stalledAll, "", false, 300_000, 300_000},
		{"p99 of the others, to nobody stalled", "stalled", "stentor, 30 % stalled", latency99, "stentor, all read", false, 1.5, 1.1},
		{"CPU a connect, to naive", "idle", "stentor", connectCPU, "naive", false, 1.0, 0.5},
		{"10,000 connects in a second, failed", "storm", "stentor", failed, "", false, 0, 0},
		{"1,500 reconnects a second, events lost, twice or late", "churn", "stentor", faulty, "", false, 0, 0},
		{"CPU a reconnect, to naive", "churn", "stentor", reconnectCPU, "naive", false, 1.1, 0.5},
		{"gzip for 1,000, CPU an event, a compressor each to one for all", "gzip", "naive gzip each", cpuPerEvent, "stentor gzip", true, 100, 100},
	}
}

// verdict is how far a median gets.
func (t target) verdict(s report.Spread) string {
	reaches := func(goal float64) bool {
		if t.atLeast {
			return s.Median >= goal
		}
		return s.Median <= goal
	}
	switch {
	case s.N == 0:
		return "not measured"
	case reaches(t.stretch):
		return "yes, the stretch too"
	case reaches(t.enough):
		return "yes"
	}
	return missed
}

const missed = "**no**"

// reasons are why targets that are missed are, as their profiles had it when they last
// were. By what they are about.
func reasons() map[string]string {
	connect := "0.9 of a connect is net/http's and the kernel's: accept, a goroutine whose stack grows, the header, then Hijack, after which its three buffers of 4 KB " +
		"are garbage, and a second descriptor. The rest is the hub's. A heap of so few bytes is collected every few hundred connects, that of the naive server, twenty times as large, " +
		"hardly ever. An accept loop of our own would save most of it"
	return map[string]string{
		"CPU an event, nothing to batch, to naive": "95 % is send(2), and the floor, which is nothing else, needs as much",
		"sustained, events/s, to the floor at 512 a call": "TCP_NOTSENT_LOWAT, which keeps stalled readers from filling the kernel, cuts large writes: a fifth of the time goes into " +
			"connections that read the log on by themselves when they can be written to again, an eighth into gathering",
		"idle HTTP/2 stream, bytes after GC": "8 KB are the stack of the handler's goroutine and 4 KB the buffer of net/http's writer, for every server; 3 KB are request and " +
			"header, 4 KB the stream's and the subscription's",
		"CPU a connect, to naive":   connect,
		"CPU a reconnect, to naive": connect,
	}
}

func (t target) goal(v float64) string {
	if t.atLeast {
		return "≥ " + report.Short(v)
	}
	return "≤ " + report.Short(v)
}
