//go:build linux

package engine_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httputil"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stentor-sse/stentor/internal/engine"
)

// line is an item of one line.
type line struct{ text string }

// plug is an item that holds its shard up until it is pulled.
type plug chan struct{}

func (p plug) AppendFrame(b []byte, form any) []byte {
	<-p
	return b
}

func (l line) AppendFrame(b []byte, form any) []byte {
	if form == "mute" {
		return b
	}
	return append(append(b, l.text...), '\n')
}

// rig is an engine with the history that an owner would have.
type rig struct {
	t *testing.T
	*engine.Engine

	mu      sync.Mutex
	history []*engine.Entry
	place   int64
}

func newRig(t *testing.T, o engine.Options) *rig {
	t.Helper()
	o.Shards = max(o.Shards, 2)
	o.Length = max(o.Length, 16)
	if o.Bytes == 0 {
		o.Bytes = 1 << 20
	}
	o.Linger = time.Second
	e, err := engine.New(o)
	if err != nil {
		t.Fatal(err)
	}
	r := &rig{t: t, Engine: e}
	t.Cleanup(e.Close)
	return r
}

// say appends a numbered line to a route.
func (r *rig) say(route, text string) int64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.place++
	e := &engine.Entry{Position: r.place, Route: route, Size: len(text), Item: line{text}}
	r.history = append(r.history, e)
	r.Append(e)
	return e.Position
}

// reader owns a connection and reads its other end.
type reader struct {
	rig    *rig
	far    net.Conn
	conn   *engine.Conn
	routes []string
	gone   chan error
	behind int

	mu       sync.Mutex
	position int64
}

func (r *rig) connect(o *engine.AttachOptions) *reader {
	r.t.Helper()
	near, far := pair(r.t)
	if compressed(r.t) {
		far = compress(r.t, near, far, o)
	}
	rd := &reader{rig: r, far: far, routes: o.Routes, gone: make(chan error, 1)}
	r.mu.Lock() // between two entries, as a hub would
	defer r.mu.Unlock()
	c, err := r.Attach(near, rd, o)
	if err != nil {
		r.t.Fatal(err)
	}
	rd.conn = c
	return rd
}

// Behind begins to feed what the rig has kept.
func (rd *reader) Behind(c *engine.Conn, position int64, lost, _ bool) {
	rd.mu.Lock()
	rd.behind++
	rd.position = position
	rd.mu.Unlock()
	go rd.feed(c)
}

func (rd *reader) Fed(c *engine.Conn) { go rd.feed(c) }

// feed gives a page, or lets the connection go on by itself.
func (rd *reader) feed(c *engine.Conn) {
	r := rd.rig
	r.mu.Lock()
	rd.mu.Lock()
	defer rd.mu.Unlock()
	defer r.mu.Unlock()
	var b []byte
	n := 0
	for _, e := range r.history[rd.position:] {
		if n < 50 {
			rd.position = e.Position
			if slices.Contains(rd.routes, e.Route) {
				b = e.Item.AppendFrame(b, nil)
				n++
			}
		}
	}
	if len(b) == 0 {
		c.Resume(r.Mark(), rd.position)
		return
	}
	c.Feed(b)
}

func (rd *reader) Gone(c *engine.Conn, err error) { rd.gone <- err }

func pair(t *testing.T) (near, far net.Conn) {
	t.Helper()
	if overTLS(t) {
		return sealedPair(t, tls.VersionTLS13)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	far, err = net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { far.Close() })
	near, err = l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	return near, far
}

// numbers reads lines of numbers until last, which must increase by one.
func (rd *reader) numbers(first, last int) error {
	rd.far.SetReadDeadline(time.Now().Add(20 * time.Second))
	lines := bufio.NewReaderSize(rd.far, 512)
	for want := first; want <= last; {
		text, err := lines.ReadString('\n')
		if err != nil {
			return fmt.Errorf("waiting for %d: %w", want, err)
		}
		n, err := strconv.Atoi(strings.TrimSpace(text))
		if err != nil {
			continue // private
		}
		if n != want {
			return fmt.Errorf("%d in place of %d", n, want)
		}
		want++
	}
	return nil
}

