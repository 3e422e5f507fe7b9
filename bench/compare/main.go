//go:build linux

// Compare runs event servers side by side and writes what came of it as Markdown:
//
//	go run ./compare
//	go run ./compare -quick
//	go run ./compare -plans flood,big -servers floor,naive,stentor -r 3 -o flood.md
//
// In each round every server is started, loaded and ended in turn. What was started is ended
// on any exit.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/stentor-sse/stentor/bench/load"
)

func main() {
	var o options
	flag.IntVar(&o.rounds, "r", 5, "rounds")
	flag.BoolVar(&o.quick, "quick", false, "one round of short plans, in under a minute")
	flag.StringVar(&o.out, "o", "", "file to write; empty is RESULTS.md for a whole comparison, else standard output")
	flag.StringVar(&o.plans, "plans", "", "plans to run, separated by commas; empty is all")
	flag.StringVar(&o.servers, "servers", "", "servers to run, separated by commas; empty is all")
	flag.StringVar(&o.profiles, "profiles", "", "directory for processor profiles of the servers in Go, each from a run after the others")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := compare(ctx, o); err != nil {
		fmt.Fprintln(os.Stderr, "compare:", err)
		os.Exit(1)
	}
}

type options struct {
	rounds                        int
	quick                         bool
	out, plans, servers, profiles string
}

// compare carries out the comparison. When it is interrupted it writes what there is.
func compare(ctx context.Context, o options) error {
	list, err := choose(o)
	if err != nil {
		return err
	}
	if o.quick {
		o.rounds = 1
	}
	if o.out == "" && !o.quick && o.plans == "" && o.servers == "" {
		o.out = "RESULTS.md"
	}
	bin, err := os.MkdirTemp("", "bench-compare-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(bin)
	if err := build(ctx, bin, list); err != nil {
		return err
	}
	h := head{command: command(), begun: time.Now(), load: loadAverage(), quick: o.quick}
	r := results{}
	s := &steps{total: o.rounds * rowsOf(list), begun: time.Now()}
	for _, p := range list {
		if err = r.rounds(ctx, bin, p, o.rounds, s); err == nil && o.profiles != "" {
			err = profile(ctx, bin, p, o.profiles, s)
		}
		if err != nil {
			break
		}
	}
	text := r.markdown(h, list)
	if o.out == "" {
		_, writeErr := os.Stdout.WriteString(text)
		return errors.Join(err, writeErr)
	}
	if err != nil && ctx.Err() != nil {
		o.out += ".part"
	}
	return errors.Join(err, os.WriteFile(o.out, []byte(text), 0o644))
}

func command() string {
	return strings.TrimSpace("go run ./compare " + strings.Join(os.Args[1:], " "))
}

// choose is the plans to run, with the rows to run.
func choose(o options) ([]plan, error) {
	var chosen []plan
	names := []string{}
	for _, p := range plans() {
		names = append(names, p.name)
		if o.plans != "" && !slices.Contains(strings.Split(o.plans, ","), p.name) {
			continue
		}
		if o.quick {
			p = p.quick()
		}
		p.rows = slices.DeleteFunc(p.rows, func(r row) bool {
			return o.servers != "" && !slices.Contains(strings.Split(o.servers, ","), r.server) || r.server == "nchan" && !installed("nginx")
		})
		if p.pinned && runtime.NumCPU() < 2 {
			return nil, fmt.Errorf("plan %s: needs two processors", p.name)
		}
		chosen = append(chosen, p)
	}
	if len(chosen) == 0 || rowsOf(chosen) == 0 || o.rounds < 1 {
		return nil, fmt.Errorf("nothing to run; plans are %s", strings.Join(names, ", "))
	}
	return chosen, nil
}

func rowsOf(list []plan) (n int) {
	for _, p := range list {
		n += len(p.rows)
	}
	return n
}

func installed(program string) bool {
	_, err := exec.LookPath(program)
	return err == nil
}

// build compiles the servers that the plans name.
func build(ctx context.Context, bin string, list []plan) error {
	args := []string{"build", "-o", bin + string(filepath.Separator)}
	for _, p := range list {
		for _, r := range p.rows {
			if folder := "./" + find(r.server).folder; !slices.Contains(args, folder) {
				args = append(args, folder)
			}
		}
	}
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Stderr = os.Stderr
	return cmd.Run()
}

// find is a server by its name, which a plan has.
func find(name string) server {
	list := servers()
	return list[slices.IndexFunc(list, func(s server) bool { return s.name == name })]
}

// rounds measures every server of a plan, in turns.
func (r results) rounds(ctx context.Context, bin string, p plan, n int, s *steps) error {
	for round := range n {
		for _, row := range p.rows {
			s.next(fmt.Sprintf("%s %d/%d %s", p.name, round+1, n, row.name()))
			got, err := measure(ctx, bin, p, row, find(row.server), "", s.show)
			if err != nil {
				return fmt.Errorf("plan %s, %s: %w", p.name, row.name(), err)
			}
			r.add(p, row.name(), got)
			s.done(got)
		}
	}
	return nil
}

// profile runs every server of a plan once more.
func profile(ctx context.Context, bin string, p plan, dir string, s *steps) error {
	dir, err := filepath.Abs(dir)
	if err == nil {
		err = os.MkdirAll(dir, 0o755)
	}
	for _, row := range p.rows {
		if err != nil {
			return err
		}
		if row.server == "nchan" {
			continue // the profile would be of the publisher
		}
		s.what = "profile of " + p.name + " " + row.name()
		_, err = measure(ctx, bin, p, row, find(row.server), filepath.Join(dir, p.name+" "+row.name()+".prof"), s.show)
	}
	return err
}

// steps tells how far it is: a line for each run, and on a terminal what goes on in it.
type steps struct {
	total, at int
	begun     time.Time
	what      string
}

func (s *steps) next(what string) {
	s.at++
	s.what = what
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
	if got.fault != "" {
		got.fault = ": " + got.fault
	}
	fmt.Fprintf(os.Stderr, "%s%s\n", s, got.fault)
}

func (s *steps) String() string {
	return fmt.Sprintf("[%d/%d, %s] %s", s.at, s.total, time.Since(s.begun).Round(time.Second), s.what)
}

func terminal(f *os.File) bool {
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}
