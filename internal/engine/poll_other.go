//go:build !linux

package engine

import (
	"errors"
	"net"
)

const Supported = false

var errPeer = errors.New("engine: the peer closed the connection")

type event struct {
	slot           int32
	serial         uint32
	writable, gone bool
}

type poll struct{}

func newPoll() (*poll, error) { return nil, errors.ErrUnsupported }

func (*poll) add(int, int32, uint32) error { return errors.ErrUnsupported }
func (*poll) wait() []event                { return nil }
func (*poll) interrupt()                   {}
func (*poll) close()                       {}

func take(net.Conn) (int, error)    { return 0, errors.ErrUnsupported }
func send(int, []byte) (int, error) { return 0, errors.ErrUnsupported }
func drained(int) bool              { return true }
func shutdown(int) error            { return errors.ErrUnsupported }
func closeFD(int)                   {}
