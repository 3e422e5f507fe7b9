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
}

// request sends one and reads the head of the answer.
func request(t *testing.T, addr, method, proto, path string, header ...string) *record {
	t.Helper()
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	conn.SetDeadline(time.Now().Add(patience))
	lines := append([]string{method + " " + path + " " + proto, "Host: 127.0.0.1"}, header...)
	if _, err := io.WriteString(conn, strings.Join(lines, "\r\n")+"\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	r := &record{conn: conn, r: bufio.NewReader(conn)}
	for line := ""; line != "\r\n"; {
		if line, err = r.r.ReadString('\n'); err != nil {
			t.Fatalf("after %q: %v", r.text.String(), err)
		}
		r.add(line)
		r.chunked = r.chunked || line == "Transfer-Encoding: chunked\r\n"
		if cookie, ok := strings.CutPrefix(line, "Set-Cookie: "); ok {
			cookie, _, _ = strings.Cut(cookie, ";")
			r.cookie += cookie + "; "
		}
	}
	return r
}

// add writes what came without what differs from run to run.
func (r *record) add(piece string) {
	r.last, piece = piece, strings.ReplaceAll(piece, strings.Repeat("x", 60_000), "X")
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
	for {
		if err := r.next(); err != nil {
			t.Fatalf("waiting for %q: %v after\n%s", text, err, r.text.String())
		}
		if strings.Contains(r.last, text) {
			return
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
