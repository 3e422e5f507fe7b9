package sse_test

import (
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stentor-sse/stentor/sse"
	"github.com/stentor-sse/stentor/ssetest"
)

func TestCompressionIsNegotiated(t *testing.T) {
	for _, c := range []struct {
		accept string
		gzip   bool
	}{
		{"", false},
		{"gzip", true},
		{"GZIP", true},
		{"x-gzip", true},
		{"gzip, deflate, br, zstd", true},
		{"br;q=1.0, gzip;q=0.8", true},
		{"gzip;q=0", false},
		{"gzip ; Q = 0.000", false},
		{"*", true},
		{"*;q=0", false},
		{"br, *;q=0.1", true},
		{"gzip;q=0, *", false},
		{"identity", false},
		{"identity, gzip;q=0.5", false},
		{"identity;q=0.5, gzip;q=0.5", true},
		{"identity;q=0, gzip", true},
		{"gzip;q=2", false},
		{"gzip;level=9", false},
		{"deflate", false},
		{",, ;", false},
	} {
		r := httptest.NewRequest(http.MethodHead, "/", nil)
		if c.accept != "" {
			r.Header.Set("Accept-Encoding", c.accept)
		}
		w := httptest.NewRecorder()
		w.Header().Set("Vary", "Origin")
		// A HEAD request says what a GET request would get.
		if _, err := sse.Accept(w, r, &sse.AcceptOptions{Compress: &sse.Compressor{}}); err != nil {
			t.Fatal(err)
		}
		if got := w.Header().Get("Content-Encoding"); got != map[bool]string{true: "gzip"}[c.gzip] {
			t.Errorf("%q: Content-Encoding %q", c.accept, got)
		}
		if got := strings.Join(w.Header().Values("Vary"), ", "); got != "Origin, Accept-Encoding" {
			t.Errorf("%q: Vary %q", c.accept, got)
		}
	}
}

// Events arrive as they are sent, over both versions, and the end is one that a reader can tell from
// a cut.
func TestCompressed(t *testing.T) {
	ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
		next := make(chan struct{})
		var by sse.Compressor
		srv := ssetest.NewServer(t, p, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			s, err := sse.Accept(w, r, &sse.AcceptOptions{Compress: &by, Retry: time.Second, KeepAlive: sse.KeepAlive{Interval: time.Minute}})
			if err != nil {
				t.Error(err)
				return
			}
			<-next
			s.Send(r.Context(), sse.Event{Data: strings.Repeat("x", 10_000)})
			<-next
			s.WriteFrames([]byte("data: alone\n\n"))
			<-next
			s.WriteShared([]byte("data: shared\n\n"))
			s.WriteShared(nil)
			time.Sleep(time.Minute + time.Second)
			if err := s.Close(sse.Event{Type: "end", Data: "bye"}); err != nil {
				t.Error(err)
			}
			if err := s.WriteShared([]byte("data: late\n\n")); err != sse.ErrClosed {
				t.Errorf("after the end: %v", err)
			}
			if sent := s.Sent(); sent.Bytes != uint64(len("retry: 1000\n\n")+10_008+len("data: alone\n\ndata: shared\n\n:\n\nevent: end\ndata: bye\n\n")) {
				t.Errorf("sent %+v", sent)
			}
		}))
		r, err := http.NewRequest(http.MethodGet, srv.URL, nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Accept-Encoding", "gzip")
		resp, err := srv.Client.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		if got := resp.Header.Get("Content-Encoding"); got != "gzip" {
			t.Fatalf("Content-Encoding %q", got)
		}
		wire := &counted{r: resp.Body}
		body, err := gzip.NewReader(wire)
		if err != nil {
			t.Fatal(err)
		}
		expect := func(want string) {
			t.Helper()
			got := make([]byte, len(want))
			if _, err := io.ReadFull(body, got); err != nil || string(got) != want {
				t.Fatalf("got %.80q, %v; want %.80q", got, err, want)
			}
		}
		expect("retry: 1000\n\n")
		next <- struct{}{}
		expect("data: " + strings.Repeat("x", 10_000) + "\n\n")
		if wire.n > 300 {
			t.Errorf("10,000 bytes became %d", wire.n)
		}
		next <- struct{}{}
		expect("data: alone\n\n")
		next <- struct{}{}
		expect("data: shared\n\n")
		expect(":\n\n")
		expect("event: end\ndata: bye\n\n")
		if rest, err := io.ReadAll(body); err != nil || len(rest) > 0 {
			t.Errorf("then %q, %v", rest, err)
		}
	})
}

