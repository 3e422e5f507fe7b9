package e2e_test

import (
	"encoding/json"
	"os"
	"regexp"
	"slices"
	"syscall"
	"testing"

	"github.com/stentor-sse/stentor"
	"github.com/stentor-sse/stentor/eventhttp"
)

// outsider is a client for event streams that somebody else wrote.
type outsider struct {
	name       string // in outside/clients.mjs, and of its npm package
	node, page bool   // where it runs
	inQuery    bool   // it has its cursor in the query, not in Last-Event-ID
	lastLine   bool   // of several data lines it keeps the last, without the space around it
	empties    bool   // each block without data is an empty message to it, such as a keepalive
}

// outsiders are all of them that run in Node.js 20 or Chromium. Two more speak the ServiceStack
// protocol and have tests of their own: @servicestack/client (TestServiceStackClient and what begins so) and
// ss-utils (TestSSUtils and what begins so). better-sse is a server: TestForeignServer.
func outsiders() []outsider {
	return []outsider{
		{name: "native EventSource", page: true},
		{name: "eventsource", node: true, page: true},
		{name: "eventsource5", node: true, page: true}, // the next major version; its package asks for a newer Node.js
		{name: "eventsource-parser", node: true, page: true},
		{name: "eventsource-client", node: true, page: true},
		{name: "undici", node: true},
		{name: "launchdarkly-eventsource", node: true},
		{name: "@microsoft/fetch-event-source", page: true, empties: true},
		{name: "reconnecting-eventsource", node: true, page: true},
		{name: "extended-eventsource", node: true, page: true, empties: true},
		{name: "event-source-plus", node: true, page: true, lastLine: true},
		{name: "event-source-polyfill", node: true, page: true, inQuery: true},
		{name: "sse.js", page: true},
		{name: "htmx-ext-sse", page: true},
	}
}

// Every npm package that is installed here is the subject of a test.
func TestEveryPackageIsTried(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("package.json")
	if err != nil {
		t.Fatal(err)
	}
	var listed struct{ Dependencies, DevDependencies map[string]string }
	if err := json.Unmarshal(text, &listed); err != nil {
		t.Fatal(err)
	}
	tried := []string{"@servicestack/client", "ss-utils", "jquery", "htmx.org", "better-sse"}
	for _, o := range outsiders() {
		tried = append(tried, o.name)
	}
	pinned := regexp.MustCompile(`^(npm:[a-z-]+@)?\d+\.\d+\.\d+$`)
	for _, packages := range []map[string]string{listed.Dependencies, listed.DevDependencies} {
		for name, version := range packages {
			if !slices.Contains(tried, name) {
				t.Errorf("nothing tries %s", name)
			}
			if !pinned.MatchString(version) {
				t.Errorf("%s is not pinned: %s", name, version)
			}
		}
	}
}

// Clients that others wrote, against the plain face. They share one browser.
func TestOutsideClients(t *testing.T) {
	t.Parallel()
	needPackages(t)
	files, b := foreignFiles(t), newBrowser(t)
	t.Run("resume", func(t *testing.T) {
		t.Parallel()
		resume(t, b.of(t), files)
	})
	t.Run("keepalives", func(t *testing.T) {
		t.Parallel()
		keepAlives(t, b.of(t), files)
	})
	t.Run("credentials", func(t *testing.T) {
		t.Parallel()
		credentials(t, b.of(t), files)
	})
	t.Run("hidden", func(t *testing.T) {
		t.Parallel()
		hidden(t, b.of(t), files)
	})
}

// They connect, get a named event as it was published, and go on where they were: after a cut before
// their first message, a cut in the middle of messages, and a deploy.
func resume(t *testing.T, b *browser, files string) {
	args := []string{"serve", "--data", t.TempDir(), "--allow-origin", files, "--drain-timeout", "100ms"}
	server := start(t, args...)
	s := &scene{t: t, opening: "stentor.open", of: func(text string) string { return text }}
	s.publish = func(body string) { publish(t, server.URL, "application/json", body) }
	s.interrupt = func() {
		server.Signal(t, syscall.SIGTERM)
		if err := server.Wait(t.Context()); err != nil {
			t.Fatalf("after SIGTERM: %v", err)
		}
		server = start(t, args...)
		for _, g := range s.guests {
			g.through.Turn(server.Addr)
		}
	}
	node, foreign := newNodeHost(t), newPageHost(b, files, files)
	for _, o := range outsiders() {
		if o.node {
			s.join(o, "in Node.js", newProxy(t, server.Addr), node)
		}
		if o.page {
			through := newProxy(t, server.Addr)
			s.join(o, "in a page", through, newPageHost(b, files, through.URL))
			s.join(o, "in a page of another origin", newProxy(t, server.Addr), foreign)
		}
	}
	s.play()
}

