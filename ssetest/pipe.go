package ssetest

import (
	"context"
	"io"
	"net"
	"os"
	"sync"
	"time"
)

// pipeSize is what a direction of a connection holds, as a socket buffer does:
// a writer waits only when its reader is that far behind.
const pipeSize = 64 << 10

// pipe makes both ends of a connection in memory. Unlike net.Pipe it has
// buffers, and an end that is closed is read to its end by the other one.
func pipe(a, b net.Addr) (net.Conn, net.Conn) {
	ab, ba := newFlow(), newFlow()
	return &conn{in: ba, out: ab, local: a, remote: b}, &conn{in: ab, out: ba, local: b, remote: a}
}

// conn is one end. Its methods are safe for any goroutine.
type conn struct {
	in, out       *flow
	local, remote net.Addr
}

func (c *conn) Read(p []byte) (int, error)  { return c.in.read(p) }
func (c *conn) Write(p []byte) (int, error) { return c.out.write(p) }
func (c *conn) LocalAddr() net.Addr         { return c.local }
func (c *conn) RemoteAddr() net.Addr        { return c.remote }

func (c *conn) Close() error {
	c.in.closeReader()
	c.out.closeWriter()
	return nil
}

func (c *conn) SetDeadline(t time.Time) error {
	c.SetReadDeadline(t)
	return c.SetWriteDeadline(t)
}

func (c *conn) SetReadDeadline(t time.Time) error {
	c.in.setDeadline(&c.in.readBy, t)
	return nil
}

func (c *conn) SetWriteDeadline(t time.Time) error {
	c.out.setDeadline(&c.out.writeBy, t)
	return nil
}

// flow is one direction.
type flow struct {
	mu             sync.Mutex // guards all below
	changed        *sync.Cond
	buf            []byte
	written, ended bool // the writer, the reader has closed
	readBy         deadline
	writeBy        deadline
}

func newFlow() *flow {
	f := &flow{}
	f.changed = sync.NewCond(&f.mu)
	return f
}

func (f *flow) read(p []byte) (int, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for {
		switch {
		case f.ended:
			return 0, net.ErrClosed
		case f.readBy.passed:
			return 0, os.ErrDeadlineExceeded
		case len(p) == 0:
			return 0, nil
		case len(f.buf) > 0:
			n := copy(p, f.buf)
			f.buf = append(f.buf[:0], f.buf[n:]...)
			f.changed.Broadcast()
			return n, nil
		case f.written:
			return 0, io.EOF
		}
		f.changed.Wait()
	}
}

func (f *flow) write(p []byte) (n int, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for {
		switch {
		case f.written:
			return n, net.ErrClosed
		case f.ended:
			return n, io.ErrClosedPipe
		case f.writeBy.passed:
			return n, os.ErrDeadlineExceeded
		}
		m := min(len(p)-n, pipeSize-len(f.buf))
		if m > 0 {
			f.buf = append(f.buf, p[n:n+m]...)
			n += m
			f.changed.Broadcast()
		}
		if n == len(p) {
			return n, nil
		}
		f.changed.Wait()
	}
}

func (f *flow) closeReader() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.ended, f.buf = true, nil
	f.readBy.stop()
	f.changed.Broadcast()
}

func (f *flow) closeWriter() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.written = true
	f.writeBy.stop()
	f.changed.Broadcast()
}

// deadline is one end's. Its flow's mutex guards it.
type deadline struct {
	timer  *time.Timer
	passed bool
}

func (d *deadline) stop() {
	if d.timer != nil {
		d.timer.Stop()
		d.timer = nil
	}
}

func (f *flow) setDeadline(d *deadline, t time.Time) {
	f.mu.Lock()
	defer f.mu.Unlock()
	d.stop()
	left := time.Until(t)
	d.passed = !t.IsZero() && left <= 0
	if !t.IsZero() && left > 0 {
		var timer *time.Timer
		timer = time.AfterFunc(left, func() {
			f.mu.Lock()
			defer f.mu.Unlock()
			if d.timer == timer { // else another deadline has been set meanwhile
				d.passed = true
				f.changed.Broadcast()
			}
		})
		d.timer = timer
	}
	f.changed.Broadcast()
}

// listener hands out the server's ends.
type listener struct {
	addr  net.Addr
	conns chan net.Conn
	once  sync.Once
	done  chan struct{}
}

func newListener() *listener {
	return &listener{
		addr:  address("127.0.0.1:80"),
		conns: make(chan net.Conn),
		done:  make(chan struct{}),
	}
}

func (l *listener) Addr() net.Addr { return l.addr }

// address looks like one of TCP, and is none: nobody takes the connection for one with
// a descriptor.
type address string

func (address) Network() string  { return "pipe" }
func (a address) String() string { return string(a) }

func (l *listener) Close() error {
	l.once.Do(func() { close(l.done) })
	return nil
}

func (l *listener) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.done:
		return nil, net.ErrClosed
	}
}

// dial gives a client's end, from an address with that port.
func (l *listener) dial(ctx context.Context, port int) (net.Conn, error) {
	client, server := pipe(&net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: port}, l.addr)
	select {
	case l.conns <- server:
		return client, nil
	case <-l.done:
		return nil, net.ErrClosed
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}
