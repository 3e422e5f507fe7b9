package main

import (
	"bytes"
	"fmt"
	"os"
	"os/signal"
	"runtime"
	"runtime/pprof"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// TestMain makes the program a command called stentor on the PATH of all tests,
// scripts and Go tests alike.
func TestMain(m *testing.M) {
	testscript.Main(leakless{m}, map[string]func(){"stentor": main})
}

// leakless fails a run that leaves goroutines behind.
type leakless struct{ m *testing.M }

func (l leakless) Run() int {
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, os.Interrupt) // the first one starts a goroutine of the runtime, for good
	signal.Stop(signals)
	before := runtime.NumGoroutine()
	code := l.m.Run()
	// Those that have been told to end need a moment, and there is nothing to wait on.
	for range 500 {
		if code != 0 || runtime.NumGoroutine() <= before {
			return code
		}
		time.Sleep(10 * time.Millisecond)
	}
	var b bytes.Buffer
	pprof.Lookup("goroutine").WriteTo(&b, 1)
	fmt.Fprintf(os.Stderr, "FAIL: goroutines were left behind, %d before and now\n%s", before, &b)
	return 1
}
