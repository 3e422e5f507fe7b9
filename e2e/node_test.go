package e2e_test

import (
	"context"
	"errors"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stentor-sse/stentor"
)

// S-28: the tests of @servicestack/client are written in its own language. Each file
// is a run of Node.js against a demo server of its own, with a proxy between that
// it can cut.
func TestServiceStackClient(t *testing.T) {
	t.Parallel()
	node(t, "node/*.test.mjs", func(t *testing.T) []string { return reach(t, start(t, "demo")) })
}

// The same client where every stream stays with its handler.
func TestServiceStackClientAttached(t *testing.T) {
	t.Parallel()
	node(t, "node/*.test.mjs", func(t *testing.T) []string { return reach(t, start(t, "demo", "--engine", "attached")) })
}

// 16.1 ServerEventIntegrationTests: the same client, and a server that is killed and
// begins again at the same address.
func TestServiceStackClientSurvivesRestarts(t *testing.T) {
	t.Parallel()
	node(t, "node/restart/*.test.mjs", func(t *testing.T) []string {
		// An address that nothing else here listens at or calls from: the port stays free.
		return reach(t, startAt(t, "127.0.0.2:0", "demo", "--drain-timeout", "100ms"))
	})
}

// The same client where everybody has to sign in.
func TestServiceStackClientSignedIn(t *testing.T) {
	t.Parallel()
	node(t, "node/signedin/*.test.mjs", func(t *testing.T) []string {
		return reach(t, serve(t, &faces{signedIn: true, subscribe: byCookie}))
	})
}

// S-08, S-19, S-25: the same client where nothing is told of others, who is gone has
// left, a silent stream gets an empty line at once, and the application fails now and
// then.
func TestServiceStackClientQuiet(t *testing.T) {
	t.Parallel()
	node(t, "node/quiet/*.test.mjs", func(t *testing.T) []string {
		return reach(t, serve(t, &faces{
			omitPresence: true, keepAlive: 20 * time.Millisecond, linger: -1, subscribe: new(moods).subscribe,
		}))
	})
}

// The parts of the Chat page that need no page.
func TestChatModules(t *testing.T) {
	t.Parallel()
	node(t, "../chat/webtest/*.test.mjs", func(*testing.T) []string { return nil })
}

// moods is an application that fails once for each channel "fails-…", refuses
// those called "refused-…", and takes the name of one called "key-…" for a key.
type moods struct{ failed sync.Map }

func (m *moods) subscribe(_ *http.Request, o *stentor.SubscribeOptions) error {
	for _, c := range o.Channels {
		switch kind, _, _ := strings.Cut(string(c), "-"); kind {
		case "refused":
			return &stentor.Refusal{Status: http.StatusForbidden, Detail: "not this one"}
		case "key":
			o.Key = string(c)
		}
		if _, before := m.failed.LoadOrStore(c, true); !before && strings.HasPrefix(string(c), "fails-") {
			return errors.New("the database is away")
		}
	}
	return nil
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

// server is what tests can reach, and perhaps end.
type server interface{ Address() string }

// reach tells a test file of a server, which it also reaches through a proxy of its own.
func reach(t *testing.T, s server) (env []string) {
	t.Helper()
	through := newProxy(t, s.Address())
	return []string{"E2E_URL=http://" + s.Address(), "E2E_PROXY=" + through.URL, "E2E_CONTROL=" + control(t, s, through)}
}

// node runs test files, each in a Node.js of its own with what env says for it.
func node(t *testing.T, pattern string, env func(*testing.T) []string) {
	t.Helper()
	needPackages(t)
	files, err := filepath.Glob(pattern)
	if err != nil || len(files) == 0 {
		t.Fatalf("%s: %d files, %v", pattern, len(files), err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".test.mjs"), func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
			defer cancel()
			cmd := exec.CommandContext(ctx, "node", "--test", "--test-reporter=spec", file)
			cmd.Env = append(clean(os.Environ()), env(t)...)
			out, err := cmd.CombinedOutput()
			if err != nil {
				t.Errorf("node: %v", err)
			}
			t.Logf("%s", out)
		})
	}
}

// control lets another program cut and mend the proxy, dismiss a key, replace the server
// behind the proxy as a deploy does, and kill a server that then begins again where it was.
func control(t *testing.T, s server, p *proxy) string {
	t.Helper()
	mux := http.NewServeMux()
	mux.HandleFunc("POST /cut", func(http.ResponseWriter, *http.Request) { p.Cut() })
	mux.HandleFunc("POST /mend", func(http.ResponseWriter, *http.Request) { p.Mend() })
	if s, ok := s.(*site); ok {
		mux.HandleFunc("POST /dismiss", func(_ http.ResponseWriter, r *http.Request) {
			if err := s.hub.Dismiss(r.FormValue("key"), 0); err != nil {
				t.Error(err)
			}
		})
	}
	if old, ok := s.(*process); ok {
		mux.HandleFunc("POST /deploy", func(http.ResponseWriter, *http.Request) {
			next := start(t, old.args...)
			p.Turn(next.Addr)
			if err := old.cmd.Process.Signal(syscall.SIGTERM); err != nil {
				t.Error(err)
			}
			old = next
		})
		mux.HandleFunc("POST /restart", func(http.ResponseWriter, *http.Request) {
			old.Kill(t)
			old = startAt(t, old.Addr, old.args...)
		})
	}
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
