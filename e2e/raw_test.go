package e2e_test

import (
	"bufio"
	"bytes"
	"io"
	"net"
	"net/http"
	"net/http/httputil"
	"net/textproto"
	"strings"
	"testing"
	"time"
)

// socket is a stream request on a bare TCP connection.
type socket struct {
	Status string
	Header textproto.MIMEHeader

	conn net.Conn
	body *bufio.Reader
}

// dial sends a GET by hand and reads the header of the answer. With "HTTP/1.0" the
// body's bytes follow as they are; with "HTTP/1.1" they come in chunks.
func dial(t *testing.T, addr, proto, path string, header ...string) *socket {
	t.Helper()
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	conn.SetDeadline(time.Now().Add(patience))
	lines := append([]string{"GET " + path + " " + proto, "Host: " + addr}, header...)
	if _, err := io.WriteString(conn, strings.Join(lines, "\r\n")+"\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	r := bufio.NewReader(conn)
	text := textproto.NewReader(r)
	s := &socket{conn: conn, body: r}
	if s.Status, err = text.ReadLine(); err != nil {
		t.Fatal(err)
	}
	if s.Header, err = text.ReadMIMEHeader(); err != nil {
		t.Fatal(err)
	}
	if s.Header.Get("Transfer-Encoding") == "chunked" {
		s.body = bufio.NewReader(httputil.NewChunkedReader(r))
	}
	return s
}

// Frame reads the bytes up to and with the next empty line.
func (s *socket) Frame(t *testing.T) string {
	t.Helper()
	var frame bytes.Buffer
	for !strings.HasSuffix(frame.String(), "\n\n") {
		line, err := s.body.ReadString('\n')
		frame.WriteString(line)
		if err != nil {
			t.Fatalf("after %q: %v", frame.String(), err)
		}
	}
	return frame.String()
}

// Rest reads until the stream ends.
func (s *socket) Rest() (string, error) {
	b, err := io.ReadAll(s.body)
	return string(b), err
}

// publish posts to the plain face, and gives the answer's body.
func publish(t *testing.T, url, contentType, body string) string {
	t.Helper()
	answer, err := http.Post(url+"/publish", contentType, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	if answer.StatusCode != http.StatusOK {
		t.Fatalf("publish %s: %s %s", body, answer.Status, text)
	}
	return string(text)
}
