package e2e_test

import (
	"context"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stentor-sse/stentor"
)

// The tests of @servicestack/client are written in its own language; each file is a
// run of Node.js against one demo server, with a proxy between that it can cut.
func TestServiceStackClient(t *testing.T) {
	server := start(t, "demo")
	node(t, "node/*.test.mjs", reach(t, server.URL, newProxy(t, server.Addr))...)
}

// The same client on a server of its own, which it resets.
func TestServiceStackClientAlone(t *testing.T) {
	server := start(t, "demo")
	node(t, "node/alone/*.test.mjs", reach(t, server.URL, newProxy(t, server.Addr))...)
}

// The parts of the Chat page that need no page.
func TestChatModules(t *testing.T) { node(t, "../chat/webtest/*.test.mjs") }

// The same client where everybody has to sign in.
func TestServiceStackClientSignedIn(t *testing.T) {
	url := here(t, &faces{signedIn: true, subscribe: byCookie})
	node(t, "node/signedin/*.test.mjs", reach(t, url, newProxy(t, strings.TrimPrefix(url, "http://")))...)
}

// byCookie takes the cookie "who" for a user.
func byCookie(r *http.Request, o *stentor.SubscribeOptions) error {
	who, err := r.Cookie("who")
	if err != nil {
		return nil
	}
	o.User, o.UserName, o.Authenticated = who.Value, who.Value, true
	o.DisplayName = strings.ToUpper(who.Value[:1]) + who.Value[1:]
	return nil
}

// reach tells test files of a server, which they also reach through a proxy.
func reach(t *testing.T, url string, through *proxy) (env []string) {
	t.Helper()
	return []string{"E2E_URL=" + url, "E2E_PROXY=" + through.URL, "E2E_CONTROL=" + control(t, through)}
}

// node runs test files, each in a Node.js of its own.
func node(t *testing.T, pattern string, env ...string) {
	t.Helper()
	needPackages(t)
	files, err := filepath.Glob(pattern)
	if err != nil || len(files) == 0 {
		t.Fatalf("%s: %d files, %v", pattern, len(files), err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "node", append([]string{"--test"}, files...)...)
	cmd.Env = append(clean(os.Environ()), env...)
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
