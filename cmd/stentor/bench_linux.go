package main

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"runtime"
	"strings"
	"time"

	"github.com/stentor-sse/stentor/bench/load"
)

const (
	// benchOpening is how long connecting may take beyond the ramp, and benchHearing how long
	// until each connection has heard something.
	benchOpening = time.Minute
	benchHearing = 20 * time.Second
	// benchQuiet is how long nothing may come at the end before what is missing is lost.
	benchQuiet = 3 * time.Second
)

// bench is one run.
type bench struct {
	*benchSettings
	p       *program
	target  *url.URL
	server  *ownServer // nil: another's
	load    *load.Load
	traffic *traffic
	publish []*benchPublisher
	phase   string // for the progress line
	told    time.Time
	begun   time.Time // of counting
	result  benchResult
}

// bench runs the whole test. The load generator has this goroutine's thread to itself.
func (p *program) bench(ctx context.Context, s *benchSettings, target *url.URL) (err error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	ctx, stop := interruptible(ctx)
	defer stop()
	b := &bench{benchSettings: s, p: p, target: target}
	if target == nil {
		if b.server, err = p.startServer(); err != nil {
			return err
		}
		defer b.server.stop() // how it ends is not what is measured
		b.target = b.server.url
	}
	client := newClient()
	defer client.CloseIdleConnections()
	client.Transport.(*http.Transport).MaxIdleConnsPerHost = s.publishers
	if s.token != "" {
		client.Transport = bearer{s.token, client.Transport}
	}
	var id [6]byte
	rand.Read(id[:])
	b.traffic = &traffic{name: fmt.Sprintf("bench.%x", id), readers: make([]int, s.channels)}
	b.publish = newBenchPublishers(s, b.target, client, b.traffic)
	if err := b.prepare(ctx); err != nil {
		return err
	}
	defer b.load.Close()
	err = b.run(ctx)
	b.erase()
	if ctx.Err() != nil {
		b.result.Interrupted, err = true, nil
	}
	if err != nil && b.begun.IsZero() {
		return err
	}
	return errors.Join(err, b.result.print(p.stdout, s.json), b.result.verdict())
}

// prepare finds the server and checks what can be checked.
func (b *bench) prepare(ctx context.Context) error {
	at, err := resolve(ctx, b.target)
	if err != nil {
		return err
	}
	o := &load.Options{
		Address: at.String(), Host: b.target.Host, Connections: b.connections,
		Lanes: lanesOf(b.benchSettings), Ramp: b.ramp, Partial: true, Progress: func(*load.Load) { b.progress() },
		Path: func(i int) string {
			query := url.Values{"channel": {b.traffic.channel(i % b.channels)}}
			return "/" + strings.TrimPrefix(b.target.JoinPath("events").EscapedPath(), "/") + "?" + query.Encode()
		},
	}
	if b.ramp > 0 {
		o.Window = b.connections
	}
	if user := b.target.User; user != nil {
		password, _ := user.Password()
		o.Authorization = "Basic " + base64.StdEncoding.EncodeToString([]byte(user.Username()+":"+password))
	}
	if b.token != "" {
		o.Authorization = "Bearer " + b.token
	}
	if strings.ContainsFunc(o.Authorization, func(r rune) bool { return r < ' ' || r == 0x7f }) {
		return misuse("bench: --token: leave out line breaks and other control characters")
	}
	if b.load, err = load.New(o); err != nil {
		return fmt.Errorf("bench: %w", err)
	}
	return nil
}

// resolve is the address of the URL's host, the first if it has several.
func resolve(ctx context.Context, target *url.URL) (netip.AddrPort, error) {
	found, err := net.DefaultResolver.LookupNetIP(ctx, "ip", target.Hostname())
	if err != nil {
		return netip.AddrPort{}, fmt.Errorf("bench: %w", err)
	}
	port, err := net.DefaultResolver.LookupPort(ctx, "tcp", cmp.Or(target.Port(), "http"))
	if err != nil {
		return netip.AddrPort{}, fmt.Errorf("bench: %w", err)
	}
	return netip.AddrPortFrom(found[0].Unmap(), uint16(port)), nil
}

// run connects, warms up and counts.
func (b *bench) run(ctx context.Context) error {
	b.result.Asked, b.result.Rate = b.connections, b.rate
	if b.server != nil {
		b.result.Server = &benchServer{ResidentBefore: load.UsageOf(b.server.cmd.Process.Pid).Resident}
	}
	b.say("connecting %d", b.connections)
	opening, cancel := context.WithTimeout(ctx, benchOpening+b.ramp)
	defer cancel()
	if err := b.load.Open(opening); err != nil {
		return fmt.Errorf("bench: %w", err)
	}
	report := b.load.Report()
	b.result.opened(report)
	if ctx.Err() != nil {
		return ctx.Err() // those that were still connecting have not failed
	}
	b.result.failed(report)
	if report.Connected == 0 {
		return fmt.Errorf("bench: nobody could connect to %s: %w", b.target.Redacted(), report.Err)
	}
	for i := range b.connections {
		if b.load.Reads(i) {
			b.traffic.readers[i%b.channels]++
		}
	}
	if err := b.hear(ctx); err != nil {
		return err
	}
	if b.warmUp > 0 {
		b.say("warming up for %v", b.warmUp)
		if err := b.deliver(ctx, b.warmUp, false); err != nil {
			return err
		}
	}
	b.say("publishing for %v", b.duration)
	return b.count(ctx)
}
