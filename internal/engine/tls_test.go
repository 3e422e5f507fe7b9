//go:build linux

package engine_test

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stentor-sse/stentor/internal/engine"
	"github.com/stentor-sse/stentor/sse"
)

// What holds in clear holds over TLS: pair makes the connections of these tests so.
func TestOverTLS(t *testing.T) {
	for name, test := range map[string]func(*testing.T){
		"order": TestOrder, "lapped": TestLappedLogKeepsOrder, "targets": TestRoutesAndTargets, "chunks": TestChunks,
		"farewell": TestFarewellSurvivesUnreadBytes, "the peer goes": TestPeerGoes, "keepalive": TestKeepAlive, "close": TestClose,
	} {
		t.Run(name, test)
	}
}

func overTLS(t *testing.T) bool { return strings.Contains(t.Name(), "OverTLS") }

// sealedPair is a connection that a server has handed over, and its other end.
func sealedPair(t *testing.T, version uint16) (near net.Conn, far *tls.Conn) {
	t.Helper()
	over := make(chan net.Conn, 1)
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s, err := sse.Accept(w, r, nil)
		if err != nil {
			t.Error(err)
			return
		}
		c, _, err := s.Detach()
		if err != nil {
			t.Error(err)
			s.Close()
		}
		over <- c
	}))
	server.Listener = sse.Listener(server.Listener)
	server.TLS = &tls.Config{MaxVersion: version}
	server.StartTLS()
	t.Cleanup(server.Close)
	config := server.Client().Transport.(*http.Transport).TLSClientConfig
	tcp, err := net.Dial("tcp", server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { tcp.Close() })
	far = tls.Client(&tap{Conn: tcp}, &tls.Config{RootCAs: config.RootCAs, ServerName: "example.com"})
	fmt.Fprint(far, "GET / HTTP/1.0\r\n\r\n") // so that the body has no framing
	var head []byte
	for b := make([]byte, 1); !strings.HasSuffix(string(head), "\r\n\r\n"); head = append(head, b[0]) {
		if _, err := io.ReadFull(far, b); err != nil {
			t.Fatal(err)
		}
	}
	if near = <-over; near == nil {
		t.FailNow()
	}
	return near, far
}

// tap keeps the last bytes that came.
type tap struct {
	net.Conn
	last []byte
}

func (c *tap) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	c.last = append(c.last, p[:n]...)
	c.last = c.last[max(0, len(c.last)-64):]
	return n, err
}

// Both versions end with an alert that says that this was all: whoever cuts a stream can't
// make it look complete.
func TestTLSVersions(t *testing.T) {
	for version, alert := range map[uint16]string{
		tls.VersionTLS12: "\x15\x03\x03\x00\x1a", // the header of the record that holds it, with what encrypting adds
		tls.VersionTLS13: "\x17\x03\x03\x00\x13",
	} {
		t.Run(tls.VersionName(version), func(t *testing.T) {
			r := newRig(t, engine.Options{Length: 64, Bytes: 8 << 20})
			near, far := sealedPair(t, version)
			if v := far.ConnectionState().Version; v != version {
				t.Fatalf("it is %s", tls.VersionName(v))
			}
			rd := &reader{rig: r, far: far, gone: make(chan error, 1)}
			c, err := r.Attach(near, rd, &engine.AttachOptions{Routes: []string{"home"}, First: []byte("first\n")})
			if err != nil {
				t.Fatal(err)
			}
			r.say("home", "1")
			big := strings.Repeat("x", 1<<20)
			r.say("home", big)
			c.End([]byte("bye\n"))
			if got := read(t, far); got != "first\n1\n"+big+"\nbye\n" {
				t.Errorf("got %d bytes", len(got))
			}
			last := string(far.NetConn().(*tap).last)
			if n := len(last) - len(alert) - int(alert[4]); last[n:n+len(alert)] != alert {
				t.Errorf("the last record is not the alert: %x", last)
			}
			far.Close()
			if err := <-rd.gone; err != nil {
				t.Errorf("ended with %v", err)
			}
		})
	}
}

// A connection that can't be taken is as it was.
func TestTLSThatIsNotTaken(t *testing.T) {
	r := newRig(t, engine.Options{Length: 64})
	near, far := sealedPair(t, tls.VersionTLS13)
	r.Close()
	if _, err := r.Attach(near, &reader{}, &engine.AttachOptions{}); err == nil {
		t.Fatal("attached after Close")
	}
	io.WriteString(near, "by another way\n")
	near.Close()
	if got := read(t, far); got != "by another way\n" {
		t.Errorf("got %q", got)
	}
}

// A peer that asks for new keys is not answered, and goes on reading.
func TestTLSKeyUpdateIsNotAnswered(t *testing.T) {
	r := newRig(t, engine.Options{Length: 64})
	near, far := sealedPair(t, tls.VersionTLS13)
	rd := &reader{rig: r, far: far, gone: make(chan error, 1)}
	c, err := r.Attach(near, rd, &engine.AttachOptions{Routes: []string{"home"}})
	if err != nil {
		t.Fatal(err)
	}
	// Records that nobody can decrypt are, to who doesn't read them, the same as one that
	// asks for keys: package tls has no way to send that.
	far.NetConn().Write(append([]byte{23, 3, 3, 0, 22}, make([]byte, 22)...))
	fmt.Fprint(far, strings.Repeat("data", 1000))
	r.say("home", "1")
	c.End([]byte("bye\n"))
	if got := read(t, far); got != "1\nbye\n" {
		t.Errorf("got %q", got)
	}
}

// A reader that never reads doesn't keep its end waiting.
func TestTLSSlowEnd(t *testing.T) {
	r := newRig(t, engine.Options{Length: 1024, Bytes: 64 << 20})
	near, far := sealedPair(t, tls.VersionTLS13)
	rd := &reader{rig: r, far: far, gone: make(chan error, 1)}
	c, err := r.Attach(near, rd, &engine.AttachOptions{Routes: []string{"home"}})
	if err != nil {
		t.Fatal(err)
	}
	r.say("home", strings.Repeat("x", 32<<20)) // one frame, which its end has to wait for
	c.End([]byte("bye\n"))
	select {
	case err := <-rd.gone:
		if err == nil {
			t.Error("it is said to have everything")
		}
	case <-time.After(time.Minute):
		t.Error("it does not end")
	}
}

// Only a TCP socket and what says how it is sealed can be taken: whoever wraps a connection
// may have reasons to see what is written.
func TestWrappedConnectionIsNotTaken(t *testing.T) {
	r := newRig(t, engine.Options{Length: 64})
	near, _ := pair(t)
	wrapped := struct{ *net.TCPConn }{near.(*net.TCPConn)}
	if _, err := r.Attach(wrapped, nil, &engine.AttachOptions{}); !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("got %v", err)
	}
}