func TestOrder(t *testing.T) {
	r := newRig(t, engine.Options{Length: 4096, Shards: 3})
	var all []*reader
	for range 20 {
		all = append(all, r.connect(&engine.AttachOptions{Routes: []string{"home"}}))
	}
	const last = 3000
	done := make(chan error, len(all))
	for _, rd := range all {
		go func() { done <- rd.numbers(1, last) }()
	}
	for i := range last {
		r.say("home", strconv.Itoa(i+1))
		r.say("nobody", "x")
	}
	for range all {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
}

// Readers that stop, publishers that do not, and a log that holds next to nothing: nobody
// misses anything, sees it twice, or sees it out of order.
func TestLappedLogKeepsOrder(t *testing.T) {
	lengths := []int{2, 16, 256}
	if overTLS(t) || compressed(t) {
		lengths = []int{16}
	}
	for _, length := range lengths {
		t.Run(fmt.Sprint(length), func(t *testing.T) {
			r := newRig(t, engine.Options{Length: length, Shards: 2})
			last := 2500
			if compressed(t) { // each by itself, which takes its time
				last = 400
			}
			pad := strings.Repeat(" ", 2000) // more than the kernel holds for a reader that stalls
			done := make(chan error)
			var all []*reader
			for i := range 12 {
				rd := r.connect(&engine.AttachOptions{Routes: []string{"home", "other"}, Chunked: false})
				all = append(all, rd)
				go func() {
					if i%3 == 0 { // reads nothing for a while
						time.Sleep(time.Duration(i) * 20 * time.Millisecond)
					}
					done <- rd.numbers(1, last)
				}()
			}
			var wg sync.WaitGroup
			var mu sync.Mutex
			n := 0
			for p := range 3 {
				wg.Go(func() {
					for {
						mu.Lock()
						n++
						mine := n
						if mine <= last {
							r.say([]string{"home", "other"}[mine%2], strconv.Itoa(mine)+pad)
						}
						mu.Unlock()
						if mine > last {
							return
						}
						if mine%50 == p {
							all[mine%len(all)].conn.Write([]byte("private\n"))
						}
					}
				})
			}
			wg.Wait()
			behind := 0
			for range all {
				if err := <-done; err != nil {
					t.Error(err)
				}
			}
			for _, rd := range all {
				rd.mu.Lock()
				behind += rd.behind
				rd.mu.Unlock()
			}
			t.Logf("%d times behind", behind)
			if behind == 0 {
				t.Error("nobody was ever behind: nothing was tried")
			}
		})
	}
}

func TestRoutesAndTargets(t *testing.T) {
	r := newRig(t, engine.Options{Length: 64})
	a := r.connect(&engine.AttachOptions{Routes: []string{"home"}, First: []byte("hello\n")})
	b := r.connect(&engine.AttachOptions{Routes: []string{"home", "news"}, Form: "mute"})
	r.say("home", "1")
	a.conn.Join("news")
	a.conn.Join("news") // twice is once
	r.say("news", "2")
	r.Append(&engine.Entry{To: []*engine.Conn{b.conn}, Item: line{"for b"}})
	r.Append(&engine.Entry{To: []*engine.Conn{b.conn, a.conn}, Item: line{"for a"}})
	r.Append(&engine.Entry{All: true, Item: line{"for all"}})
	a.conn.Write([]byte("mine\n"))
	a.conn.Leave("home")
	r.say("home", "3")
	r.say("news", "4")
	a.conn.Leave("news")
	r.say("news", "5")
	a.conn.End([]byte("bye\n"))
	if got := read(t, a.far); got != "hello\n1\n2\nfor a\nfor all\nmine\n4\nbye\n" {
		t.Errorf("a got %q", got)
	}
	a.far.Close()
	if err := <-a.gone; err != nil {
		t.Errorf("a: %v", err)
	}
	b.conn.End(nil)
	if got := read(t, b.far); got != "" {
		t.Errorf("b got %q", got)
	}
	if m, n := a.conn.Sent(); m != 5 || n != uint64(len("hello\n1\n2\nfor a\nfor all\nmine\n4\nbye\n")) {
		t.Errorf("a was sent %d entries, %d bytes", m, n)
	}
	b.far.Close()
	<-b.gone
	if r.Append(&engine.Entry{Route: "news", Item: line{"x"}}) {
		t.Error("somebody is on a route that all have left")
	}
}

// Whoever reads the log by itself gets of it what a shard would have given.
func TestWhoIsBehindGetsWhatIsForIt(t *testing.T) {
	r := newRig(t, engine.Options{Length: 1 << 10, Bytes: 1 << 30})
	home := &engine.AttachOptions{Routes: []string{"home"}}
	slow, others := r.connect(home), []*reader{}
	for range 40 {
		others = append(others, r.connect(&engine.AttachOptions{}))
	}
	named := []*engine.Conn{slow.conn}
	for _, o := range others {
		named = append(named, o.conn)
	}
	plug := strings.Repeat("x", 4<<20) // more than a connection takes unread
	r.Append(&engine.Entry{To: named[:1], Item: line{plug}})
	want := plug + "\n"
	for i := range 10 {
		n := strconv.Itoa(i)
		r.Append(&engine.Entry{Route: "home", Item: line{"route " + n}})
		r.Append(&engine.Entry{To: named[1:], Item: line{"others " + n}})
		r.Append(&engine.Entry{To: named, Item: line{"named " + n}})
		r.Append(&engine.Entry{To: named[:1], Item: line{"one " + n}})
		r.Append(&engine.Entry{All: true, Item: line{"all " + n}})
		want += "route " + n + "\nnamed " + n + "\none " + n + "\nall " + n + "\n"
	}
	got := make([]byte, len(want))
	slow.far.SetReadDeadline(time.Now().Add(10 * time.Second))
	if _, err := io.ReadFull(slow.far, got); err != nil || string(got) != want {
		t.Errorf("%v: the slow one got %d bytes that end in %q", err, len(got), got[len(plug):])
	}
	slow.conn.Mute()
	r.Append(&engine.Entry{All: true, Item: line{"unheard"}})
	slow.conn.End([]byte("bye\n"))
	if rest := read(t, slow.far); rest != "bye\n" {
		t.Errorf("after that %q", rest)
	}
}

func read(t *testing.T, c net.Conn) string {
	t.Helper()
	c.SetReadDeadline(time.Now().Add(10 * time.Second))
	b, err := io.ReadAll(c)
	if err != nil {
		t.Errorf("read: %v", err)
	}
	return string(b)
}

func TestChunks(t *testing.T) {
	r := newRig(t, engine.Options{Length: 64})
	big := strings.Repeat("x", 70_000)
	a := r.connect(&engine.AttachOptions{Routes: []string{"home"}, Chunked: true})
	r.say("home", "one")
	r.say("home", big)
	a.conn.End([]byte("bye\n"))
	a.far.SetReadDeadline(time.Now().Add(10 * time.Second))
	b, err := io.ReadAll(httputil.NewChunkedReader(a.far))
	if err != nil || string(b) != "one\n"+big+"\nbye\n" {
		t.Errorf("got %d bytes, %v", len(b), err)
	}
}

// A peer that has sent what nobody reads gets the farewell all the same: closing with
// unread bytes would reset the connection.
func TestFarewellSurvivesUnreadBytes(t *testing.T) {
	r := newRig(t, engine.Options{Length: 64})
	for range 20 {
		a := r.connect(&engine.AttachOptions{Routes: []string{"home"}})
		fmt.Fprint(a.far, strings.Repeat("GET / HTTP/1.1\r\n\r\n", 100))
		a.conn.End([]byte("bye\n"))
		if got := read(t, a.far); got != "bye\n" {
			t.Fatalf("got %q", got)
		}
	}
}

func TestPeerGoes(t *testing.T) {
	r := newRig(t, engine.Options{Length: 64})
	for name, leave := range map[string]func(net.Conn){
		"closes":      func(c net.Conn) { c.Close() },
		"half-closes": func(c net.Conn) { socket(c).CloseWrite() },
		"resets":      func(c net.Conn) { socket(c).SetLinger(0); socket(c).Close() },
	} {
		a := r.connect(&engine.AttachOptions{Routes: []string{"home"}})
		leave(a.far)
		select {
		case err := <-a.gone:
			if err == nil {
				t.Errorf("%s: no cause", name)
			}
		case <-time.After(10 * time.Second):
			t.Errorf("%s: nobody noticed", name)
		}
		a.conn.Write([]byte("too late"))
		a.conn.Join("x")
		a.conn.End(nil)
	}
	if r.Append(&engine.Entry{Route: "home", Item: line{"x"}}) {
		t.Error("somebody is there still")
	}
}

func socket(c net.Conn) *net.TCPConn {
	if reads, ok := c.(*gunzipped); ok {
		c = reads.Conn
	}
	if secure, ok := c.(*tls.Conn); ok {
		c = secure.NetConn().(*tap).Conn
	}
	return c.(*net.TCPConn)
}

func TestKeepAlive(t *testing.T) {
	r := newRig(t, engine.Options{Length: 64, KeepAlive: time.Second})
	a := r.connect(&engine.AttachOptions{Routes: []string{"home"}, KeepAlive: []byte(":\n")})
	b := make([]byte, 4)
	a.far.SetReadDeadline(time.Now().Add(10 * time.Second))
	if _, err := io.ReadFull(a.far, b); err != nil || string(b) != ":\n:\n" {
		t.Errorf("got %q, %v", b, err)
	}
}

func TestClose(t *testing.T) {
	r := newRig(t, engine.Options{Length: 64})
	a := r.connect(&engine.AttachOptions{Routes: []string{"home"}})
	near, _ := pair(t)
	r.Close()
	r.Close()
	<-a.gone
	if _, err := r.Attach(near, a, &engine.AttachOptions{}); err == nil {
		t.Error("attached after Close")
	}
	r.say("home", "nobody")
	a.conn.Write([]byte("x"))
}

// What net/http has written before it lets go of a connection fits with what the engine writes.
func TestBehindHTTP(t *testing.T) {
	r := newRig(t, engine.Options{Length: 64})
	rd := &reader{rig: r, gone: make(chan error, 1)}
	attached := make(chan struct{})
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		rc := http.NewResponseController(w)
		rc.Flush()
		nc, _, err := rc.Hijack()
		if err == nil {
			rd.conn, err = r.Attach(nc, rd, &engine.AttachOptions{Chunked: true, Routes: []string{"home"}})
		}
		if err != nil {
			t.Error(err)
		}
		close(attached)
	})}
	served := make(chan struct{})
	go func() { defer close(served); server.Serve(l) }()
	t.Cleanup(func() { server.Shutdown(context.Background()); <-served })
	resp, err := http.Get("http://" + l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	<-attached
	r.say("home", "one")
	rd.conn.End([]byte("bye\n"))
	b, err := io.ReadAll(resp.Body)
	if err != nil || string(b) != "one\nbye\n" {
		t.Errorf("got %q, %v", b, err)
	}
}

