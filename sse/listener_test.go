//go:build unix

package sse_test

import (
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"syscall"
	"testing"

	"github.com/stentor-sse/stentor/sse"
)

// overTLS serves one request, whose handler tries to hand its connection over, and gives the
// body that the client reads.
func overTLS(t *testing.T, wrap func(net.Listener) net.Listener, http2 bool, h func(s *sse.Stream)) string {
	t.Helper()
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s, err := sse.Accept(w, r, nil)
		if err != nil {
			t.Error(err)
			return
		}
		defer s.Close()
		h(s)
	}))
	server.Listener = wrap(server.Listener)
	server.EnableHTTP2 = http2
	server.StartTLS()
	defer server.Close()
	resp, err := server.Client().Get(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Error(err)
	}
	return string(b)
}

func TestDetachOverTLS(t *testing.T) {
	for name, after := range map[string]func(t *testing.T, c net.Conn){
		"as a connection": func(_ *testing.T, c net.Conn) {
			io.WriteString(c, "6\r\nafter\n\r\n0\r\n\r\n")
			c.Close()
		},
		"by its descriptor": func(t *testing.T, c net.Conn) {
			own := c.(interface {
				net.Conn
				syscall.Conn
				LetGo() error
				Seal(b, p []byte) ([]byte, error)
				SealEnd(b []byte) ([]byte, error)
			})
			raw, err := own.SyscallConn()
			if err != nil {
				t.Fatal(err)
			}
			fd := -1
			if err2 := raw.Control(func(old uintptr) { fd, err = syscall.Dup(int(old)) }); err2 != nil || err != nil {
				t.Fatal(err, err2)
			}
			socket := os.NewFile(uintptr(fd), "socket")
			defer socket.Close()
			if err := own.LetGo(); err != nil {
				t.Fatal(err)
			}
			wire, err := own.Seal([]byte{}, []byte("6\r\nafter\n\r\n"))
			if err != nil {
				t.Fatal(err)
			}
			if wire, err = own.Seal(wire, []byte("0\r\n\r\n")); err != nil {
				t.Fatal(err)
			}
			if wire, err = own.SealEnd(wire); err != nil {
				t.Fatal(err)
			}
			if _, err := socket.Write(wire); err != nil {
				t.Error(err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			got := overTLS(t, sse.Listener, false, func(s *sse.Stream) {
				s.Send(t.Context(), sse.Event{Data: "before"})
				c, chunked, err := s.Detach()
				if err != nil || !chunked || s.Cause() != sse.ErrDetached {
					t.Fatalf("chunked %v, %v, cause %v", chunked, err, s.Cause())
				}
				after(t, c)
			})
			if got != "data: before\n\nafter\n" {
				t.Errorf("got %q", got)
			}
		})
	}
}

// What is no connection of a Listener, or not its alone, stays.
func TestDetachOverTLSIsRefused(t *testing.T) {
	bare := func(l net.Listener) net.Listener { return l }
	for _, c := range []struct {
		name  string
		wrap  func(net.Listener) net.Listener
		http2 bool
	}{
		{"without a Listener", bare, false},
		{"over HTTP/2", sse.Listener, true},
		{"over HTTP/2 without a Listener", bare, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := overTLS(t, c.wrap, c.http2, func(s *sse.Stream) {
				if _, _, err := s.Detach(); !errors.Is(err, errors.ErrUnsupported) {
					t.Errorf("got %v", err)
				}
				s.Close(sse.Event{Data: "after"})
			})
			if got != "data: after\n\n" {
				t.Errorf("got %q", got)
			}
		})
	}
}

// In clear a Listener changes nothing: what is handed over is the socket.
func TestListenerInClear(t *testing.T) {
	over := make(chan net.Conn, 1)
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if local, ok := r.Context().Value(http.LocalAddrContextKey).(net.Addr); !ok || local.String() != r.Host || local.Network() != "tcp" {
			t.Errorf("the local address is %v, asked was %s", local, r.Host)
		}
		s, err := sse.Accept(w, r, nil)
		if err != nil {
			t.Error(err)
			return
		}
		c, _, err := s.Detach()
		if err != nil {
			t.Error(err)
		}
		over <- c
	}))
	server.Listener = sse.Listener(server.Listener)
	server.Start()
	defer server.Close()
	resp, err := http.Get(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	c := <-over
	if _, ok := c.(*net.TCPConn); !ok {
		t.Errorf("a %T", c)
	}
	c.Close()
}

// A listener of something else than TCP is left alone.
func TestListenerOfOtherConnections(t *testing.T) {
	near, far := net.Pipe()
	defer far.Close()
	c, err := sse.Listener(one{near}).Accept()
	if err != nil || c != near {
		t.Errorf("got %v, %v", c, err)
	}
	if _, err := tls.NewListener(sse.Listener(one{}), &tls.Config{}).Accept(); err != net.ErrClosed {
		t.Errorf("got %v", err)
	}
}

// one accepts one connection.
type one struct{ c net.Conn }

func (l one) Accept() (net.Conn, error) {
	if l.c == nil {
		return nil, net.ErrClosed
	}
	return l.c, nil
}
func (one) Close() error   { return nil }
func (one) Addr() net.Addr { return nil }
