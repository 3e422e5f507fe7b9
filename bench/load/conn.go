//go:build linux

package load

import (
	"errors"
	"fmt"
	"io"
	"syscall"
	"time"
	"unsafe"
)

// connect begins to open connection i.
func (l *Load) connect(i int) {
	c := &l.conns[i]
	fd, err := syscall.Socket(l.family, syscall.SOCK_STREAM|syscall.SOCK_NONBLOCK|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		l.report.broke(fmt.Errorf("load: socket: %w", err))
		c.state = stateBroken
		return
	}
	c.fd, c.state = int32(fd), stateConnecting
	l.opening++
	if err := l.bind(fd, i); err != nil {
		l.broken(c, err)
		return
	}
	if err := syscall.Connect(fd, l.address); err != nil && !errors.Is(err, syscall.EINPROGRESS) {
		l.broken(c, fmt.Errorf("load: connect: %w", err))
		return
	}
	e := syscall.EpollEvent{Events: syscall.EPOLLOUT, Fd: int32(i)}
	if err := syscall.EpollCtl(l.epoll, syscall.EPOLL_CTL_ADD, fd, &e); err != nil {
		l.broken(c, fmt.Errorf("load: epoll: %w", err))
	}
}

// bind gives the socket of connection i its source address, and no port yet: the kernel
// takes one that is free towards this server.
func (l *Load) bind(fd, i int) error {
	if l.o.Sources == 0 {
		return nil
	}
	const noPort = 24 // IP_BIND_ADDRESS_NO_PORT
	n := i % l.o.Sources
	from := &syscall.SockaddrInet4{Addr: [4]byte{127, 0, byte(n / 250), byte(1 + n%250)}}
	err := syscall.SetsockoptInt(fd, syscall.SOL_IP, noPort, 1)
	if err == nil {
		err = syscall.Bind(fd, from)
	}
	if err != nil {
		return fmt.Errorf("load: source address %d: %w", n+1, err)
	}
	return nil
}

// connected sends the request.
func (l *Load) connected(i int, c *conn) {
	fd := int(c.fd)
	if errno, err := syscall.GetsockoptInt(fd, syscall.SOL_SOCKET, syscall.SO_ERROR); err != nil || errno != 0 {
		l.broken(c, fmt.Errorf("load: connect: %w", syscall.Errno(errno)))
		return
	}
	l.buffer = append(l.buffer[:0], "GET "...)
	l.buffer = append(l.buffer, l.o.Path(i)...)
	l.buffer = append(l.buffer, " HTTP/1.1\r\nHost: "...)
	l.buffer = append(l.buffer, l.o.Host...)
	if l.o.Authorization != "" {
		l.buffer = append(l.buffer, "\r\nAuthorization: "...)
		l.buffer = append(l.buffer, l.o.Authorization...)
	}
	l.buffer = append(l.buffer, "\r\nAccept: text/event-stream\r\n\r\n"...)
	n, err := syscall.Write(fd, l.buffer)
	if err != nil || n != len(l.buffer) {
		l.broken(c, fmt.Errorf("load: request: %d bytes sent: %w", n, errors.Join(err, io.ErrShortWrite)))
		return
	}
	c.state = stateHead
	e := syscall.EpollEvent{Events: syscall.EPOLLIN | syscall.EPOLLRDHUP, Fd: int32(i)}
	if err := syscall.EpollCtl(l.epoll, syscall.EPOLL_CTL_MOD, fd, &e); err != nil {
		l.broken(c, fmt.Errorf("load: epoll: %w", err))
	}
}

// read takes what there is, once: epoll tells again of what is left.
func (l *Load) read(c *conn) {
	b := l.buffer[:cap(l.buffer)]
	n, _, errno := syscall.RawSyscall6(syscall.SYS_RECVFROM, uintptr(c.fd), uintptr(unsafe.Pointer(&b[0])), uintptr(len(b)), syscall.MSG_DONTWAIT, 0, 0)
	switch {
	case errno == syscall.EAGAIN || errno == syscall.EINTR:
		return
	case errno != 0:
		l.broken(c, fmt.Errorf("load: read: %w", errno))
		return
	case n == 0:
		l.broken(c, fmt.Errorf("load: read: %w", io.ErrUnexpectedEOF))
		return
	}
	l.report.Bytes += uint64(n)
	l.report.Reads++
	l.now, l.current = time.Now().UnixNano(), c
	if err := c.stream.Feed(b[:n], l.on); err != nil {
		l.broken(c, err)
		return
	}
	if c.state == stateHead && c.stream.Open() {
		l.opened(c)
	}
}

// opened counts a connection in, and stops reading from one that is to stall.
func (l *Load) opened(c *conn) {
	c.state = stateOpen
	l.opening--
	l.open++
	l.report.Connected++
	if l.o.Stalled == 0 || l.index(c) < len(l.conns)-l.o.Stalled {
		return
	}
	c.state = stateStalled
	if err := syscall.EpollCtl(l.epoll, syscall.EPOLL_CTL_DEL, int(c.fd), nil); err != nil {
		l.broken(c, fmt.Errorf("load: epoll: %w", err))
	}
}

func (l *Load) index(c *conn) int {
	return int((uintptr(unsafe.Pointer(c)) - uintptr(unsafe.Pointer(&l.conns[0]))) / unsafe.Sizeof(*c))
}

// event takes one event of the current connection.
func (l *Load) event(e Event) {
	c, r := l.current, &l.report
	lanes := int64(l.o.Lanes)
	number, lane := e.Seq/lanes, e.Seq%lanes
	switch {
	case !e.Known:
		r.Foreign++
		return
	case number == 0:
		if !c.warm {
			c.warm = true
			l.warm++
		}
		return
	}
	r.Deliveries++
	place, missing := l.orders[int64(l.index(c))*lanes+lane].See(number)
	r.Lost += uint64(missing)
	switch place {
	case Repeated:
		r.Repeated++
		return
	case Late:
		r.Lost--
		r.Late++
	}
	r.Distinct++
	if number == l.first && (r.First.IsZero() || e.At < r.First.UnixNano()) {
		r.First = time.Unix(0, e.At)
	}
	latency := time.Duration(l.now - e.At)
	r.Latency.Add(latency)
	if c.churns {
		return
	}
	if number < int64(len(r.Served)) {
		r.Served[number] = max(r.Served[number], latency)
	}
	r.Last = time.Unix(0, l.now)
	if number == l.target {
		l.complete++
	}
}

// broken ends a connection that should not have ended.
func (l *Load) broken(c *conn, err error) {
	switch c.state {
	case stateConnecting, stateHead:
		l.opening--
	case stateOpen:
		l.open--
		if c.warm {
			l.warm--
		}
	}
	l.report.broke(err)
	l.shut(c, true)
	c.state = stateBroken
}

// shut closes the descriptor: hard is a reset, which leaves no port waiting.
func (l *Load) shut(c *conn, hard bool) {
	if hard {
		linger := syscall.Linger{Onoff: 1}
		syscall.SetsockoptLinger(int(c.fd), syscall.SOL_SOCKET, syscall.SO_LINGER, &linger) // else it waits: no harm
	}
	syscall.Close(int(c.fd))
	c.state = stateNone
}
