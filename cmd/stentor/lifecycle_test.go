package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stentor-sse/stentor"
)

// openStream reads the first event of a stream and leaves the rest.
func openStream(t *testing.T, client *http.Client, url, channel string) *bufio.Reader {
	t.Helper()
	resp := get(t, client, url+"events?channel="+channel)
	if resp.StatusCode != http.StatusOK {
		t.Fatalf("stream answered %s", resp.Status)
	}
	r := bufio.NewReader(resp.Body)
	for {
		line, err := r.ReadString('\n')
		if err != nil {
			t.Fatalf("stream ended before it opened: %v", err)
		}
		if line == "\n" {
			return r
		}
	}
}

// openStreams opens n of them, spread over the channels.
func openStreams(t *testing.T, client *http.Client, url string, n int, channels ...string) []*bufio.Reader {
	t.Helper()
	streams := make([]*bufio.Reader, n)
	var wg sync.WaitGroup
	gate := make(chan struct{}, 16)
	for i := range streams {
		gate <- struct{}{}
		wg.Go(func() {
			defer func() { <-gate }()
			streams[i] = openStream(t, client, url, channels[i%len(channels)])
		})
	}
	wg.Wait()
	return streams
}

// tenRooms are channels for many streams.
func tenRooms() []string { return strings.Split("abcdefghij", "") }

// However many streams are open, the process ends, and says that all is well.
func TestInterruptEndsManyStreams(t *testing.T) {
	protocols(t, func(t *testing.T, client *http.Client) {
		p := serve(t)
		streams := openStreams(t, client, p.url, 1000, tenRooms()...)
		begin := time.Now()
		p.signal(os.Interrupt)
		code := p.wait()
		t.Logf("ended after %v", time.Since(begin))
		if code != exitOK {
			t.Errorf("exit code %d; it said:\n%s", code, p.said())
		}
		for _, s := range streams {
			io.Copy(io.Discard, s) // it ends; on a busy machine some are cut
		}
	})
}

