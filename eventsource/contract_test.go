package eventsource_test

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stentor-sse/stentor/eventsource"
	"github.com/stentor-sse/stentor/ssetest"
)

// The parsing cases of the LaunchDarkly contract tests by their names, over a connection: each
// as it is cut there, for the decoder's own tests cut them everywhere.
func TestContractParsing(t *testing.T) {
	event := func(kind, data, id string) string { return fmt.Sprintf("%s %q %q", kind, data, id) }
	plain := func(data ...string) (all []string) {
		for _, d := range data {
			all = append(all, event("message", d, ""))
		}
		return all
	}
	big := strings.Repeat("x", 5<<20)
	burst := make([]string, 100)
	for i := range burst {
		burst[i] = fmt.Sprint(i)
	}
	type row struct {
		name   string
		pieces []string
		want   []string
	}
	one := func(input string) []string { return []string{input} }
	each := func(input string, n int) (pieces []string) {
		for len(input) > n {
			pieces, input = append(pieces, input[:n]), input[n:]
		}
		return append(pieces, input)
	}
	const euro = "data: €豆腐\U0001F600\n\n"
	rows := []row{
		{"basic parsing/one-line message in one chunk", one("data: Hello\n\n"), plain("Hello")},
		{"basic parsing/two messages over three chunks with a shared chunk", []string{"data: He", "llo\n\ndata: Wor", "ld\n\n"}, plain("Hello", "World")},
		{"basic parsing/5 MB message in one chunk", one("data: " + big + "\n\n"), plain(big)},
		{"basic parsing/10 MB message in two chunks", []string{"data: " + big, big + "\n\n"}, plain(big + big)},
		{"basic parsing/one-line message in two chunks", []string{"data: Hel", "lo\n\n"}, plain("Hello")},
		{"basic parsing/two one-line messages in one chunk", one("data: Hello\n\ndata: World\n\n"), plain("Hello", "World")},
		{"basic parsing/one two-line message", one("data: Hello\ndata: World\n\n"), plain("Hello\nWorld")},
		{"basic parsing/empty data", one("data:\n\n"), plain("")},
		{"basic parsing/specific type", one("event: greeting\ndata: Hello\n\n"), one(event("greeting", "Hello", ""))},
		{"basic parsing/default type", one("data: Hello\n\n"), one(event("message", "Hello", ""))},
		{"basic parsing/id", one("id: abc\ndata: Hello\n\n"), one(event("message", "Hello", "abc"))},
		{"basic parsing/type and id", one("event: greeting\nid: abc\ndata: Hello\n\n"), one(event("greeting", "Hello", "abc"))},
		{"basic parsing/id containing NUL ignored", one("id: a\x00bc\ndata: Hello\n\n"), plain("Hello")},
		{"basic parsing/last id persists when later events have none", one("id: abc\ndata: Hello\n\ndata: World\n\n"),
			[]string{event("message", "Hello", "abc"), event("message", "World", "abc")}},
		{"basic parsing/last id reset by an empty value", one("id: abc\ndata: Hello\n\nid:\ndata: World\n\n"),
			[]string{event("message", "Hello", "abc"), event("message", "World", "")}},
		{"basic parsing/fields in reverse order", one("data: Hello\nid: abc\nevent: greeting\n\n"), one(event("greeting", "Hello", "abc"))},
		{"basic parsing/unknown field ignored", one("what: x\ndata: Hello\nat: y\n\n"), plain("Hello")},
		{"basic parsing/no leading space", one("event:greeting\nid:abc\ndata:Hello\n\n"), one(event("greeting", "Hello", "abc"))},
		{"basic parsing/extra leading space kept", one("data:  Hello\n\n"), plain(" Hello")},
		{"basic parsing/field with no colon", one("data\n\ndata: x\n\n"), plain("", "x")},
		{"basic parsing/multi-byte text", one(euro), plain("€豆腐\U0001F600")},
		{"basic parsing/100 messages in one burst arrive in order", one("data: " + strings.Join(burst, "\n\ndata: ") + "\n\n"), plain(burst...)},
		{"basic parsing/multi-byte text one byte at a time", each(euro, 1), plain("€豆腐\U0001F600")},

		{"BOM handling/stripped at start", one("\uFEFFdata: Hello\n\n"), plain("Hello")},
		{"BOM handling/before an event with type and id", one("\uFEFFevent: greeting\nid: abc\ndata: Hello\n\n"), one(event("greeting", "Hello", "abc"))},
		{"BOM handling/with several messages", one("\uFEFFdata: a\n\ndata: b\n\n"), plain("a", "b")},
		{"BOM handling/not stripped in later data", one("data: a\n\ndata: \uFEFFb\n\n"), plain("a", "\uFEFFb")},
		{"BOM handling/split over two chunks", []string{"\xEF\xBB", "\xBFdata: a\n\n"}, plain("a")},
		{"BOM handling/byte by byte", each("\uFEFFdata: a\n\n", 1), plain("a")},
		{"BOM handling/only the first is stripped", one("\uFEFFdata: \uFEFFa\n\n"), plain("\uFEFFa")},
		{"BOM handling/baseline without one", one("data: a\n\n"), plain("a")},
		{"BOM handling/with multi-line data", one("\uFEFFdata: a\ndata: b\n\n"), plain("a\nb")},
		{"BOM handling/with a comment first", one("\uFEFF:c\ndata: a\n\n"), []string{"comment c", event("message", "a", "")}},
		{"BOM handling/with an empty data field", one("\uFEFFdata\n\n"), plain("")},

		{"comments/single", one(":Hello\n"), one("comment Hello")},
		{"comments/two in a row", one(":Hello\n:World\n"), []string{"comment Hello", "comment World"}},
		{"comments/before an event", one(":Hello\ndata: x\n\n"), []string{"comment Hello", event("message", "x", "")}},
		{"comments/after an event", one("data: x\n\n:Hello\n"), []string{event("message", "x", ""), "comment Hello"}},
		{"linefeeds/CRLF/the CR ends a chunk", []string{"data: Hello\r", "\ndata: World\r\n\r", "\n"}, plain("Hello\nWorld")},
	}
	for name, end := range map[string]string{"LF": "\n", "CRLF": "\r\n", "CR": "\r"} {
		for _, c := range []struct {
			name, input string
			want        []string
		}{
			{"one-line", "data: Hello\n\n", plain("Hello")},
			{"one-line then two-line", "data: Hello\n\ndata: World\ndata: 2\n\n", plain("Hello", "World\n2")},
			{"three lines with an empty first", "data:\ndata: Hello\ndata: World\n\n", plain("\nHello\nWorld")},
			{"three lines with an empty middle", "data: Hello\ndata:\ndata: World\n\n", plain("Hello\n\nWorld")},
			{"one extra blank line", "data: Hello\n\n\ndata: World\n\n", plain("Hello", "World")},
			{"two extra blank lines", "data: Hello\n\n\n\ndata: World\n\n", plain("Hello", "World")},
		} {
			input := strings.ReplaceAll(c.input, "\n", end)
			for _, n := range []int{len(input), 1, 2} {
				rows = append(rows, row{fmt.Sprintf("linefeeds/%s/%s/chunks of %d", name, c.name, n), each(input, n), c.want})
			}
		}
	}
	for _, r := range rows {
		t.Run(r.name, func(t *testing.T) {
			ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
				var got []string
				o := eventsource.Options{Comment: func(c string) { got = append(got, "comment "+c) }}
				src := serve(t, p, open(r.pieces...)).source(t, o)
				ctx, cancel := context.WithTimeout(t.Context(), time.Second)
				defer cancel()
				for e, err := range src.Events(ctx) {
					if err == nil {
						got = append(got, event(cmp.Or(e.Type, "message"), e.Data, src.LastEventID()))
					}
				}
				if !slices.Equal(got, r.want) {
					t.Errorf("got %.1000q, want %.1000q", got, r.want)
				}
			})
		})
	}
}

