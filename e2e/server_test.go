package e2e_test

import (
	"bufio"
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// patience bounds every wait here. Nothing is asserted of how long things take;
// reaching it means that they don't happen.
const patience = 30 * time.Second

// process is the running binary.
type process struct {
	Addr string // host:port
	URL  string // without a path

	args []string // as it was started, without the address
	cmd  *exec.Cmd
	done chan struct{} // closed when it has ended
	err  error         // how; after done

	killed atomic.Bool // by the test

	mu  sync.Mutex // guards log
	log strings.Builder
}

// start runs the binary with a command like "demo" on a free port, and waits until
// it listens. It is interrupted when the test ends, and then has to end well.
func start(t testing.TB, args ...string) *process {
	t.Helper()
	return startAt(t, "127.0.0.1:0", args...)
}

// startAt is start with the address to listen at.
func startAt(t testing.TB, addr string, args ...string) *process {
	t.Helper()
	return startIn(t, nil, addr, args...)
}

// startIn is startAt by another command, which runs what follows it.
func startIn(t testing.TB, by []string, addr string, args ...string) *process {
	t.Helper()
	p := &process{args: args, done: make(chan struct{})}
	line := slices.Concat(by, []string{os.Getenv(binaryVar)}, args, []string{"--listen", addr})
	p.cmd = exec.Command(line[0], line[1:]...)
	p.cmd.Env = clean(os.Environ())
	stderr, err := p.cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	listening := make(chan string, 1)
	go func() { // ends with the process
		defer close(p.done)
		p.read(stderr, listening)
		p.err = p.cmd.Wait()
	}()
	t.Cleanup(func() { p.finish(t) })
	select {
	case p.Addr = <-listening:
		p.URL = "http://" + p.Addr
	case <-p.done:
		t.Fatalf("%v ended: %v\n%s", args, p.err, p.Log())
	case <-time.After(patience):
		t.Fatalf("%v doesn't listen:\n%s", args, p.Log())
	}
	return p
}

// read keeps the log and finds the address in it.
func (p *process) read(stderr io.Reader, listening chan<- string) {
	addr := regexp.MustCompile(`\blistening\b.*\baddr=(\S+)`)
	lines := bufio.NewScanner(stderr)
	for lines.Scan() {
		p.mu.Lock()
		p.log.WriteString(lines.Text() + "\n")
		p.mu.Unlock()
		if m := addr.FindStringSubmatch(lines.Text()); m != nil {
			listening <- m[1]
		}
	}
}

// Address is where it listens.
func (p *process) Address() string { return p.Addr }

// Kill ends it as a power cut does.
func (p *process) Kill(t *testing.T) {
	t.Helper()
	p.killed.Store(true)
	if err := p.cmd.Process.Kill(); err != nil {
		t.Error(err)
	}
	<-p.done
}

// Log is what the process has written to standard error.
func (p *process) Log() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.log.String()
}

// Signal sends one.
func (p *process) Signal(t *testing.T, sig os.Signal) {
	t.Helper()
	if err := p.cmd.Process.Signal(sig); err != nil {
		t.Fatal(err)
	}
}

// Wait waits for the end, and says how it was.
func (p *process) Wait(ctx context.Context) error {
	select {
	case <-p.done:
		return p.err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Stop interrupts it and waits for the end.
func (p *process) Stop(t *testing.T) {
	t.Helper()
	p.Signal(t, syscall.SIGINT)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if err := p.Wait(ctx); err != nil {
		t.Fatalf("after SIGINT: %v", err)
	}
}

func (p *process) finish(t testing.TB) {
	err := p.cmd.Process.Signal(syscall.SIGINT)
	if err != nil && !errors.Is(err, os.ErrProcessDone) {
		t.Error(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := p.Wait(ctx); err != nil && !p.killed.Load() {
		t.Errorf("the server ended: %v", err)
		p.cmd.Process.Kill()
		<-p.done
	}
	if t.Failed() {
		t.Logf("the server's log:\n%s", p.Log())
	}
	if strings.Contains(p.Log(), "panic") {
		t.Errorf("the server panicked:\n%s", p.Log())
	}
}

// clean is env without settings of the binary.
func clean(env []string) []string {
	var kept []string
	for _, e := range env {
		if !strings.HasPrefix(e, "STENTOR_") {
			kept = append(kept, e)
		}
	}
	return kept
}
