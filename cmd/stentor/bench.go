package main

import (
	"net/url"
	"time"

	"github.com/spf13/cobra"
)

// benchSettings are what bench can be told.
type benchSettings struct {
	connections, channels int
	publishers            int
	rate                  int   // messages a second in all; 0: as fast as they are read
	size                  int64 // bytes of a message's data
	duration              time.Duration
	warmUp, ramp          time.Duration
	token                 string
	json                  bool
}

const benchHelp = `Load a server with readers and publishers, and say what came of it: how many
connected, what was delivered how fast, and whether anything was lost, came twice
or out of order. Every event of every connection is checked.

Without URL it loads a server of its own: another process of this program, on a
free port of 127.0.0.1, so that its processor time and memory are told apart. With
URL it loads that one, through http alone; give the server's own address and
not that of a proxy that speaks TLS. Don't aim it at a server that others rely on.

The connections are spread evenly over channels that nobody else uses. They are
opened, then warmed up until each has heard something, and then it counts for
--duration. Latency is from publishing to reading; both happen here, so the
clocks of server and readers need not agree. An interrupt ends it with the summary
so far.

The summary goes to standard output, with --json as one object with times in
milliseconds. The exit code is 0 when everything that was published arrived
once and in order at every connection, else 1. It runs on Linux.`

func (p *program) benchCommand() *cobra.Command {
	s := &benchSettings{
		connections: 1000, channels: 10, publishers: 2, rate: 500, size: 100,
		duration: 10 * time.Second, warmUp: time.Second,
	}
	cmd := &cobra.Command{
		Use:   "bench [URL]",
		Short: "Load a server and say what came of it",
		Long:  benchHelp,
		Example: `  stentor bench
  stentor bench --connections 10000 --channels 1 --rate 5      nothing to batch
  stentor bench --channels 1 --rate 0                          as fast as it goes
  stentor bench --connections 10000 --ramp 1s                  a storm of connects
  stentor bench http://127.0.0.1:8080 --duration 1m
  stentor bench http://10.0.0.7:8080 --token "$TOKEN" --json`,
		RunE: func(cmd *cobra.Command, args []string) error {
			target, err := benchTarget(args)
			if err != nil {
				return err
			}
			if !cmd.Flags().Changed("channels") {
				s.channels = min(s.channels, s.connections)
			}
			if s.channels > s.connections {
				return misuse("bench: %d channels and %d connections: some channels would have no reader; "+
					"give as many --connections or fewer --channels", s.channels, s.connections)
			}
			return p.bench(cmd.Context(), s, target)
		},
	}
	f := cmd.Flags()
	f.SortFlags = false
	f.Var(count(&s.connections, 1), "connections", "how many read")
	f.Var(count(&s.channels, 1), "channels", "how many channels they are spread over")
	f.Var(count(&s.publishers, 1), "publishers", "how many publish at a time")
	f.Var(count(&s.rate, 0), "rate", "messages a second, over all channels; 0 is as fast as the readers get them")
	f.Var(size(&s.size), "size", "data of one message")
	f.Var(duration(&s.duration, 10*time.Millisecond), "duration", "how long to count")
	f.Var(duration(&s.warmUp, 0), "warm-up", "how long to publish before, without counting")
	f.Var(duration(&s.ramp, 0), "ramp", "begin the connections evenly over this time, whatever became of the others; 0 opens 256 at a time")
	f.StringVar(&s.token, "token", "", "a bearer `token`, sent with every request")
	f.BoolVar(&s.json, "json", false, "print the summary as one JSON object")
	return cmd
}

// benchTarget is the server to load, nil for one of our own.
func benchTarget(args []string) (*url.URL, error) {
	switch len(args) {
	case 0:
		return nil, nil
	case 1:
		u, err := parseBase(args[0])
		if err != nil {
			return nil, misuse("bench: %.256q: %w", args[0], err)
		}
		if u.Scheme != "http" {
			return nil, misuse("bench: %s: only http is spoken here; give the server's own address, behind what ends TLS", u.Redacted())
		}
		return u, nil
	}
	return nil, misuse("bench: %d arguments; give one URL, or none for a server of its own", len(args))
}