// The HTTP cases of the LaunchDarkly contract tests by their names.
func TestContractHTTP(t *testing.T) {
	const body = `{"hello":"world"}`
	one := func(t *testing.T, p ssetest.Protocol, o eventsource.Options) attempt {
		s := serve(t, p, open("data: Hello\n\n"))
		if got, err := read(t, s.source(t, o), 1); err != errEnough || got[0].Data != "Hello" {
			t.Fatalf("got %v, %v", got, err)
		}
		return s.requests()[0]
	}
	tests := map[string]func(t *testing.T, p ssetest.Protocol){
		"default method and headers": func(t *testing.T, p ssetest.Protocol) {
			r := one(t, p, eventsource.Options{})
			if _, ok := r.header["Last-Event-Id"]; ok || r.method != "GET" || r.body != "" ||
				!slices.Equal(r.header["Accept"], []string{"text/event-stream"}) || !slices.Equal(r.header["Cache-Control"], []string{"no-cache"}) {
				t.Errorf("the request was %+v", r)
			}
		},
		"204 stops": func(t *testing.T, p ssetest.Protocol) {
			s := serve(t, p, status(204))
			src := s.source(t, eventsource.Options{})
			if got, err := read(t, src, 1); len(got) != 0 || !isDismissed(err) || src.State() != eventsource.Closed {
				t.Errorf("got %v, %v", got, err)
			}
			if n := len(s.requests()); n != 1 {
				t.Errorf("%d requests", n)
			}
		},
		"custom headers": func(t *testing.T, p ssetest.Protocol) {
			r := one(t, p, eventsource.Options{Header: http.Header{"Header-Name-1": {"value-1"}, "header-name-2": {"value-2"}}})
			if r.header.Get("header-name-1") != "value-1" || r.header.Get("Header-Name-2") != "value-2" {
				t.Errorf("the request was %+v", r)
			}
		},
		"initial Last-Event-ID": func(t *testing.T, p ssetest.Protocol) {
			if r := one(t, p, eventsource.Options{LastEventID: "abc"}); r.header.Get("Last-Event-ID") != "abc" {
				t.Errorf("the request was %+v", r)
			}
		},
	}
	for _, method := range []string{"POST", "REPORT"} {
		tests[method+" with body"] = func(t *testing.T, p ssetest.Protocol) {
			r := one(t, p, eventsource.Options{
				Method: method, Body: []byte(body), Header: http.Header{"Content-Type": {"application/json; charset=utf-8"}},
			})
			if r.method != method || r.body != body || r.header.Get("Content-Type") != "application/json; charset=utf-8" {
				t.Errorf("the request was %+v", r)
			}
		}
	}
	for _, code := range []int{301, 307} {
		tests[fmt.Sprintf("follows %d", code)] = func(t *testing.T, p ssetest.Protocol) {
			s := serve(t, p, status(code, "Location", "/other"), open("data: Hello\n\n"))
			got, err := read(t, s.source(t, eventsource.Options{}), 1)
			if err != errEnough || got[0].Data != "Hello" || s.requests()[1].path != "/other" {
				t.Errorf("got %v, %v", got, err)
			}
		}
		for name, header := range map[string][]string{"empty": {"Location", ""}, "missing": nil} {
			tests[fmt.Sprintf("%s Location with %d", name, code)] = func(t *testing.T, p ssetest.Protocol) {
				s := serve(t, p, status(code, header...))
				got, err := read(t, s.source(t, eventsource.Options{}), 1)
				if len(got) != 0 || err == nil || len(s.requests()) != 1 || !strings.Contains(err.Error(), "leads nowhere") {
					t.Errorf("got %v, %v after %d requests", got, err, len(s.requests()))
				}
			}
		}
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) { ssetest.Each(t, test) })
	}
}

