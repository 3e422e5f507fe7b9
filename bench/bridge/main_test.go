package main

import (
	"bufio"
	"compress/gzip"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// Each event of a stream comes through the bridge as soon as it is written.
func TestStreamsComeThrough(t *testing.T) {
	for _, speak := range []string{"http1", "http2", "gzip"} {
		t.Run(speak, func(t *testing.T) {
			next := make(chan string)
			s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Content-Type", "text/event-stream")
				out, flush := io.Writer(w), w.(http.Flusher).Flush
				if r.Header.Get("Accept-Encoding") == "gzip" {
					w.Header().Set("Content-Encoding", "gzip")
					zip := gzip.NewWriter(w)
					out, flush = zip, func() { zip.Flush(); w.(http.Flusher).Flush() }
				}
				flush()
				for text := range next {
					fmt.Fprintln(out, r.Proto, text)
					flush()
				}
			}))
			s.EnableHTTP2 = speak == "http2"
			if speak == "gzip" {
				s.Start()
			} else {
				s.StartTLS()
			}
			defer s.Close()
			lines, end := through(t, s, speak)
			defer end()
			for i := range 3 {
				text := fmt.Sprintf("event %d", i)
				next <- text
				if line, err := lines.ReadString('\n'); err != nil || !strings.HasSuffix(line, text+"\n") || strings.HasPrefix(line, "HTTP/2") != (speak == "http2") {
					t.Fatalf("%q, %v; want %s", line, err, text)
				}
			}
			close(next)
		})
	}
}

// through opens a stream of the server on a bridge.
func through(t *testing.T, s *httptest.Server, speak string) (*bufio.Reader, func()) {
	t.Helper()
	h, err := bridge(s.Listener.Addr().String(), speak)
	if err != nil {
		t.Fatal(err)
	}
	b := httptest.NewServer(h)
	resp, err := http.Get(b.URL + "/events")
	if err != nil {
		t.Fatal(err)
	}
	if resp.StatusCode != http.StatusOK {
		t.Fatalf("the bridge answers %s", resp.Status)
	}
	return bufio.NewReader(resp.Body), func() {
		resp.Body.Close()
		b.CloseClientConnections()
		b.Close()
	}
}

// A server that does not speak what is to be measured is not measured as if it did.
func TestOthersAreRefused(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, "plain") }))
	defer s.Close()
	h, err := bridge(s.Listener.Addr().String(), "gzip")
	if err != nil {
		t.Fatal(err)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest("GET", "/events", nil))
	if w.Code != http.StatusBadGateway {
		t.Errorf("an answer without compression is passed on with %d", w.Code)
	}
	if _, err := bridge("127.0.0.1:1", "http3"); err == nil {
		t.Error("http3 is taken")
	}
}
