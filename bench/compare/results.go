//go:build linux

package main

import (
	"math"
	"slices"
)

// results are the samples of all plans: by plan, row and round.
type results map[string]map[string][]sample

func (r results) add(p plan, row string, s sample) {
	if r[p.name] == nil {
		r[p.name] = map[string][]sample{}
	}
	r[p.name][row] = append(r[p.name][row], s)
}

// values are the numbers of one column for one row, NaN in the rounds that have none. A ratio is
// taken within a round, whose runs follow each other closely.
func (r results) values(plan, row string, of metric, to string) []float64 {
	var out []float64
	for i, s := range r[plan][row] {
		v, ok := s.numbers[of]
		if to != "" {
			base := r[plan][to]
			if i >= len(base) || base[i].numbers[of] == 0 {
				ok = false
			} else {
				v /= base[i].numbers[of]
			}
		}
		if !ok {
			v = math.NaN()
		}
		out = append(out, v)
	}
	return out
}

// faults are what went wrong for one row, each once.
func (r results) faults(plan, row string) []string {
	var out []string
	for _, s := range r[plan][row] {
		if s.fault != "" && !slices.Contains(out, s.fault) {
			out = append(out, s.fault)
		}
	}
	return out
}
