//go:build linux

package main

import (
	"fmt"
	"io"
	"time"
)

// say begins a phase, and tells it.
func (b *bench) say(format string, args ...any) {
	b.phase = fmt.Sprintf(format, args...)
	if b.onTerminal() {
		b.progress()
		return
	}
	b.told = time.Now()
	b.p.say("%s", b.phase)
}

// progress tells how far it is: again and again on the same line of a terminal, else with a
// line now and then.
func (b *bench) progress() {
	r := b.load.Report()
	text := b.load.String()
	if !b.begun.IsZero() {
		took := time.Since(b.begun)
		text += fmt.Sprintf(", %d deliveries a second, p99 %v", int64(float64(r.Deliveries)/max(took.Seconds(), 1e-3)), rounded(r.Latency.Quantile(0.99)))
		text = fmt.Sprintf("%v of %v: %s", min(took, b.duration).Round(time.Second), b.duration, text)
	}
	if b.onTerminal() {
		fmt.Fprintf(b.p.stderr, "\r\033[K%s: %s", b.phase, text)
		return
	}
	if time.Since(b.told) >= progressEvery {
		b.told = time.Now()
		b.p.say("%s", text)
	}
}

// erase takes the progress line away.
func (b *bench) erase() {
	if b.onTerminal() {
		fmt.Fprint(b.p.stderr, "\r\033[K")
	}
}

func (b *bench) onTerminal() bool {
	r, ok := b.p.stderr.(io.Reader)
	return ok && isTerminal(r)
}
