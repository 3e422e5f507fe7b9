//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"time"

	"github.com/stentor-sse/stentor/bench/load"
	"github.com/stentor-sse/stentor/bench/report"
)

// sample is one run.
type sample struct {
	events, bytes float64 // a second; bytes of the stream
	cpu           float64 // ns an event, of all goroutines and the collector
	allocs        float64 // an event
	allocated     float64 // bytes an event
}

// cell is where the runs of one decoder with one stream belong.
type cell struct {
	decoder, payload string
	way              way
}

type results map[cell][]sample

// spread is one number of all runs of a cell. A ratio is taken within a round.
func (r results) spread(k cell, col column) report.Spread {
	bases := r[cell{base, k.payload, k.way}]
	var values []float64
	for i, s := range r[k] {
		v := col.of(s)
		if col.ratio {
			if i >= len(bases) {
				break
			}
			v /= col.of(bases[i])
		}
		values = append(values, v)
	}
	return report.Of(values)
}

// comparison is all decoders with all streams.
type comparison struct {
	decoders []decoder
	payloads []payload
	results  results
	faults   map[cell]string // why there are no results
	frames   map[cell]int    // of a run
	progress func(round int) // is over
}

// errWrong is why a decoder is not measured with a stream.
var errWrong = errors.New("reads it wrongly")

// turn is one decoder with one stream.
type turn struct {
	decoder
	payload
	way
}

func (t turn) cell() cell { return cell{t.decoder.name, t.payload.name, t.way} }

// turns are all of a round. Decoders alternate, and none is always the first.
func (c *comparison) turns(round int) []turn {
	var all []turn
	for _, p := range c.payloads {
		for _, w := range ways() {
			for i := range c.decoders {
				all = append(all, turn{c.decoders[(i+round)%len(c.decoders)], p, w})
			}
		}
	}
	return all
}

// run measures everything, once in each round.
func (c *comparison) run(ctx context.Context, o options) error {
	for round := range o.rounds {
		for _, t := range c.turns(round) {
			if c.faults[t.cell()] != "" {
				continue
			}
			if err := c.take(t, o.run); err != nil {
				c.faults[t.cell()] = err.Error()
				delete(c.results, t.cell())
			}
			if ctx.Err() != nil {
				return context.Cause(ctx)
			}
		}
		c.progress(round + 1)
	}
	return nil
}

// take takes a turn.
func (c *comparison) take(t turn, long time.Duration) error {
	if c.frames[t.cell()] == 0 {
		n, err := t.fitting(long)
		if err != nil {
			return err
		}
		c.frames[t.cell()] = n
	}
	s, err := t.measure(c.frames[t.cell()])
	c.results[t.cell()] = append(c.results[t.cell()], s)
	return err
}

// fitting is how many frames take about as long.
func (t turn) fitting(long time.Duration) (int, error) {
	for n := 16; ; n *= 4 {
		s, err := t.measure(n)
		if err != nil {
			return 0, err
		}
		rate := s.events / float64(t.payload.events) // frames a second
		if float64(n)/rate > long.Seconds()/20 || n > 1<<24 {
			return max(1, int(rate*long.Seconds())), nil
		}
	}
}

// measure has the decoder read n frames, and checks that it sees all of them.
func (t turn) measure(n int) (sample, error) {
	var before, after runtime.MemStats
	stream := t.stream(n, t.most)
	runtime.GC() // what another left
	runtime.ReadMemStats(&before)
	var got seen
	used, begun := load.UsageOf(os.Getpid()).CPU, time.Now()
	err := t.read(stream, &got)
	wall, cpu := time.Since(begun).Seconds(), load.UsageOf(os.Getpid()).CPU-used
	runtime.ReadMemStats(&after)
	if err != nil {
		return sample{}, err
	}
	if want := t.want(n); !t.linesOf && (got.events != want.events || got.bytes != want.bytes) {
		return sample{}, fmt.Errorf("%w: %v, want %v", errWrong, got, want)
	}
	events := float64(n * t.payload.events)
	return sample{
		events: events / wall, bytes: float64(n*len(t.frame)) / wall, cpu: float64(cpu.Nanoseconds()) / events,
		allocs: float64(after.Mallocs-before.Mallocs) / events, allocated: float64(after.TotalAlloc-before.TotalAlloc) / events,
	}, nil
}
