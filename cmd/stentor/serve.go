package main

import (
	"context"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"

	"github.com/spf13/cobra"
	"github.com/stentor-sse/stentor"
)

// serveSettings are what serve and demo can be told.
type serveSettings struct {
	listen       string
	history      historySettings
	allowOrigins []string
	publicURL    *url.URL
	drainTimeout time.Duration
	engine       string
	slow         string
	compress     bool
	tlsCert      string
	tlsKey       string
	cert         *certificate // nil: no TLS
	logLevel     slog.Level
	logFormat    string

	demo          bool     // with the Chat application
	channels      []string // that its page opens
	remoteControl string   // who may send commands to others' pages
}

// Who may send commands to others' pages.
const (
	anyone   = "anyone"
	signedIn = "signed-in"
)

// What becomes of readers that fall behind.
const (
	resume = "resume"
	skip   = "skip"
	end    = "end"
)

func (s *serveSettings) slowPolicy() stentor.SlowPolicy {
	switch s.slow {
	case skip:
		return stentor.SlowSkip
	case end:
		return stentor.SlowEnd
	}
	return stentor.SlowResume
}

// How streams are written.
const (
	auto     = "auto"
	attached = "attached"
)

const serveHelp = `Serve a hub over HTTP: the plain face (/events, /publish, …) for browsers, curl
and everything else, and the ServiceStack face (/event-stream, …) for
ServiceStack clients. The history is kept in memory, or with --data in a directory:
then a message is on disk before its publisher has an answer, and readers go on
after a restart where they were.

Without keys everyone who reaches the server may publish and subscribe, so it
listens on loopback only and answers only requests for a loopback host or for the
host of --public-url. To open it to others, put a proxy that authenticates in
front and name the address that clients use with --public-url.

With --tls-cert and --tls-key it speaks HTTPS, HTTP/2 included. SIGHUP reads both
files again; what is open goes on.

When it is ready it prints one line with the address, addr=… among its
attributes. An interrupt ends it within a second. SIGTERM drains it first: /readyz
answers 503, and the open streams end one after the other over --drain-timeout.
A second signal stops it at once.

/metrics has its numbers for Prometheus.`

func (p *program) serveCommand() *cobra.Command {
	s := &serveSettings{}
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Serve a hub over HTTP",
		Long:  serveHelp,
		Example: `  stentor serve
  stentor serve --listen 127.0.0.1:0 --log-format json
  stentor serve --data /var/lib/stentor
  stentor serve --data /var/lib/stentor --history-rule 'audit.* size=1000000 age=720h'
  stentor serve --history-size 500 --history-age 1h --history-bytes 64MiB
  stentor serve --public-url https://events.example --allow-origin https://app.example`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error { return p.serve(cmd.Context(), s) },
	}
	s.register(cmd)
	return cmd
}

func (p *program) demoCommand() *cobra.Command {
	s := &serveSettings{demo: true, channels: []string{"home"}, remoteControl: anyone}
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "Serve a hub and the Chat application",
		Long: `Serve what "stentor serve" does, and the Chat application at /. Open it in two
windows. Whatever any program publishes to its channels arrives there too.

Who wants to can sign in, as whoever they say: nobody is asked for a proof. What
is typed as /op.target text is sent to the pages of all others, which do what
it asks for (/cmd.announce, /css.background, /tv.watch, …).`,
		Example: `  stentor demo
  stentor demo --listen 127.0.0.1:0 --channels home,news
  stentor demo --remote-control signed-in
  stentor publish home 'hello from the shell' --type announce`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error { return p.serve(cmd.Context(), s) },
	}
	s.register(cmd)
	cmd.Flags().Var(&list{at: &s.channels, kind: "CHANNELS", check: checkChannel}, "channels",
		"channels that the page opens; repeatable")
	cmd.Flags().Var(choice(&s.remoteControl, anyone, signedIn), "remote-control", "who may send commands to others' pages")
	return cmd
}

// register adds the flags with their defaults.
func (s *serveSettings) register(cmd *cobra.Command) {
	s.listen = "127.0.0.1:8080"
	s.drainTimeout, s.engine, s.slow, s.logFormat = 20*time.Second, auto, resume, "text"
	f := cmd.Flags()
	f.SortFlags = false
	f.Var(address(&s.listen), "listen", "where to listen, loopback only; port 0 picks a free one")
	f.Var(base(&s.publicURL), "public-url", "the URL of this server for clients, when a proxy is in front")
	f.Var(&list{at: &s.allowOrigins, kind: "ORIGINS", check: checkOrigin}, "allow-origin",
		"origin whose pages may call this server, like https://app.example; * for all; repeatable")
	f.BoolVar(&s.compress, "compress", false, "compress the plain face's streams for readers that accept gzip")
	f.Var(path(&s.tlsCert), "tls-cert", "certificate with its chain, in PEM, to speak HTTPS")
	f.Var(path(&s.tlsKey), "tls-key", "private key of the certificate, in PEM")
	s.history.register(cmd)
	f.Var(duration(&s.drainTimeout, 0), "drain-timeout", "how long SIGTERM takes to end the open streams")
	f.Var(choice(&s.engine, auto, attached), "engine", "who writes streams: auto takes over what it can, attached leaves all to their handlers")
	f.Var(choice(&s.slow, resume, skip, end), "slow-readers",
		"what becomes of readers that fall behind: they resume from the history, skip to the present with a gap, or end")
	f.Var(level(&s.logLevel), "log-level", "what to log")
	f.Var(choice(&s.logFormat, "text", "json"), "log-format", "how to log")
}

func checkChannel(s string) error { return stentor.Channel(s).Validate() }

// serve runs the server until a signal or the end of ctx.
func (p *program) serve(ctx context.Context, s *serveSettings) error {
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	defer signal.Stop(signals)

	log := newLogger(p.stderr, s.logLevel, s.logFormat)
	var err error
	if s.cert, err = newCertificate(s.tlsCert, s.tlsKey); err != nil {
		return err
	}
	ln, err := listen(ctx, s.listen)
	if err != nil {
		return err
	}
	defer ln.Close() // for the errors below; the server closes it too
	broker, end, err := s.history.open(log)
	if err != nil {
		return err
	}
	defer end()
	hub, err := stentor.New(ctx, &stentor.Options{Broker: broker, Attached: s.engine == attached, Slow: s.slowPolicy(), GiveBack: true})
	if err != nil {
		return fmt.Errorf("serve: %w", err)
	}
	if s.cert != nil {
		renewing, stop := context.WithCancel(ctx)
		var renewer sync.WaitGroup
		renewer.Go(func() { s.cert.renew(renewing, log) })
		defer renewer.Wait()
		defer stop()
	}
	open := s.openURL(ln.Addr())
	m := newMetrics(hub)
	server := newServer(s, hub, m, open, log)
	return server.run(ctx, &patient{Listener: ln, log: log, starved: m.starved.Inc}, signals, func() {
		log.always("listening", "addr", ln.Addr().String(), "url", open)
		if s.demo && s.logFormat == "text" {
			fmt.Fprintf(p.stderr, "Open %s in two windows and chat. Ctrl-C ends it.\n", open)
		}
	})
}
