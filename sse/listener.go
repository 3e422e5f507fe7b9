package sse

import (
	"bytes"
	"crypto/tls"
	"net"
	"reflect"
	"syscall"
	"time"
)

// Listener makes connections that can be handed over (see [Stream.Detach]) although they
// speak TLS: wrap the listener before the server, or [tls.NewListener], does.
//
//	l, err := net.Listen("tcp", ":443")
//	...
//	server.ServeTLS(sse.Listener(l), "cert.pem", "key.pem")
//
// Nothing else changes, but that what requests have under [http.LocalAddrContextKey] is no
// *[net.TCPAddr]: it is a [net.Addr] that reads like one. Connections that are no
// *[net.TCPConn] are left as they are.
func Listener(l net.Listener) net.Listener { return listener{l} }

type listener struct{ net.Listener }

// Accept implements net.Listener.
func (l listener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if tcp, ok := c.(*net.TCPConn); ok && err == nil {
		return &accepted{Conn: tcp}, nil
	}
	return c, err
}

// accepted is a connection of a Listener. What is written to it can be kept from going
// out: so whoever encrypts into it never waits, and has the bytes.
type accepted struct {
	net.Conn // *net.TCPConn; nil once it was let go of
	kept     []byte
	keeps    bool
}

// address says of a request that its connection is of a Listener.
type address struct{ net.Addr }

func (c *accepted) LocalAddr() net.Addr { return address{c.Conn.LocalAddr()} }

func (c *accepted) Write(p []byte) (int, error) {
	if c.keeps {
		c.kept = append(c.kept, p...)
		return len(p), nil
	}
	return c.Conn.Write(p)
}

// SetWriteDeadline is called by tls.Conn too, when it ends.
func (c *accepted) SetWriteDeadline(t time.Time) error {
	if c.keeps {
		return nil
	}
	return c.Conn.SetWriteDeadline(t)
}

// CloseWrite is what half-closes a connection in clear.
func (c *accepted) CloseWrite() error { return c.Conn.(*net.TCPConn).CloseWrite() }

// handedOver gives what Detach gives for a connection that a server let go of.
func handedOver(c net.Conn) net.Conn {
	switch own := c.(type) {
	case *accepted:
		return own.Conn
	case *tls.Conn:
		if below, ok := own.NetConn().(*accepted); ok {
			return &sealed{Conn: own, below: below}
		}
	}
	return c
}

// sealed is a connection over TLS that is handed over. It is one like any other, until
// somebody who has the descriptor lets go of it: then that one writes what Seal gives. What the
// peer sends from then on is nobody's. It is never decrypted, so
// a peer that asks for new keys (TLS 1.3) or to negotiate anew (1.2) is not answered; it
// can go on reading, because the keys that the stream is written with stay.
type sealed struct {
	*tls.Conn
	below *accepted
}

// SyscallConn gives the descriptor of the socket.
func (c *sealed) SyscallConn() (syscall.RawConn, error) {
	return c.below.Conn.(*net.TCPConn).SyscallConn()
}

// LetGo closes the descriptor without a word to the peer, for who has another one of
// the same socket. From then on only Seal and SealEnd may be called.
func (c *sealed) LetGo() error {
	own := c.below.Conn
	c.below.keeps, c.below.Conn = true, nil
	forget(c.Conn)
	return own.Close()
}

// forget lets go of what c has read and not used, which is more than half of what it
// takes, and which nothing reads any more: for who has ten thousand of them. Package tls has
// no way to ask for it; in a version whose fields are others, they are left as they are.
func forget(c *tls.Conn) (all bool) {
	all = true
	for _, name := range [...]string{"rawInput", "hand"} {
		field := reflect.ValueOf(c).Elem().FieldByName(name)
		if !field.IsValid() || field.Type() != reflect.TypeFor[bytes.Buffer]() {
			all = false
			continue
		}
		*(*bytes.Buffer)(field.Addr().UnsafePointer()) = bytes.Buffer{}
	}
	return all
}

// Seal appends p to b as it goes over the socket.
func (c *sealed) Seal(b, p []byte) ([]byte, error) {
	c.below.kept = b
	_, err := c.Conn.Write(p)
	return c.take(), err
}

// SealEnd appends to b what says that nothing follows.
func (c *sealed) SealEnd(b []byte) ([]byte, error) {
	c.below.kept = b
	err := c.Conn.CloseWrite()
	return c.take(), err
}

func (c *sealed) take() []byte {
	b := c.below.kept
	c.below.kept = nil
	return b
}
