package e2e_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"
)

// record is all that came on a connection, written so that two can be compared.
type record struct {
	text strings.Builder

	conn    net.Conn
	r       *bufio.Reader
	chunked bool
	cookie  string
	last    string // line, chunk or frame, as it came

	quiet  bool   // text is of no interest
	resume func() // ends what else reads; may be nil
}

// request sends one and reads the head of the answer.
func request(t *testing.T, addr, method, proto, path string, header ...string) *record {
	t.Helper()
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	return converse(t, conn, method, proto, path, header...)
}

// converse is request on a connection that is there.
func converse(t *testing.T, conn net.Conn, method, proto, path string, header ...string) *record {
	t.Helper()
	t.Cleanup(func() { conn.Close() })
	r, err := try(conn, method, proto, path, header...)
	if err != nil {
		t.Fatalf("%v after %q", err, r.text.String())
	}
	return r
}

// tryStream opens a stream where it is no surprise when that fails.
func tryStream(addr, path string) (*record, error) {
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		return nil, err
	}
	return try(conn, "GET", "HTTP/1.1", path)
}

func try(conn net.Conn, method, proto, path string, header ...string) (*record, error) {
	conn.SetDeadline(time.Now().Add(patience))
	r := &record{conn: conn, r: bufio.NewReader(conn)}
	lines := append([]string{method + " " + path + " " + proto, "Host: 127.0.0.1"}, header...)
	if _, err := io.WriteString(conn, strings.Join(lines, "\r\n")+"\r\n\r\n"); err != nil {
		return r, err
	}
	for line := ""; line != "\r\n"; {
		var err error
		if line, err = r.r.ReadString('\n'); err != nil {
			return r, err
		}
		r.add(line)
		r.chunked = r.chunked || line == "Transfer-Encoding: chunked\r\n"
		if cookie, ok := strings.CutPrefix(line, "Set-Cookie: "); ok {
			cookie, _, _ = strings.Cut(cookie, ";")
			r.cookie += cookie + "; "
		}
	}
	return r, nil
}

// add writes what came without what differs from run to run.
func (r *record) add(piece string) {
	if r.last = piece; r.quiet {
		return
	}
	piece = strings.ReplaceAll(piece, strings.Repeat("x", 60_000), "X")
	for _, it := range [...]struct{ pattern, by string }{
		{`(?m)^Date: .*$`, "Date: DATE"}, {`ss-p?id=[^;]+`, "ss-id=SESSION"}, {`(?m)^id: \d+$`, "id: N"}, {`\b\d{13,}\b`, "N"},
		{`retry: \d+\n`, "retry: RETRY\n"}, {`\b[A-Z2-7]{26,}\b`, "ID"}, {`127\.0\.0\.1:\d+`, "ADDR"},
	} {
		piece = regexp.MustCompile(it.pattern).ReplaceAllString(piece, it.by)
	}
	fmt.Fprintf(&r.text, "%q\n", piece)
}

// next reads a chunk, or a frame where there are no chunks.
func (r *record) next() error {
	if !r.chunked {
		frame := ""
		for !strings.HasSuffix(frame, "\n\n") {
			line, err := r.r.ReadString('\n')
			if frame += line; err != nil {
				if frame != "" {
					r.add(frame)
				}
				return err
			}
		}
		r.add(frame)
		return nil
	}
	size, err := r.r.ReadString('\n')
	if err != nil {
		return err
	}
	n, err := strconv.ParseUint(strings.TrimSuffix(size, "\r\n"), 16, 24)
	if err != nil {
		return err
	}
	b := make([]byte, n+2)
	if _, err := io.ReadFull(r.r, b); err != nil {
		return err
	}
	if string(b[n:]) != "\r\n" {
		return fmt.Errorf("a chunk ends with %q", b[n:])
	}
	if n == 0 {
		r.add("the last chunk")
		return nil
	}
	for frame := range strings.SplitAfterSeq(string(b[:n]), "\n\n") { // how many go together is nobody's concern
		if frame != "" {
			r.add(frame)
		}
	}
	r.last = string(b[:n])
	return nil
}

// until reads up to a chunk or frame with a text in it.
func (r *record) until(t *testing.T, text string) {
	t.Helper()
	if err := r.read(text); err != nil {
		t.Fatal(err)
	}
}

// read is until where it is no surprise when that fails.
func (r *record) read(text string) error {
	for {
		if err := r.next(); err != nil {
			return fmt.Errorf("waiting for %q: %w after\n%s", text, err, r.text.String())
		}
		if strings.Contains(r.last, text) {
			return nil
		}
	}
}

// end reads to the end, which is part of the record.
func (r *record) end() string {
	err := error(nil)
	for err == nil {
		err = r.next()
	}
	fmt.Fprintln(&r.text, "end:", err)
	return r.text.String()
}
