package main

import (
	"bufio"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
)

// answering is a server with one stream for everyone, which ends only with its
// request.
func answering(t *testing.T, stream string) *httptest.Server {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		io.WriteString(w, stream)
		w.(http.Flusher).Flush()
		<-r.Context().Done()
	}))
	t.Cleanup(s.Close)
	return s
}

const control = "retry: 3000\nid: 1\nevent: stentor.open\ndata: {\"subscription\":\"s\"}\n\n"

func TestSubscribeText(t *testing.T) {
	s := answering(t, control+"id: 2\ndata: plain\n\nid: 3\nevent: t\ndata: two\ndata: lines\n\n"+
		"data: \x1b[31mred\x7f\u009b\u2028\ttab\n\nevent: empty\ndata\n\ndata: <ö> \\n\n\n")
	got := call(t, "", "subscribe", "home", "--count", "5", "--url", s.URL)
	want := "plain\n" + `two\nlines` + "\n" + `\x1b[31mred\x7f\x9b\u2028` + "\ttab\n" + "\n" + `<ö> \n` + "\n"
	if got.code != exitOK || got.stdout != want || got.stderr != "" {
		t.Errorf("ended with %d, %q, said %s; want %q", got.code, got.stdout, got.stderr, want)
	}
}

func TestSubscribeJSON(t *testing.T) {
	s := answering(t, control+"id: 2\ndata: two\ndata: <lines>\n\nevent: t\ndata: {\"a\":\"\u2028\x1b\"}\n\n")
	got := call(t, "", "subscribe", "home", "--json", "--count", "2", "--url", s.URL)
	want := []map[string]string{
		{"id": "2", "type": "message", "data": "two\n<lines>"},
		{"id": "", "type": "t", "data": "{\"a\":\"\u2028\x1b\"}"},
	}
	lines := strings.Split(strings.TrimSuffix(got.stdout, "\n"), "\n")
	if got.code != exitOK || len(lines) != len(want) {
		t.Fatalf("ended with %+v", got)
	}
	for i, line := range lines {
		var o map[string]string
		if err := json.Unmarshal([]byte(line), &o); err != nil || len(o) != 3 || o["id"] != want[i]["id"] || o["type"] != want[i]["type"] || o["data"] != want[i]["data"] {
			t.Errorf("line %d is %s, %v; want %v", i, line, err, want[i])
		}
	}
	if strings.Contains(got.stdout, "\x1b") || !strings.HasPrefix(lines[0], `{"id":`) || !strings.Contains(lines[0], "<lines>") {
		t.Errorf("it printed %q", got.stdout)
	}
}

func TestSubscribeAll(t *testing.T) {
	s := answering(t, control+"data: a\n\nevent: stentor.join\ndata: {}\n\ndata: b\n\n")
	got := call(t, "", "subscribe", "home", "--all", "--count", "2", "--url", s.URL)
	if want := "{\"subscription\":\"s\"}\na\n{}\nb\n"; got.stdout != want {
		t.Errorf("it printed %q, want %q", got.stdout, want)
	}
}

func TestSubscribeGap(t *testing.T) {
	tests := map[string]string{
		`{"reason":"expired","after":"5","oldest":"9"}`: "warning: messages after 5 are missing (expired); it goes on with 9",
		`{"reason":"unknown","after":"","oldest":""}`:   "warning: messages before this are missing (unknown); it goes on with what is published now",
		`no JSON`: "warning: messages are missing here",
		`{"reason":"a\u001b[1m` + strings.Repeat("x", 200) + `"}`: `(a\x1b[1mxxx`,
	}
	for data, want := range tests {
		s := answering(t, control+"id: 9\nevent: stentor.gap\ndata: "+data+"\n\ndata: a\n\n")
		got := call(t, "", "subscribe", "home", "--count", "1", "--url", s.URL)
		if got.code != exitOK || got.stdout != "a\n" || !strings.Contains(got.stderr, want) || len(got.stderr) > 300 {
			t.Errorf("%s: ended with %+v, want %q", data, got, want)
		}
	}
}

func TestSubscribeUsage(t *testing.T) {
	tests := []struct {
		name string
		args []string
		want string
	}{
		{"no channel", nil, "name the channels"},
		{"a bad channel", []string{"home", "a,b"}, "invalid channel"},
		{"a negative count", []string{"home", "--count", "-1"}, "--count"},
		{"a cursor that splits the header", []string{"home", "--last-event-id", "1\r\nX: y"}, "--last-event-id"},
		{"an endless cursor", []string{"home", "--last-event-id", strings.Repeat("1", 300)}, "--last-event-id"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := call(t, "", append([]string{"subscribe"}, tt.args...)...)
			if got.code != exitUsage || !strings.Contains(got.stderr, tt.want) {
				t.Errorf("ended with %d and said %s", got.code, got.stderr)
			}
		})
	}
}

func TestSubscribeRefused(t *testing.T) {
	p := serve(t)
	got := call(t, "", "subscribe", "home", "--url", p.url+"nowhere")
	if got.code != exitFailure || !strings.Contains(got.stderr, "404") {
		t.Errorf("ended with %+v", got)
	}
}