// The reconnection cases of the LaunchDarkly contract tests by their names.
func TestContractReconnection(t *testing.T) {
	at := eventsource.Options{Retry: -1}
	post := at
	post.Method, post.Body = "POST", []byte("body")
	idle := at
	idle.IdleTimeout = 500 * time.Millisecond
	for _, c := range []struct {
		name    string
		o       eventsource.Options
		answers []http.HandlerFunc
		want    []string
		cursor  string // of the second request
	}{
		{"last id sent", at, []http.HandlerFunc{cut("id: abc\ndata: a\n\n"), open("data: b\n\n")}, []string{"a", "b"}, "abc"},
		{"last id sent when later events had none", at,
			[]http.HandlerFunc{cut("id: abc\ndata: a\n\ndata: b\n\n"), open("data: c\n\n")}, []string{"a", "b", "c"}, "abc"},
		{"empty id clears the header", at, []http.HandlerFunc{cut("id: abc\ndata: a\n\nid:\ndata: b\n\n"), open("data: c\n\n")}, []string{"a", "b", "c"}, ""},
		{"body resent", post, []http.HandlerFunc{cut("data: a\n\n"), open("data: b\n\n")}, []string{"a", "b"}, ""},
		{"read timeout", idle, []http.HandlerFunc{open("data: a\n\n"), open("data: b\n\n")}, []string{"a", "b"}, ""},
		{"partial message discarded and its id not adopted", at,
			[]http.HandlerFunc{cut("id: abc\ndata: a\n\nid: def\ndata: b"), open("data: c\n\n")}, []string{"a", "c"}, "abc"},
		{"a new connection after a broken one works", at,
			[]http.HandlerFunc{cut("id: abc\ndata: a\n\n"), open("id: def\ndata: b\n\n")}, []string{"a", "b"}, "abc"},
	} {
		t.Run(c.name, func(t *testing.T) {
			ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
				s := serve(t, p, c.answers...)
				var told []error
				c.o.Change = func(c eventsource.Change) {
					if c.Err != nil {
						told = append(told, c.Err)
					}
				}
				got, err := read(t, s.source(t, c.o), len(c.want))
				if err != errEnough || !slices.Equal(data(got), c.want) || len(told) != 1 {
					t.Errorf("got %q, %v; told of %v", data(got), err, told)
				}
				r := s.requests()
				if len(r) != 2 || r[1].header.Get("Last-Event-ID") != c.cursor || r[1].body != r[0].body || r[1].method != cmp.Or(c.o.Method, "GET") {
					t.Errorf("the requests were %+v", r)
				}
			})
		})
	}
	t.Run("restart", func(t *testing.T) {
		ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
			s := serve(t, p, open("data: a\n\n"), open("data: b\n\n"))
			src := s.source(t, eventsource.Options{Change: func(c eventsource.Change) {
				if c.Err != nil {
					t.Errorf("told of %v", c.Err)
				}
			}})
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			for e, err := range src.Events(ctx) {
				if err != nil {
					t.Fatal(err)
				}
				if e.Data == "b" {
					break
				}
				go func() {
					synctest.Wait()
					src.Restart()
				}()
			}
			within(t, s.pauses(), [2]float64{0, 0})
		})
	})
}
