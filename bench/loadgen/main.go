//go:build linux

// Loadgen loads one event server with many readers, until it is interrupted or the time is
// over, and says what they were sent:
//
//	go run ./loadgen -address 127.0.0.1:8080 -path '/events?channel=c{}' -channels 10 -connections 10000 -for 30s
//
// Latency and order are checked where the data of the events is that of package payload;
// others are counted.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/stentor-sse/stentor/bench/load"
)

func main() {
	o := load.Options{}
	flag.StringVar(&o.Address, "address", "127.0.0.1:8080", "IPv4 address and port of the server")
	flag.IntVar(&o.Connections, "connections", 1000, "how many there are to be; the limit of open files must allow it")
	flag.IntVar(&o.Stalled, "stalled", 0, "how many of them read nothing")
	flag.IntVar(&o.Churned, "churned", 0, "how many of them reconnect by turns")
	churn := flag.Int("churn", 0, "reconnects a second")
	path := flag.String("path", "/events?channel=c{}", "request target; {} is the number of the channel")
	channels := flag.Int("channels", 1, "channels that the connections are spread over")
	lasts := flag.Duration("for", 0, "how long to read after connecting; zero is until interrupted")
	flag.Parse()
	o.Path = func(i int) string { return strings.ReplaceAll(*path, "{}", strconv.Itoa(i%max(*channels, 1))) }
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, o, *churn, *lasts); err != nil {
		fmt.Fprintln(os.Stderr, "loadgen:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, o load.Options, churn int, lasts time.Duration) error {
	o.Progress = func(l *load.Load) { fmt.Fprintf(os.Stderr, "\r\033[K%s", l) }
	l, err := load.New(&o)
	if err != nil {
		return err
	}
	defer l.Close()
	if err := l.Open(ctx); err != nil {
		return err
	}
	l.Churn(churn)
	begun := time.Now()
	err = l.Run(ctx, func() bool { return lasts > 0 && time.Since(begun) >= lasts })
	if errors.Is(err, context.Canceled) { // interrupted: that is how it ends
		err = nil
	}
	fmt.Fprint(os.Stderr, "\r\033[K")
	summary(l.Report(), o, time.Since(begun))
	return err
}

func summary(r load.Report, o load.Options, took time.Duration) {
	var u syscall.Rusage
	syscall.Getrusage(syscall.RUSAGE_SELF, &u) // of this process: can't fail
	events := r.Deliveries + r.Foreign
	fmt.Printf("connections  %d in %v, %.0f a second\n", o.Connections, r.Opening.Round(time.Millisecond), float64(o.Connections)/r.Opening.Seconds())
	fmt.Printf("events       %d in %v, %.0f a second, %d of them numbered\n", events, took.Round(time.Millisecond), float64(events)/took.Seconds(), r.Deliveries)
	fmt.Printf("bytes        %d in %d reads\n", r.Bytes, r.Reads)
	if r.Latency.Count() > 0 {
		fmt.Printf("latency      p50 %v, p99 %v, max %v\n", r.Latency.Quantile(0.5), r.Latency.Quantile(0.99), r.Latency.Max())
	}
	fmt.Printf("own CPU      %v user, %v kernel\n", time.Duration(u.Utime.Nano()).Round(time.Millisecond), time.Duration(u.Stime.Nano()).Round(time.Millisecond))
	if r.Reconnects > 0 {
		fmt.Printf("reconnects   %d\n", r.Reconnects)
	}
	if faults := r.Faults(); faults != "" {
		fmt.Printf("faults       %s\n", faults)
	}
}
