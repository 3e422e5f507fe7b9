package chat_test

import (
	"html"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stentor-sse/stentor/chat"
	"github.com/stentor-sse/stentor/ssetest"
)

func TestPageHeaders(t *testing.T) {
	ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
		s := newSite(t, p, nil)
		resp, text := s.srv.Do(t, "GET", "/?channels=home,Foo", "")
		for name, want := range map[string]string{
			"Content-Type": "text/html; charset=utf-8", "Cache-Control": "no-cache", "X-Content-Type-Options": "nosniff",
			"Referrer-Policy": "no-referrer", "X-Frame-Options": "DENY", "Cross-Origin-Opener-Policy": "same-origin",
		} {
			if got := resp.Header.Get(name); got != want {
				t.Errorf("%s: %q, want %q", name, got, want)
			}
		}
		csp := resp.Header.Get("Content-Security-Policy")
		for _, want := range []string{
			"default-src 'none'", "script-src 'self'", "style-src 'self'", "connect-src 'self'", "img-src 'self' data: https:",
			"trusted-types 'none'", "frame-ancestors 'none'", "frame-src https://www.youtube-nocookie.com", "base-uri 'none'", "form-action 'none'", "require-trusted-types-for 'script'",
		} {
			if !strings.Contains(csp+";", want+";") {
				t.Errorf("no %s in %s", want, csp)
			}
		}
		if strings.Contains(csp, "unsafe") || strings.Contains(csp, "*") {
			t.Errorf("policy %s", csp)
		}
		// Nothing inline: the policy would stop it, unseen.
		for _, bad := range []string{`<style`, ` style=`, ` onclick=`, `javascript:`, `<script>`, `http://`, `//cdn`} {
			if strings.Contains(text, bad) {
				t.Errorf("the page holds %s", bad)
			}
		}
	})
}

// S-32: TestPageOptions: channels are put into the page as data.
func TestPageOptions(t *testing.T) {
	ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
		for _, row := range []struct {
			channels []string
			want     string
		}{
			{nil, `["home"]`},
			{[]string{"a", `"><script>alert(1)</script>`}, `["a","\"\u003e\u003cscript\u003ealert(1)\u003c/script\u003e"]`},
		} {
			s := newSite(t, p, &chat.Options{Channels: row.channels})
			_, text := s.srv.Do(t, "GET", "/", "")
			found := regexp.MustCompile(`<body [^>]*data-channels="([^"]*)"`).FindStringSubmatch(text)
			if found == nil || html.UnescapeString(found[1]) != row.want {
				t.Errorf("%q: %q, want %s", row.channels, found, row.want)
			}
			if strings.Contains(text, "<script>") {
				t.Error("a channel became a script")
			}
		}
	})
}

// TestFiles: every file of the page is there, with its type, and comes once.
func TestFiles(t *testing.T) {
	kinds := map[string]string{".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8", ".svg": "image/svg+xml"}
	files, err := filepath.Glob("web/*")
	if err != nil || len(files) < 10 {
		t.Fatalf("%d files: %v", len(files), err)
	}
	ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
		s := newSite(t, p, nil)
		for _, file := range files {
			name := filepath.Base(file)
			path, kind := "/chat/"+name, kinds[filepath.Ext(name)]
			switch name {
			case "index.html":
				path, kind = "/", "text/html; charset=utf-8"
			case "package.json", "byname.html":
				continue // for the tests of the modules alone; a provider's
			}
			body, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			resp, text := s.srv.Do(t, "GET", path, "")
			tag := resp.Header.Get("ETag")
			if resp.StatusCode != 200 || resp.Header.Get("Content-Type") != kind || len(tag) < 20 ||
				resp.Header.Get("Cache-Control") != "no-cache" || resp.Header.Get("X-Content-Type-Options") != "nosniff" {
				t.Errorf("%s: %d %v", path, resp.StatusCode, resp.Header)
			}
			if path != "/" && text != string(body) {
				t.Errorf("%s: %d bytes, want %d", path, len(text), len(body))
			}
			resp, text = s.srv.Do(t, "GET", path, "", "If-None-Match: "+tag)
			if resp.StatusCode != http.StatusNotModified || text != "" || resp.Header.Get("ETag") != tag {
				t.Errorf("%s again: %d, %d bytes", path, resp.StatusCode, len(text))
			}
			if resp, text = s.srv.Do(t, "HEAD", path, ""); resp.StatusCode != 200 || text != "" {
				t.Errorf("HEAD %s: %d", path, resp.StatusCode)
			}
			if resp, _ = s.srv.Do(t, "POST", path, ""); resp.StatusCode != http.StatusMethodNotAllowed {
				t.Errorf("POST %s: %d", path, resp.StatusCode)
			}
		}
		for _, path := range []string{"/chat/", "/chat/package.json", "/chat/byname.html", "/chat/..%2fchat.go", "/chat/index.html", "/chat.go"} {
			if resp, _ := s.srv.Do(t, "GET", path, ""); resp.StatusCode != 404 {
				t.Errorf("%s: %d", path, resp.StatusCode)
			}
		}
	})
}

// The page has the hub's client from the chat itself, whatever else the application serves.
func TestClientIsServed(t *testing.T) {
	ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
		s := newSite(t, p, nil)
		resp, text := s.srv.Do(t, "GET", "/chat/stentor.js", "")
		if resp.StatusCode != 200 || resp.Header.Get("Content-Type") != "text/javascript; charset=utf-8" || !strings.Contains(text, " as connect") {
			t.Errorf("%d %v", resp.StatusCode, resp.Header)
		}
	})
}

// TestImports: the modules import nothing from elsewhere, and what they import is there.
func TestImports(t *testing.T) {
	form := regexp.MustCompile(`(?:from|import)\s*\(?\s*"([^"]+)"`)
	files, err := filepath.Glob("web/*.js")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range form.FindAllStringSubmatch(string(text), -1) {
			if m[1] == "./stentor.js" { // TestClientIsServed
				continue
			}
			if _, err := os.Stat(filepath.Join("web", m[1])); err != nil || !strings.HasPrefix(m[1], "./") {
				t.Errorf("%s imports %s: %v", file, m[1], err)
			}
		}
		for _, sink := range []string{"innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "new Function"} {
			if strings.Contains(string(text), sink) {
				t.Errorf("%s uses %s: text would become markup or script", file, sink)
			}
		}
	}
}
