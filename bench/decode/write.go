//go:build linux

package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"runtime/pprof"
	"strings"
	"time"

	"github.com/stentor-sse/stentor/bench/report"
)

// head is what is to be known about a comparison, and what is beside its numbers.
type head struct {
	command, load string
	begun         time.Time
	rounds        int
	verdicts      [][]verdict
	profiles      []profile
}

func newHead(command string, rounds int) head {
	return head{command: command, load: report.Load(), begun: time.Now(), rounds: rounds}
}

// markdown is the whole of DECODING.md.
func (h head) markdown(c *comparison) string {
	var b strings.Builder
	b.WriteString("# Decoders side by side\n\nWritten by `make bench-decode`; not to be edited.\n\n")
	b.WriteString(report.Busy(h.load))
	b.WriteString(report.Machine())
	fmt.Fprintf(&b, "- Date: %s, %s\n", h.begun.UTC().Format("2006-01-02 15:04 UTC"), time.Since(h.begun).Round(time.Second))
	fmt.Fprintf(&b, "- Rounds: %d\n- Command: `%s`\n- Load of the machine (1, 5, 15 min): %s before, %s after\n\n", h.rounds, h.command, h.load, report.Load())
	for _, d := range c.decoders {
		fmt.Fprintf(&b, "- **%s**: %s\n", d.name, d.from()+d.what)
	}
	b.WriteString(leftOut)
	h.correctness(&b, c.decoders)
	c.speed(&b)
	h.explain(&b)
	return b.String()
}

// from is the module of the decoder and its version, for the start of a sentence.
func (d decoder) from() string {
	info, ok := debug.ReadBuildInfo()
	if !ok || d.module == "" {
		return ""
	}
	for _, m := range info.Deps {
		if m.Path == d.module {
			return m.Path + " " + m.Version + ", "
		}
	}
	return d.module + ", "
}

const leftOut = `
Left out: the decoder of github.com/modelcontextprotocol/go-sdk, which is not exported, and that of github.com/anthropics/anthropic-sdk-go,
which is of openai's make, for what its package requires.
`

// correctness is the table of what each decoder makes of what the standard fixes.
func (h head) correctness(b *strings.Builder, decoders []decoder) {
	b.WriteString("\n## What they make of it\n\nEach stream is read at once and byte by byte, long ones in pieces. Decoders have their default settings; – is no concern of theirs.\n\n| stream |")
	columns := 1
	for _, d := range decoders {
		if !d.linesOf {
			b.WriteString(" " + d.name + " |")
			columns++
		}
	}
	b.WriteString("\n|" + strings.Repeat(" --- |", columns) + "\n")
	var notes []string
	for i, q := range cases() {
		b.WriteString("| " + q.name + " |")
		for j, d := range decoders {
			switch v := h.verdicts[i][j]; {
			case d.linesOf:
			case v.unconcerned:
				b.WriteString(" – |")
			case v.right:
				b.WriteString(" yes |")
			default:
				b.WriteString(" **no** |")
				notes = append(notes, fmt.Sprintf("- %s, %s: %s\n", q.name, d.name, v.instead))
			}
		}
		b.WriteString("\n")
	}
	if len(notes) > 0 {
		b.WriteString("\nWhat they say instead:\n\n" + strings.Join(notes, ""))
	}
}

// base is the decoder that others are compared with.
const base = "sse"

// column is one number of a sample; ratios are to the base.
type column struct {
	title string
	of    func(sample) float64
	ratio bool
}

func columns() []column {
	events := func(s sample) float64 { return s.events }
	cpu := func(s sample) float64 { return s.cpu }
	return []column{
		{"events/s", events, false},
		{"MB/s", func(s sample) float64 { return s.bytes / 1e6 }, false},
		{"to " + base, events, true},
		{"CPU ns/event", cpu, false},
		{"to " + base, cpu, true},
		{"allocations/event", func(s sample) float64 { return s.allocs }, false},
		{"bytes/event", func(s sample) float64 { return s.allocated }, false},
	}
}

