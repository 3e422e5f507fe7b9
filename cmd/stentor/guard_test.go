package main

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
)

func TestHostRule(t *testing.T) {
	hosts := map[string]bool{
		"127.0.0.1": true, "127.0.0.1:8080": true, "127.8.9.1:1": true, "localhost": true, "localhost:9": true,
		"LocalHost:9": true, "localhost.": true, "[::1]": true, "[::1]:8080": true, "[::ffff:127.0.0.1]:1": true,
		"events.example": true, "Events.Example:443": true, "events.example.:80": true,

		"": false, "evil.example": false, "127.0.0.1.evil.example": false, "localhost.evil.example": false,
		"evil.localhost": false, "10.0.0.1": false, "0.0.0.0": false, "[::]": false, "128.0.0.1": false,
		"127.1": false, "2130706433": false, "[fe80::1]": false, "events.example.evil": false, "notevents.example": false,
		"127.0.0.1@evil.example": false, "evil.example:127.0.0.1": false, ":8080": false,
	}
	public, err := url.Parse("https://events.example:444/base")
	if err != nil {
		t.Fatal(err)
	}
	h := guard(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTeapot) }), public)
	for host, answered := range hosts {
		w := httptest.NewRecorder()
		r := httptest.NewRequest(http.MethodGet, "http://placeholder/", nil)
		r.Host = host
		h.ServeHTTP(w, r)
		if got := w.Code == http.StatusTeapot; got != answered {
			t.Errorf("Host %q is answered %d", host, w.Code)
		}
		if !answered && (w.Code != http.StatusMisdirectedRequest || !strings.Contains(detail(t, w.Result()), "--public-url")) {
			t.Errorf("Host %q is refused with %d %s", host, w.Code, w.Body)
		}
	}
}

// The rule holds on the real server for every path, streams and publishing
// included.
func TestHostRuleServed(t *testing.T) {
	p := serve(t)
	protocols(t, func(t *testing.T, client *http.Client) {
		for _, path := range []string{"", "events?channel=a", "publish", "event-stream?channels=a", "healthz", "nowhere"} {
			method := http.MethodGet
			if path == "publish" {
				method = http.MethodPost
			}
			r, err := http.NewRequestWithContext(t.Context(), method, p.url+path, strings.NewReader("channel=a&data=b"))
			if err != nil {
				t.Fatal(err)
			}
			r.Host = "evil.example"
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			resp, err := client.Do(r)
			if err != nil {
				t.Fatal(err)
			}
			defer resp.Body.Close()
			if resp.StatusCode != http.StatusMisdirectedRequest {
				t.Errorf("%s /%s is answered %s", method, path, resp.Status)
			}
			detail(t, resp)
		}
	})
}

func TestListenOffLoopback(t *testing.T) {
	for _, address := range []string{":0", "0.0.0.0:0", "[::]:0", "10.0.0.1:0", "192.168.1.1:8080", "example.com:80",
		"[::ffff:8.8.8.8]:80", "localhost.example:80", "*:80", "127.0.0.1.example:80"} {
		for _, command := range []string{"serve", "demo"} {
			got := call(t, "", command, "--listen", address)
			if got.code != exitUsage || !strings.Contains(got.stderr, "not loopback") || !strings.Contains(got.stderr, "--public-url") {
				t.Errorf("%s --listen %s ended with %d and said %s", command, address, got.code, got.stderr)
			}
		}
	}
}

func TestListenTaken(t *testing.T) {
	p := serve(t)
	got := call(t, "", "serve", "--listen", p.addr)
	if got.code != exitFailure || !strings.Contains(got.stderr, "--listen") {
		t.Errorf("ended with %d and said %s", got.code, got.stderr)
	}
}
