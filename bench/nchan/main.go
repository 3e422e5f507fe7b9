//go:build linux

// Nchan serves with nginx and its module nchan (on Debian: nginx-light and
// libnginx-mod-nchan), one worker as it comes. Publishing goes through its HTTP interface,
// one request an event, from this process; what is measured is nginx.
package main

import (
	"embed"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"text/template"
	"time"

	"github.com/stentor-sse/stentor/bench/peer"
)

//go:embed nginx.conf
var conf embed.FS

func main() {
	runtime.LockOSThread() // nginx ends with the thread that started it
	peer.Main(start)
}

// start runs nginx on a port that was free a moment ago, and waits until it listens.
func start() (*peer.Server, error) {
	address, err := free()
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "bench-nchan-")
	if err != nil {
		return nil, err
	}
	clean := func() error { return os.RemoveAll(dir) }
	cmd, err := command(dir, address)
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		return nil, errors.Join(err, clean())
	}
	stop := func() error {
		cmd.Process.Kill() // an error: it has ended already
		cmd.Wait()
		return clean()
	}
	if err := listening(address); err != nil {
		return nil, errors.Join(err, stop())
	}
	return &peer.Server{Address: address, PID: cmd.Process.Pid, Publish: publisher(address), Close: stop}, nil
}

// free is an address that nobody listens on now.
func free() (string, error) {
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return l.Addr().String(), l.Close()
}

// listening waits until somebody does.
func listening(address string) error {
	for deadline := time.Now().Add(5 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		c, err := net.Dial("tcp4", address)
		if err == nil {
			return c.Close()
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("nchan: nginx does not listen: %w", err)
		}
	}
}

func command(dir, address string) (*exec.Cmd, error) {
	path, err := exec.LookPath("nginx")
	if err != nil {
		return nil, fmt.Errorf("nchan: install nginx-light and libnginx-mod-nchan: %w", err)
	}
	t, err := template.ParseFS(conf, "nginx.conf")
	if err != nil {
		return nil, err
	}
	var text strings.Builder
	if err := t.Execute(&text, map[string]string{"Dir": dir, "Address": address}); err != nil {
		return nil, err
	}
	file := filepath.Join(dir, "nginx.conf")
	if err := os.WriteFile(file, []byte(text.String()), 0o600); err != nil {
		return nil, err
	}
	cmd := exec.Command(path, "-p", dir, "-c", file)
	cmd.Stderr = os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	return cmd, nil
}

// publisher sends one request an event, on a connection that is kept.
func publisher(address string) func(channel, data string) error {
	client := &http.Client{}
	return func(channel, data string) error {
		resp, err := client.Post("http://"+address+"/publish?channel="+url.QueryEscape(channel), "text/plain", strings.NewReader(data))
		if err != nil {
			return err
		}
		defer resp.Body.Close()
		io.Copy(io.Discard, resp.Body) // an error shows with the next request
		if resp.StatusCode/100 != 2 {
			return fmt.Errorf("nchan: publish: %s", resp.Status)
		}
		return nil
	}
}