// Keepalives are nothing to them, but for two, to which they are empty messages.
func keepAlives(t *testing.T, b *browser, files string) {
	server := plain(t, &stentor.Options{KeepAlive: soon}, eventhttp.Options{AllowOrigins: []string{files}})
	s := &scene{t: t, opening: "stentor.open", of: func(text string) string { return text }}
	s.publish = func(body string) { publish(t, server.URL, "application/json", body) }
	node, foreign := newNodeHost(t), newPageHost(b, files, files)
	for _, o := range outsiders() {
		if o.node {
			s.join(o, "in Node.js", newProxy(t, server.Address()), node)
		}
		if o.page {
			s.join(o, "in a page", newProxy(t, server.Address()), foreign)
		}
	}
	s.until("its stream opens", func(g *guest) bool { return len(g.all(s.opening)) > 0 })
	s.until("it hears some, if it does", func(g *guest) bool { return !g.empties || len(g.all("message")) > 3 })
	s.say("tick", "hello")
	s.until("the message comes", s.heardAll)
	for _, g := range s.guests {
		t.Run(g.name, func(t *testing.T) { s.judgeHeard(t, g) })
	}
}

// Who sends credentials, as htmx always does, is let in where its origin is named, and not where all are.
func credentials(t *testing.T, b *browser, files string) {
	server := start(t, "serve", "--allow-origin", "*")
	h := newPageHost(b, files, files)
	s := &scene{t: t, opening: "stentor.open"}
	s.join(outsider{name: "eventsource"}, "without credentials", newProxy(t, server.Addr), h)
	s.join(outsider{name: "htmx-ext-sse"}, "with them", newProxy(t, server.Addr), h)
	without, with := s.guests[0], s.guests[1]
	s.until("the one is let in and the other refused, again and again", func(*guest) bool {
		return len(without.all(s.opening)) > 0 && len(with.all("error")) > 1
	})
	if without.fault != "" {
		t.Error(without.fault)
	}
	if n := len(with.all(s.opening)); n != 0 {
		t.Errorf("who should be refused was let in %d times", n)
	}
}

// Of a page that is hidden, @microsoft/fetch-event-source closes the stream. It misses nothing when it is shown
// again.
func hidden(t *testing.T, b *browser, files string) {
	server := start(t, "serve", "--allow-origin", files)
	s := &scene{t: t, opening: "stentor.open", of: func(text string) string { return text }}
	s.publish = func(body string) { publish(t, server.URL, "application/json", body) }
	h := newPageHost(b, files, files)
	s.join(outsider{name: "@microsoft/fetch-event-source", empties: true}, "hidden", newProxy(t, server.Addr), h)
	g := s.guests[0]
	s.until("the stream opens", func(*guest) bool { return len(g.all(s.opening)) == 1 })
	show := func(shown bool) {
		eval[bool](h.page, `(Object.defineProperty(document, "hidden", { value: !%s, configurable: true }),
			document.dispatchEvent(new Event("visibilitychange")))`, shown)
	}
	show(false)
	s.until("it closes the stream", func(*guest) bool { return g.through.Open() == 0 })
	s.say("tick", "while it was hidden")
	show(true)
	s.until("the message comes", s.heardAll)
	s.judgeHeard(t, g)
	if n := len(g.all(s.opening)); n != 2 {
		t.Errorf("%d streams, want 2", n)
	}
}

// The other way round: a server that others wrote, and the clients of this repository.
func TestForeignServer(t *testing.T) {
	t.Parallel()
	needPackages(t)
	addr := foreignServer(t)
	s := &scene{
		t: t, opening: "welcome", of: func(text string) string { return script(t, "%s", []any{text}) }, // it sends JSON
		publish: func(body string) { publish(t, "http://"+addr, "application/json", body) },
	}
	s.interrupt = func() { s.publish(`{"end":true}`) }
	s.join(outsider{name: "stentor-client"}, "in Node.js", newProxy(t, addr), newNodeHost(t))
	s.join(outsider{name: "package eventsource"}, "in Go", newProxy(t, addr), goHost{t})
	s.play()
}
