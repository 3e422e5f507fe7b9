package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"strings"

	"github.com/spf13/cobra"
	"github.com/stentor-sse/stentor/sse"
)

const subscribeHelp = `Print what arrives on channels: the data of each message on a line of its own,
with line breaks and other control characters shown as \n, \x1b and so on. With
--json each line is an object with id, type and data, exactly as they came.

When the connection is lost it reconnects, and goes on after the last message it
got. What the server does not have any more is told on standard error. An
interrupt ends it, and so does a reader of its output that goes away.`

// subscriber is one run of the subscribe command.
type subscriber struct {
	json  bool
	all   bool
	count int
	out   io.Writer
	warn  func(format string, args ...any)
	got   int
}

// errEnough ends a run that did what it should.
var errEnough = errors.New("enough")

func (p *program) subscribeCommand() *cobra.Command {
	sub := &subscriber{out: p.stdout, warn: p.say}
	var lastID string
	cmd := &cobra.Command{
		Use:   "subscribe CHANNEL…",
		Short: "Print what arrives on channels",
		Long:  subscribeHelp,
		Example: `  stentor subscribe home
  stentor subscribe home news --json | jq -r .data
  stentor subscribe home --last-event-id 0      all that is kept, then live
  stentor subscribe jobs --count 1              wait for one message`,
		Args: subscribeArguments,
	}
	f := cmd.Flags()
	f.SortFlags = false
	f.BoolVar(&sub.json, "json", false, "print one JSON object a line: id, type, data")
	f.Var(&value[string]{&lastID, "ID", parseCursor, func(s string) string { return s }}, "last-event-id",
		"go on after this position; 0 begins with the oldest message kept")
	f.Var(count(&sub.count, 0), "count", "end after this many messages; 0 never does")
	f.BoolVar(&sub.all, "all", false, "print control events too: stentor.open, stentor.gap, stentor.join, …")
	at := urlFlag(cmd)
	cmd.RunE = func(cmd *cobra.Command, channels []string) error {
		ctx, stop := interruptible(cmd.Context())
		defer stop()
		query := url.Values{"channel": channels}
		if sub.all {
			query.Set("presence", "true")
		}
		client := newClient()
		defer client.CloseIdleConnections()
		src, err := newSource(client, *at, query, lastID, func(err error) { p.say("%v", err) })
		if err != nil {
			return err
		}
		return sub.run(ctx, src)
	}
	return cmd
}

func subscribeArguments(_ *cobra.Command, args []string) error {
	if len(args) == 0 {
		return misuse("subscribe: name the channels: stentor subscribe CHANNEL…")
	}
	for _, a := range args {
		if err := checkChannel(a); err != nil {
			return misuse("subscribe: %w", err)
		}
	}
	return nil
}

// parseCursor takes what a header can carry. What it means is the server's to say.
func parseCursor(s string) (string, error) {
	if visible(s) != s || strings.Contains(s, "\t") || len(s) > 256 {
		return "", errors.New("give the id of a message, a number")
	}
	return s, nil
}

// run prints until there is nothing to do any more.
func (s *subscriber) run(ctx context.Context, src *source) error {
	for e, err := range src.Events(ctx) {
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			return fmt.Errorf("subscribe: %w", src.explain(err))
		}
		if e.Type == "stentor.end" {
			src.ended = endReason(e.Data)
		}
		if err := s.event(e); errors.Is(err, errEnough) || readerGone(err) {
			return nil
		} else if err != nil {
			return fmt.Errorf("subscribe: %w", err)
		}
	}
	return nil
}

// event prints e if it is to be seen.
func (s *subscriber) event(e sse.Event) error {
	control := strings.HasPrefix(e.Type, "stentor.")
	if e.Type == "stentor.gap" {
		s.gap(e.Data)
	}
	if control && !s.all {
		return nil
	}
	if err := s.print(e); err != nil {
		return err
	}
	if !control {
		s.got++
	}
	if s.count > 0 && s.got >= s.count {
		return errEnough
	}
	return nil
}

// print writes one line.
func (s *subscriber) print(e sse.Event) error {
	var b bytes.Buffer
	if s.json {
		enc := json.NewEncoder(&b)
		enc.SetEscapeHTML(false)
		err := enc.Encode(struct {
			ID   string `json:"id"`
			Type string `json:"type"`
			Data string `json:"data"`
		}{e.ID, cmp.Or(e.Type, "message"), e.Data})
		if err != nil {
			return err
		}
	} else {
		b.WriteString(visible(e.Data))
		b.WriteByte('\n')
	}
	if _, err := s.out.Write(b.Bytes()); err != nil {
		return fmt.Errorf("standard output: %w", err)
	}
	return nil
}

// gap warns that messages are missing.
func (s *subscriber) gap(data string) {
	var g struct{ Reason, After, Oldest string }
	if err := json.Unmarshal([]byte(data), &g); err != nil {
		s.warn("warning: messages are missing here")
		return
	}
	after, until := "before this", "what is published now"
	if g.After != "" {
		after = "after " + g.After
	}
	if g.Oldest != "" {
		until = g.Oldest
	}
	s.warn("warning: messages %s are missing (%s); it goes on with %s", cut(after, 64), cut(g.Reason, 64), cut(until, 64))
}
