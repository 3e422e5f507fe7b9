//go:build linux

package main

import (
	"fmt"
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

// spread is the median of the numbers there are, and the lowest and highest.
type spread struct {
	median, low, high float64
	n                 int
}

func spreadOf(values []float64) spread {
	values = slices.DeleteFunc(slices.Clone(values), math.IsNaN)
	if len(values) == 0 {
		return spread{}
	}
	slices.Sort(values)
	n := len(values)
	return spread{(values[(n-1)/2] + values[n/2]) / 2, values[0], values[n-1], n}
}

// String is "median [low–high]", or a dash for nothing.
func (s spread) String() string {
	switch s.n {
	case 0:
		return "–"
	case 1:
		return short(s.median)
	}
	return fmt.Sprintf("%s [%s–%s]", short(s.median), short(s.low), short(s.high))
}

// short is v with three digits.
func short(v float64) string {
	unit := ""
	switch a := math.Abs(v); {
	case a >= 1e6:
		v, unit = v/1e6, "M"
	case a >= 1e4:
		v, unit = v/1e3, "k"
	}
	switch a := math.Abs(v); {
	case a >= 100:
		return fmt.Sprintf("%.0f%s", v, unit)
	case a >= 10:
		return fmt.Sprintf("%.1f%s", v, unit)
	case a >= 1 || a == 0:
		return fmt.Sprintf("%.2f%s", v, unit)
	}
	return fmt.Sprintf("%.3f%s", v, unit)
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
