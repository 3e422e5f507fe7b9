package e2e_test

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// binaryVar names the built binary to the tests, which share it.
const binaryVar = "E2E_BINARY"

func TestMain(m *testing.M) {
	os.Exit(run(m))
}

// run builds the binary once, as a user would, and runs the tests with it.
func run(m *testing.M) int {
	dir, err := os.MkdirTemp("", "stentor-e2e-")
	if err != nil {
		fmt.Fprintln(os.Stderr, "e2e:", err)
		return 1
	}
	defer os.RemoveAll(dir)
	binary := filepath.Join(dir, "stentor")
	build := exec.Command("go", "build", "-o", binary, ".")
	build.Dir = "../cmd/stentor"
	build.Stdout, build.Stderr = os.Stderr, os.Stderr
	if err := build.Run(); err != nil {
		fmt.Fprintln(os.Stderr, "e2e: building ../cmd/stentor:", err)
		return 1
	}
	os.Setenv(binaryVar, binary)
	flag.Parse()
	if f := flag.Lookup("test.parallel"); f.Value.String() == f.DefValue {
		f.Value.Set("6") // they wait for clients more than they compute
	}
	return m.Run()
}
