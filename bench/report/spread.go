package report

import (
	"fmt"
	"math"
	"slices"
)

// Spread is the median of some numbers, and the lowest and highest.
type Spread struct {
	Median, Low, High float64
	N                 int // how many numbers there are
}

// Of gives the spread of the values, those that are NaN apart.
func Of(values []float64) Spread {
	values = slices.DeleteFunc(slices.Clone(values), math.IsNaN)
	if len(values) == 0 {
		return Spread{}
	}
	slices.Sort(values)
	n := len(values)
	return Spread{(values[(n-1)/2] + values[n/2]) / 2, values[0], values[n-1], n}
}

// String is "median [low–high]", or a dash for nothing.
func (s Spread) String() string {
	switch s.N {
	case 0:
		return "–"
	case 1:
		return Short(s.Median)
	}
	return fmt.Sprintf("%s [%s–%s]", Short(s.Median), Short(s.Low), Short(s.High))
}

// Short is v with three digits.
func Short(v float64) string {
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
