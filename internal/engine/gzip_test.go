//go:build linux

package engine_test

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http/httputil"
	"strings"
	"testing"
	"time"

	"github.com/stentor-sse/stentor/internal/deflate"
	"github.com/stentor-sse/stentor/internal/engine"
)

// What holds for bodies as they are holds for those that are compressed: connect makes those of
// these tests so.
func TestCompressed(t *testing.T) {
	for name, test := range map[string]func(*testing.T){
		"order": TestOrder, "lapped": TestLappedLogKeepsOrder, "targets": TestRoutesAndTargets,
		"farewell": TestFarewellSurvivesUnreadBytes, "the peer goes": TestPeerGoes, "keepalive": TestKeepAlive,
	} {
		t.Run(name, test)
	}
}

func TestCompressedOverTLS(t *testing.T) {
	for name, test := range map[string]func(*testing.T){
		"order": TestOrder, "lapped": TestLappedLogKeepsOrder, "targets": TestRoutesAndTargets, "the peer goes": TestPeerGoes,
	} {
		t.Run(name, test)
	}
}

func compressed(t *testing.T) bool { return strings.HasPrefix(t.Name(), "TestCompressed") }

// compress has a connection begin with the header of a gzip member; what is read from it is what
// was compressed.
func compress(t *testing.T, near, far net.Conn, o *engine.AttachOptions) net.Conn {
	t.Helper()
	if _, err := near.Write(deflate.AppendHeader(nil)); err != nil {
		t.Fatal(err)
	}
	o.Gzip = &deflate.Stream{}
	return &gunzipped{Conn: far}
}

// gunzipped is a connection that reads what was compressed.
type gunzipped struct {
	net.Conn
	body *gzip.Reader
}

func (c *gunzipped) Read(p []byte) (int, error) {
	if c.body == nil {
		var err error
		if c.body, err = gzip.NewReader(c.Conn); err != nil {
			return 0, err
		}
		c.body.Multistream(false)
	}
	return c.body.Read(p)
}

// A reader that stalls while others read, with more on its way than the kernel holds, gets what
// was written, from the byte on where it stopped.
func TestCompressedStall(t *testing.T) {
	r := newRig(t, engine.Options{Length: 1024, Bytes: 64 << 20})
	connect := func() *reader { return r.connect(&engine.AttachOptions{Routes: []string{"home"}}) }
	fast, slow := connect(), connect()
	var want bytes.Buffer
	noise := rand.New(rand.NewPCG(1, 2))
	read := func(rd *reader, n int) {
		t.Helper()
		got := make([]byte, n)
		rd.far.SetReadDeadline(time.Now().Add(20 * time.Second))
		if k, err := io.ReadFull(rd.far, got); err != nil || !bytes.Equal(got, want.Bytes()[want.Len()-n:]) {
			t.Fatalf("read %d bytes of %d, %v, or others", k, n, err)
		}
	}
	for n := range 80 {
		text := make([]byte, 20<<10)
		for i := range text {
			text[i] = byte(' ' + noise.IntN(95))
		}
		line := fmt.Sprintf("%d %s\n", n, text)
		want.WriteString(line)
		r.say("home", strings.TrimSuffix(line, "\n"))
		read(fast, len(line))
	}
	read(slow, want.Len())
	r.say("home", "after")
	want.WriteString("after\n")
	read(fast, len("after\n"))
	read(slow, len("after\n"))
}

// The chunks of a compressed body hold a gzip member that is complete. Newcomers come to get the
// bytes that all get.
func TestCompressedChunks(t *testing.T) {
	r := newRig(t, engine.Options{Length: 256, Shards: 1})
	var all []*reader
	connect := func() {
		near, far := pair(t)
		rd := &reader{rig: r, far: far, gone: make(chan error, 1)}
		o := &engine.AttachOptions{Chunked: true, Routes: []string{"home"}, First: []byte("hello\n")}
		compress(t, near, far, o)
		c, err := r.Attach(near, rd, o)
		if err != nil {
			t.Fatal(err)
		}
		rd.conn = c
		all = append(all, rd)
	}
	connect()
	var want strings.Builder
	for n := range 100 {
		if n == 50 {
			connect()
		}
		text := fmt.Sprint("message number ", n, " with what messages are made of")
		r.say("home", text)
		want.WriteString(text + "\n")
	}
	var tails [][]byte
	for i, rd := range all {
		rd.conn.End([]byte("bye\n"))
		var wire bytes.Buffer
		header := make([]byte, len(deflate.AppendHeader(nil))) // which net/http would have framed
		if _, err := io.ReadFull(rd.far, header); err != nil {
			t.Fatal(err)
		}
		wire.Write(header)
		if _, err := io.Copy(&wire, httputil.NewChunkedReader(rd.far)); err != nil {
			t.Errorf("%d: %v", i, err)
		}
		member, err := gzip.NewReader(&wire)
		if err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(member)
		if err != nil || !strings.HasPrefix(string(got), "hello\n") || !strings.HasSuffix(string(got), "bye\n") ||
			!strings.HasSuffix(want.String(), string(got[len("hello\n"):len(got)-len("bye\n")])) {
			t.Errorf("%d: got %q, %v", i, got, err)
		}
		tails = append(tails, got)
	}
	if len(tails[0]) < 2*len(tails[1])-100 {
		t.Errorf("the second has %d bytes, the first %d", len(tails[1]), len(tails[0]))
	}
}

// What one connection is told alone, by Write or by the log, doesn't show in the length of what
// others write to it afterwards.
func TestCompressedPrivately(t *testing.T) {
	const guess = "the secret is 7QXW2ZPLM3 and nothing else, as everybody would like to know by now"
	length := func(t *testing.T, tell func(r *rig, rd *reader, text string), told string) int {
		r := newRig(t, engine.Options{Length: 256, Shards: 1})
		near, far := pair(t)
		o := &engine.AttachOptions{Chunked: true, Routes: []string{"home"}, Gzip: &deflate.Stream{}}
		rd := &reader{rig: r, far: far, gone: make(chan error, 1)}
		var err error
		if rd.conn, err = r.Attach(near, rd, o); err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewReader(far)
		chunk := func() (n int) {
			t.Helper()
			if _, err := fmt.Fscanf(lines, "%x\r\n", &n); err != nil {
				t.Fatal(err)
			}
			lines.Discard(n + len("\r\n"))
			return n
		}
		for n := range 20 {
			r.say("home", fmt.Sprint("message number ", n, strings.Repeat(" with text", 10)))
			chunk()
		}
		tell(r, rd, told)
		chunk()
		r.say("home", guess)
		return chunk()
	}
	for name, tell := range map[string]func(r *rig, rd *reader, text string){
		"by Write": func(_ *rig, rd *reader, text string) { rd.conn.Write([]byte(text)) },
		"by the log": func(r *rig, rd *reader, text string) {
			r.Append(&engine.Entry{To: []*engine.Conn{rd.conn}, Item: line{text}})
		},
	} {
		t.Run(name, func(t *testing.T) {
			if right, wrong := length(t, tell, guess), length(t, tell, strings.Repeat("-", len(guess))); right != wrong {
				t.Errorf("a right guess takes %d bytes, a wrong one %d", right, wrong)
			}
		})
	}
}
