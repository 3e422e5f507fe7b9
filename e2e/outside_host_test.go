package e2e_test

import (
	"bufio"
	"cmp"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path"
	"strings"
	"sync"
	"testing"

	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"

	"github.com/stentor-sse/stentor/eventsource"
)

// members are the clients of one host, by the address that they go to.
type members struct{ byURL sync.Map }

// tell passes on what a client tells, in JSON.
func (m *members) tell(t *testing.T, line string) {
	var e struct {
		URL string
		heard
	}
	if err := json.Unmarshal([]byte(line), &e); err != nil {
		t.Errorf("%q: %v", line, err)
	} else if g, ok := m.byURL.Load(e.URL); ok {
		g.(*guest).hear(e.heard)
	}
}

// nodeHost is one Node.js with any number of clients.
type nodeHost struct {
	members
	t     *testing.T
	stdin io.Writer
}

func newNodeHost(t *testing.T) *nodeHost {
	t.Helper()
	h := &nodeHost{t: t}
	h.stdin = nodeProgram(t, "outside/host.mjs", func(line string) { h.tell(t, line) })
	return h
}

func (h *nodeHost) run(g *guest, url string, types []string) {
	h.t.Helper()
	h.byURL.Store(url, g)
	line := script(h.t, `{"client":%s,"url":%s,"types":%s}`, []any{g.outsider.name, url, types})
	if _, err := io.WriteString(h.stdin, line+"\n"); err != nil {
		h.t.Fatal(err)
	}
}

// nodeProgram runs one until the test ends, which it is told by the end of its standard input.
func nodeProgram(t *testing.T, file string, line func(string)) (stdin io.Writer) {
	t.Helper()
	cmd := exec.Command("node", file)
	var complaints strings.Builder
	cmd.Stderr = &complaints
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { // ends with the program
		for lines := bufio.NewScanner(out); lines.Scan(); {
			line(lines.Text())
		}
		ended <- cmd.Wait()
	}()
	t.Cleanup(func() {
		in.Close()
		if err := <-ended; err != nil || t.Failed() {
			t.Logf("%s: %v\n%s", file, err, &complaints)
			if err != nil {
				t.Fail()
			}
		}
	})
	return in
}

// foreignServer starts the one that is made with better-sse.
func foreignServer(t *testing.T) (addr string) {
	t.Helper()
	listening := make(chan string, 1)
	nodeProgram(t, "outside/server.mjs", func(line string) { listening <- line })
	return <-listening
}

// pageHost is a page with any number of clients.
type pageHost struct {
	members
	page  *tab
	files string
}

// importMap says where pages find what is imported by name.
func importMap(t *testing.T, files string) string {
	at := func(file string) string { return files + "/node_modules/" + file }
	imports := map[string]string{
		"@microsoft/fetch-event-source": at("@microsoft/fetch-event-source/lib/esm/index.js"),
		"destr":                         at("destr/dist/index.mjs"),
		"event-source-plus":             at("event-source-plus/dist/index.mjs"),
		"event-source-polyfill":         at("event-source-polyfill/src/eventsource.js"),
		"eventsource":                   at("eventsource/dist/index.js"),
		"eventsource-client":            at("eventsource-client/dist/default.esm.js"),
		"eventsource-parser":            at("eventsource-parser/dist/index.js"),
		"eventsource5":                  at("eventsource5/dist/index.js"),
		"extended-eventsource":          at("extended-eventsource/dist/index.esm.js"),
		"htmx-ext-sse":                  at("htmx-ext-sse/dist/sse.esm.js"),
		"htmx.org":                      at("htmx.org/dist/htmx.esm.js"),
		"ofetch":                        at("ofetch/dist/index.mjs"),
		"reconnecting-eventsource":      at("reconnecting-eventsource/build/esm/reconnecting-eventsource.js"),
		"sse.js":                        at("sse.js/lib/sse.js"),
		"ufo":                           at("ufo/dist/index.mjs"),
	}
	own := map[string]string{"eventsource-parser": at("eventsource5/node_modules/eventsource-parser/dist/index.js")}
	return script(t, `{"imports":%s,"scopes":{%s:%s}}`, []any{imports, at("eventsource5/"), own})
}

// foreignFiles serves the packages and outside/ to pages of all origins.
func foreignFiles(t *testing.T) (url string) {
	t.Helper()
	files := http.FileServerFS(os.DirFS("."))
	return serveHere(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Access-Control-Allow-Origin", "*")
		switch {
		case r.URL.Path == "/", r.URL.Path == "/favicon.ico":
			return // an empty page
		case path.Ext(r.URL.Path) == "": // left out for bundlers to add
			r.URL.Path += ".js"
		}
		files.ServeHTTP(w, r)
	}))
}

// of is the same browser for a subtest, whose pages are closed and looked at when it ends.
func (b *browser) of(t *testing.T) *browser {
	own := &browser{t: t, ctx: b.ctx}
	t.Cleanup(own.check)
	return own
}

// newPageHost opens a page of somebody with no cookies, and gives it the packages.
func newPageHost(b *browser, files, url string) *pageHost {
	t := b.t
	t.Helper()
	h := &pageHost{files: files, page: b.Person(url, url)}
	err := chromedp.Listen(h.page.ctx, func(event any) {
		if e, ok := event.(*runtime.EventBindingCalled); ok {
			h.tell(t, e.Payload)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := chromedp.Call(h.page.ctx, runtime.AddBinding, runtime.AddBindingParams{Name: "tellTest"}); err != nil {
		t.Fatal(err)
	}
	eval[bool](h.page, `(() => {
		const map = document.createElement("script");
		map.type = "importmap";
		map.textContent = %s;
		document.head.append(map);
		return true;
	})()`, importMap(t, files))
	return h
}

func (h *pageHost) run(g *guest, url string, types []string) {
	h.page.t.Helper()
	h.byURL.Store(url, g)
	eval[bool](h.page, `import(%s).then(({ clients }) =>
		clients[%s](%s, %s, e => tellTest(JSON.stringify({ url: %s, ...e })))).then(() => true)`,
		h.files+"/outside/clients.mjs", g.outsider.name, url, types, url)
}

// goHost is this program.
type goHost struct{ t *testing.T }

func (h goHost) run(g *guest, url string, _ []string) {
	h.t.Helper()
	source, err := eventsource.New(url, nil)
	if err != nil {
		h.t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() { // ends with the test
		defer close(ended)
		for e, err := range source.Events(h.t.Context()) {
			if h.t.Context().Err() != nil {
				return
			}
			if err != nil {
				h.t.Error(err)
				return
			}
			g.hear(heard{Type: cmp.Or(e.Type, "message"), Data: e.Data, ID: source.LastEventID()})
		}
	}()
	h.t.Cleanup(func() { <-ended })
}
