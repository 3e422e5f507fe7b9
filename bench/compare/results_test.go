//go:build linux

package main

import (
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stentor-sse/stentor/bench/report"
)

func TestRatiosAreTakenWithinARound(t *testing.T) {
	r := results{}
	p := plan{name: "p"}
	for i, naive := range []float64{10, 20, 40} {
		r.add(p, "naive", sample{numbers: map[metric]float64{rate: naive}})
		s := sample{numbers: map[metric]float64{rate: naive * float64(i+1)}}
		if i == 1 {
			s = sample{fault: "gave up"}
		}
		r.add(p, "x", s)
	}
	if got := report.Of(r.values("p", "x", rate, "naive")); got != (report.Spread{Median: 2, Low: 1, High: 3, N: 2}) {
		t.Errorf("ratio: %+v", got)
	}
	if got := report.Of(r.values("p", "x", rate, "")); got != (report.Spread{Median: 65, Low: 10, High: 120, N: 2}) {
		t.Errorf("numbers: %+v", got)
	}
	for _, values := range [][]float64{r.values("p", "x", latency50, ""), r.values("p", "x", rate, "nobody"), r.values("p", "nobody", rate, "naive"), {math.NaN()}} {
		if got := report.Of(values); got.N != 0 || got.String() != "–" {
			t.Errorf("of %v: %v", values, got)
		}
	}
	if got := r.faults("p", "x"); !slices.Equal(got, []string{"gave up"}) {
		t.Errorf("faults %q", got)
	}
}

// A target that names what no plan measures would never be missed.
func TestTargetsAreMeasured(t *testing.T) {
	for _, target := range targets() {
		i := slices.IndexFunc(plans(), func(p plan) bool { return p.name == target.plan })
		if i < 0 {
			t.Fatalf("%s: there is no plan %s", target.what, target.plan)
		}
		p := plans()[i]
		for _, name := range []string{target.row, target.to} {
			if name != "" && !slices.ContainsFunc(p.rows, func(r row) bool { return r.name() == name }) {
				t.Errorf("%s: plan %s has no %s", target.what, p.name, name)
			}
		}
		if !slices.ContainsFunc(p.columns, func(c column) bool { return c.of == target.of }) {
			t.Errorf("%s: plan %s does not show %s", target.what, p.name, target.of)
		}
	}
}

func TestVerdicts(t *testing.T) {
	low := target{atLeast: false, enough: 0.7, stretch: 0.5}
	high := target{atLeast: true, enough: 10, stretch: 20}
	for _, test := range []struct {
		t      target
		median float64
		want   string
	}{{low, 0.5, "stretch"}, {low, 0.7, "yes"}, {low, 0.71, "no"}, {high, 20, "stretch"}, {high, 10, "yes"}, {high, 9.9, "no"}} {
		if got := test.t.verdict(report.Spread{Median: test.median, N: 1}); !strings.Contains(got, test.want) {
			t.Errorf("%v against %s: %s", test.median, test.t.goal(test.t.enough), got)
		}
	}
	if got := low.verdict(report.Spread{}); got != "not measured" {
		t.Errorf("nothing: %s", got)
	}
}

func TestPlansHold(t *testing.T) {
	const descriptors = 20_000 // of a process, where these plans were made
	for _, p := range plans() {
		if p.connections > descriptors-1_000 {
			t.Errorf("%s: %d connections", p.name, p.connections)
		}
		for _, r := range p.rows {
			find(r.server) // panics when there is none
		}
		for _, c := range p.columns {
			if c.to != "" && !slices.ContainsFunc(p.rows, func(r row) bool { return r.name() == c.to }) {
				t.Errorf("%s: column %s is to a row that isn't there", p.name, c.title)
			}
		}
	}
}

func TestMarkdown(t *testing.T) {
	r := results{}
	list := plans()
	p := list[0]
	for round := range 3 {
		for i, row := range p.rows[:3] {
			r.add(p, row.name(), sample{numbers: map[metric]float64{cpuPerEvent: float64(10*(i+1) + round)}})
		}
	}
	r.add(p, p.rows[1].name(), sample{fault: "3 lost"})
	text := r.markdown(head{command: "x", load: "99.5, 1, 1"}, list[:1])
	for _, want := range []string{
		"busy with something else",
		"| floor | 11.0 [10.0–12.0] | 0.524 [0.500–0.545] | 1.00 [1.00–1.00] | – |",
		"- naive: 3 lost",
		"| flood, events/s, to naive | – | ≥ 25.0 | ≥ 50.0 | not measured |",
		"10,000 connections",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
	if strings.Contains(text, "nchan |") || strings.Contains(r.markdown(head{load: "0.1"}, nil), "busy") {
		t.Error("a row without a run, or a busy machine at rest")
	}
}

// What was measured by itself stands at the end, a heading lower.
func TestBeside(t *testing.T) {
	dir := t.TempDir()
	if got := beside(dir); got != "" {
		t.Errorf("of nothing: %q", got)
	}
	for name, text := range map[string]string{
		"HISTORY.md":  "# The history on disk\n\n| fsync | 5 |\n",
		"DECODING.md": "# Decoders\n\nmore\n\nCPU an event:\n\n| sse | 1 |\n\n### chat\n\n| sse | 2 |\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	got := beside(dir)
	for _, want := range []string{"\n## The history on disk\n\n| fsync | 5 |\n", "\nCPU an event:\n\n| sse | 1 |\n"} {
		if !strings.Contains(got, want) {
			t.Errorf("no %q in\n%s", want, got)
		}
	}
	if strings.Contains(got, "| sse | 2 |") {
		t.Errorf("too much:\n%s", got)
	}
}
