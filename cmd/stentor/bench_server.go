//go:build linux

package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"time"
)

// ownServer is "stentor serve" in a process of its own.
type ownServer struct {
	cmd    *exec.Cmd
	url    *url.URL
	closed chan struct{} // when its standard error has ended
}

// serverEndTime is how long it may take to end before it is killed.
const serverEndTime = 3 * time.Second

// startServer runs this program as a server on a free port, and waits until it listens. It ends with
// the calling thread, and no interrupt of a terminal reaches it: what is on its way is to
// be read first.
func (p *program) startServer() (*ownServer, error) {
	path, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("bench: which program is this: %w", err)
	}
	cmd := exec.Command(path, "serve", "--listen", "127.0.0.1:0", "--log-level", "warn", "--log-format", "json")
	cmd.Args[0] = os.Args[0]
	cmd.Env = slices.DeleteFunc(slices.Clone(p.env), func(e string) bool { return strings.HasPrefix(e, envPrefix) })
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	stderr, err := cmd.StderrPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		return nil, fmt.Errorf("bench: start a server: %w", err)
	}
	s := &ownServer{cmd: cmd, closed: make(chan struct{})}
	ready := make(chan string, 1)
	go func() { // ends with the process
		defer close(s.closed)
		defer close(ready)
		lines := bufio.NewScanner(stderr)
		for lines.Scan() {
			if addr := listening(lines.Bytes()); addr != "" {
				ready <- addr
				continue
			}
			p.say("server: %s", lines.Text())
		}
	}()
	addr, ok := <-ready
	if !ok {
		return nil, errors.Join(errors.New("bench: the server did not start"), s.stop())
	}
	s.url = &url.URL{Scheme: "http", Host: addr}
	return s, nil
}

// listening is the address in the line that says so, else "".
func listening(line []byte) string {
	var entry struct{ Msg, Addr string }
	if json.Unmarshal(line, &entry) != nil || entry.Msg != "listening" {
		return ""
	}
	return entry.Addr
}

// stop ends the process and waits for it.
func (s *ownServer) stop() error {
	s.cmd.Process.Signal(os.Interrupt) // an error: it has ended
	killer := time.AfterFunc(serverEndTime, func() { s.cmd.Process.Kill() })
	defer killer.Stop()
	<-s.closed
	return s.cmd.Wait()
}
