package main

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/stentor-sse/stentor"
	"github.com/stentor-sse/stentor/diskbroker"
)

// historySettings are where the history is and how much of it is kept.
type historySettings struct {
	data     string // empty: in memory
	interval time.Duration
	size     int
	age      time.Duration
	bytes    int64
	rules    []string // see parseRule
}

// register adds the flags with their defaults.
func (s *historySettings) register(cmd *cobra.Command) {
	f := cmd.Flags()
	f.Var(directory(&s.data), "data", "keep the history in this directory; without it, in memory")
	f.Var(duration(&s.interval, 0), "data-interval", "write to disk this often instead of before each answer; 0 is before each answer")
	s.registerLimits(cmd)
}

func (s *historySettings) registerLimits(cmd *cobra.Command) {
	s.size, s.age, s.bytes = 10_000, 24*time.Hour, 1<<30
	f := cmd.Flags()
	f.Var(count(&s.size, 0), "history-size", "messages kept per channel; 0 keeps none")
	f.Var(duration(&s.age, time.Millisecond), "history-age", "how long a message is kept")
	f.Var(size(&s.bytes), "history-bytes", "bytes kept in all")
	f.Var(&list{at: &s.rules, kind: "RULES", check: func(r string) error { _, err := parseRule(r); return err }}, "history-rule",
		"other limits for some channels, on disk: 'audit.* size=1000000 age=720h bytes=64MiB'; repeatable, the first that matches holds")
}

// none is a size as brokers take it: there, zero is the default.
func (s *historySettings) none() int {
	if s.size == 0 {
		return -1
	}
	return s.size
}

// disk is the history as the disk's broker takes it.
func (s *historySettings) disk() *diskbroker.Options {
	o := &diskbroker.Options{Size: s.none(), Age: s.age, Bytes: s.bytes, Interval: s.interval}
	for _, text := range s.rules {
		if r, err := parseRule(text); err == nil { // the flag has refused the others
			o.Rules = append(o.Rules, r)
		}
	}
	return o
}

// parseRule reads a pattern and limits: 'audit.* size=1000000 age=720h bytes=64MiB'.
func parseRule(text string) (diskbroker.Rule, error) {
	var r diskbroker.Rule
	words := strings.Fields(text)
	if len(words) < 2 {
		return r, errors.New("give a channel, or what names begin with and *, and limits: 'audit.* size=1000 age=720h bytes=64MiB'")
	}
	r.Pattern = words[0]
	limits := map[string]interface{ Set(string) error }{
		"size": count(&r.Size, 0), "age": duration(&r.Age, time.Millisecond), "bytes": size(&r.Bytes),
	}
	for _, word := range words[1:] {
		name, v, _ := strings.Cut(word, "=")
		limit, ok := limits[name]
		if !ok {
			return r, fmt.Errorf("%.64q is no limit; there are size=, age= and bytes=", word)
		}
		if err := limit.Set(v); err != nil {
			return r, fmt.Errorf("%s: %w", name, err)
		}
		if name == "size" && r.Size == 0 {
			r.Size = -1
		}
	}
	return r, nil
}

// open opens the history, says in the log what it is, and gives what ends it.
func (s *historySettings) open(log logger) (stentor.Broker, func(), error) {
	if s.data == "" {
		if s.interval > 0 {
			return nil, nil, misuse("--data-interval is for a history on disk; say where with --data")
		}
		if len(s.rules) > 0 {
			return nil, nil, misuse("--history-rule is for a history on disk; say where with --data")
		}
		return stentor.NewMemoryBroker(&stentor.MemoryOptions{Size: s.none(), Age: s.age, Bytes: s.bytes}), func() {}, nil
	}
	began := time.Now()
	b, err := diskbroker.Open(s.data, s.disk())
	if err != nil {
		return nil, nil, fmt.Errorf("--data %s: %w", s.data, err)
	}
	n := b.Stats()
	log.Info("history", "dir", s.data, "messages", n.Messages, "channels", n.Channels, "oldest", when(n.Oldest),
		"durability", n.Durability, "opened", time.Since(began).Round(time.Millisecond))
	if n.Damaged > 0 {
		log.Warn("the history was damaged: what was lost is told as a gap", "dir", s.data, "records", n.Damaged)
	}
	return b, func() {
		if err := b.Close(); err != nil {
			log.Error("the history was not closed", "dir", s.data, "err", err)
		}
	}, nil
}

// when is the time that a position stands for, empty without one.
func when(p stentor.Position) string {
	if p == 0 {
		return ""
	}
	return time.UnixMicro(int64(p)).UTC().Format(time.RFC3339)
}

// directory is the name of one.
func directory(at *string) *value[string] {
	return &value[string]{at, "DIR", func(s string) (string, error) {
		if s == "" {
			return "", errors.New("name a directory")
		}
		return s, nil
	}, func(s string) string { return s }}
}
