//go:build linux

// Floor is the least that a server can do: a loop of send(2) over its sockets, no parser,
// no queue, no goroutine a connection. With -batch it collects events, to show what the
// same bytes cost in fewer calls.
package main

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"net"
	"strconv"
	"sync"
	"syscall"
	"unsafe"

	"github.com/stentor-sse/stentor/bench/peer"
)

func main() {
	batch := flag.Int("batch", 1, "events in one call of send")
	peer.Main(func() (*peer.Server, error) {
		f := &floor{batch: *batch, sockets: map[string][]int{}, waiting: map[string]*batched{}}
		return &peer.Server{Serve: f.serve, Publish: f.publish, Flush: f.flush}, nil
	})
}

type floor struct {
	batch   int
	mu      sync.Mutex
	sockets map[string][]int
	waiting map[string]*batched
}

// batched is what waits to be sent to a channel.
type batched struct {
	body []byte
	n    int
}

const (
	head = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nCache-Control: no-cache\r\nTransfer-Encoding: chunked\r\n\r\n"

	maxHead = 4096
)

func (f *floor) serve(l net.Listener) error {
	for {
		c, err := l.Accept()
		if err != nil {
			return err
		}
		go f.accept(c) // an error is a peer that went away
	}
}

// accept answers the request and keeps the bare descriptor.
func (f *floor) accept(c net.Conn) error {
	defer c.Close()
	b := make([]byte, 0, 512)
	for !bytes.Contains(b, []byte("\r\n\r\n")) {
		if len(b) == maxHead {
			return errors.New("floor: the head is too long")
		}
		b = append(b, make([]byte, 512)...)[:len(b)]
		n, err := c.Read(b[len(b):cap(b)])
		if err != nil {
			return err
		}
		b = b[:len(b)+n]
	}
	_, query, _ := bytes.Cut(b, []byte("channel="))
	channel, _, _ := bytes.Cut(query, []byte(" "))
	if _, err := c.Write([]byte(head)); err != nil {
		return err
	}
	fd, err := descriptor(c.(*net.TCPConn))
	if err != nil {
		return err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.sockets[string(channel)] = append(f.sockets[string(channel)], fd)
	return nil
}

// descriptor is a copy of the socket's, which the runtime knows nothing of.
func descriptor(c *net.TCPConn) (int, error) {
	raw, err := c.SyscallConn()
	if err != nil {
		return 0, err
	}
	var fd int
	var dupErr error
	err = raw.Control(func(old uintptr) { fd, dupErr = syscall.Dup(int(old)) })
	return fd, errors.Join(err, dupErr)
}

func (f *floor) publish(channel, data string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	w := f.waiting[channel]
	if w == nil {
		w = &batched{}
		f.waiting[channel] = w
	}
	w.body = append(append(append(w.body, "data: "...), data...), "\n\n"...)
	if w.n++; w.n < f.batch {
		return nil
	}
	return f.send(channel, w)
}

// flush sends what has not come to a whole batch.
func (f *floor) flush() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	for channel, w := range f.waiting {
		if err := f.send(channel, w); err != nil {
			return err
		}
	}
	return nil
}

// send writes one chunk to each socket of the channel. The caller holds mu.
func (f *floor) send(channel string, w *batched) error {
	if w.n == 0 {
		return nil
	}
	chunk := strconv.AppendInt(nil, int64(len(w.body)), 16)
	chunk = append(append(append(chunk, "\r\n"...), w.body...), "\r\n"...)
	w.body, w.n = w.body[:0], 0
	for _, fd := range f.sockets[channel] {
		if err := sendAll(fd, chunk); err != nil {
			return fmt.Errorf("floor: send: %w", err)
		}
	}
	return nil
}

// sendAll waits where a socket is full, as write(2) would. A peer that has gone is skipped.
func sendAll(fd int, b []byte) error {
	for len(b) > 0 {
		n, _, errno := syscall.RawSyscall6(syscall.SYS_SENDTO, uintptr(fd), uintptr(unsafe.Pointer(&b[0])), uintptr(len(b)),
			syscall.MSG_DONTWAIT|syscall.MSG_NOSIGNAL, 0, 0)
		switch errno {
		case 0:
			b = b[n:]
		case syscall.EAGAIN:
			if err := writable(fd); err != nil {
				return err
			}
		case syscall.EINTR:
		case syscall.EPIPE, syscall.ECONNRESET:
			return nil
		default:
			return errno
		}
	}
	return nil
}

// writable waits until the socket takes more.
func writable(fd int) error {
	p := struct {
		fd      int32
		events  int16
		revents int16
	}{fd: int32(fd), events: pollOut}
	_, _, errno := syscall.Syscall(syscall.SYS_POLL, uintptr(unsafe.Pointer(&p)), 1, 1000)
	if errno != 0 && errno != syscall.EINTR {
		return errno
	}
	return nil
}

const pollOut = 4 // POLLOUT
