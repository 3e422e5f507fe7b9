package e2e_test

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// browser is a running Chromium with a profile of its own.
type browser struct {
	t     *testing.T
	ctx   context.Context
	pages []*tab
}

// newBrowser starts one, with more flags, and ends it with the test.
func newBrowser(t *testing.T, flags ...chromedp.ExecAllocatorOption) *browser {
	t.Helper()
	profile, err := os.MkdirTemp("", "stentor-chromium-")
	if err != nil {
		t.Fatal(err)
	}
	alloc, endAlloc := chromedp.NewExecAllocator(context.Background(), append([]chromedp.ExecAllocatorOption{
		chromedp.ExecPath(chromium(t)), chromedp.Headless, chromedp.NoSandbox,
		chromedp.DisableGPU, chromedp.NoFirstRun,
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-background-networking", true),
		chromedp.Flag("disable-component-update", true), chromedp.Flag("disable-sync", true),
		chromedp.UserDataDir(profile),
	}, flags...)...)
	ctx, end := chromedp.NewContext(alloc)
	b := &browser{t: t, ctx: ctx}
	t.Cleanup(func() {
		b.check()
		end()
		endAlloc()
		os.RemoveAll(profile) // what Chromium still writes then is no concern of a test
	})
	if err := chromedp.Do(ctx); err != nil { // starts it; no timeout, it would end the browser
		t.Fatal(err)
	}
	return b
}

// chromium is the program, which make tools installs.
func chromium(t *testing.T) string {
	t.Helper()
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	t.Fatal("there is no Chromium; run make tools in the root of the repository")
	return ""
}

// check looks at what no page of this project may ever do.
func (b *browser) check() {
	for _, p := range b.pages {
		p.mu.Lock()
		if len(p.dialogs) > 0 {
			b.t.Errorf("%s: opened dialogs: %q", p.name, p.dialogs)
		}
		if len(p.exceptions) > 0 {
			b.t.Errorf("%s: threw: %q", p.name, p.exceptions)
		}
		p.mu.Unlock()
	}
}

// tab is one page.
type tab struct {
	t    *testing.T
	ctx  context.Context
	name string

	answers sync.WaitGroup // to dialogs

	mu         sync.Mutex // guards all below
	dialogs    []string
	exceptions []string
}

// Person opens a URL as somebody with no cookies yet.
func (b *browser) Person(name, url string) *tab {
	b.t.Helper()
	return b.open(name, url, chromedp.WithNewBrowserContext())
}

// Tab opens a URL with the browser's own cookies.
func (b *browser) Tab(name, url string) *tab {
	b.t.Helper()
	return b.open(name, url)
}

func (b *browser) open(name, url string, o ...chromedp.ContextOption) *tab {
	b.t.Helper()
	ctx, end := chromedp.NewContext(b.ctx, o...)
	p := &tab{t: b.t, ctx: ctx, name: name}
	b.t.Cleanup(func() {
		end()
		p.answers.Wait()
	})
	b.pages = append(b.pages, p)
	if err := chromedp.Do(ctx); err != nil {
		b.t.Fatalf("%s: %v", name, err)
	}
	if err := chromedp.Listen(ctx, p.event); err != nil {
		b.t.Fatalf("%s: %v", name, err)
	}
	p.Go(url)
	return p
}

// event keeps what check looks at. A dialog would stop the page.
func (p *tab) event(event any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch e := event.(type) {
	case *page.EventJavascriptDialogOpening:
		p.dialogs = append(p.dialogs, e.Message)
		p.answers.Go(func() { // ends with the page's context at the latest
			chromedp.Call(p.ctx, page.HandleJavaScriptDialog, page.HandleJavaScriptDialogParams{})
		})
	case *runtime.EventExceptionThrown:
		p.exceptions = append(p.exceptions, (&chromedp.ExceptionError{ExceptionDetails: e.ExceptionDetails}).Error())
	}
}

// Go goes to a URL.
func (p *tab) Go(url string) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, patience)
	defer cancel()
	if err := chromedp.Do(ctx, chromedp.Navigate(url)); err != nil {
		p.t.Fatalf("%s: %s: %v", p.name, url, err)
	}
}

// eval gives the value of an expression, which may be a promise. Arguments are
// put in for %s as JSON.
func eval[T any](p *tab, expression string, args ...any) T {
	p.t.Helper()
	v, err := ask[T](p, expression, args...)
	if err != nil {
		p.t.Fatalf("%s: %s: %v", p.name, expression, err)
	}
	return v
}

func ask[T any](p *tab, expression string, args ...any) (T, error) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, patience)
	defer cancel()
	return chromedp.Run(ctx, chromedp.Evaluate[T](script(p.t, expression, args), awaiting))
}

func awaiting(o *runtime.EvaluateParams) { o.AwaitPromise = new(true) }

func script(t *testing.T, expression string, args []any) string {
	t.Helper()
	texts := make([]any, len(args))
	for i, a := range args {
		b, err := json.Marshal(a)
		if err != nil {
			t.Fatal(err)
		}
		texts[i] = string(b)
	}
	if len(texts) == 0 {
		return expression
	}
	return fmt.Sprintf(expression, texts...)
}

// Until waits for an expression to be true. The page isn't asked to poll: its content
// policy forbids what that takes, and a page in the background is slow.
func (p *tab) Until(what, expression string, args ...any) {
	p.t.Helper()
	end := time.After(patience)
	for pause := 10 * time.Millisecond; ; pause = min(2*pause, 100*time.Millisecond) { // to ask costs the page, too
		switch yes, err := ask[bool](p, "!!("+expression+")", args...); {
		case err != nil && strings.Contains(err.Error(), "Inspected target navigated"): // while it was asked
		case err != nil:
			p.t.Fatalf("%s: %s: %v", p.name, expression, err)
		case yes:
			return
		}
		select {
		case <-time.After(pause):
		case <-end:
			p.t.Fatalf("%s: it never happened that %s; the page:\n%s", p.name, what,
				eval[string](p, "document.body.innerText"))
		}
	}
}

// equal compares lists, and shows both.
func equal(t *testing.T, what string, got, want []string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%s:\ngot  %s\nwant %s", what, strings.Join(got, " | "), strings.Join(want, " | "))
	}
}
