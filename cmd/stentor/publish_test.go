package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
)

// published is one request of a fake server.
type published struct {
	contentType string
	bodies      []map[string]any
}

// fake is a server whose publish endpoint answers as told, by default with
// rising ids.
type fake struct {
	*httptest.Server
	answer http.HandlerFunc // nil: the default

	mu   sync.Mutex
	got  []published // guarded by mu
	next int         // guarded by mu
}

func newFake(t *testing.T, answer http.HandlerFunc) *fake {
	f := &fake{answer: answer}
	f.Server = httptest.NewServer(http.HandlerFunc(f.publish))
	t.Cleanup(f.Close)
	return f
}

func (f *fake) publish(w http.ResponseWriter, r *http.Request) {
	if f.answer != nil {
		f.answer(w, r)
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	p := published{contentType: r.Header.Get("Content-Type")}
	w.Header().Set("Content-Type", p.contentType)
	body, err := io.ReadAll(r.Body) // all of it, before HTTP/1.1 may be answered
	if err != nil {
		return
	}
	for d := json.NewDecoder(bytes.NewReader(body)); ; {
		var b map[string]any
		if err := d.Decode(&b); err != nil {
			break
		}
		p.bodies = append(p.bodies, b)
		f.next++
		fmt.Fprintf(w, `{"id":"%d","matched":0}`+"\n", f.next)
	}
	f.got = append(f.got, p)
}

func (f *fake) requests() []published {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.got)
}

func TestPublishRequest(t *testing.T) {
	tests := []struct {
		name  string
		stdin string
		args  []string
		want  map[string]any
	}{
		{"text", "", []string{"hello <b>"}, map[string]any{"data": "hello <b>"}},
		{"a type", "", []string{"x", "--type", "t.u"}, map[string]any{"data": "x", "type": "t.u"}},
		{"a subject", "", []string{"x", "--subject", "s"}, map[string]any{"data": "x", "subject": "s"}},
		{"a subject's end", "", []string{"", "--subject=s", "--remove"}, map[string]any{"data": "", "subject": "s", "remove": true}},
		{"empty", "", []string{""}, map[string]any{"data": ""}},
		{"from standard input", "a\nb\n", nil, map[string]any{"data": "a\nb"}},
		{"its last line break only", "a\r\n\r\n", nil, map[string]any{"data": "a\r\n"}},
		{"a lone CR", "a\r", nil, map[string]any{"data": "a\r"}},
		{"nothing on standard input", "", nil, map[string]any{"data": ""}},
		{"after dashes", "", []string{"--", "-5"}, map[string]any{"data": "-5"}},
		{"JSON", "", []string{"--json", `{"a": [1, "<"]}`}, map[string]any{"data": map[string]any{"a": []any{1.0, "<"}}}},
		{"a JSON number", "7\n", []string{"--json"}, map[string]any{"data": 7.0}},
		{"looks like JSON", "", []string{`{"a":1}`}, map[string]any{"data": `{"a":1}`}},
		{"controls", "", []string{"a\x00\x1b\u2028"}, map[string]any{"data": "a\x00\x1b\u2028"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := newFake(t, nil)
			got := call(t, tt.stdin, append([]string{"publish", "--url", f.URL, "home"}, tt.args...)...)
			if got.code != exitOK || got.stdout != "1\n" || got.stderr != "" {
				t.Errorf("ended with %+v", got)
			}
			tt.want["channel"] = "home"
			requests := f.requests()
			if len(requests) != 1 || requests[0].contentType != "application/json" || fmt.Sprint(requests[0].bodies) != fmt.Sprint([]map[string]any{tt.want}) {
				t.Errorf("sent %v, want %v", requests, tt.want)
			}
		})
	}
}

func TestPublishUsage(t *testing.T) {
	tests := []struct {
		name string
		args []string
		want string
	}{
		{"no channel", nil, "name a channel"},
		{"three arguments", []string{"home", "a", "b"}, "quotes"},
		{"a bad channel", []string{"a b", "x"}, "invalid channel"},
		{"no URL", []string{"home", "x", "--url", "127.0.0.1:8080"}, "--url"},
		{"lines and DATA", []string{"home", "x", "--lines"}, "leave DATA out"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := call(t, "", append([]string{"publish"}, tt.args...)...)
			if got.code != exitUsage || !strings.Contains(got.stderr, tt.want) || !strings.Contains(got.stderr, "Try 'stentor publish --help'.") {
				t.Errorf("ended with %d and said %s", got.code, got.stderr)
			}
		})
	}
}

