package e2e_test

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/stentor-sse/stentor"
	"github.com/stentor-sse/stentor/eventhttp"
	"github.com/stentor-sse/stentor/sse"
)

// compressing serves the plain face compressed, in clear or over TLS and HTTP/1.1.
func compressing(t *testing.T, attached, secure bool) (*stentor.Hub, string) {
	t.Helper()
	hub, err := stentor.New(t.Context(), &stentor.Options{KeepAlive: 250 * time.Millisecond, Attached: attached})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewUnstartedServer(eventhttp.New(hub, &eventhttp.Options{
		Subscribe: eventhttp.QuerySubscribe, Stream: sse.AcceptOptions{Compress: &sse.Compressor{}},
	}))
	if secure {
		server.Listener = sse.Listener(server.Listener)
		server.StartTLS()
	} else {
		server.Start()
	}
	t.Cleanup(server.Close)
	t.Cleanup(func() { hub.Shutdown(context.WithoutCancel(t.Context())) })
	return hub, server.URL
}

// say publishes what looks like others before it, and is told apart by its number.
func say(t *testing.T, hub *stentor.Hub, target stentor.Target, n int) string {
	t.Helper()
	text := fmt.Sprint("message number ", n, " with what messages are made of, ", n*n*7919)
	if _, err := hub.Publish(t.Context(), stentor.Message{Target: target, Data: text}); err != nil {
		t.Fatal(err)
	}
	return text
}

// eachWay runs a test with streams that are taken over, in clear and from TLS, and with those
// that are not.
func eachWay(t *testing.T, f func(t *testing.T, hub *stentor.Hub, url string)) {
	for name, way := range map[string]struct{ attached, secure bool }{
		"taken over": {}, "taken over from TLS": {secure: true}, "attached": {attached: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			hub, url := compressing(t, way.attached, way.secure)
			f(t, hub, url)
		})
	}
}

// program runs what prints a stream as it comes.
func program(t *testing.T, name string, args ...string) *bufio.Reader {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Env = append(clean(os.Environ()), "NODE_TLS_REJECT_UNAUTHORIZED=0", "NODE_NO_WARNINGS=1")
	var said bytes.Buffer
	cmd.Stderr = &said
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cancel()
		cmd.Wait() // killed, or ended with its stream
		if t.Failed() {
			t.Logf("%s said %s", name, &said)
		}
	})
	return bufio.NewReader(out)
}

// fetching is a program for Node.js that prints what fetch gives it.
const fetching = `
const answer = await fetch(process.argv[1]);
if (answer.headers.get("content-encoding") !== "gzip") throw "not compressed";
for await (const chunk of answer.body) process.stdout.write(chunk);
`

// unzipping is one that reads with zlib, without fetch.
const unzipping = `
const { createGunzip, constants } = await import("node:zlib");
const url = process.argv[1];
const { get } = await import(url.startsWith("https") ? "node:https" : "node:http");
get(url, { headers: { "accept-encoding": "gzip" } }, answer => {
	if (answer.headers["content-encoding"] !== "gzip") throw "not compressed";
	answer.pipe(createGunzip({ flush: constants.Z_SYNC_FLUSH })).pipe(process.stdout);
});
`

// curl, and both of Node's ways, read each event when it is published, wherever they join, with
// keepalives and private messages between, to an end that is one.
func TestCompressedForPrograms(t *testing.T) {
	t.Parallel()
	readers := map[string]func(t *testing.T, url string) *bufio.Reader{
		"curl": func(t *testing.T, url string) *bufio.Reader {
			return program(t, "curl", "-ksSN", "--compressed", url)
		},
		"fetch": func(t *testing.T, url string) *bufio.Reader {
			return program(t, "node", "--input-type=module", "-e", fetching, url)
		},
		"zlib": func(t *testing.T, url string) *bufio.Reader {
			return program(t, "node", "--input-type=module", "-e", unzipping, url)
		},
	}
	eachWay(t, func(t *testing.T, hub *stentor.Hub, url string) {
		type reader struct {
			name string
			out  *bufio.Reader
		}
		var all []reader
		expect := func(r reader, want string) {
			t.Helper()
			for line := ""; line != want+"\n"; {
				var err error
				if line, err = r.out.ReadString('\n'); err != nil {
					t.Fatalf("%s: waiting for %q: %v", r.name, want, err)
				}
				if strings.HasPrefix(line, "data: message") && line != want+"\n" {
					t.Fatalf("%s: %q in place of %q", r.name, line, want)
				}
			}
		}
		for n := range 40 {
			if n == 0 || n == 13 || n == 25 {
				for name, start := range readers {
					r := reader{fmt.Sprint(name, " from ", n), start(t, url+"/events?channel=home&user="+name)}
					expect(r, "event: stentor.open")
					all = append(all, r)
				}
			}
			if n%10 == 9 {
				time.Sleep(500 * time.Millisecond) // for keepalives
			}
			target := stentor.Target{Channel: "home"}
			if n%8 == 5 {
				target = stentor.Target{User: "curl"}
			}
			text := say(t, hub, target, n)
			for _, r := range all {
				if target.User == "" || strings.HasPrefix(r.name, target.User) {
					expect(r, "data: "+text)
				}
			}
		}
		if err := hub.Shutdown(t.Context()); err != nil {
			t.Error(err)
		}
		for _, r := range all {
			expect(r, `data: {"reason":"shutdown"}`)
			if rest, err := io.ReadAll(r.out); err != nil || string(rest) != "\n" {
				t.Errorf("%s: then %q, %v", r.name, rest, err)
			}
		}
	})
}

// So does Chromium's EventSource, over TLS too.
func TestCompressedForChromium(t *testing.T) {
	t.Parallel()
	eachWay(t, func(t *testing.T, hub *stentor.Hub, url string) {
		b := newBrowser(t, chromedp.Flag("ignore-certificate-errors", true))
		p := watch(b, "first", url, "/events?channel=home")
		if got := eval[string](p, `(() => {
			const stop = new AbortController();
			return fetch("/events?channel=other", { signal: stop.signal }).then(a => (stop.abort(), a.headers.get("content-encoding")));
		})()`); got != "gzip" {
			t.Errorf("the page gets streams as %q", got)
		}
		var want []string
		var late *tab
		from := 13
		for n := range 40 {
			if n == from {
				late = watch(b, "late", url, "/events?channel=home")
				late.Until("its stream opens", "sources[0].opened.length === 1")
			}
			if n%10 == 9 {
				time.Sleep(500 * time.Millisecond) // for keepalives
			}
			want = append(want, say(t, hub, stentor.Target{Channel: "home"}, n))
			p.Until("each comes when it is published", "sources[0].got.length === %s", n+1)
			if late != nil {
				late.Until("each comes when it is published", "sources[0].got.length === %s", n-from+1)
			}
		}
		equal(t, "first", eval[[]string](p, "sources[0].got"), want)
		equal(t, "late", eval[[]string](late, "sources[0].got"), want[from:])
		if n := eval[int](p, "sources[0].opened.length"); n != 1 {
			t.Errorf("the page has connected %d times", n)
		}
	})
}
