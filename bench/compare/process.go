//go:build linux

package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
	"unsafe"

	"github.com/stentor-sse/stentor/bench/load"
	"github.com/stentor-sse/stentor/bench/peer"
)

// process is a running server. It ends with the standard input that it is given, so
// also when this program is killed.
type process struct {
	cmd   *exec.Cmd
	stdin io.Closer
	ready peer.Ready
}

// begin starts the program of s and waits until it serves.
func begin(ctx context.Context, bin string, s server, pinned bool) (*process, error) {
	cmd := exec.CommandContext(ctx, filepath.Join(bin, s.folder), s.args...)
	stderr := &tail{}
	cmd.Stderr = stderr
	cmd.WaitDelay = time.Second
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if pinned { // the child inherits it
		if err := pin(serverCPU); err != nil {
			return nil, err
		}
		defer pin(allCPUs) // what worked once works again
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	p := &process{cmd: cmd, stdin: stdin}
	line, err := bufio.NewReader(stdout).ReadBytes('\n')
	if err == nil {
		err = json.Unmarshal(line, &p.ready)
	}
	if err != nil {
		p.stop()
		return nil, fmt.Errorf("%s: %w: %s", s.name, err, stderr)
	}
	return p, nil
}

// stop ends the process and waits for it.
func (p *process) stop() {
	p.stdin.Close()
	killer := time.AfterFunc(3*time.Second, func() { p.cmd.Process.Kill() })
	defer killer.Stop()
	p.cmd.Wait() // how it ended is of no interest
}

// tail keeps the beginning of what a process complains about.
type tail struct{ b []byte }

func (t *tail) Write(p []byte) (int, error) {
	t.b = append(t.b, p[:min(len(p), max(0, 1000-len(t.b)))]...)
	return len(p), nil
}

func (t *tail) String() string { return strings.TrimSpace(string(t.b)) }

// order asks the process to do something, and waits for it.
func (p *process) order(ctx context.Context, path string, query url.Values) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+p.ready.Control+path+"?"+query.Encode(), nil)
	if err != nil {
		return err
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if text, err := io.ReadAll(resp.Body); err != nil || resp.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: %s: %s %w", path, resp.Status, text, err)
	}
	return nil
}

// used is what the process has used so far.
func (p *process) used() load.Usage { return load.UsageOf(p.ready.PID) }

// Pinned, the server and the load generator have a processor each.
const (
	serverCPU = uint64(1) << 0
	loadCPU   = uint64(1) << 1
	allCPUs   = ^uint64(0)
)

// pin confines the calling thread, and the processes that it starts.
func pin(mask uint64) error {
	if _, _, errno := syscall.Syscall(syscall.SYS_SCHED_SETAFFINITY, 0, unsafe.Sizeof(mask), uintptr(unsafe.Pointer(&mask))); errno != 0 {
		return fmt.Errorf("pin: %w", errno)
	}
	return nil
}
