package report_test

import (
	"math"
	"testing"

	"github.com/stentor-sse/stentor/bench/report"
)

func TestSpread(t *testing.T) {
	for _, test := range []struct {
		values []float64
		want   string
	}{
		{nil, "–"},
		{[]float64{math.NaN()}, "–"},
		{[]float64{2}, "2.00"},
		{[]float64{3, math.NaN(), 1}, "2.00 [1.00–3.00]"},
		{[]float64{30, 1, 2}, "2.00 [1.00–30.0]"},
	} {
		if got := report.Of(test.values).String(); got != test.want {
			t.Errorf("%v: %s, want %s", test.values, got, test.want)
		}
	}
}

func TestShort(t *testing.T) {
	for v, want := range map[float64]string{0: "0.00", 0.1234: "0.123", 1.5: "1.50", 12.34: "12.3", 608: "608", 9999: "9999", 25158: "25.2k", 8.54e6: "8.54M", 194.7e3: "195k"} {
		if got := report.Short(v); got != want {
			t.Errorf("%v: %s, want %s", v, got, want)
		}
	}
}
