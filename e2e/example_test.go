package e2e_test

import (
	"os"
	"path/filepath"
	"testing"
)

// startExample runs a program of examples/, as startAt does with the binary.
func startExample(t *testing.T, name, addr string, args ...string) *process {
	t.Helper()
	binary := filepath.Join(filepath.Dir(os.Getenv(binaryVar)), name)
	// The shell puts it in the place of the other binary.
	return startIn(t, []string{"sh", "-c", `shift; exec "$0" "$@"`, binary}, addr, args...)
}
