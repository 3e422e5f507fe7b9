package sse_test

import (
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/stentor-sse/stentor/sse"
)

// The wire cases of the web-platform-tests, by their names.
func TestWebPlatform(t *testing.T) {
	long := strings.Repeat("x", 2<<10)
	for _, c := range []struct {
		name, input string
		seen        []string
		lastID      string
		retry       time.Duration // 0: none
	}{
		{name: "event-data",
			input: "data:msg\ndata: msg\n\n:\nfalsefield:msg\n\nfalsefield:msg\nData:data\n\ndata\n\ndata:end\n\n",
			seen:  []string{data("msg\nmsg"), "comment ", data(""), data("end")}},
		{name: "format-bom",
			input: "\uFEFFdata:1\n\n\uFEFFdata:2\n\ndata:3\n\n",
			seen:  events("1", "3")},
		{name: "format-bom-2",
			input: "\uFEFF\uFEFFdata:1\n\ndata:2\n\ndata:3\n\n",
			seen:  events("2", "3")},
		{name: "format-comments",
			input: "data:1\r:\x00\n:\r\ndata:2\n:" + long + "\rdata:3\n:data:fail\r:" + long + "\ndata:4\n\n",
			seen:  []string{"comment \x00", "comment ", "comment " + long, "comment data:fail", "comment " + long, data("1\n2\n3\n4")}},
		{name: "format-data-before-final-empty-line",
			input: "retry:1000\ndata:test1\n\nid:test\ndata:test2\n",
			seen:  []string{show(sse.Event{Data: "test1", Retry: time.Second})}, retry: time.Second},
		{name: "format-data-before-final-empty-line/in the line",
			input: "data:test1\n\nid:test\ndata:test2",
			seen:  events("test1")},
		{name: "format-field-data",
			input: "data:\n\ndata\ndata\n\ndata:test\n\n",
			seen:  events("", "\n", "test")},
		{name: "format-field-event",
			input: "event:test\ndata:x\n\ndata:x\n\n",
			seen:  []string{show(sse.Event{Type: "test", Data: "x"}), data("x")}},
		{name: "format-field-event-empty",
			input: "event: \ndata:data\n\n",
			seen:  events("data")},
		{name: "format-field-id",
			input: "id: …\ndata:1\n\ndata:2\n\n",
			seen:  []string{show(sse.Event{ID: "…", Data: "1"}), data("2")}, lastID: "…"},
		{name: "format-field-id-2",
			input: "data:1\nid:1\n\ndata:2\n\nevent:x\n\ndata:3\n\n",
			seen:  []string{show(sse.Event{ID: "1", Data: "1"}), data("2"), data("3")}, lastID: "1"},
		{name: "format-field-id-3/persists",
			input: "id:1\ndata:1\n\ndata:2\n\n",
			seen:  []string{show(sse.Event{ID: "1", Data: "1"}), data("2")}, lastID: "1"},
		{name: "format-field-id-3/changes then persists",
			input: "id:1\ndata:1\n\nid:2\ndata:2\n\ndata:3\n\n",
			seen:  []string{show(sse.Event{ID: "1", Data: "1"}), show(sse.Event{ID: "2", Data: "2"}), data("3")}, lastID: "2"},
		{name: "format-field-id-3/empty resets",
			input: "id:1\ndata:1\n\nid\ndata:2\n\ndata:3\n\n",
			seen:  []string{show(sse.Event{ID: "1", Data: "1"}), data("2"), data("3")}},
		{name: "format-field-id-null",
			input: "id:\x00\ndata:1\n\nid:a\x00\ndata:2\n\nid:\x00a\ndata:3\n\nid:a\x00b\ndata:4\n\n",
			seen:  events("1", "2", "3", "4")},
		{name: "format-field-id-null/the one before stays",
			input: "id:1\nid:2\x00\ndata:1\n\n",
			seen:  []string{show(sse.Event{ID: "1", Data: "1"})}, lastID: "1"},
		{name: "format-field-parsing",
			input: "data:\x00\ndata:  2\rData:1\ndata\x00:2\ndata:1\r\x00data:4\nda-ta:3\rdata_5\ndata:3\rdata:\r\n data:32\ndata:4\n\n",
			seen:  events("\x00\n 2\n1\n3\n\n4")},
		{name: "format-field-retry",
			input: "retry:02000\ndata:x\n\n",
			seen:  []string{show(sse.Event{Data: "x", Retry: 2 * time.Second})}, retry: 2 * time.Second},
		{name: "format-field-retry-bogus",
			input: "retry:3000\nretry:1000x\ndata:x\n\n",
			seen:  []string{show(sse.Event{Data: "x", Retry: 3 * time.Second})}, retry: 3 * time.Second},
		{name: "format-field-retry-empty",
			input: "retry\ndata:test\n\n",
			seen:  events("test")},
		{name: "format-field-unknown",
			input: "data:test\n data\ndata\nfoobar:xxx\njustsometext\n:thisisacommentyay\ndata:test\n\n",
			seen:  []string{"comment thisisacommentyay", data("test\n\ntest")}},
		{name: "format-leading-space",
			input: "data:\ttest\rdata: \ndata:test\n\n",
			seen:  events("\ttest\n\ntest")},
		{name: "format-newlines",
			input: "data:test\r\ndata\ndata:test\r\n\r",
			seen:  events("test\n\ntest")},
		{name: "format-null-character",
			input: "data:\x00\n\n\n\n",
			seen:  events("\x00")},
		{name: "format-utf-8",
			input: "data:ok…\n\n",
			seen:  events("ok…")},
	} {
		t.Run(c.name, func(t *testing.T) {
			want := record{seen: c.seen, lastID: c.lastID, retry: c.retry}
			if c.retry == 0 {
				want.retry = -1
			}
			everyCut(t, c.input, sse.DecoderOptions{}, want)
		})
	}
}

