package sse_test

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stentor-sse/stentor/sse"
)

// detach serves one request, whose handler tries to hand its connection over, and gives what
// the client reads after the head. took is called with what was handed over.
func detach(t *testing.T, request string, wrap func(http.ResponseWriter) http.ResponseWriter,
	took func(s *sse.Stream, c net.Conn, chunked bool, err error),
) string {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if wrap != nil {
			w = wrap(w)
		}
		s, err := sse.Accept(w, r, nil)
		if err != nil {
			t.Error(err)
			return
		}
		defer s.Close()
		if err := s.Send(r.Context(), sse.Event{Data: "before"}); err != nil && r.Method == http.MethodGet {
			t.Error(err)
		}
		c, chunked, err := s.Detach()
		took(s, c, chunked, err)
	}))
	defer server.Close()
	conn, err := net.Dial("tcp", server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(10 * time.Second))
	fmt.Fprint(conn, strings.ReplaceAll(request, "\n", "\r\n"))
	r := bufio.NewReader(conn)
	for {
		line, err := r.ReadString('\n')
		if err != nil {
			t.Fatal(err)
		}
		if line == "\r\n" {
			break
		}
	}
	b, err := io.ReadAll(r)
	if err != nil {
		t.Error(err)
	}
	return string(b)
}

func TestDetach(t *testing.T) {
	for _, c := range []struct {
		name, request, after, want string
		chunked                    bool
	}{
		{
			"HTTP/1.1 goes on in chunks", "GET / HTTP/1.1\nHost: x\n\n", "6\r\nafter\n\r\n0\r\n\r\n",
			"e\r\ndata: before\n\n\r\n6\r\nafter\n\r\n0\r\n\r\n", true,
		},
		{"HTTP/1.0 goes on as it is", "GET / HTTP/1.0\nHost: x\n\n", "after\n", "data: before\n\nafter\n", false},
		{
			"what was pipelined is dropped", "GET / HTTP/1.1\nHost: x\n\nGET /second HTTP/1.1\nHost: x\n\n", "0\r\n\r\n",
			"e\r\ndata: before\n\n\r\n0\r\n\r\n", true,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := detach(t, c.request, nil, func(s *sse.Stream, nc net.Conn, chunked bool, err error) {
				if err != nil || chunked != c.chunked {
					t.Fatalf("chunked %v, %v", chunked, err)
				}
				if s.Cause() != sse.ErrDetached {
					t.Errorf("cause %v", s.Cause())
				}
				if err := s.Send(t.Context(), sse.Event{Data: "x"}); err != sse.ErrDetached {
					t.Errorf("Send after it: %v", err)
				}
				if _, _, err := s.Detach(); err != sse.ErrDetached {
					t.Errorf("a second time: %v", err)
				}
				go func() { // the handler may have returned
					io.WriteString(nc, c.after)
					nc.(*net.TCPConn).CloseWrite()
					io.Copy(io.Discard, nc)
					nc.Close()
				}()
			})
			if got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

func TestDetachIsRefused(t *testing.T) {
	const get = "GET / HTTP/1.1\nHost: x\nConnection: close\n\n"
	hidden := func(w http.ResponseWriter) http.ResponseWriter {
		return struct {
			http.ResponseWriter
			http.Flusher
		}{w, w.(http.Flusher)}
	}
	encoded := func(w http.ResponseWriter) http.ResponseWriter {
		w.Header().Set("Content-Encoding", "identity")
		return w
	}
	for _, c := range []struct {
		name, request string
		wrap          func(http.ResponseWriter) http.ResponseWriter
	}{
		{"by a writer that hides it", get, hidden},
		{"where something else encodes", get, encoded},
		{"for another method", strings.Replace(get, "GET", "POST", 1), nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := detach(t, c.request, c.wrap, func(s *sse.Stream, _ net.Conn, _ bool, err error) {
				if !errors.Is(err, errors.ErrUnsupported) {
					t.Errorf("got %v", err)
				}
				if err := s.Send(t.Context(), sse.Event{Data: "after"}); err != nil {
					t.Errorf("the stream does not go on: %v", err)
				}
			})
			if want := "e\r\ndata: before\n\n\r\nd\r\ndata: after\n\n\r\n0\r\n\r\n"; got != want {
				t.Errorf("got %q, want %q", got, want)
			}
		})
	}
	t.Run("over TLS and HTTP/2", func(t *testing.T) {
		server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			s, err := sse.Accept(w, r, nil)
			if err != nil {
				t.Error(err)
				return
			}
			if _, _, err := s.Detach(); !errors.Is(err, errors.ErrUnsupported) {
				t.Errorf("got %v", err)
			}
			s.Close(sse.Event{Data: r.Proto})
		}))
		server.EnableHTTP2 = true
		server.StartTLS()
		defer server.Close()
		resp, err := server.Client().Get(server.URL)
		if err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(resp.Body)
		if err != nil || string(b) != "data: HTTP/2.0\n\n" {
			t.Errorf("got %q, %v", b, err)
		}
		resp.Body.Close()
	})
}
