package engine

import (
	"errors"
	"fmt"
	"net"
	"syscall"
	"unsafe"
)

// Supported says that connections can be taken over on this system.
const Supported = true

// errPeer is why a connection is closed that its peer closed.
var errPeer = errors.New("engine: the peer closed the connection")

// event is what the kernel says of a connection.
type event struct {
	slot     int32
	serial   uint32
	writable bool
	gone     bool
}

// poll tells when connections can be written to again, and when their peers have
// gone. Edges only: nothing is said twice, and nothing has to be asked for again.
type poll struct {
	fd    int
	stop  [2]int // a pipe, whose end says that it is over
	raw   []syscall.EpollEvent
	found []event
}

func newPoll() (*poll, error) {
	p := &poll{raw: make([]syscall.EpollEvent, 256)}
	var err error
	if p.fd, err = syscall.EpollCreate1(syscall.EPOLL_CLOEXEC); err != nil {
		return nil, fmt.Errorf("epoll: %w", err)
	}
	if err := syscall.Pipe2(p.stop[:], syscall.O_CLOEXEC|syscall.O_NONBLOCK); err != nil {
		syscall.Close(p.fd)
		return nil, fmt.Errorf("pipe: %w", err)
	}
	ev := syscall.EpollEvent{Events: syscall.EPOLLIN, Fd: -1}
	if err := syscall.EpollCtl(p.fd, syscall.EPOLL_CTL_ADD, p.stop[0], &ev); err != nil {
		p.close()
		syscall.Close(p.stop[1])
		return nil, fmt.Errorf("epoll: %w", err)
	}
	return p, nil
}

// epollET is unsigned here; package syscall has it as a negative number.
const epollET = 1 << 31

func (p *poll) add(fd int, slot int32, serial uint32) error {
	ev := syscall.EpollEvent{
		Events: syscall.EPOLLOUT | syscall.EPOLLRDHUP | epollET, Fd: slot, Pad: int32(serial),
	}
	if err := syscall.EpollCtl(p.fd, syscall.EPOLL_CTL_ADD, fd, &ev); err != nil {
		return fmt.Errorf("engine: epoll: %w", err)
	}
	return nil
}

// wait blocks until something happens. The list is valid until the next call.
func (p *poll) wait() []event {
	n, err := syscall.EpollWait(p.fd, p.raw, -1)
	p.found = p.found[:0]
	if err != nil {
		return nil // EINTR: the next call will do
	}
	for _, ev := range p.raw[:n] {
		if ev.Fd < 0 {
			continue
		}
		p.found = append(p.found, event{
			slot: ev.Fd, serial: uint32(ev.Pad),
			writable: ev.Events&syscall.EPOLLOUT != 0,
			gone:     ev.Events&(syscall.EPOLLHUP|syscall.EPOLLERR|syscall.EPOLLRDHUP) != 0,
		})
	}
	return p.found
}

// interrupt makes wait return, now and always.
func (p *poll) interrupt() { syscall.Close(p.stop[1]) }

func (p *poll) close() {
	syscall.Close(p.stop[0])
	syscall.Close(p.fd)
}

// take gives a descriptor of nc that outlives it.
func take(nc net.Conn) (int, error) {
	var sc syscall.Conn
	switch c := nc.(type) {
	case *net.TCPConn:
		sc = c
	case Sealer:
		sc = c
	default: // who wraps a connection may have reasons to see what is written
		return 0, fmt.Errorf("engine: a %T has no descriptor to take: %w", nc, errors.ErrUnsupported)
	}
	raw, err := sc.SyscallConn()
	if err != nil {
		return 0, fmt.Errorf("engine: take: %w", err)
	}
	fd, failed := -1, error(nil)
	err = raw.Control(func(old uintptr) {
		n, _, errno := syscall.Syscall(syscall.SYS_FCNTL, old, syscall.F_DUPFD_CLOEXEC, 0)
		if errno != 0 {
			failed = errno
			return
		}
		fd = int(n)
	})
	if err = errors.Join(err, failed); err != nil {
		return 0, fmt.Errorf("engine: take: %w", err)
	}
	tune(fd)
	return fd, nil
}

// Socket options that package syscall has no names for.
const (
	tcpUserTimeout  = 18
	tcpNotSentLowat = 25
)

// tune sees to it that a reader that doesn't read fills no memory of the kernel, and that
// one that has vanished is found out. Where an option is not to be had, it is done
// without.
func tune(fd int) {
	syscall.SetsockoptInt(fd, syscall.IPPROTO_TCP, tcpNotSentLowat, 16<<10)
	syscall.SetsockoptInt(fd, syscall.IPPROTO_TCP, tcpUserTimeout, 60_000) // a reader that stalls counts too
}

// send writes what fits, without waiting.
func send(fd int, b []byte) (int, error) {
	if len(b) == 0 {
		return 0, nil
	}
	for {
		n, _, errno := syscall.RawSyscall6(syscall.SYS_SENDTO, uintptr(fd), uintptr(unsafe.Pointer(&b[0])), uintptr(len(b)),
			syscall.MSG_DONTWAIT|syscall.MSG_NOSIGNAL, 0, 0)
		switch errno {
		case 0:
			return int(n), nil
		case syscall.EINTR:
		case syscall.EAGAIN:
			return 0, nil
		default:
			return 0, fmt.Errorf("engine: write: %w", errno)
		}
	}
}

// drained reads and forgets what has come, and reports whether the peer has
// finished.
func drained(fd int) bool {
	var b [4096]byte
	for range 64 { // a peer that never stops must not hold up the others
		n, _, err := syscall.Recvfrom(fd, b[:], syscall.MSG_DONTWAIT)
		switch {
		case err == syscall.EAGAIN:
			return false
		case err != nil || n == 0:
			return true
		}
	}
	return false
}

func shutdown(fd int) error {
	if err := syscall.Shutdown(fd, syscall.SHUT_WR); err != nil {
		return fmt.Errorf("engine: shutdown: %w", err)
	}
	return nil
}

func closeFD(fd int) { syscall.Close(fd) }
