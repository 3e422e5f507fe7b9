package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// patience is how long a test waits for what must happen. It says "never", not
// "late": the machine may be busy.
const patience = 30 * time.Second

// raceQuick keeps the race detector from holding each process for a second at its
// end; what it found is an exit code that no test expects.
const raceQuick = "atexit_sleep_ms=0"

// process is a running stentor, of its own so that it can be sent signals.
type process struct {
	t    *testing.T
	cmd  *exec.Cmd
	url  string // of a server, with a trailing slash
	addr string

	mu     sync.Mutex
	log    bytes.Buffer // guarded by mu: standard error
	closed chan struct{}
}

// serve starts "stentor serve" on a free port and waits until it is ready.
func serve(t *testing.T, args ...string) *process {
	t.Helper()
	p, err := launch(append([]string{"serve"}, args...))
	if err != nil {
		t.Fatal(err)
	}
	p.t = t
	t.Cleanup(p.kill)
	return p
}

// launch starts the command that args begin with. Whoever calls it kills it.
func launch(args []string) (*process, error) {
	args = append(args, "--listen", "127.0.0.1:0")
	p := &process{cmd: exec.Command("stentor", args...), closed: make(chan struct{})}
	p.cmd.Env = append(cleanEnv(), "GORACE="+raceQuick)
	pipe, err := p.cmd.StderrPipe()
	if err != nil {
		return nil, err
	}
	if err := p.cmd.Start(); err != nil {
		return nil, err
	}
	ready := make(chan string, 1)
	go p.read(pipe, ready)
	select {
	case p.addr = <-ready:
	case <-time.After(patience):
	}
	if p.addr == "" {
		p.kill()
		return nil, fmt.Errorf("stentor %v is not ready; it said:\n%s", args, p.said())
	}
	p.url = "http://" + p.addr + "/"
	return p, nil
}

func (p *process) kill() {
	p.cmd.Process.Kill() // an error means that it has ended
	<-p.closed
	p.cmd.Wait()
}

// read collects standard error until its end and gives the address once.
func (p *process) read(r io.Reader, ready chan<- string) {
	defer close(p.closed)
	defer close(ready)
	address := regexp.MustCompile(`addr"?[=:]"?(127\.0\.0\.1:\d+)`)
	s := bufio.NewScanner(r)
	for found := false; s.Scan(); {
		p.mu.Lock()
		fmt.Fprintln(&p.log, s.Text())
		p.mu.Unlock()
		if m := address.FindStringSubmatch(s.Text()); m != nil && !found && strings.Contains(s.Text(), "listening") {
			found = true
			ready <- m[1]
		}
	}
}

func (p *process) said() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.log.String()
}

func (p *process) signal(s os.Signal) {
	p.t.Helper()
	if err := p.cmd.Process.Signal(s); err != nil {
		p.t.Fatalf("signal %v: %v", s, err)
	}
}

// wait returns the exit code.
func (p *process) wait() int {
	p.t.Helper()
	select {
	case <-p.closed:
	case <-time.After(patience):
		p.cmd.Process.Signal(syscall.SIGQUIT)
		<-p.closed
		p.t.Fatalf("stentor did not end; it said:\n%s", p.said())
	}
	p.cmd.Wait()
	return p.cmd.ProcessState.ExitCode()
}

// cleanEnv is the environment of the test without settings.
func cleanEnv() []string {
	var env []string
	for _, e := range os.Environ() {
		if !strings.HasPrefix(e, envPrefix) {
			env = append(env, e)
		}
	}
	return env
}

// result is what one run in this process did.
type result struct {
	code           int
	stdout, stderr string
}

// call runs the program in this process until it ends.
func call(t *testing.T, stdin string, args ...string) result {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	var out, errs bytes.Buffer
	code := run(ctx, args, nil, strings.NewReader(stdin), &out, &errs)
	if ctx.Err() != nil {
		t.Fatalf("stentor %v did not end; it said:\n%s", args, errs.String())
	}
	return result{code, out.String(), errs.String()}
}

// background runs the program in this process; its output is read from out.
func background(t *testing.T, args ...string) (out *bufio.Scanner, end func() result) {
	t.Helper()
	r, w := io.Pipe()
	var errs bytes.Buffer
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan int, 1)
	go func() {
		code := run(ctx, args, nil, strings.NewReader(""), w, &errs)
		w.Close()
		done <- code
	}()
	end = sync.OnceValue(func() result {
		cancel()
		r.Close()
		return result{code: <-done, stderr: errs.String()}
	})
	t.Cleanup(func() { end() })
	return bufio.NewScanner(r), end
}

// protocols runs f over HTTP/1.1 and over HTTP/2 without TLS, with a client that
// dials to wherever it is told.
func protocols(t *testing.T, f func(t *testing.T, client *http.Client)) {
	for _, name := range []string{"HTTP1", "HTTP2"} {
		t.Run(name, func(t *testing.T) {
			p := new(http.Protocols)
			p.SetHTTP1(name == "HTTP1")
			p.SetUnencryptedHTTP2(name == "HTTP2")
			tr := &http.Transport{Protocols: p}
			t.Cleanup(tr.CloseIdleConnections)
			f(t, &http.Client{Transport: tr})
		})
	}
}

// get is a GET request of url with ctx's end as its own.
func get(t *testing.T, client *http.Client, url string) *http.Response {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { resp.Body.Close() })
	return resp
}

// detail reads a problem document.
func detail(t *testing.T, resp *http.Response) string {
	t.Helper()
	if got := resp.Header.Get("Content-Type"); got != "application/problem+json" {
		t.Errorf("Content-Type %q, want a problem document", got)
	}
	var doc struct {
		Status int
		Detail string
	}
	if err := json.NewDecoder(resp.Body).Decode(&doc); err != nil {
		t.Fatal(err)
	}
	if doc.Status != resp.StatusCode {
		t.Errorf("status %d in the document of a %d", doc.Status, resp.StatusCode)
	}
	return doc.Detail
}

// freeAddress is a loopback address that nobody listens on.
func freeAddress(t *testing.T) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	return ln.Addr().String()
}
