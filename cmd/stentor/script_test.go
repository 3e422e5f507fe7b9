package main

import (
	"os/exec"
	"strconv"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

// TestScripts runs the program as people and scripts do. Beside the commands of
// testscript there are
//
//	server [serve|demo FLAG…]   starts a server that ends with the script; sets $URL
//	exits CODE COMMAND ARG…     runs a command that must end with CODE
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		RequireExplicitExec: true,
		Setup: func(e *testscript.Env) error {
			e.Setenv("GORACE", raceQuick)
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){"server": scriptServer, "exits": scriptExits},
	})
}

func scriptServer(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) == 0 {
		ts.Fatalf("usage: server serve|demo FLAG…")
	}
	p, err := launch(args)
	ts.Check(err)
	ts.Defer(p.kill)
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