// A shard that is held up finds all that was said meanwhile, as far as the log may grow; beyond
// that its connections read the history.
func TestLogGrowsWhileItIsUnread(t *testing.T) {
	const said = 20_000
	for name, row := range map[string]struct {
		length, bytes int
		behind        bool
	}{
		"within its bounds": {1 << 15, 1 << 30, false},
		"too many":          {1 << 14, 1 << 30, true},
		"too large":         {1 << 15, 50_000, true},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, engine.Options{Length: row.length, Bytes: row.bytes})
			a := r.connect(&engine.AttachOptions{Routes: []string{"home"}})
			p := make(plug)
			r.Append(&engine.Entry{To: []*engine.Conn{a.conn}, Item: p})
			var want strings.Builder
			for i := range said {
				n := strconv.Itoa(i)
				r.say("home", n)
				want.WriteString(n + "\n")
			}
			close(p)
			got := make([]byte, want.Len())
			a.far.SetReadDeadline(time.Now().Add(20 * time.Second))
			if _, err := io.ReadFull(a.far, got); err != nil || string(got) != want.String() {
				t.Errorf("%v: what arrived is not what was said", err)
			}
			a.mu.Lock()
			defer a.mu.Unlock()
			if behind := a.behind > 0; behind != row.behind {
				t.Errorf("read from the history: %v, want %v", behind, row.behind)
			}
		})
	}
}
