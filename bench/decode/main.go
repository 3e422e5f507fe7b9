//go:build linux

// Decode compares Go decoders of event streams and writes what came of it as Markdown:
//
//	go run ./decode
//	go run ./decode -r 1 -o -
//
// First each is asked what it makes of streams whose meaning the HTML Standard fixes, then how fast it reads
// usual ones. In each round all decoders take turns with the same stream.
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
)

func main() {
	var o options
	flag.IntVar(&o.rounds, "r", 5, "rounds")
	flag.DurationVar(&o.run, "t", 100*time.Millisecond, "about how long one run takes")
	flag.StringVar(&o.out, "o", "DECODING.md", "file to write; - is standard output")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, o); err != nil {
		fmt.Fprintln(os.Stderr, "decode:", err)
		os.Exit(1)
	}
}

type options struct {
	rounds int
	run    time.Duration
	out    string
}

// run carries out a comparison.
func run(ctx context.Context, o options) error {
	if o.rounds < 1 || o.run <= 0 {
		return errors.New("-r and -t must be more than nothing")
	}
	h := newHead(strings.TrimSpace("go run ./decode "+strings.Join(os.Args[1:], " ")), o.rounds)
	c := &comparison{
		decoders: decoders(), payloads: payloads(),
		results: results{}, faults: map[cell]string{}, frames: map[cell]int{},
		progress: func(round int) { fmt.Fprintf(os.Stderr, "round %d of %d is over\n", round, o.rounds) },
	}
	h.verdicts = judge(c.decoders, cases())
	if err := c.run(ctx, o); err != nil {
		return err
	}
	var err error
	if h.profiles, err = profiles(ctx, c.payloads, 20*o.run); err != nil {
		return err
	}
	text := h.markdown(c)
	if o.out == "-" {
		_, err := os.Stdout.WriteString(text)
		return err
	}
	return os.WriteFile(o.out, []byte(text), 0o644)
}
