//go:build linux

package load

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"syscall"
	"time"
)

// Load is the connections to one server.
type Load struct {
	o       Options
	address syscall.Sockaddr
	family  int
	epoll   int
	ready   []syscall.EpollEvent
	buffer  []byte
	conns   []conn
	orders  []Order // Lanes of each connection
	report  Report
	on      func(Event)

	current       *conn // whose events on is told
	now           int64 // when they were read
	opening, open int
	ramping       bool // more are due soon
	warm          int
	first, target int64
	complete      int
	churn         int   // reconnects a second
	churned       int   // since churnBegun
	churnBegun    int64 // Unix nanoseconds
	told          int64 // when Progress was last called
}

// conn is one connection.
type conn struct {
	fd     int32
	state  state
	warm   bool
	churns bool
	stream Stream
}

type state uint8

const (
	stateNone state = iota
	stateConnecting
	stateHead // the request is sent
	stateOpen
	stateStalled
	stateBroken
)

// Open opens all connections and waits until each has the head of its stream. It
// returns an error when one can't be had, or with ctx; see Options.Partial for another way.
func (l *Load) Open(ctx context.Context) error {
	begun := time.Now()
	started := 0
	err := l.Run(ctx, func() bool {
		due := len(l.conns)
		if l.o.Ramp > 0 {
			due = min(due, 1+int(float64(due)*float64(time.Since(begun))/float64(l.o.Ramp)))
		}
		l.ramping = due < len(l.conns)
		for started < due && l.opening < l.o.Window && !l.hopeless() {
			l.connect(started)
			started++
		}
		return l.open+l.report.Broken >= len(l.conns) || l.hopeless()
	})
	l.ramping = false
	if l.o.Partial && ctx.Err() != nil {
		l.abandon()
		err = nil
	}
	l.report.Opening = time.Since(begun)
	if err == nil && l.hopeless() {
		err = l.report.Err
	}
	return err
}

func (l *Load) hopeless() bool { return l.report.Broken > 0 && !l.o.Partial }

// abandon gives up those that are not open yet.
func (l *Load) abandon() {
	for i := range l.conns {
		switch c := &l.conns[i]; c.state {
		case stateNone:
			l.report.broke(fmt.Errorf("load: connect: %w", syscall.ETIMEDOUT))
			c.state = stateBroken
		case stateConnecting, stateHead:
			l.broken(c, fmt.Errorf("load: connect: %w", syscall.ETIMEDOUT))
		}
	}
}

// Expect says that the events from first to last of each channel come next. [Load.Complete] is
// about them, and what the [Report] says of deliveries begins anew; its faults stay.
// Events with the number zero are never counted, but by [Load.Warm].
func (l *Load) Expect(first, last int64) {
	l.first, l.target, l.complete = first, last, 0
	l.report.begin()
	for i := range l.conns {
		if c := &l.conns[i]; !c.churns {
			for lane := range l.o.Lanes {
				l.orders[i*l.o.Lanes+lane].From(first)
			}
		}
	}
}

// Churn begins to close and open again the connections that Options.Churned has set
// apart, by turns, as many a second as it says; zero ends it. It happens in Run.
func (l *Load) Churn(perSecond int) {
	l.churn, l.churned, l.churnBegun = perSecond, 0, time.Now().UnixNano()
}

// Complete holds when every connection that is neither stalled nor churned has had its
// last event; one that broke never has.
func (l *Load) Complete() bool {
	return l.target > 0 && l.complete >= (len(l.conns)-l.o.Stalled-l.o.Churned)*l.o.Lanes
}

// Warm holds when every open connection that reads has had an event with the number zero.
func (l *Load) Warm() bool { return l.warm >= l.open-l.o.Stalled }

// Reads reports whether connection i is open and reads.
func (l *Load) Reads(i int) bool { return l.conns[i].state == stateOpen }

// Run reads until the condition holds or ctx ends, whose cause it then returns. The condition
// is asked often.
func (l *Load) Run(ctx context.Context, until func() bool) error {
	for !until() {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if err := l.poll(); err != nil {
			return err
		}
		if l.churn > 0 {
			l.reconnect()
		}
		if l.o.Progress != nil && time.Now().UnixNano()-l.told > int64(time.Second) {
			l.told = time.Now().UnixNano()
			l.o.Progress(l)
		}
	}
	return nil
}

func (l *Load) poll() error {
	wait := 20 // ms
	if l.churn > 0 || l.ramping {
		wait = 1
	}
	n, err := syscall.EpollWait(l.epoll, l.ready, wait)
	if err != nil && !errors.Is(err, syscall.EINTR) {
		return fmt.Errorf("load: epoll: %w", err)
	}
	for _, e := range l.ready[:max(n, 0)] {
		if c := &l.conns[e.Fd]; c.state == stateConnecting {
			l.connected(int(e.Fd), c)
		} else {
			l.read(c)
		}
	}
	return nil
}

// reconnect closes and opens as many connections as are due.
func (l *Load) reconnect() {
	due := int(float64(time.Now().UnixNano()-l.churnBegun) / 1e9 * float64(l.churn))
	for l.churned < due && l.opening < l.o.Window && l.o.Churned > 0 {
		i := l.churned % l.o.Churned
		l.churned++
		c := &l.conns[i]
		if c.state != stateOpen {
			continue // still opening: the server is late
		}
		l.shut(c, false)
		l.open--
		*c = conn{churns: true, warm: c.warm}
		clear(l.orders[i*l.o.Lanes : (i+1)*l.o.Lanes])
		l.connect(i)
		l.report.Reconnects++
	}
}

// Distinct is how many of the expected events came so far, each once for each connection.
func (l *Load) Distinct() int64 { return int64(l.report.Distinct) }

// Report is a copy of what was seen so far.
func (l *Load) Report() Report {
	r := l.report
	r.Served = slices.Clone(r.Served)
	return r
}

// String is where the load stands, in a few words.
func (l *Load) String() string {
	s := fmt.Sprintf("%d of %d connections", l.open, len(l.conns))
	if l.report.Deliveries > 0 {
		s += fmt.Sprintf(", %d events", l.report.Deliveries)
	}
	if faults := l.report.Faults(); faults != "" {
		s += ", " + faults
	}
	return s
}

// Close closes all connections at once and hard.
func (l *Load) Close() error {
	for i := range l.conns {
		if c := &l.conns[i]; c.state != stateNone && c.state != stateBroken {
			l.shut(c, true)
		}
	}
	return syscall.Close(l.epoll)
}
