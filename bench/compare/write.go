//go:build linux

package main

import (
	"fmt"
	"strings"
	"syscall"
	"time"

	"github.com/stentor-sse/stentor/bench/report"
)

// head is what is to be known about a comparison.
type head struct {
	command string
	begun   time.Time
	load    string // of the machine, before
	quick   bool
	rounds  int
	whole   int // rounds that are over
}

// markdown is the whole of RESULTS.md.
func (r results) markdown(h head, plans []plan) string {
	var b strings.Builder
	b.WriteString("# Side by side\n\n")
	b.WriteString("Written by `make bench-compare`; not to be edited.\n\n")
	if h.quick {
		b.WriteString("**A quick run, to see that everything works: the numbers say little.**\n\n")
	}
	b.WriteString(report.Busy(h.load))
	if h.whole < h.rounds {
		fmt.Fprintf(&b, "**Not whole: %d of %d rounds are over.**\n\n", h.whole, h.rounds)
	}
	b.WriteString(report.Machine())
	line := func(name, value string) { fmt.Fprintf(&b, "- %s: %s\n", name, value) }
	line("Date", h.begun.UTC().Format("2006-01-02 15:04 UTC")+", "+time.Since(h.begun).Round(time.Second).String())
	line("Rounds", fmt.Sprintf("%d, of servers that no target is about every other one", h.rounds))
	line("Command", "`"+h.command+"`")
	line("Load of the machine (1, 5, 15 min)", h.load+" before, "+report.Load()+" after")
	if limit, err := descriptors(); err == nil {
		line("File descriptors for a process", fmt.Sprint(limit))
	}
	b.WriteString(`
An event is one event delivered to one connection, of 100 bytes of data where nothing else is said. Every one was checked for
loss, repeats and order. Numbers are *median [lowest–highest]* of the rounds, and ratios are taken within a round. The servers take
turns, each freshly started, all over loopback, which charges the sender with the receiver's share of TCP: ratios to servers that
spend more in user space are rather too small than too large. "Naive" is a net/http handler with a channel of strings for each
connection and a Fprintf and Flush an event; "floor" is a bare loop of send(2), "floor at 16" one with 16 events in a call. Wall-clock rates of two tables are not to be
compared. Not measured: a real network. The history on disk and decoders are measured by themselves, see the end.

## Targets

| what | measured | target | stretch | reached |
| --- | --- | --- | --- | --- |
`)
	var notes []string
	for _, t := range targets() {
		s := report.Of(r.values(t.plan, t.row, t.of, t.to))
		verdict := t.verdict(s)
		fmt.Fprintf(&b, "| %s | %s | %s | %s | %s |\n", t.what, s, t.goal(t.enough), t.goal(t.stretch), verdict)
		if why := reasons()[t.what]; verdict == missed && why != "" {
			notes = append(notes, t.what+": "+why)
		}
	}
	for i, note := range notes {
		if i == 0 {
			b.WriteString("\nWhat is missed, and what the profiles say of it:\n\n")
		}
		b.WriteString("- " + note + "\n")
	}
	for _, p := range plans {
		r.table(&b, p)
	}
	b.WriteString(beside("."))
	return b.String()
}

// table is what one plan came to.
func (r results) table(b *strings.Builder, p plan) {
	fmt.Fprintf(b, "\n## %s\n\n%s %s connections.\n\n", p.title, p.text, grouped(p.connections))
	b.WriteString("| server |")
	for _, c := range p.columns {
		b.WriteString(" " + c.title + " |")
	}
	b.WriteString("\n|" + strings.Repeat(" --- |", len(p.columns)+1) + "\n")
	var notes []string
	for _, row := range p.rows {
		name := row.name()
		if why := find(row.server).missing; why != "" {
			notes = append(notes, name+": not measured, "+why)
			continue
		}
		if len(r[p.name][name]) == 0 {
			continue
		}
		b.WriteString("| " + name + " |")
		for _, c := range p.columns {
			fmt.Fprintf(b, " %s |", report.Of(r.values(p.name, name, c.of, c.to)))
		}
		b.WriteString("\n")
		for _, fault := range r.faults(p.name, name) {
			notes = append(notes, name+": "+fault)
		}
	}
	for _, note := range notes {
		fmt.Fprintf(b, "\n- %s", note)
	}
	if len(notes) > 0 {
		b.WriteString("\n")
	}
}

// grouped is n with commas.
func grouped(n int) string {
	s := fmt.Sprint(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// descriptors is how many a process may have, in this one and the servers.
func descriptors() (uint64, error) {
	var limit syscall.Rlimit
	err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit)
	return limit.Max, err
}
