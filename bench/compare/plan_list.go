//go:build linux

package main

import "time"

func plans() []plan {
	return []plan{
		{
			name: "paced", title: "Nothing to batch",
			text:        "One channel, 20 events, 5 a second: every connection gets each event by itself.",
			rows:        also(only("floor", "naive", "stentor"), "tmaxmax", "r3labs", "alexandrevicenzi", "launchdarkly", "nchan"),
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
			rows:        also(only("floor", "floor at 16", "naive", "stentor", "stentor attached"), "tmaxmax", "r3labs", "alexandrevicenzi", "launchdarkly"),
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
			text:        "One channel, 40 events without a pause.",
			rows:        also(only("floor", "naive", "stentor"), "r3labs"),
			connections: 19_000, channels: 1, events: 40, size: 100,
			columns: []column{
				{"events/s", rate, ""}, {"to naive", rate, "naive"}, {"CPU µs/event", cpuPerEvent, ""}, {"to naive", cpuPerEvent, "naive"},
				{"client µs/event", loadPerEvent, ""},
			},
		},
		{
			name: "many", title: "Many channels, flood",
			text:        "1,900 channels with 10 connections each, 20 events to each channel by turns, without a pause.",
			rows:        also(only("floor", "naive", "stentor"), "r3labs", "alexandrevicenzi", "launchdarkly"),
			connections: 19_000, channels: 1_900, events: 20, size: 100,
			columns: []column{
				{"events/s", rate, ""}, {"to naive", rate, "naive"}, {"CPU µs/event", cpuPerEvent, ""}, {"to naive", cpuPerEvent, "naive"},
				{"client µs/event", loadPerEvent, ""},
			},
		},
		{
			name: "many-paced", title: "Many channels, paced",
			text:        "The same, 4,000 messages a second in all.",
			rows:        also(only("floor", "naive", "stentor"), "tmaxmax", "r3labs"),
			connections: 19_000, channels: 1_900, events: 6, size: 100, rate: 4_000,
			columns: []column{
				{"CPU µs/event", cpuPerEvent, ""}, {"to naive", cpuPerEvent, "naive"}, {"p50 ms", latency50, ""},
				{"to naive", latency50, "naive"}, {"p99 ms", latency99, ""}, {"max ms", latencyMax, ""},
			},
		},
		{
			name: "idle", title: "Connecting, and idle connections",
			text:        "One channel, no events: memory of the server 6 s after the last connect, then after it was told to collect garbage. Kernel memory is for both ends of a connection.",
			rows:        also(only("naive", "stentor"), "tmaxmax", "r3labs", "alexandrevicenzi", "launchdarkly", "nchan"),
			connections: 19_000, channels: 1, idle: 6 * time.Second,
			columns: []column{
				{"bytes/connection", residentPer, ""}, {"to naive", residentPer, "naive"}, {"after GC", residentGC, ""}, {"to naive", residentGC, "naive"},
				{"kernel", kernelPer, ""}, {"connects/s", connectRate, ""}, {"to naive", connectRate, "naive"}, {"CPU µs/connect", connectCPU, ""}, {"to naive", connectCPU, "naive"},
			},
		},
		{
			name: "churn", title: "Reconnects",
			text:        "One channel, 10 events a second for 5 s, then again while half of the connections reconnect by turns, 1,500 a second.",
			rows:        only("naive", "stentor"),
			connections: 5_000, channels: 1, events: 50, size: 100, rate: 10, churned: 2_500, churn: 1_500,
			columns: []column{
				{"CPU µs/reconnect", reconnectCPU, ""}, {"to naive", reconnectCPU, "naive"}, {"reconnects", reconnects, ""}, {"lost, twice or late", faulty, ""}, {"p99 ms", latency99, ""},
			},
		},
		{
			name: "stalled", title: "Stalled readers",
			text:        "One channel, 6,000 events of 1,000 bytes, 1,500 a second. Of the stalled row 300 connections read nothing at all; latency is that of the others. Memory is what it grew by, for each stalled connection: the kernel's of both ends, and the server's own.",
			rows:        []row{{server: "stentor", label: "stentor, all read"}, {server: "stentor", label: "stentor, 30 % stalled", stalled: 30}, {server: "naive", label: "naive, 30 % stalled", stalled: 30}},
			connections: 1_000, channels: 1, events: 6_000, size: 1_000, rate: 1_500, limit: 12 * time.Second,
			columns: []column{
				{"p50 ms", latency50, ""}, {"p99 ms", latency99, ""}, {"to all read", latency99, "stentor, all read"}, {"CPU µs/event", cpuPerEvent, ""},
				{"kernel bytes/stalled", stalledKernel, ""}, {"own bytes/stalled", stalledOwn, ""}, {"both", stalledAll, ""},
			},
		},
		{
			name: "storm", title: "Ten thousand connects in a second",
			text:        "Each begins when its time has come, whatever became of the others. Given up after 30 s.",
			rows:        only("floor", "naive", "stentor"),
			connections: 10_000, channels: 1, storm: time.Second, idle: time.Second,
			columns: []column{
				{"connected", connected, ""}, {"failed", failed, ""}, {"refused", refused, ""}, {"reset", reset, ""}, {"ended", ended, ""},
				{"timed out", timedOut, ""}, {"s until all were open", openSeconds, ""}, {"CPU µs/connect", connectCPU, ""},
			},
		},
		{
			name: "idle-tls", title: "Idle over TLS, HTTP/1.1",
			text:        "As above; the load generator is behind a program that speaks TLS for it, which CPU and memory are not about.",
			rows:        only("naive", "stentor"),
			connections: 3_000, channels: 1, idle: 2 * time.Second, speak: "http1",
			columns: overTLS(),
		},
		{
			name: "idle-http2", title: "Idle over HTTP/2",
			text:        "The same, 100 streams on a connection.",
			rows:        only("naive", "stentor"),
			connections: 3_000, channels: 1, idle: 2 * time.Second, speak: "http2",
			columns: overTLS(),
		},
		{
			name: "gzip", title: "Compressed",
			text:        "One channel, 60 events of 800 bytes without a pause, to clients that ask for gzip: compressed for each of them, or once for all.",
			rows:        only("naive gzip each", "stentor gzip"),
			connections: 1_000, channels: 1, events: 60, size: 800, speak: "gzip",
			columns: []column{
				{"CPU µs/event", cpuPerEvent, ""}, {"to naive gzip each", cpuPerEvent, "naive gzip each"}, {"user s", userTime, ""}, {"kernel s", sysTime, ""},
				{"events/s", rate, ""},
			},
		},
	}
}

func overTLS() []column {
	return []column{
		{"bytes/connection", residentPer, ""}, {"to naive", residentPer, "naive"}, {"after GC", residentGC, ""}, {"to naive", residentGC, "naive"},
		{"CPU µs/connect", connectCPU, ""}, {"to naive", connectCPU, "naive"},
	}
}
