//go:build linux

package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/stentor-sse/stentor/bench/load"
)

// turn measures every server of a plan once. One that seldom takes part does in every other
// round, from the first on. A run that fails is a fault of that server's, and the others go on.
func (c *comparison) turn(ctx context.Context, p plan, round int) error {
	for _, row := range p.rows {
		if !row.there() {
			continue
		}
		if row.absent(round) {
			c.results.add(p, row.name(), sample{}) // so that rounds stay side by side
			continue
		}
		c.steps.next(p, row, round)
		got, err := measure(ctx, c.bin, p, row, find(row.server), "", c.steps.show)
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if err != nil {
			got = sample{fault: err.Error()}
		}
		c.results.add(p, row.name(), got)
		c.steps.done(got)
	}
	return nil
}

// there holds when the row can be measured by now.
func (r row) there() bool { return find(r.server).missing == "" }

func (r row) absent(round int) bool { return r.seldom && round%2 == 1 }

// profile runs every server of a plan once more.
func (c *comparison) profile(ctx context.Context, p plan) error {
	dir, err := filepath.Abs(c.options.profiles)
	if err == nil {
		err = os.MkdirAll(dir, 0o755)
	}
	for _, row := range p.rows {
		if err != nil {
			return err
		}
		if row.server == "nchan" || !row.there() {
			continue // the profile would be of the publisher
		}
		c.steps.what = "profile of " + p.name + " " + row.name()
		_, err = measure(ctx, c.bin, p, row, find(row.server), filepath.Join(dir, p.name+" "+row.name()+".prof"), c.steps.show)
	}
	return err
}

// steps tells how far it is: a line for each run, and on a terminal what goes on in it.
type steps struct {
	total, at int
	begun     time.Time
	left      time.Duration // of runs that have not begun, as far as one can tell
	took      map[string]time.Duration
	plans     []plan
	rounds    int
	what      string
	key       string
	since     time.Time // the run has gone on
}

func newSteps(plans []plan, rounds int) *steps {
	s := &steps{begun: time.Now(), took: map[string]time.Duration{}, plans: plans, rounds: rounds}
	s.eachLeft(func(plan, row) { s.total++ })
	return s
}

// eachLeft calls f for each run from the current one on; before the first, for all.
func (s *steps) eachLeft(f func(plan, row)) {
	n := 0
	for round := range s.rounds {
		for _, p := range s.plans {
			for _, r := range p.rows {
				if r.absent(round) || !r.there() {
					continue
				}
				if n++; n > s.at {
					f(p, r)
				}
			}
		}
	}
}

// remaining is about how long the runs take that have not begun.
func (s *steps) remaining() (d time.Duration) {
	s.eachLeft(func(p plan, r row) {
		if took, ok := s.took[p.name+" "+r.name()]; ok {
			d += took
		} else {
			d += p.guess()
		}
	})
	return d
}

func (s *steps) next(p plan, r row, round int) {
	s.left = s.remaining()
	s.at++
	s.key, s.since = p.name+" "+r.name(), time.Now()
	s.what = fmt.Sprintf("%s, round %d of %d", s.key, round+1, s.rounds)
	s.show(nil)
}

// show is called while a run goes on.
func (s *steps) show(l *load.Load) {
	if terminal(os.Stderr) {
		fmt.Fprint(os.Stderr, "\r\033[K", s)
		if l != nil {
			fmt.Fprint(os.Stderr, ": ", l)
		}
	}
}

func (s *steps) done(got sample) {
	if terminal(os.Stderr) {
		fmt.Fprint(os.Stderr, "\r\033[K")
	}
	s.took[s.key] = time.Since(s.since)
	s.left = s.remaining()
	if got.fault != "" {
		got.fault = ": " + got.fault
	}
	fmt.Fprintf(os.Stderr, "%s%s\n", s, got.fault)
}

func (s *steps) String() string {
	return fmt.Sprintf("[%d/%d, %s, about %s to go] %s", s.at, s.total, time.Since(s.begun).Round(time.Second), s.left.Round(time.Second), s.what)
}

func terminal(f *os.File) bool {
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}
