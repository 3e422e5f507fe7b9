package brokertest

import "testing"

// Cases gives every case of the suite by name, to be run with any t.
func Cases(h Harness) map[string]func(testing.TB) {
	m := make(map[string]func(testing.TB))
	for _, c := range cases(h) {
		m[c.name] = func(t testing.TB) { c.run(newRig(t, h)) }
	}
	return m
}
