package main

import "testing"

// Memory is given back once after each storm, and not while it lasts, nor for the little
// that always happens.
func TestSettlesAfterAStorm(t *testing.T) {
	var s settler
	total := uint64(0)
	for i, row := range []struct {
		came int
		due  bool
	}{{10, false}, {900, false}, {5000, false}, {51, false}, {50, true}, {0, false}, {0, false}, {500, false}, {0, false}, {600, false}, {3, true}, {3, false}} {
		total += uint64(row.came)
		if due := s.due(total); due != row.due {
			t.Errorf("look %d, %d came: due %v, want %v", i, row.came, due, row.due)
		}
	}
}