func data(text string) string { return show(sse.Event{Data: text}) }

// The parsing cases of LaunchDarkly's contract tests, by their names; what they
// have in common with those above is there.
func TestLaunchDarkly(t *testing.T) {
	hello := show(sse.Event{Type: "greeting", ID: "abc", Data: "Hello"})
	for _, c := range []struct {
		name, input string
		seen        []string
		lastID      string
	}{
		{"basic parsing/one-line message", "data: Hello\n\n", events("Hello"), ""},
		{"basic parsing/two one-line messages", "data: Hello\n\ndata: World\n\n", events("Hello", "World"), ""},
		{"basic parsing/one two-line message", "data: Hello\ndata: World\n\n", events("Hello\nWorld"), ""},
		{"basic parsing/empty data", "data:\n\n", events(""), ""},
		{"basic parsing/type and id", "event: greeting\nid: abc\ndata: Hello\n\n", []string{hello}, "abc"},
		{"basic parsing/fields in reverse order", "data: Hello\nid: abc\nevent: greeting\n\n", []string{hello}, "abc"},
		{"basic parsing/no leading space", "event:greeting\nid:abc\ndata:Hello\n\n", []string{hello}, "abc"},
		{"basic parsing/extra leading space kept", "data:  Hello\n\n", events(" Hello"), ""},
		{"basic parsing/field with no colon", "data\n\ndata: x\n\n", events("", "x"), ""},
		{"basic parsing/multi-byte text", "data: €豆腐\U0001F600\n\n", events("€豆腐\U0001F600"), ""},
		{"BOM handling/before an event with type and id", "\uFEFFevent: greeting\nid: abc\ndata: Hello\n\n", []string{hello}, "abc"},
		{"BOM handling/not stripped in later data", "\uFEFFdata: a\n\ndata: \uFEFFb\n\n", events("a", "\uFEFFb"), ""},
		{"BOM handling/with a comment first", "\uFEFF:c\ndata: a\n\n", []string{"comment c", data("a")}, ""},
		{"BOM handling/with an empty data field", "\uFEFFdata\n\n", events(""), ""},
		{"BOM handling/alone", "\uFEFF", nil, ""},
		{"BOM handling/in part", "\xEF\xBB", nil, ""},
		{"BOM handling/in part, then a line", "\xEF\xBB\ndata: a\n\n", events("a"), ""},
		{"comments/two in a row", ":Hello\n:World\n", []string{"comment Hello", "comment World"}, ""},
		{"comments/before an event", ":Hello\ndata: x\n\n", []string{"comment Hello", data("x")}, ""},
		{"comments/after an event", "data: x\n\n: Hello\n", []string{data("x"), "comment Hello"}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			everyCut(t, c.input, sse.DecoderOptions{}, record{seen: c.seen, lastID: c.lastID, retry: -1})
		})
	}
	t.Run("basic parsing/100 messages in one burst arrive in order", func(t *testing.T) {
		var input strings.Builder
		var want []string
		for i := range 100 {
			fmt.Fprintf(&input, "data: %d\n\n", i)
			want = append(want, data(fmt.Sprint(i)))
		}
		everyCut(t, input.String(), sse.DecoderOptions{}, record{seen: want, retry: -1})
	})
	for _, size := range []int{5 << 20, 10 << 20} {
		t.Run(fmt.Sprintf("basic parsing/%d MB message", size>>20), func(t *testing.T) {
			text := strings.Repeat("x", size)
			got := decode(iotest.HalfReader(strings.NewReader("data: "+text+"\n\n")), sse.DecoderOptions{})
			if got.err != nil || len(got.seen) != 1 || got.seen[0] != data(text) {
				t.Errorf("%d events, %v", len(got.seen), got.err)
			}
		})
	}
	for name, end := range map[string]string{"LF": "\n", "CRLF": "\r\n", "CR": "\r"} {
		for _, c := range []struct {
			name, input string
			seen        []string
		}{
			{"one-line", "data: Hello\n\n", events("Hello")},
			{"one-line then two-line", "data: Hello\n\ndata: World\ndata: 2\n\n", events("Hello", "World\n2")},
			{"three lines with an empty first", "data:\ndata: Hello\ndata: World\n\n", events("\nHello\nWorld")},
			{"three lines with an empty middle", "data: Hello\ndata:\ndata: World\n\n", events("Hello\n\nWorld")},
			{"one extra blank line", "data: Hello\n\n\ndata: World\n\n", events("Hello", "World")},
			{"two extra blank lines", "data: Hello\n\n\n\ndata: World\n\n", events("Hello", "World")},
		} {
			t.Run("linefeeds/"+name+"/"+c.name, func(t *testing.T) {
				input := strings.ReplaceAll(c.input, "\n", end)
				everyCut(t, input, sse.DecoderOptions{}, record{seen: c.seen, retry: -1})
				var pairs []io.Reader
				for i := 0; i < len(input); i += 2 {
					pairs = append(pairs, strings.NewReader(input[i:min(i+2, len(input))]))
				}
				if got := decode(io.MultiReader(pairs...), sse.DecoderOptions{}); fmt.Sprint(got.seen) != fmt.Sprint(c.seen) {
					t.Errorf("by twos: %q", got.seen)
				}
			})
		}
	}
}

// Text holds other characters that some take for the end of a line.
func TestOnlyCRAndLFEndALine(t *testing.T) {
	const text = "a\vb\fc\u0085d\u2028e\u2029f\x1cg\x1dh\x1ei \t"
	everyCut(t, "data:"+text+"\n\n", sse.DecoderOptions{}, record{seen: events(text), retry: -1})
}