type counted struct {
	r io.Reader
	n int
}

func (c *counted) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += n
	return n, err
}

// Every way to an end completes the body, also where nothing was written.
func TestCompressedEnds(t *testing.T) {
	for name, o := range map[string]*sse.AcceptOptions{
		"closed, with nothing in it": {}, "idle": {IdleTimeout: time.Second},
		"with its header held": {HoldHeader: true},
	} {
		t.Run(name, func(t *testing.T) {
			ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
				c := *o
				c.Compress, c.KeepAlive.Interval = &sse.Compressor{}, -1
				srv := ssetest.NewServer(t, p, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					s, err := sse.Accept(w, r, &c)
					if err != nil {
						t.Error(err)
						return
					}
					if c.IdleTimeout > 0 {
						if err := s.Wait(r.Context()); err != sse.ErrIdle {
							t.Errorf("ended with %v", err)
						}
					}
					s.Close()
				}))
				_, got := srv.Do(t, "GET", "/", "", "Accept-Encoding: gzip")
				body, err := gzip.NewReader(strings.NewReader(got))
				if err != nil {
					t.Fatal(err)
				}
				if rest, err := io.ReadAll(body); err != nil || len(rest) > 0 {
					t.Errorf("got %q, %v", rest, err)
				}
			})
		})
	}
}

// What somebody else encodes is left to them.
func TestEncodedBySomebodyElse(t *testing.T) {
	for name, o := range map[string]*sse.AcceptOptions{
		"in the options":     {Header: http.Header{"Content-Encoding": {"br"}}},
		"by the application": {},
	} {
		w := httptest.NewRecorder()
		if o.Header == nil {
			w.Header().Set("Content-Encoding", "br")
		}
		o.Compress = &sse.Compressor{}
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.Header.Set("Accept-Encoding", "gzip")
		s, err := sse.Accept(w, r, o)
		if err != nil {
			t.Fatal(err)
		}
		s.Close(sse.Event{Data: "x"})
		if got := w.Body.String(); got != "data: x\n\n" || w.Header().Get("Content-Encoding") != "br" {
			t.Errorf("%s: %q as %s", name, got, w.Header().Get("Content-Encoding"))
		}
	}
}

// A body goes on where the stream left it, with what its checksum is to count.
func TestDetachCompressed(t *testing.T) {
	for _, before := range []string{"", "x"} {
		var sum, size uint32
		var by sse.Compressor
		over := make(chan error, 1)
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			s, err := sse.Accept(w, r, &sse.AcceptOptions{Compress: &by})
			if err != nil {
				t.Error(err)
				return
			}
			if before != "" {
				s.Send(r.Context(), sse.Event{Data: before})
			}
			c, chunked, err := s.Detach()
			if err == nil && !chunked {
				err = errors.New("not chunked")
			}
			if err != nil {
				over <- err
				return
			}
			defer c.Close()
			var ok bool
			if sum, size, ok = s.Gzip(); !ok {
				err = errors.New("it is not compressed")
			}
			io.WriteString(c, "5\r\n\x01\x00\x00\xff\xff\r\n8\r\n")
			c.Write([]byte{byte(sum), byte(sum >> 8), byte(sum >> 16), byte(sum >> 24), byte(size), byte(size >> 8), byte(size >> 16), byte(size >> 24)})
			io.WriteString(c, "\r\n0\r\n\r\n")
			over <- err
		}))
		defer server.Close()
		resp, err := http.Get(server.URL) // which asks for gzip and reads it
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		got, err := io.ReadAll(resp.Body)
		want := ""
		if before != "" {
			want = "data: x\n\n"
		}
		if err := errors.Join(err, <-over); err != nil || !bytes.Equal(got, []byte(want)) || !resp.Uncompressed {
			t.Errorf("got %q, %v", got, err)
		}
	}
}
