package e2e_test

import (
	"bytes"
	"io"
	"net"
	"sync"
	"testing"
)

// proxy passes TCP connections on, and can cut them.
type proxy struct {
	Addr string
	URL  string

	listener net.Listener
	running  sync.WaitGroup

	mu     sync.Mutex // guards all below
	target string
	conns  map[net.Conn]struct{}
	down   bool
	cuts   int // connections closed by Cut and while it is down
	asked  bytes.Buffer
}

// newProxy passes on to target until the test ends.
func newProxy(t *testing.T, target string) *proxy {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &proxy{
		Addr: l.Addr().String(), URL: "http://" + l.Addr().String(),
		target: target, listener: l, conns: map[net.Conn]struct{}{},
	}
	p.running.Go(p.serve)
	t.Cleanup(func() {
		l.Close()
		p.Cut()
		p.running.Wait()
	})
	return p
}

func (p *proxy) serve() {
	for {
		c, err := p.listener.Accept()
		if err != nil {
			return // closed
		}
		p.running.Go(func() { p.pass(c) })
	}
}

// pass copies in both directions until either side ends.
func (p *proxy) pass(client net.Conn) {
	defer client.Close()
	server, err := net.Dial("tcp", p.to())
	if err != nil {
		return
	}
	defer server.Close()
	if !p.hold(client, server) {
		return
	}
	defer p.release(client, server)
	var up sync.WaitGroup
	up.Go(func() {
		io.Copy(server, io.TeeReader(client, asking{p}))
		server.Close()
		client.Close()
	})
	io.Copy(client, server)
	client.Close()
	server.Close()
	up.Wait()
}

func (p *proxy) to() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.target
}

// Turn sends connections to another server from now on.
func (p *proxy) Turn(target string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.target = target
}

// hold remembers a connection, or refuses it while the proxy is down.
func (p *proxy) hold(conns ...net.Conn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.down {
		p.cuts++
		return false
	}
	for _, c := range conns {
		p.conns[c] = struct{}{}
	}
	return true
}

func (p *proxy) release(conns ...net.Conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range conns {
		delete(p.conns, c)
	}
}

// Cut ends every connection and closes each new one unanswered, until Mend.
func (p *proxy) Cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.down = true
	p.cuts += len(p.conns) / 2
	for c := range p.conns {
		c.Close()
	}
}

// Mend lets connections through again.
func (p *proxy) Mend() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.down = false
}

// asking writes what clients send.
type asking struct{ p *proxy }

func (a asking) Write(b []byte) (int, error) {
	a.p.mu.Lock()
	defer a.p.mu.Unlock()
	return a.p.asked.Write(b)
}

// Asked is all that clients have sent through so far.
func (p *proxy) Asked() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.asked.String()
}

// Cuts is how many connections were ended or refused so far.
func (p *proxy) Cuts() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.cuts
}