// Given the time, each of a thousand streams ends in order, with a farewell.
func TestInterruptIsToldToEachStream(t *testing.T) {
	protocols(t, func(t *testing.T, client *http.Client) {
		ctx := t.Context()
		ln, err := listen(ctx, "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		hub, err := stentor.New(ctx, nil)
		if err != nil {
			t.Fatal(err)
		}
		var log strings.Builder
		url := "http://" + ln.Addr().String() + "/"
		srv := newServer(&serveSettings{}, hub, newMetrics(hub), url, newLogger(&log, slog.LevelWarn, "text"))
		srv.endTime = patience
		signals, done, ready := make(chan os.Signal, 1), make(chan error, 1), make(chan struct{})
		go func() { done <- srv.run(ctx, ln, signals, func() { close(ready) }) }()
		<-ready
		streams := openStreams(t, client, url, 1000, tenRooms()...)
		signals <- os.Interrupt
		for i, s := range streams {
			rest, err := io.ReadAll(s)
			if err != nil || !strings.Contains(string(rest), "retry: ") {
				t.Fatalf("stream %d ended with %q, %v; want a farewell", i, rest, err)
			}
		}
		if err := <-done; err != nil || log.Len() > 0 {
			t.Errorf("ended with %v and said %s", err, log.String())
		}
	})
}

// Draining ends every stream in order, and then the server.
func TestTerminateDrains(t *testing.T) {
	protocols(t, func(t *testing.T, client *http.Client) {
		p := serve(t, "--drain-timeout", "300ms")
		streams := openStreams(t, client, p.url, 20, "home", "other")
		p.signal(syscall.SIGTERM)
		for i, s := range streams {
			if rest, err := io.ReadAll(s); err != nil || !strings.Contains(string(rest), "retry: ") {
				t.Errorf("stream %d ended with %q, %v; want a farewell", i, rest, err)
			}
		}
		if code := p.wait(); code != exitOK {
			t.Errorf("exit code %d; it said:\n%s", code, p.said())
		}
	})
}

// While it drains it is alive but not ready, takes no stream, and publishes to
// those that are left.
func TestWhileDraining(t *testing.T) {
	protocols(t, func(t *testing.T, client *http.Client) {
		p := serve(t, "--drain-timeout", "1h")
		stream := openStream(t, client, p.url, "home")
		if resp := get(t, client, p.url+"readyz"); resp.StatusCode != http.StatusOK {
			t.Fatalf("readyz answered %s before", resp.Status)
		}
		p.signal(syscall.SIGTERM)
		unready(t, client, p.url)
		if resp := get(t, client, p.url+"healthz"); resp.StatusCode != http.StatusOK {
			t.Errorf("healthz answered %s", resp.Status)
		}
		if got := call(t, "", "publish", "home", "late", "--url", p.url); got.code != exitOK {
			t.Errorf("publishing ended with %d and said %s", got.code, got.stderr)
		}
		for line := ""; line != "data: late\n"; {
			var err error
			if line, err = stream.ReadString('\n'); err != nil {
				t.Fatalf("the stream ended before what was published: %v", err)
			}
		}
		resp := get(t, client, p.url+"events?channel=home")
		rest, err := io.ReadAll(resp.Body)
		if err != nil || resp.StatusCode != http.StatusOK || !strings.Contains(string(rest), "retry: ") || strings.Contains(string(rest), "stentor.open") {
			t.Errorf("a new stream is answered %s %q, %v; want a retry line and the end", resp.Status, rest, err)
		}
	})
}

// unready returns when the server says that it drains.
func unready(t *testing.T, client *http.Client, url string) {
	t.Helper()
	for t.Context().Err() == nil {
		resp := get(t, client, url+"readyz")
		io.Copy(io.Discard, resp.Body) // for the next one to use the connection
		if resp.StatusCode == http.StatusServiceUnavailable {
			return
		}
	}
}

// A drain that would take an hour is stopped by a second signal of either kind.
func TestSecondSignal(t *testing.T) {
	for _, second := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM} {
		t.Run(second.String(), func(t *testing.T) {
			p := serve(t, "--drain-timeout", "1h")
			client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
			streams := openStreams(t, client, p.url, 3, "home")
			p.signal(syscall.SIGTERM)
			unready(t, client, p.url)
			p.signal(second)
			if code := p.wait(); code != exitFailure {
				t.Errorf("exit code %d, want %d; it said:\n%s", code, exitFailure, p.said())
			}
			for _, s := range streams {
				io.Copy(io.Discard, s) // it ends, in order or not
			}
			if !strings.Contains(p.said(), "second signal") {
				t.Errorf("it said:\n%s", p.said())
			}
		})
	}
}

// A request that hangs in the middle of its body holds nobody up.
func TestInterruptDespiteAHangingRequest(t *testing.T) {
	protocols(t, func(t *testing.T, client *http.Client) {
		p := serve(t)
		body, end := io.Pipe()
		t.Cleanup(func() { end.Close() })
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, p.url+"publish", body)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Content-Type", "application/json")
		done := make(chan struct{})
		go func() {
			defer close(done)
			if resp, err := client.Do(r); err == nil {
				resp.Body.Close()
			}
		}()
		fmt.Fprint(end, `{"channel":`) // the transport has read it: the request is on its way
		openStream(t, client, p.url, "home")
		p.signal(os.Interrupt)
		if code := p.wait(); code != exitOK {
			t.Errorf("exit code %d; it said:\n%s", code, p.said())
		}
		end.Close()
		<-done
	})
}

// The end of run's context is an interrupt, and leaves nothing behind: TestMain
// counts.
func TestContextEndsServer(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	r, w := io.Pipe()
	done := make(chan int, 1)
	go func() {
		defer w.Close()
		done <- run(ctx, []string{"demo", "--listen", "127.0.0.1:0", "--log-format", "json", "--log-level", "error"}, nil,
			strings.NewReader(""), io.Discard, w)
	}()
	lines := bufio.NewScanner(r)
	if !lines.Scan() || !strings.Contains(lines.Text(), `"msg":"listening","addr":"127.0.0.1:`) {
		t.Errorf("it is ready with %q", lines.Text())
	}
	cancel()
	for lines.Scan() {
		t.Errorf("it said %s", lines.Text())
	}
	if code := <-done; code != exitOK {
		t.Errorf("exit code %d", code)
	}
}
