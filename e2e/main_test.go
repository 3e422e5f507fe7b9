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

// run builds the binary and the examples once, as a user would, and runs the tests with them.
func run(m *testing.M) int {
	dir, err := os.MkdirTemp("", "stentor-e2e-")
	if err != nil {
		fmt.Fprintln(os.Stderr, "e2e:", err)
		return 1
	}
	defer os.RemoveAll(dir)
	for where, what := range map[string]string{"../cmd/stentor": ".", "..": "./examples/..."} {
		build := exec.Command("go", "build", "-o", dir+string(filepath.Separator), what)
		build.Dir = where
		build.Stdout, build.Stderr = os.Stderr, os.Stderr
		if err := build.Run(); err != nil {
			fmt.Fprintf(os.Stderr, "e2e: building %s in %s: %v\n", what, where, err)
			return 1
		}
	}
	os.Setenv(binaryVar, filepath.Join(dir, "stentor"))
	flag.Parse()
	if f := flag.Lookup("test.parallel"); f.Value.String() == f.DefValue {
		f.Value.Set("6") // they wait for clients more than they compute
	}
	return m.Run()
}