// An interrupt is how a subscriber ends; a reader that has had enough is another.
func TestSubscribeEndsQuietly(t *testing.T) {
	s := answering(t, control+strings.Repeat("data: a\n\n", 1000))
	t.Run("interrupt", func(t *testing.T) {
		out, end := background(t, "subscribe", "home", "--url", s.URL)
		for range 1000 {
			if !out.Scan() {
				t.Fatal("it ended by itself")
			}
		}
		if got := end(); got.code != exitOK || got.stderr != "" {
			t.Errorf("ended with %+v", got)
		}
	})
	t.Run("closed pipe", func(t *testing.T) {
		r, w := io.Pipe()
		var errs strings.Builder
		done := make(chan int, 1)
		go func() { done <- run(t.Context(), []string{"subscribe", "home", "--url", s.URL}, nil, nil, w, &errs) }()
		bufio.NewScanner(r).Scan()
		r.Close()
		if code := <-done; code != exitOK || errs.Len() > 0 {
			t.Errorf("ended with %d and said %s", code, errs.String())
		}
	})
}

// cutter passes connections on to a server until they are cut.
type cutter struct {
	net.Listener
	to string
	wg sync.WaitGroup

	mu    sync.Mutex
	conns []net.Conn // guarded by mu
}

func newCutter(t *testing.T, to string) *cutter {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	c := &cutter{Listener: ln, to: to}
	c.wg.Go(c.serve)
	t.Cleanup(func() {
		ln.Close()
		c.cut()
		c.wg.Wait()
	})
	return c
}

func (c *cutter) serve() {
	for {
		in, err := c.Accept()
		if err != nil {
			return
		}
		out, err := net.Dial("tcp", c.to)
		if err != nil {
			in.Close()
			continue
		}
		c.mu.Lock()
		c.conns = append(c.conns, in, out)
		c.mu.Unlock()
		for _, pair := range [][2]net.Conn{{in, out}, {out, in}} {
			c.wg.Go(func() {
				io.Copy(pair[0], pair[1]) // an error is a cut
				pair[0].Close()
				pair[1].Close()
			})
		}
	}
}

func (c *cutter) cut() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, conn := range c.conns {
		conn.Close()
	}
	c.conns = nil
}

// What is published while the connection is cut arrives after it: all of it,
// once, in order.
func TestSubscribeResumes(t *testing.T) {
	p := serve(t)
	via := newCutter(t, p.addr)
	out, end := background(t, "subscribe", "home", "other", "--url", "http://"+via.Addr().String(), "--all", "--json")
	var data []string
	read := func(until string) {
		t.Helper()
		for out.Scan() {
			var e struct{ Type, Data string }
			if err := json.Unmarshal(out.Bytes(), &e); err != nil {
				t.Fatal(err)
			}
			if e.Type == until {
				return
			}
			if e.Type == "stentor.gap" {
				t.Errorf("a gap: %s", e.Data)
			}
			if !strings.HasPrefix(e.Type, "stentor.") {
				if data = append(data, e.Data); e.Data == until {
					return
				}
			}
		}
		t.Fatalf("it ended after %q", data)
	}
	publish := func(channel, text string) {
		t.Helper()
		if got := call(t, text, "publish", channel, "--lines", "--url", p.url); got.code != exitOK {
			t.Fatalf("publishing ended with %+v", got)
		}
	}
	read("stentor.open")
	publish("home", "1\n2\n")
	publish("elsewhere", "not for us\n")
	read("2")
	via.cut()
	publish("other", "3\n4\n")
	publish("home", "5\n")
	read("5")
	publish("other", "6\n")
	read("6")
	if want := []string{"1", "2", "3", "4", "5", "6"}; !slices.Equal(data, want) {
		t.Errorf("got %q, want %q", data, want)
	}
	if got := end(); got.code != exitOK || !strings.Contains(got.stderr, "reconnecting in") {
		t.Errorf("ended with %+v", got)
	}
}

// A subscriber that starts with a cursor gets what is kept; a cursor that is no
// position is told of, and it goes on live.
func TestSubscribeCursor(t *testing.T) {
	p := serve(t, "--history-size", "1")
	ids := call(t, "a\nb\nc\n", "publish", "home", "--lines", "--url", p.url)
	first, _, _ := strings.Cut(ids.stdout, "\n")
	for _, tt := range []struct{ cursor, want, said string }{
		{"0", "c\n", ""},
		{first, "c\n", "are missing (expired); it goes on with "},
	} {
		got := call(t, "", "subscribe", "home", "--last-event-id", tt.cursor, "--count", "1", "--url", p.url)
		if got.code != exitOK || got.stdout != tt.want || !strings.Contains(got.stderr, tt.said) || tt.said == "" && got.stderr != "" {
			t.Errorf("after %s: ended with %+v, want %q", tt.cursor, got, tt.want)
		}
	}
	out, _ := background(t, "subscribe", "home", "--last-event-id", "nonsense", "--all", "--json", "--url", p.url)
	for _, want := range []string{`"type":"stentor.open"`, `\"reason\":\"unknown\"`} {
		if !out.Scan() || !strings.Contains(out.Text(), want) {
			t.Errorf("it printed %s, want %s", out.Text(), want)
		}
	}
	call(t, "", "publish", "home", "d", "--url", p.url)
	if !out.Scan() || !strings.Contains(out.Text(), `"data":"d"`) {
		for strings.Contains(out.Text(), "stentor.join") && out.Scan() {
		}
		if !strings.Contains(out.Text(), `"data":"d"`) {
			t.Errorf("it printed %s, want d", out.Text())
		}
	}
}
