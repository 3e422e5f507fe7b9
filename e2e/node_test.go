package e2e_test

import (
	"context"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// The tests of @servicestack/client are written in its own language; each file is a
// run of Node.js against one demo server, with a proxy between that it can cut.
func TestServiceStackClient(t *testing.T) {
	needPackages(t)
	server := start(t, "demo")
	through := newProxy(t, server.Addr)
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	files, err := filepath.Glob("node/*.test.mjs")
	if err != nil || len(files) == 0 {
		t.Fatalf("node/*.test.mjs: %d files, %v", len(files), err)
	}
	cmd := exec.CommandContext(ctx, "node", append([]string{"--test"}, files...)...)
	cmd.Env = append(clean(os.Environ()),
		"E2E_URL="+server.URL, "E2E_PROXY="+through.URL, "E2E_CONTROL="+control(t, through))
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Errorf("node: %v", err)
	}
	t.Logf("%s", out)
}

// control lets another program cut and mend a proxy: POST /cut, POST /mend.
func control(t *testing.T, p *proxy) string {
	t.Helper()
	mux := http.NewServeMux()
	mux.HandleFunc("POST /cut", func(http.ResponseWriter, *http.Request) { p.Cut() })
	mux.HandleFunc("POST /mend", func(http.ResponseWriter, *http.Request) { p.Mend() })
	return serveHere(t, mux)
}

// serveHere serves h on a free port until the test ends, and gives its URL.
func serveHere(t *testing.T, h http.Handler) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{Handler: h}
	served := make(chan struct{})
	go func() { // ends with the server
		defer close(served)
		server.Serve(l)
	}()
	t.Cleanup(func() {
		server.Close()
		<-served
	})
	return "http://" + l.Addr().String()
}

// needPackages fails early and says what to do.
func needPackages(t *testing.T) {
	t.Helper()
	if _, err := os.Stat("node_modules/.package-lock.json"); err != nil {
		t.Fatal("the npm packages are not there; run make tools in the root of the repository")
	}
}