func TestPublishRefused(t *testing.T) {
	document := func(status int, text string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/problem+json; charset=utf-8")
			w.WriteHeader(status)
			io.WriteString(w, text)
		}
	}
	tests := []struct {
		name   string
		answer http.HandlerFunc
		args   []string
		want   string
	}{
		{"a problem document", document(413, `{"title":"x","status":413,"detail":"send\u001b less"}`), nil, `413 Request Entity Too Large: send\x1b less`},
		{"a long detail", document(400, `{"detail":"`+strings.Repeat("x", 5000)+`"}`), nil, strings.Repeat("x", 1024) + "…"},
		{"not a document", document(400, `[`), nil, "400 Bad Request\n"},
		{"another server", http.NotFound, nil, "404 Not Found: is that a Stentor server?"},
		{"a redirect", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/elsewhere", http.StatusFound) }, nil, "/elsewhere"},
		{"not JSON", nil, []string{"--json", "{"}, "not JSON"},
		{"two JSON values", nil, []string{"--json", "1 2"}, "not JSON"},
		{"not UTF-8", nil, []string{"a\xff"}, "not UTF-8"},
		{"no answer", func(http.ResponseWriter, *http.Request) {}, nil, "not all may be published"},
		{"an empty answer", func(w http.ResponseWriter, _ *http.Request) { panic(http.ErrAbortHandler) }, nil, "cannot reach http://127.0.0.1"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := newFake(t, tt.answer)
			if tt.args == nil {
				tt.args = []string{"x"}
			}
			got := call(t, "", append([]string{"publish", "--url", f.URL, "home"}, tt.args...)...)
			if got.code != exitFailure || got.stdout != "" || !strings.Contains(got.stderr, tt.want) {
				t.Errorf("ended with %+v, want %q", got, tt.want)
			}
			if n := len(f.requests()); n != 0 {
				t.Errorf("%d requests were taken", n)
			}
		})
	}
}

func TestPublishNobodyThere(t *testing.T) {
	got := call(t, "", "publish", "home", "x", "--url", "http://user:secret@"+freeAddress(t))
	if got.code != exitFailure || !strings.Contains(got.stderr, "stentor serve") || strings.Contains(got.stderr, "secret") {
		t.Errorf("ended with %+v", got)
	}
}

func TestPublishTooMuchAtOnce(t *testing.T) {
	got := call(t, strings.Repeat("x", maxInput+1), "publish", "home")
	if got.code != exitFailure || !strings.Contains(got.stderr, "--lines") {
		t.Errorf("ended with %+v", got)
	}
}

func TestPublishBasicAuthentication(t *testing.T) {
	f := newFake(t, func(w http.ResponseWriter, r *http.Request) {
		user, password, _ := r.BasicAuth()
		fmt.Fprintf(w, `{"id":"%s %s"}`, user, password)
	})
	got := call(t, "", "publish", "home", "x", "--url", strings.Replace(f.URL, "http://", "http://anna:s3cret@", 1)+"/base/")
	if got.stdout != "anna s3cret\n" {
		t.Errorf("ended with %+v", got)
	}
}

// onlyProgress reports whether a command said nothing but how far it was, which it does
// where the machine is slow.
func onlyProgress(stderr string) bool {
	for line := range strings.Lines(stderr) {
		if !strings.HasSuffix(line, " events published\n") {
			return false
		}
	}
	return true
}

func TestPublishLinesKeepOrder(t *testing.T) {
	const n = 2345
	var in, want strings.Builder
	for i := range n {
		fmt.Fprintf(&in, "line %d %s\n", i, strings.Repeat("x", i%700))
		fmt.Fprintln(&want, i+1)
	}
	f := newFake(t, nil)
	got := call(t, in.String(), "publish", "home", "--lines", "--type", "t", "--url", f.URL)
	if got.code != exitOK || !onlyProgress(got.stderr) || got.stdout != want.String() {
		t.Errorf("ended with %d, %d bytes of ids, %s", got.code, len(got.stdout), got.stderr)
	}
	i := 0
	requests := f.requests()
	for _, r := range requests {
		if r.contentType != "application/x-ndjson" || len(r.bodies) > batchLines {
			t.Errorf("a request of %d lines, %s", len(r.bodies), r.contentType)
		}
		for _, b := range r.bodies {
			if want := fmt.Sprintf("line %d %s", i, strings.Repeat("x", i%700)); b["data"] != want || b["type"] != "t" || b["channel"] != "home" {
				t.Fatalf("event %d is %v", i, b)
			}
			i++
		}
	}
	if i != n || len(requests) > n/100 {
		t.Errorf("%d events in %d requests, want %d", i, len(requests), n)
	}
}

