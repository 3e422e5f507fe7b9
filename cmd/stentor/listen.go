package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"syscall"
	"time"
)

const (
	acceptPause = 20 * time.Millisecond // while there is no descriptor for a new connection
	acceptTold  = time.Minute           // between two lines in the log about that
)

// listen opens address, if it is on loopback: the server has no keys, so whoever
// reaches it may do everything.
func listen(ctx context.Context, address string) (net.Listener, error) {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return nil, misuse("serve: --listen %q: %w", address, err)
	}
	if !isLoopback(host) {
		return nil, offLoopback(address)
	}
	ln, err := new(net.ListenConfig).Listen(ctx, "tcp", address)
	if err != nil {
		return nil, fmt.Errorf("serve: %w; choose another address with --listen, 127.0.0.1:0 for a free port", err)
	}
	// localhost is what the system's hosts file says it is.
	if a, ok := ln.Addr().(*net.TCPAddr); !ok || !a.IP.IsLoopback() {
		ln.Close()
		return nil, offLoopback(fmt.Sprintf("%s (%s)", address, ln.Addr()))
	}
	return ln, nil
}

// patient lets new connections wait while the system has no descriptor for them:
// they are taken when others have ended. One goroutine at a time.
type patient struct {
	net.Listener
	log     logger
	starved func() // called each time
	told    time.Time
}

// Accept implements net.Listener.
func (l *patient) Accept() (net.Conn, error) {
	for {
		c, err := l.Listener.Accept()
		if !errors.Is(err, syscall.EMFILE) && !errors.Is(err, syscall.ENFILE) {
			return c, err
		}
		l.starved()
		if now := time.Now(); now.Sub(l.told) >= acceptTold {
			l.told = now
			l.log.Warn("too many open files: new connections wait until others end; "+
				"raise the limit with ulimit -n, or LimitNOFILE of the service", "cause", err)
		}
		time.Sleep(acceptPause)
	}
}

func offLoopback(address string) error {
	return misuse("serve: --listen %s is not loopback: without keys, everyone who reaches it could publish and read everything; "+
		"use --listen 127.0.0.1:8080, put a proxy that authenticates in front, "+
		"and name the address that clients use with --public-url", address)
}

// isLoopback holds for localhost and for literal loopback addresses, with or
// without a zone or brackets around IPv6. No other name counts, whatever it
// resolves to: that may change.
func isLoopback(host string) bool {
	if host == "localhost" {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.Unmap().IsLoopback()
}
