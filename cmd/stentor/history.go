package main

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"
	"github.com/stentor-sse/stentor"
	"github.com/stentor-sse/stentor/diskbroker"
)

const historyHelp = `Look after the history that "stentor serve --data DIR" keeps in a directory. The
server must have ended: one process at a time has the directory, and a second one is
told which.

What takes long says on standard error how far it is.`

func (p *program) historyCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "history",
		Short: "Inspect, export, import, prune and verify a history on disk",
		Long:  historyHelp,
		Example: `  stentor history inspect --data /var/lib/stentor
  stentor history verify --data /var/lib/stentor
  stentor history export --data /var/lib/stentor > history.ndjson
  stentor history import --data /var/lib/stentor.new < history.ndjson
  stentor history prune --data /var/lib/stentor --history-age 1h`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				return misuse("unknown command %.64q of history", args[0])
			}
			cmd.SetOut(p.stderr)
			if err := cmd.Help(); err != nil {
				return err
			}
			return misuse("name a command of history")
		},
	}
	for _, sub := range []*cobra.Command{p.inspectCommand(), p.exportCommand(), p.importCommand(), p.pruneCommand(), p.verifyCommand()} {
		sub.Args = noArguments
		cmd.AddCommand(sub)
	}
	return cmd
}

// dataFlag adds --data, which run gets.
func dataFlag(cmd *cobra.Command, run func(cmd *cobra.Command, dir string) error) {
	var dir string
	cmd.Flags().SortFlags = false
	cmd.Flags().Var(directory(&dir), "data", "the directory of the history")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if dir == "" {
			return misuse("history: say which one with --data DIR")
		}
		return run(cmd, dir)
	}
}

func (p *program) inspectCommand() *cobra.Command {
	most := 20
	cmd := &cobra.Command{
		Use:     "inspect",
		Short:   "Print what a history holds",
		Long:    "Print how many messages a history holds, from when, how large it is, and its largest channels.",
		Example: "  stentor history inspect --data /var/lib/stentor --channels-shown 100",
	}
	dataFlag(cmd, func(_ *cobra.Command, dir string) error {
		b, err := diskbroker.Open(dir, &diskbroker.Options{ReadOnly: true})
		if err != nil {
			return fmt.Errorf("history: %w", err)
		}
		defer b.Close() // for reading: there is nothing to lose
		return printHistory(p.stdout, b.Stats(), b.Channels(), most)
	})
	cmd.Flags().Var(count(&most, 0), "channels-shown", "how many channels to print, those with most messages")
	return cmd
}

func printHistory(w io.Writer, s diskbroker.Stats, channels []diskbroker.ChannelStats, most int) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	printStats(t, s)
	if n := min(most, len(channels)); n > 0 {
		fmt.Fprintf(t, "\nchannel\tmessages\tbytes\tnewest\n")
		for _, c := range channels[:n] {
			fmt.Fprintf(t, "%s\t%d\t%d\t%s\n", routeName(c.Route), c.Messages, c.Bytes, when(c.Newest))
		}
		if more := len(channels) - n; more > 0 {
			fmt.Fprintf(t, "and %d more\n", more)
		}
	}
	return t.Flush()
}

func printStats(w io.Writer, s diskbroker.Stats) {
	fmt.Fprintf(w, "messages\t%d\nchannels\t%d\n", s.Messages, s.Channels)
	fmt.Fprintf(w, "oldest\t%d\t%s\nhead\t%d\t%s\nstart\t%d\t%s\n",
		s.Oldest, when(s.Oldest), s.Head, when(s.Head), s.Start, when(s.Start))
	fmt.Fprintf(w, "bytes\t%d\nfile\t%d\n", s.Bytes, s.File)
	if s.Damaged > 0 {
		fmt.Fprintf(w, "damaged\t%d\n", s.Damaged)
	}
}

// routeName is a channel as people write it. Those of a user and the like have a
// control character in front.
func routeName(ch stentor.Channel) string {
	for kind, t := range map[string]stentor.Target{
		"everyone": {All: true}, "user ": {User: "x"}, "user name ": {UserName: "x"},
		"session ": {Session: "x"}, "key ": {Key: "x"}, "subscription ": {Subscription: "x"},
	} {
		route := string(t.Route())
		if t.All && string(ch) == route {
			return "(" + kind + ")"
		}
		if name, ok := strings.CutPrefix(string(ch), strings.TrimSuffix(route, "x")); ok && !t.All {
			return "(" + kind + visible(name) + ")"
		}
	}
	return visible(string(ch))
}

func (p *program) pruneCommand() *cobra.Command {
	s := &historySettings{}
	cmd := &cobra.Command{
		Use:   "prune",
		Short: "Trim a history and give its disk space back",
		Long: `Trim a history to the limits given, those of "stentor serve" where none are, and
write what is left to a new file that takes the place of the old one. Until then
both need room.`,
		Example: "  stentor history prune --data /var/lib/stentor --history-age 1h --history-bytes 100MiB",
	}
	dataFlag(cmd, func(_ *cobra.Command, dir string) error {
		before, after, err := diskbroker.Prune(dir, s.disk())
		if err != nil {
			return fmt.Errorf("history: %w", err)
		}
		p.say("%d messages and %d bytes before, %d messages and %d bytes now", before.Messages, before.File, after.Messages, after.File)
		return nil
	})
	s.registerLimits(cmd)
	return cmd
}

func (p *program) verifyCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "verify",
		Short: "Read a whole history and say what is wrong with it",
		Long: `Read a whole history, the structure of its file and every message with its
checksum. Nothing is changed. It ends with 1 when something is wrong.`,
		Example: "  stentor history verify --data /var/lib/stentor",
	}
	dataFlag(cmd, func(cmd *cobra.Command, dir string) error {
		r, err := diskbroker.Verify(cmd.Context(), dir, p.progress("verified"))
		if err != nil {
			return fmt.Errorf("history: %w", err)
		}
		for _, problem := range r.Problems {
			p.say("%s", problem)
		}
		if n := len(r.Problems); n > 0 || r.Damaged > 0 {
			return fmt.Errorf("history: %s is damaged, %d problems; readers are told of a gap, the rest is served; "+
				"restore a backup if you have a better one", dir, n)
		}
		t := tabwriter.NewWriter(p.stdout, 0, 0, 2, ' ', 0)
		printStats(t, r.Stats)
		fmt.Fprintln(t, "all is well")
		return t.Flush()
	})
	return cmd
}

// progress says now and then how many messages are done, of how many when that is known.
func (p *program) progress(done string) func(n, of int) {
	last := time.Now()
	return func(n, of int) {
		now := time.Now()
		if now.Sub(last) < progressEvery {
			return
		}
		if last = now; of > 0 {
			p.say("%s %d of %d messages", done, n, of)
		} else {
			p.say("%s %d messages", done, n)
		}
	}
}