// A slow input is not held back until a batch is full.
func TestPublishLinesAtOnce(t *testing.T) {
	f := newFake(t, nil)
	in, feed := io.Pipe()
	out, ids := io.Pipe()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	done := make(chan int, 1)
	go func() {
		done <- run(ctx, []string{"publish", "home", "--lines", "--url", f.URL}, nil, in, ids, io.Discard)
		ids.Close()
	}()
	s := bufio.NewScanner(out)
	for i := range 3 {
		fmt.Fprintf(feed, "line %d\n", i)
		if !s.Scan() || s.Text() != fmt.Sprint(i+1) {
			t.Fatalf("line %d: id %q", i, s.Text())
		}
	}
	feed.Close()
	if code := <-done; code != exitOK {
		t.Errorf("exit code %d", code)
	}
}

func TestPublishLinesErrors(t *testing.T) {
	tests := []struct {
		name   string
		in     string
		args   []string
		answer http.HandlerFunc
		want   string
		data   string // what was published all the same
	}{
		{name: "a bad line", in: "1\n\n 2\n{\n3\n", args: []string{"--json"}, want: "line 4: the data is not JSON", data: "[1 2]"},
		{name: "not UTF-8", in: "a\n\n\xff\n", want: "line 3: the data is not UTF-8", data: "[a ]"},
		{name: "an endless line", in: "a\n" + strings.Repeat("x", maxInput+2), want: "line 2: it is over", data: "[a]"},
		{name: "no last line break", in: "a\r\nb", data: "[a b]"},
		{name: "nothing", in: "", data: "[]"},
		{name: "refused", in: "a\nb\n", want: "lines 1 to 2: the server answered 503", answer: func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusServiceUnavailable)
		}, data: "[]"},
		{name: "a line refused", in: "1\n\n2\n", args: []string{"--json"}, want: "line 3: too large; none of these", answer: func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/problem+json")
			w.WriteHeader(http.StatusRequestEntityTooLarge)
			io.WriteString(w, `{"detail":"line 2: too large"}`)
		}, data: "[]"},
		{name: "one of them refused", in: "a\nb\nc\n", want: "line 2: the server answered 404 Not Found: no such\nstentor: publish: stopped; the other lines up to 3 ", answer: func(w http.ResponseWriter, _ *http.Request) {
			io.WriteString(w, "{\"id\":\"1\"}\n{\"status\":404,\"detail\":\"no such\"}\n{\"id\":\"2\"}\n")
		}, data: "[]"},
		{name: "too few answers", in: "a\nb\n", want: "not all may be published", answer: func(w http.ResponseWriter, _ *http.Request) {
			io.WriteString(w, "{\"id\":\"1\"}\n")
		}, data: "[]"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := newFake(t, tt.answer)
			got := call(t, tt.in, append([]string{"publish", "home", "--lines", "--url", f.URL}, tt.args...)...)
			if tt.want == "" && (got.code != exitOK || got.stderr != "") || tt.want != "" && (got.code != exitFailure || !strings.Contains(got.stderr, tt.want)) {
				t.Errorf("ended with %+v, want %q", got, tt.want)
			}
			data := []any{}
			for _, r := range f.requests() {
				for _, b := range r.bodies {
					data = append(data, b["data"])
				}
			}
			if fmt.Sprint(data) != tt.data {
				t.Errorf("published %v, want %s", data, tt.data)
			}
		})
	}
}

// failing is an output that fails.
type failing struct{ err error }

func (f failing) Write([]byte) (int, error) { return 0, f.err }

// Whoever read the ids may go away; the events are published all the same. A full
// disk is told, after them.
func TestPublishOutput(t *testing.T) {
	for _, tt := range []struct {
		err  error
		code int
	}{{syscall.EPIPE, exitOK}, {errors.New("no space left"), exitFailure}} {
		f := newFake(t, nil)
		var errs bytes.Buffer
		in := strings.NewReader(strings.Repeat("x\n", 3*batchLines))
		code := run(t.Context(), []string{"publish", "home", "--lines", "--url", f.URL}, nil, in, failing{tt.err}, &errs)
		if code != tt.code || code != exitOK && !strings.Contains(errs.String(), "standard output: no space left") {
			t.Errorf("%v: ended with %d and said %s", tt.err, code, &errs)
		}
		if n := len(f.requests()); n < 3 {
			t.Errorf("%v: %d requests, want all of them", tt.err, n)
		}
	}
}
