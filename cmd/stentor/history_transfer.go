package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"strconv"
	"time"

	"github.com/spf13/cobra"
	"github.com/stentor-sse/stentor"
	"github.com/stentor-sse/stentor/diskbroker"
)

// maxHistoryLine bounds a line of an import.
const maxHistoryLine = 128 << 20

// historyHead is the first line of an export.
type historyHead struct {
	History int    `json:"stentorHistory"` // the format
	Start   string `json:"start,omitempty"`
}

// historyLine is one message of an export. Data is text, and with json set a JSON value
// as text, so that it comes back byte by byte.
type historyLine struct {
	ID           string          `json:"id"`
	Prev         string          `json:"prev,omitempty"`
	Time         time.Time       `json:"time"`
	All          bool            `json:"all,omitempty"`
	Channel      stentor.Channel `json:"channel,omitempty"`
	User         string          `json:"user,omitempty"`
	UserName     string          `json:"userName,omitempty"`
	Session      string          `json:"session,omitempty"`
	Key          string          `json:"key,omitempty"`
	Subscription string          `json:"subscription,omitempty"`
	Subject      string          `json:"subject,omitempty"`
	Remove       bool            `json:"remove,omitempty"`
	Type         string          `json:"type,omitempty"`
	Data         string          `json:"data"`
	JSON         bool            `json:"json,omitempty"`
}

func lineOf(m *stentor.Message) historyLine {
	t := &m.Target
	return historyLine{
		ID: m.Position.String(), Prev: m.Prev.String(), Time: m.Time,
		All: t.All, Channel: t.Channel, User: t.User, UserName: t.UserName, Session: t.Session, Key: t.Key,
		Subscription: t.Subscription, Subject: m.Subject, Remove: m.Remove, Type: m.Type, Data: m.Data, JSON: m.JSON,
	}
}

func (l *historyLine) message() (m stentor.Message, err error) {
	m = stentor.Message{
		Target: stentor.Target{
			All: l.All, Channel: l.Channel, User: l.User, UserName: l.UserName, Session: l.Session, Key: l.Key, Subscription: l.Subscription,
		},
		Subject: l.Subject, Remove: l.Remove, Type: l.Type, Data: l.Data, JSON: l.JSON, Time: l.Time,
	}
	if m.Position, err = position(l.ID); err != nil {
		return m, fmt.Errorf("id %.64q: %w", l.ID, err)
	}
	if m.Prev, err = position(l.Prev); err != nil {
		return m, fmt.Errorf("prev %.64q: %w", l.Prev, err)
	}
	return m, nil
}

// position reads a decimal number; empty is zero.
func position(s string) (stentor.Position, error) {
	if s == "" {
		return 0, nil
	}
	n, err := strconv.ParseUint(s, 10, 53)
	if err != nil {
		return 0, errors.New("give a whole number below 2^53")
	}
	return stentor.Position(n), nil
}

func (p *program) exportCommand() *cobra.Command {
	var damaged bool
	cmd := &cobra.Command{
		Use:   "export",
		Short: "Print a history as NDJSON",
		Long: `Print all messages of a history, one JSON object a line, to standard output; a first
line says where the history begins. With --damaged, what can still be read of a
file that can't be opened is printed, some that was trimmed already included.`,
		Example: `  stentor history export --data /var/lib/stentor > history.ndjson
  stentor history export --data /var/lib/stentor | gzip > history.ndjson.gz
  stentor history export --data /var/lib/stentor --damaged > saved.ndjson`,
	}
	dataFlag(cmd, func(cmd *cobra.Command, dir string) error {
		if damaged {
			return p.export(historyHead{History: 1}, 0, diskbroker.Salvage(cmd.Context(), dir))
		}
		b, err := diskbroker.Open(dir, &diskbroker.Options{ReadOnly: true})
		if err != nil {
			return fmt.Errorf("history: %w", err)
		}
		defer b.Close() // for reading: there is nothing to lose
		s := b.Stats()
		return p.export(historyHead{1, s.Start.String()}, s.Messages, b.Messages(cmd.Context()))
	})
	cmd.Flags().BoolVar(&damaged, "damaged", false, "save what can be read of a damaged file")
	return cmd
}

func (p *program) export(head historyHead, of int, messages iter.Seq2[stentor.Message, error]) error {
	out := bufio.NewWriterSize(p.stdout, 64<<10)
	e := json.NewEncoder(out)
	e.SetEscapeHTML(false)
	if err := e.Encode(head); err != nil {
		return fmt.Errorf("history: %w", err)
	}
	n, tell := 0, p.progress("exported")
	for m, err := range messages {
		if err == nil {
			err = e.Encode(lineOf(&m))
		}
		if err != nil {
			return fmt.Errorf("history: %w", errors.Join(err, out.Flush()))
		}
		n++
		tell(n, of)
	}
	if err := out.Flush(); err != nil {
		return fmt.Errorf("history: %w", err)
	}
	p.say("exported %d messages", n)
	return nil
}

func (p *program) importCommand() *cobra.Command {
	s := &historySettings{}
	cmd := &cobra.Command{
		Use:   "import",
		Short: "Fill a new history from NDJSON",
		Long: `Fill a directory without a history from what "stentor history export" printed, read
from standard input. Messages keep their ids, so that readers of the old history
go on in the new one. What the limits don't allow is trimmed.`,
		Example: `  stentor history import --data /var/lib/stentor < history.ndjson
  gunzip < history.ndjson.gz | stentor history import --data /var/lib/stentor --history-age 720h`,
	}
	dataFlag(cmd, func(cmd *cobra.Command, dir string) error {
		lines := bufio.NewScanner(p.stdin)
		lines.Buffer(make([]byte, 64<<10), maxHistoryLine)
		start, err := readHead(lines)
		if err != nil {
			return fmt.Errorf("history: line 1: %w", err)
		}
		n, err := diskbroker.Import(cmd.Context(), dir, s.disk(), start, historyLines(lines, p.progress("imported")))
		if err != nil {
			return fmt.Errorf("history: after %d messages: %w", n, err)
		}
		p.say("imported %d messages", n)
		return nil
	})
	s.registerLimits(cmd)
	return cmd
}

func readHead(lines *bufio.Scanner) (stentor.Position, error) {
	if !lines.Scan() {
		return 0, errors.Join(lines.Err(), io.ErrUnexpectedEOF)
	}
	var head historyHead
	if err := json.Unmarshal(lines.Bytes(), &head); err != nil || head.History != 1 {
		return 0, errors.New("this is no export of a history; give what `stentor history export` printed")
	}
	return position(head.Start)
}

func historyLines(lines *bufio.Scanner, tell func(n, of int)) iter.Seq2[stentor.Message, error] {
	return func(yield func(stentor.Message, error) bool) {
		for n := 1; lines.Scan(); n++ {
			var l historyLine
			var m stentor.Message
			err := json.Unmarshal(lines.Bytes(), &l)
			if err == nil {
				m, err = l.message()
			}
			if err != nil {
				err = fmt.Errorf("line %d: %w", n+1, err)
			}
			if !yield(m, err) || err != nil {
				return
			}
			tell(n, 0)
		}
		if err := lines.Err(); err != nil {
			yield(stentor.Message{}, err)
		}
	}
}
