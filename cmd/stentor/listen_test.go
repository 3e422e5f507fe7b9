package main

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
)

// starved is a listener for which there are no descriptors for a while.
type starved struct {
	net.Listener
	refusals int
	errno    syscall.Errno
}

func (l *starved) Accept() (net.Conn, error) {
	if l.refusals--; l.refusals >= 0 {
		return nil, fmt.Errorf("accept: %w", l.errno)
	}
	return nil, net.ErrClosed
}

// Without descriptors the listener waits, and says so once a minute; whatever else is wrong
// is passed on.
func TestListenWithoutDescriptors(t *testing.T) {
	for _, row := range []struct {
		errno    syscall.Errno
		refusals int
		lines    int
		want     error
	}{
		{syscall.EMFILE, 0, 0, net.ErrClosed},
		{syscall.EMFILE, 10, 1, net.ErrClosed},
		{syscall.ENFILE, 10, 1, net.ErrClosed},
		{syscall.EMFILE, int(acceptTold/acceptPause) + 1, 2, net.ErrClosed},
		{syscall.ECONNABORTED, 1, 0, syscall.ECONNABORTED},
	} {
		synctest.Test(t, func(t *testing.T) {
			var said strings.Builder
			waited := 0
			l := &patient{Listener: &starved{refusals: row.refusals, errno: row.errno}, log: newLogger(&said, slog.LevelWarn, "text"), starved: func() { waited++ }}
			if _, err := l.Accept(); !errors.Is(err, row.want) {
				t.Errorf("%v, %d times: %v, want %v", row.errno, row.refusals, err, row.want)
			}
			if errors.Is(row.want, net.ErrClosed) && waited != row.refusals {
				t.Errorf("%v, %d times: counted %d", row.errno, row.refusals, waited)
			}
			if n := strings.Count(said.String(), "ulimit -n"); n != row.lines {
				t.Errorf("%v, %d times: %d lines:\n%s", row.errno, row.refusals, n, said.String())
			}
		})
	}
}