// speed is two tables of all, then one for each stream and way.
func (c *comparison) speed(b *strings.Builder) {
	fmt.Fprintf(b, `
## How fast they are

Numbers are *median [lowest–highest]* of the rounds, and ratios are taken within a round. MB are of the stream. CPU is that of the whole
process: of the decoder's other goroutines and of the collector too, which in events/s have the other processor. Streams come from
memory; a network is slower than most of these. Each run is checked: as many events as there are, with as much data.

CPU an event, to %s; more than 1 is slower:

`, base)
	all := columns()
	c.overview(b, all[4])
	b.WriteString("\nAllocations an event:\n\n")
	c.overview(b, all[5])
	for _, p := range c.payloads {
		for _, w := range ways() {
			fmt.Fprintf(b, "\n### %s, %s\n\n%s.\n\n| decoder |", p.name, w.name, strings.ToUpper(p.text[:1])+p.text[1:])
			for _, col := range all {
				b.WriteString(" " + col.title + " |")
			}
			b.WriteString("\n|" + strings.Repeat(" --- |", len(all)+1) + "\n")
			for _, d := range c.decoders {
				b.WriteString("| " + d.name + " |")
				for _, col := range all {
					fmt.Fprintf(b, " %s |", c.results.spread(cell{d.name, p.name, w}, col))
				}
				b.WriteString("\n")
			}
		}
	}
	for _, d := range c.decoders {
		for _, p := range c.payloads {
			if fault := c.faults[cell{d.name, p.name, ways()[0]}]; fault != "" {
				fmt.Fprintf(b, "\n%s is not measured with %s: %s.\n", d.name, p.name, fault)
			}
		}
	}
}

// overview is one number of all decoders with all streams, where they get as much as they ask for.
func (c *comparison) overview(b *strings.Builder, col column) {
	b.WriteString("| decoder |")
	for _, p := range c.payloads {
		b.WriteString(" " + p.name + " |")
	}
	b.WriteString("\n|" + strings.Repeat(" --- |", len(c.payloads)+1) + "\n")
	for _, d := range c.decoders {
		b.WriteString("| " + d.name + " |")
		for _, p := range c.payloads {
			s := c.results.spread(cell{d.name, p.name, ways()[0]}, col)
			if s.N == 0 {
				b.WriteString(" – |")
				continue
			}
			fmt.Fprintf(b, " %s |", report.Short(s.Median))
		}
		b.WriteString("\n")
	}
}

// shown are the functions of a profile that say something: ours, and those of the runtime that they call.
const shown = `sse\.|^bytes\.|utf8|indexbytebody|memmove|slicebytetostring|mallocgc$|frames`

// profile is where our decoder spends its time with one stream.
type profile struct{ payload, text string }

// profiles are those of the streams for which it matters most.
func profiles(ctx context.Context, payloads []payload, long time.Duration) ([]profile, error) {
	dir, err := os.MkdirTemp("", "bench-decode-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	var all []profile
	for _, p := range payloads {
		if p.name != "chat" && p.name != "token" && p.name != "100 lines" {
			continue
		}
		file, err := os.Create(filepath.Join(dir, "cpu"))
		if err != nil {
			return nil, err
		}
		if err := pprof.StartCPUProfile(file); err != nil {
			return nil, err
		}
		for end := time.Now().Add(long); time.Now().Before(end) && ctx.Err() == nil; {
			if err := readStentor(p.stream(10_000, 0), &seen{}); err != nil {
				return nil, err
			}
		}
		pprof.StopCPUProfile()
		if err := file.Close(); err != nil {
			return nil, err
		}
		out, err := exec.CommandContext(ctx, "go", "tool", "pprof", "-top", "-cum", "-nodecount=16", "-focus", "readStentor", "-show", shown, file.Name()).Output()
		if err != nil {
			return nil, fmt.Errorf("go tool pprof: %w", err)
		}
		_, table, _ := strings.Cut(string(out), "      flat")
		all = append(all, profile{p.name, "      flat" + strings.TrimRight(table, "\n")})
	}
	return all, nil
}

// explain shows where our time goes.
func (h head) explain(b *strings.Builder) {
	b.WriteString("\n## Where the time of sse goes\n" + why)
	for _, p := range h.profiles {
		fmt.Fprintf(b, "\n### %s\n\n```\n%s\n```\n", p.payload, p.text)
	}
}

const why = `
For an event it looks for LF and for CR (at each byte once for either), for the colon of each line, checks that text is UTF-8, copies data to
the buffer of the event and from there, when the event is whole, to a string. An id is a string of its own; a type is one only when it is not that of
the event before. eventsource adds a timer for each read and a lock for each id.

Where openai is faster, it does less: it has no ids, looks for LF alone, so that CR ends nothing, doesn't check UTF-8, and hands out the buffer in
which it has collected the data, its last line feed included. launchdarkly and r3labs hand each line or event from one goroutine to another; r3labs looks for the
end of an event five times. donovanhide and launchdarkly make a string of each line, and a longer one of the data for each line.

Profiles of the processor, by the time in a function and what it calls:
`
