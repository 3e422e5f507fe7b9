//go:build linux

package load

import (
	"fmt"
	"net/netip"
	"syscall"
	"time"
)

// Options configures [New]. Address and Connections have to be set.
type Options struct {
	// Address is where the server listens: an IP address and a port.
	Address string
	// Connections is how many there are to be.
	Connections int
	// Host is the request's field of that name. Empty means Address.
	Host string
	// Authorization is the request's field of that name. Empty means none.
	Authorization string
	// Path is the request target of connection i. Nil means "/events".
	Path func(i int) string
	// Stalled is how many of the connections, the last ones, read nothing after the head.
	Stalled int
	// Churned is how many of the connections, the first ones, take part in [Load.Churn].
	Churned int
	// Expected is how many events Served is kept for. Zero means none.
	Expected int
	// Lanes is how many publishers number the events of a channel: those of lane i have the
	// numbers i, i+Lanes, i+2*Lanes, and each lane is in order. Zero means one.
	Lanes int
	// Window is how many connections may be opening at a time. Zero means 256.
	Window int
	// Ramp spreads the beginning of the connections over a time. Zero: as Window allows.
	Ramp time.Duration
	// Sources is how many addresses of the loopback network the connections come from, by
	// turns. Zero is one for each 5,000 where the server is there: an address has some 28,000
	// ports, and with half of them taken the kernel looks long for another. To a server elsewhere
	// it is the system's to say.
	Sources int
	// Partial lets Open go on when some connections can't be had, and end with its context
	// without an error. Report.Failed has them.
	Partial bool
	// Progress is called about once a second while Open and Run poll. Nil: nobody is.
	Progress func(*Load)
}

const connectionsPerSource = 5_000

// New checks o; it connects to nobody yet.
func New(o *Options) (*Load, error) {
	l := &Load{o: *o, ready: make([]syscall.EpollEvent, 512), buffer: make([]byte, 256<<10)}
	at, err := netip.ParseAddrPort(o.Address)
	switch {
	case err != nil:
		return nil, fmt.Errorf("load: address: %w", err)
	case o.Connections <= 0 || o.Stalled < 0 || o.Churned < 0 || o.Stalled+o.Churned > o.Connections:
		return nil, fmt.Errorf("load: %d connections, %d of them stalled and %d churned", o.Connections, o.Stalled, o.Churned)
	case o.Sources < 0 || o.Sources > 0 && !(at.Addr().Is4() && at.Addr().IsLoopback()):
		return nil, fmt.Errorf("load: address %s: %d source addresses are for servers on 127.0.0.0/8", at, o.Sources)
	}
	if err := enough(o.Connections); err != nil {
		return nil, err
	}
	l.family, l.address = syscall.AF_INET, &syscall.SockaddrInet4{Port: int(at.Port())}
	if ip := at.Addr().Unmap(); ip.Is4() {
		l.address.(*syscall.SockaddrInet4).Addr = ip.As4()
	} else {
		l.family, l.address = syscall.AF_INET6, &syscall.SockaddrInet6{Port: int(at.Port()), Addr: ip.As16()}
	}
	if l.o.Path == nil {
		l.o.Path = func(int) string { return "/events" }
	}
	if l.o.Host == "" {
		l.o.Host = o.Address
	}
	if l.o.Window == 0 {
		l.o.Window = 256
	}
	if ip := at.Addr().Unmap(); l.o.Sources == 0 && ip.Is4() && ip.IsLoopback() {
		l.o.Sources = (o.Connections + connectionsPerSource - 1) / connectionsPerSource
	}
	l.o.Lanes = max(o.Lanes, 1)
	if l.epoll, err = syscall.EpollCreate1(syscall.EPOLL_CLOEXEC); err != nil {
		return nil, fmt.Errorf("load: epoll: %w", err)
	}
	l.conns = make([]conn, o.Connections)
	l.orders = make([]Order, o.Connections*l.o.Lanes)
	for i := range l.conns {
		l.conns[i].churns = i < o.Churned
	}
	l.report.Served = make([]time.Duration, o.Expected+1)
	l.on = l.event
	return l, nil
}
