//go:build linux

package main

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestSeldomTakePartInEveryOtherRound(t *testing.T) {
	often, seldom := row{server: "naive"}, row{server: "tmaxmax", seldom: true}
	s := newSteps([]plan{{name: "p", rows: []row{often, seldom, {server: "stentor gzip"}}}}, 5)
	want := 5 + 3
	for _, missing := range servers() {
		if missing.name == "stentor gzip" && missing.missing == "" {
			want += 5
		}
	}
	if s.total != want {
		t.Errorf("%d runs, want %d", s.total, want)
	}
}

func TestWhatIsLeftIsToldByWhatItTook(t *testing.T) {
	p := plan{name: "p", rows: only("naive", "floor"), connections: 10_000, events: 30, channels: 1, rate: 10}
	s := newSteps([]plan{p}, 2)
	if got, want := s.remaining(), 4*p.guess(); got != want || want < 12*time.Second {
		t.Errorf("at first %v, want %v", got, want)
	}
	s.next(p, p.rows[0], 0)
	s.since = s.since.Add(-time.Hour)
	s.done(sample{})
	if got := s.remaining(); got < time.Hour || got > time.Hour+time.Minute {
		t.Errorf("after one that took an hour and is to come again: %v", got)
	}
}

func TestChoose(t *testing.T) {
	chosen, err := choose(options{rounds: 1, plans: "flood,storm", servers: "naive,stentor attached"})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, p := range chosen {
		for _, r := range p.rows {
			got = append(got, p.name+" "+r.name())
		}
	}
	if want := "flood naive, flood stentor attached, storm naive"; strings.Join(got, ", ") != want {
		t.Errorf("got %q, want %s", got, want)
	}
	for _, o := range []options{{rounds: 1, plans: "flod"}, {rounds: 1, servers: "me"}, {rounds: 0}, {rounds: 1, plans: "paced", servers: "floor at 16"}} {
		if _, err := choose(o); err == nil {
			t.Errorf("%+v is taken", o)
		}
	}
}

// What was measured before an interrupt is in the file.
func TestReportIsWrittenAsItGoes(t *testing.T) {
	bin, s := program(t, "none")
	if err := os.Symlink(filepath.Join(bin, s.folder), filepath.Join(bin, "naive")); err != nil && !errors.Is(err, os.ErrExist) {
		t.Fatal(err)
	}
	out := filepath.Join(t.TempDir(), "r.md")
	p := small()
	p.name, p.title, p.rows, p.columns = "p", "A plan", only("naive"), []column{{"events/s", rate, ""}}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	q := p
	q.name, q.title = "q", "Another"
	c := &comparison{options: options{rounds: 2, out: out}, bin: bin, plans: []plan{p, q}, results: results{}, head: head{rounds: 2}}
	c.steps = newSteps(c.plans, 2)
	if err := c.turn(ctx, p, 0); err != nil {
		t.Fatal(err)
	}
	if err := c.keep(); err != nil {
		t.Fatal(err)
	}
	cancel()
	if err := c.run(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("interrupted: %v", err)
	}
	text, err := os.ReadFile(out + part)
	if err != nil || !strings.Contains(string(text), "| naive | ") || !strings.Contains(string(text), "0 of 2 rounds") {
		t.Errorf("%s, %v", text, err)
	}
}

func TestStorm(t *testing.T) {
	p := small()
	p.storm = 10 * time.Millisecond
	got, err := measureTest(t, "none", p, row{})
	if err != nil || got.fault != "" || got.numbers[connected] != 8 || got.numbers[failed] != 0 || got.numbers[openSeconds] <= 0 {
		t.Errorf("%+v, %v", got, err)
	}
}
