package main

import (
	"os"
	"os/exec"
	"strconv"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

// TestScripts runs the program as people and scripts do. Beside the commands of
// testscript there are
//
//	server [serve|demo FLAG…]   starts a server that ends with the script; sets $URL
//	stop                        ends it before, as an interrupt does
//	exits CODE COMMAND ARG…     runs a command that must end with CODE
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		RequireExplicitExec: true,
		Setup: func(e *testscript.Env) error {
			e.Setenv("GORACE", raceQuick)
			e.Values[serverKey{}] = new(*process)
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"server": scriptServer, "stop": scriptStop, "exits": scriptExits,
		},
	})
}

// serverKey is where a script keeps the server it started last.
type serverKey struct{}

func scriptStop(ts *testscript.TestScript, neg bool, args []string) {
	p := *ts.Value(serverKey{}).(**process)
	if neg || len(args) > 0 || p == nil {
		ts.Fatalf("usage: stop, after server")
	}
	ts.Check(p.cmd.Process.Signal(os.Interrupt))
	<-p.closed
	if err := p.cmd.Wait(); err != nil {
		ts.Fatalf("the server ended with %v; it said:\n%s", err, p.said())
	}
}

func scriptServer(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) == 0 {
		ts.Fatalf("usage: server serve|demo FLAG…")
	}
	p, err := launch(args)
	ts.Check(err)
	ts.Defer(p.kill)
	*ts.Value(serverKey{}).(**process) = p
	ts.Setenv("URL", "http://"+p.addr)
}

func scriptExits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits CODE COMMAND ARG…")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	err = ts.Exec(args[1], args[2:]...) // its output is for stdout and stderr
	code := 0
	if e, ok := err.(*exec.ExitError); ok {
		code = e.ExitCode()
	} else {
		ts.Check(err)
	}
	if code != want {
		ts.Fatalf("exit code %d, want %d", code, want)
	}
}
