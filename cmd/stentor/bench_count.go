//go:build linux

package main

import (
	"context"
	"errors"
	"os"
	"time"

	"github.com/stentor-sse/stentor/bench/load"
)

// hear publishes to every channel until all connections have heard it: then their
// subscriptions are in place.
func (b *bench) hear(ctx context.Context) error {
	ctx, cancel := context.WithTimeoutCause(ctx, benchHearing, errors.New("bench: some connections hear nothing of what is published"))
	defer cancel()
	for !b.load.Warm() {
		again := time.Now().Add(time.Second)
		done := b.start(func(p *benchPublisher) error { return p.all(ctx) })
		err := b.load.Run(ctx, func() bool { return b.load.Warm() || time.Now().After(again) })
		if err := errors.Join(err, <-done); err != nil {
			return err
		}
	}
	return nil
}

// count is the part that is told.
func (b *bench) count(ctx context.Context) error {
	b.load.Expect(1, 0)
	b.begun = time.Now()
	pid := os.Getpid()
	own, thread, server := load.UsageOf(pid), load.ThreadCPU(), b.serverUsage()
	err := b.deliver(ctx, b.duration, true)
	if err == nil || ctx.Err() != nil {
		err = b.rest(ctx)
	}
	took := time.Since(b.begun)
	b.result.counted(b.load.Report(), b.traffic, took)
	b.result.OwnCPU = seconds(load.UsageOf(pid).CPU - own.CPU)
	b.result.Saturated = load.ThreadCPU()-thread > took*9/10
	if b.result.Server != nil {
		b.result.Server.add(server, b.serverUsage(), b.result.Delivered)
	}
	return err
}

func (b *bench) serverUsage() load.Usage {
	if b.server == nil {
		return load.Usage{}
	}
	return load.UsageOf(b.server.cmd.Process.Pid)
}

// deliver publishes for a time and reads meanwhile. Its end is that of the publishers.
func (b *bench) deliver(ctx context.Context, d time.Duration, counted bool) error {
	ctx, cancel := context.WithTimeout(ctx, d)
	defer cancel()
	rate := float64(b.rate) / float64(b.publishers)
	done := b.start(func(p *benchPublisher) error { return p.run(ctx, rate, counted) })
	var failed error
	ended := false
	err := b.load.Run(context.WithoutCancel(ctx), func() bool {
		b.arrived()
		select {
		case failed = <-done:
			ended = true
		default:
		}
		return ended
	})
	if err != nil { // the load generator itself
		cancel()
		failed = errors.Join(err, <-done)
	}
	return failed
}

// rest reads what is still on its way, until all of it has come or nothing does any more.
func (b *bench) rest(ctx context.Context) error {
	came, at := b.arrived(), time.Now()
	return b.load.Run(context.WithoutCancel(ctx), func() bool {
		if now := b.arrived(); now != came {
			came, at = now, time.Now()
		}
		return came >= b.traffic.expected.Load() || time.Since(at) > benchQuiet
	})
}

// arrived counts what came, each once, and lets publishers know.
func (b *bench) arrived() int64 {
	n := b.load.Distinct()
	b.traffic.delivered.Store(n)
	return n
}

// start runs all publishers; their first error stops none of the others, which end with
// their context.
func (b *bench) start(run func(*benchPublisher) error) <-chan error {
	each := make(chan error, len(b.publish))
	for _, p := range b.publish {
		go func() { each <- run(p) }()
	}
	all := make(chan error, 1)
	go func() { // ends with them
		var first error
		for range b.publish {
			if err := <-each; err != nil && first == nil {
				first = err
			}
		}
		all <- first
	}()
	return all
}
