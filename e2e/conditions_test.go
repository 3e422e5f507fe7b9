package e2e_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stentor-sse/stentor"
	"github.com/stentor-sse/stentor/eventhttp"
)

// narrow is a stream whose reader's system holds little for it: what isn't read soon has
// to wait at the server.
func narrow(t *testing.T, addr, path string) *record {
	t.Helper()
	dialer := net.Dialer{Control: func(_, _ string, c syscall.RawConn) (err error) {
		e := c.Control(func(fd uintptr) { err = syscall.SetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_RCVBUF, 4<<10) })
		return errors.Join(e, err)
	}}
	conn, err := dialer.DialContext(t.Context(), "tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	return converse(t, conn, "GET", "HTTP/1.1", path)
}

// flood publishes numbers from 1 to n, with padding.
func flood(t *testing.T, url string, n, padding int) {
	t.Helper()
	const batch = 10
	pad := strings.Repeat("x", padding)
	for from := 1; from <= n; from += batch {
		var lines strings.Builder
		for i := from; i < from+batch; i++ {
			fmt.Fprintf(&lines, `{"channel":"home","data":"%d %s"}`+"\n", i, pad)
		}
		publish(t, url, "application/x-ndjson", lines.String())
	}
}

// numbers reads a flood to its last number: in order and once, and all of it but what gap
// events tell of, which are counted.
func (r *record) numbers(last int) (gaps int, err error) {
	number := regexp.MustCompile(`^(?:id: \d+\n)?data: (\d+) x`)
	r.quiet = true
	for next, gap := 1, false; next <= last; {
		if err := r.next(); err != nil {
			return gaps, fmt.Errorf("waiting for %d of %d: %w", next, last, err)
		}
		for frame := range strings.SplitAfterSeq(r.last, "\n\n") {
			if strings.Contains(frame, "event: stentor.gap\n") {
				gap = true
				gaps++
			}
			m := number.FindStringSubmatch(frame[:min(len(frame), 64)])
			if m == nil || !strings.HasSuffix(frame, "x\n\n") {
				if frame != "" && !strings.Contains(frame, "event: stentor.") && frame != ":\n\n" {
					return gaps, fmt.Errorf("in place of %d: %.100q", next, frame)
				}
				continue
			}
			n, err := strconv.Atoi(m[1])
			if err != nil || n < next || n > next && !gap {
				return gaps, fmt.Errorf("in place of %d: %.100q", next, frame)
			}
			next, gap = n+1, false
		}
	}
	return gaps, nil
}

// A peer that behaves badly costs the others nothing. One that reads again has missed nothing
// that it isn't told of.
func TestBadPeers(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name                      string
		others, messages, padding int
		args                      []string
		bad                       func(t *testing.T, r *record) // begins to behave badly; nil: does nothing
		reads                     bool                          // when the others have everything
		gaps                      bool                          // there are some for it
	}{
		{"resets", 50, 500, 2000, nil, reset, false, false},
		{"half-closes", 50, 500, 2000, nil, halfClose, false, false},
		{"reads a few bytes a second", 50, 500, 4000, nil, trickle, true, false},
		{"never reads", 50, 500, 4000, nil, nil, true, false},
		{"never reads what the log forgets", 5, 400, 60_000, nil, nil, true, false},
		{"never reads what the history forgets", 5, 400, 60_000, []string{"--history-size", "100"}, nil, true, true},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			eachEngine(t, func(t *testing.T, engine string) {
				server := start(t, append([]string{"serve", "--engine", engine}, row.args...)...)
				publish(t, server.URL, "application/json", `{"channel":"other","data":"so that this connection is counted"}`)
				var readers sync.WaitGroup
				for i := range row.others {
					r := request(t, server.Addr, "GET", "HTTP/1.1", "/events?channel=home")
					r.until(t, "stentor.open")
					readers.Go(func() {
						if gaps, err := r.numbers(row.messages); err != nil || gaps > 0 {
							t.Errorf("reader %d: %d gaps, %v", i, gaps, err)
						}
					})
				}
				bad := narrow(t, server.Addr, "/events?channel=home")
				bad.until(t, "stentor.open")
				sockets := server.descriptors(t, "socket:")
				if row.bad != nil {
					row.bad(t, bad)
				}
				flood(t, server.URL, row.messages, row.padding)
				readers.Wait()
				if !row.reads {
					until(t, "its descriptor is closed", func() bool { return server.descriptors(t, "socket:") < sockets })
					return
				}
				if bad.resume != nil {
					bad.resume()
				}
				if gaps, err := bad.numbers(row.messages); err != nil || gaps > 0 != row.gaps {
					t.Errorf("%d gaps, %v", gaps, err)
				}
			})
		})
	}
}

func reset(t *testing.T, r *record) {
	if err := r.conn.(*net.TCPConn).SetLinger(0); err != nil {
		t.Fatal(err)
	}
	r.conn.Close()
}

// halfClose says that it has nothing more to say, which ends the stream.
func halfClose(t *testing.T, r *record) {
	if err := r.conn.(*net.TCPConn).CloseWrite(); err != nil {
		t.Fatal(err)
	}
	if said := r.end(); !strings.HasSuffix(said, "end: EOF\n") {
		t.Errorf("it ends with\n%s", said)
	}
}

