//go:build linux

package main

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
		{"sustained, events/s, to the floor at 512 a call", "sustained", "stentor", rate, "floor at 512", true, 0.7, 0.95},
		{"one big channel, events/s, to naive", "big", "stentor", rate, "naive", true, 10, 20},
		{"many channels, flood, events/s, to naive", "many", "stentor", rate, "naive", true, 4, 8},
		{"many channels, paced, p50, to naive", "many-paced", "stentor", latency50, "naive", false, 0.6, 0.3},
		{"idle, bytes a connection", "idle", "stentor", residentPer, "", false, 1_500, 600},
		{"idle, bytes a connection, to naive", "idle", "stentor", residentPer, "naive", false, 1.0 / 16, 1.0 / 41},
		{"a stalled reader, kernel bytes", "stalled", "stentor, 30 % stalled", stalledKernel, "", false, 300_000, 300_000},
		{"p99 of the others, to nobody stalled", "stalled", "stentor, 30 % stalled", latency99, "stentor, all read", false, 1.5, 1.1},
		{"CPU a connect, to naive", "idle", "stentor", connectCPU, "naive", false, 1.0, 0.5},
		{"CPU a reconnect, to naive", "churn", "stentor", reconnectCPU, "naive", false, 1.1, 0.5},
	}
}

// verdict is how far a median gets.
func (t target) verdict(s spread) string {
	reaches := func(goal float64) bool {
		if t.atLeast {
			return s.median >= goal
		}
		return s.median <= goal
	}
	switch {
	case s.n == 0:
		return "not measured"
	case reaches(t.stretch):
		return "yes, the stretch too"
	case reaches(t.enough):
		return "yes"
	}
	return "**no**"
}

func (t target) goal(v float64) string {
	if t.atLeast {
		return "≥ " + short(v)
	}
	return "≤ " + short(v)
}
