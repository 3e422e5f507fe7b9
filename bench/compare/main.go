//go:build linux

// Compare runs event servers side by side and writes what came of it as Markdown:
//
//	go run ./compare
//	go run ./compare -quick
//	go run ./compare -plans flood,big -servers floor,naive,stentor -r 3 -o flood.md
//
// In each round every server is started, loaded and ended in turn. The report is written after each
// plan, to a file that ends in .part until all rounds are over. What was started is ended on any exit.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/stentor-sse/stentor/bench/report"
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

// compare carries out a comparison.
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
	c := &comparison{bin: bin, plans: list, options: o, results: results{}, steps: newSteps(list, o.rounds)}
	c.head = head{command: command(), begun: time.Now(), load: report.Load(), quick: o.quick, rounds: o.rounds}
	fmt.Fprintf(os.Stderr, "%d runs, about %s\n", c.steps.total, c.steps.remaining().Round(time.Second))
	err = c.run(ctx)
	if o.out == "" {
		_, writeErr := os.Stdout.WriteString(c.results.markdown(c.head, list))
		return errors.Join(err, writeErr)
	}
	if err == nil {
		err = os.Rename(o.out+part, o.out)
	}
	return err
}

// comparison is one that goes on.
type comparison struct {
	options options
	bin     string // where the servers are
	plans   []plan
	head    head
	results results
	steps   *steps
}

// run carries out all rounds, and writes what there is as it goes.
func (c *comparison) run(ctx context.Context) error {
	for round := range c.options.rounds {
		for _, p := range c.plans {
			if err := c.turn(ctx, p, round); err != nil {
				return err
			}
			if err := c.keep(); err != nil {
				return err
			}
		}
		c.head.whole = round + 1
		if err := c.keep(); err != nil {
			return err
		}
	}
	if c.options.profiles == "" {
		return nil
	}
	for _, p := range c.plans {
		if err := c.profile(ctx, p); err != nil {
			return err
		}
	}
	return nil
}

// part ends the name of a report that is not whole.
const part = ".part"

// keep writes what there is so far, if there is a file for it.
func (c *comparison) keep() error {
	if c.options.out == "" {
		return nil
	}
	return os.WriteFile(c.options.out+part, []byte(c.results.markdown(c.head, c.plans)), 0o644)
}

func command() string {
	return strings.TrimSpace("go run ./compare " + strings.Join(os.Args[1:], " "))
}