// trickle reads a byte at a time until resume.
func trickle(t *testing.T, r *record) {
	read, err := r.r.Peek(r.r.Buffered())
	if err != nil {
		t.Fatal(err)
	}
	got := bytes.NewBuffer(slices.Clone(read))
	r.r = bufio.NewReader(io.MultiReader(got, r.conn))
	stop, idle := make(chan struct{}), make(chan struct{})
	r.resume = sync.OnceFunc(func() { close(stop); <-idle })
	go func() { // ends with resume
		defer close(idle)
		for {
			select {
			case <-time.After(50 * time.Millisecond):
			case <-stop:
				return
			}
			if _, err := io.CopyN(got, r.conn, 1); err != nil {
				t.Error(err)
				return
			}
		}
	}()
	t.Cleanup(r.resume)
}

// Five hundred connect at once: all are served, and hear the same.
func TestManyAtOnce(t *testing.T) { // not beside others: they would take its time
	eachEngine(t, func(t *testing.T, engine string) {
		const all = 500
		server := start(t, "serve", "--engine", engine)
		errs := make(chan error, all)
		var opened, done sync.WaitGroup
		opened.Add(all)
		for range all {
			done.Go(func() {
				errs <- func() error {
					r, err := tryStream(server.Addr, "/events?channel=home")
					if r != nil {
						defer r.conn.Close()
					}
					if err == nil {
						err = r.read("stentor.open")
					}
					if opened.Done(); err != nil {
						return err
					}
					return r.read("data: hello")
				}()
			})
		}
		opened.Wait()
		publish(t, server.URL, "application/json", `{"channel":"home","data":"hello"}`)
		done.Wait()
		close(errs)
		failed := 0
		for err := range errs {
			if err != nil {
				if failed++; failed < 5 {
					t.Error(err)
				}
			}
		}
		if failed > 0 {
			t.Errorf("%d of %d failed", failed, all)
		}
	})
}

// Where the system gives no more descriptors, those who have one are served, the others wait and
// are served when some leave. The log says what is wrong.
func TestDescriptorLimit(t *testing.T) { // not beside others: they would take its time
	eachEngine(t, func(t *testing.T, engine string) {
		server := startIn(t, []string{"sh", "-c", `ulimit -n 64; exec "$@"`, "sh"}, "127.0.0.1:0", "serve", "--engine", engine)
		client := &http.Client{Transport: &http.Transport{}} // keeps its connection
		defer client.CloseIdleConnections()
		say := func(text string) {
			t.Helper()
			answer, err := client.Post(server.URL+"/publish", "application/json", strings.NewReader(`{"channel":"home","data":"`+text+`"}`))
			if err != nil {
				t.Fatal(err)
			}
			defer answer.Body.Close()
			if b, err := io.ReadAll(answer.Body); err != nil || answer.StatusCode != 200 {
				t.Fatalf("%s %s, %v", answer.Status, b, err)
			}
		}
		say("first")
		const more = 60 // some ten too many: each waits until net/http tries again, which takes up to a second
		served, waiting := make(chan *record, more), sync.WaitGroup{}
		for range more {
			waiting.Go(func() {
				r, err := tryStream(server.Addr, "/events?channel=home")
				if r != nil {
					t.Cleanup(func() { r.conn.Close() })
				}
				if err == nil {
					err = r.read("stentor.open")
				}
				if err != nil {
					t.Errorf("one of too many: %v", err)
				}
				served <- r
			})
		}
		until(t, "the log says so", func() bool { return strings.Contains(server.Log(), "too many open files") })
		for n := range more {
			r := <-served
			if t.Failed() {
				break
			}
			say(fmt.Sprint("hello ", n)) // while others wait
			if err := r.read(fmt.Sprint("data: hello ", n)); err != nil {
				t.Errorf("the %dth that is served: %v", n+1, err)
			}
			r.conn.Close()
		}
		waiting.Wait()
		answer, err := client.Get(server.URL + "/metrics")
		if err != nil {
			t.Fatal(err)
		}
		defer answer.Body.Close()
		metrics, err := io.ReadAll(answer.Body)
		if !regexp.MustCompile(`(?m)^stentor_accept_starved_total [1-9]`).Match(metrics) {
			t.Errorf("%v, and no count of it in %s", err, metrics)
		}
		// One line, and another one if this took more than a minute.
		if n := strings.Count(server.Log(), "level=WARN"); n > 2 {
			t.Errorf("%d warnings", n)
		}
	})
}

// Behind a middleware that hides Hijack a stream stays with its handler, and works.
func TestHiddenHijack(t *testing.T) {
	t.Parallel()
	returned := make(chan struct{})
	var hub *stentor.Hub
	s := serveHub(t, nil, func(h *stentor.Hub, mux *http.ServeMux) {
		hub = h
		face := eventhttp.New(h, &eventhttp.Options{Publish: func(*http.Request, *stentor.Message) error { return nil }})
		mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
			defer func() {
				if r.URL.Path == "/events" {
					close(returned)
				}
			}()
			face.ServeHTTP(struct {
				http.ResponseWriter
				http.Flusher
			}{w, w.(http.Flusher)}, r)
		})
	})
	r := request(t, s.Address(), "GET", "HTTP/1.1", "/events?channel=home")
	r.until(t, "stentor.open")
	for i := range 10 {
		publish(t, s.URL, "application/json", fmt.Sprintf(`{"channel":"home","data":%d}`, i))
		r.until(t, fmt.Sprintf("data: %d\n", i))
	}
	select {
	case <-returned:
		t.Error("the handler returned: the stream was taken over")
	default:
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if err := hub.Shutdown(ctx); err != nil {
		t.Error(err)
	}
	if said := r.end(); !strings.Contains(said, `{\"reason\":\"shutdown\"}`) || !strings.HasSuffix(said, "end: EOF\n") {
		t.Errorf("it ends with\n%s", said)
	}
	<-returned
}
