package e2e_test

import (
	"os/exec"
	"path/filepath"
	"testing"
)

// startExample builds a program of examples/ and runs it, as startAt does with the binary.
func startExample(t *testing.T, name, addr string, args ...string) *process {
	t.Helper()
	binary := filepath.Join(t.TempDir(), name)
	if out, err := exec.Command("go", "build", "-o", binary, "../examples/"+name).CombinedOutput(); err != nil {
		t.Fatalf("building examples/%s: %v\n%s", name, err, out)
	}
	// The shell puts it in the place of the other binary.
	return startIn(t, []string{"sh", "-c", `shift; exec "$0" "$@"`, binary}, addr, args...)
}
