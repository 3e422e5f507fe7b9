package main

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"strings"
	"testing"
)

// subscriberProcess runs "stentor subscribe" as a process of its own, up to the
// first line it prints.
func subscriberProcess(t *testing.T, url string) (cmd *exec.Cmd, out io.ReadCloser, errs *bytes.Buffer) {
	t.Helper()
	if got := call(t, "", "publish", "home", "first", "--url", url); got.code != exitOK {
		t.Fatalf("publishing ended with %+v", got)
	}
	errs = new(bytes.Buffer)
	cmd = exec.Command("stentor", "subscribe", "home", "--last-event-id", "0", "--url", url)
	cmd.Env = append(cleanEnv(), "GORACE="+raceQuick)
	cmd.Stderr = errs
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cmd.Process.Kill() })
	if line, err := bufio.NewReader(out).ReadString('\n'); line != "first\n" {
		t.Fatalf("it printed %q, %v", line, err)
	}
	return cmd, out, errs
}

func TestSubscribeProcessInterrupt(t *testing.T) {
	p := serve(t)
	cmd, _, errs := subscriberProcess(t, p.url)
	cmd.Process.Signal(os.Interrupt)
	if err := cmd.Wait(); err != nil || errs.Len() > 0 {
		t.Errorf("ended with %v and said %s", err, errs)
	}
}

// Like "stentor subscribe home | head -n 1": no signal's death, no complaint.
func TestSubscribeProcessClosedPipe(t *testing.T) {
	p := serve(t)
	cmd, out, errs := subscriberProcess(t, p.url)
	out.Close()
	call(t, "", "publish", "home", "nobody reads this", "--url", p.url)
	if err := cmd.Wait(); err != nil || errs.Len() > 0 {
		t.Errorf("ended with %v and said %s", err, errs)
	}
}

// A reader that has stopped reading, with more on its way than the system holds
// for it, can't keep the server from ending.
func TestInterruptDespiteAStalledReader(t *testing.T) {
	p := serve(t)
	conn, err := net.Dial("tcp", p.addr)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if err := conn.(*net.TCPConn).SetReadBuffer(4 << 10); err != nil {
		t.Fatal(err)
	}
	fmt.Fprintf(conn, "GET /events?channel=home HTTP/1.1\r\nHost: %s\r\n\r\n", p.addr)
	if line, err := bufio.NewReaderSize(conn, 16).ReadString('\n'); !strings.Contains(line, "200") {
		t.Fatalf("the stream is answered %q, %v", line, err)
	}
	in := strings.Repeat(strings.Repeat("x", 60_000)+"\n", 100)
	if got := call(t, in, "publish", "home", "--lines", "--url", p.url); got.code != exitOK {
		t.Fatalf("publishing ended with %d and said %s", got.code, got.stderr)
	}
	p.signal(os.Interrupt)
	if code := p.wait(); code != exitOK {
		t.Errorf("exit code %d; it said:\n%s", code, p.said())
	}
}
