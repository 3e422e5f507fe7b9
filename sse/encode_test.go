package sse_test

import (
	"errors"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stentor-sse/stentor/sse"
)

// K-14, K-15, B-31, B-32, B-33: all fields of an event are one block, in a fixed order; nothing is sent.
func TestAppendText(t *testing.T) {
	for _, c := range []struct {
		name  string
		event sse.Event
		want  string
	}{
		{"zero event", sse.Event{}, "data: \n\n"},
		{"data", sse.Event{Data: "a"}, "data: a\n\n"},
		{"all fields", sse.Event{ID: "1", Type: "t", Channel: "h", Data: "d", Retry: time.Second, Comment: "c"},
			": c\nretry: 1000\nid: 1\nevent: t\nchannel: h\ndata: d\n\n"},
		{"type without data", sse.Event{Type: "t"}, "event: t\ndata: \n\n"},
		{"id alone", sse.Event{ID: "1"}, "id: 1\n\n"},
		{"retry alone", sse.Event{Retry: time.Minute}, "retry: 60000\n\n"},
		{"comment alone", sse.Event{Comment: "c"}, ": c\n\n"},
		{"id, retry and comment", sse.Event{ID: "1", Retry: 1500 * time.Microsecond, Comment: "c"}, ": c\nretry: 1\nid: 1\n\n"},
		{"empty data with an id", sse.Event{ID: "1", Type: "message"}, "id: 1\nevent: message\ndata: \n\n"},
		{"LF, CR and CRLF", sse.Event{Data: "a\nb\rc\r\nd"}, "data: a\ndata: b\ndata: c\ndata: d\n\n"},
		{"LF CR is two", sse.Event{Data: "a\n\rb"}, "data: a\ndata: \ndata: b\n\n"},
		{"CR CR LF is two", sse.Event{Data: "a\r\r\nb"}, "data: a\ndata: \ndata: b\n\n"},
		{"leading, empty and trailing lines", sse.Event{Data: "\na\n\nb\n"}, "data: \ndata: a\ndata: \ndata: b\ndata: \n\n"},
		{"trailing CR", sse.Event{Data: "a\r"}, "data: a\ndata: \n\n"},
		{"line ends alone", sse.Event{Data: "\n"}, "data: \ndata: \n\n"},
		{"comment of lines", sse.Event{Comment: "a\r\ndata: b\n"}, ": a\n: data: b\n: \n\n"},
		{"leading spaces", sse.Event{ID: " 1", Type: " t", Data: " d\n  e"}, "id:  1\nevent:  t\ndata:  d\ndata:   e\n\n"},
		{"colons and other control characters", sse.Event{ID: ":\t", Type: ":\x00\v", Data: "data: \x00\u2028"},
			"id: :\t\nevent: :\x00\v\ndata: data: \x00\u2028\n\n"},
		{"longest retry", sse.Event{Retry: math.MaxInt64}, "retry: 9223372036854\n\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := c.event.AppendText([]byte("before\n\n"))
			if err != nil || string(got) != "before\n\n"+c.want {
				t.Errorf("got %q, %v, want %q", got, err, c.want)
			}
		})
	}
}

// refused fails unless e is refused and nothing is appended, not even beyond the end.
func refused(t *testing.T, e sse.Event) {
	t.Helper()
	b := make([]byte, 6, 200)
	copy(b, "before")
	got, err := e.AppendText(b)
	if !errors.Is(err, sse.ErrInvalid) {
		t.Errorf("%s: %v, want ErrInvalid", show(e), err)
	}
	if string(got) != "before" || &got[0] != &b[0] || strings.Trim(string(b[6:200]), "\x00") != "" {
		t.Errorf("%s: left %q", show(e), got[:cap(got)])
	}
}

// K-14, K-15, B-38: no string is more than it was meant to be.
func TestAttackT1ControlCharactersInIDTypeAndComment(t *testing.T) {
	for _, attack := range []string{"\n", "\r", "\r\n", "1\ndata: forged", "1\rdata: forged", "1\r\n\r\ndata: forged\n\n", "\n1"} {
		refused(t, sse.Event{ID: attack, Data: "x"})
		refused(t, sse.Event{Type: attack, Data: "x"})
		refused(t, sse.Event{Channel: attack, Data: "x"})
		b, err := sse.Event{Comment: attack, Data: "x"}.AppendText(nil)
		if err != nil {
			t.Errorf("comment %q: %v", attack, err)
		}
		for line := range strings.Lines(string(b)) {
			if line != "\n" && line != "data: x\n" && !strings.HasPrefix(line, ": ") {
				t.Errorf("comment %q became %q", attack, line)
			}
		}
	}
}

// K-14, B-38: data that spans lines arrives whole.
func TestAttackT2LoneCRInData(t *testing.T) {
	for c := range rune(0x20) { // each control character, as what may end a line somewhere
		end := string(c)
		want := "x" + strings.ReplaceAll(end, "\r", "\n") + "event: forged" + strings.ReplaceAll(end, "\r", "\n") + "id: forged"
		b, err := sse.Event{Data: "x" + end + "event: forged" + end + "id: forged"}.AppendText(nil)
		if err != nil {
			t.Errorf("%q: %v", end, err)
		}
		everyCut(t, string(b), sse.DecoderOptions{}, record{seen: events(want), retry: -1})
	}
}

func TestAttackT4EmptyOrNULIDResetsTheCursor(t *testing.T) {
	refused(t, sse.Event{ID: "\x00", Data: "x"})
	refused(t, sse.Event{ID: "1\x002", Data: "x"})
	b, err := sse.Event{ID: "", Type: "t", Data: "x"}.AppendText(nil)
	if err != nil || strings.Contains(string(b), "id") {
		t.Errorf("an empty id became %q, %v", b, err)
	}
}

func TestInvalidUTF8IsRefused(t *testing.T) {
	for _, bad := range []string{"\xff", "a\xc3", "\xed\xa0\x80", "ok\x80"} {
		refused(t, sse.Event{ID: bad})
		refused(t, sse.Event{Type: bad})
		refused(t, sse.Event{Channel: bad})
		refused(t, sse.Event{Data: bad})
		refused(t, sse.Event{Comment: bad})
	}
}

func TestRetryThatCannotBeSaidIsRefused(t *testing.T) {
	for _, retry := range []time.Duration{-1, -time.Second, 1, time.Millisecond - 1, math.MinInt64} {
		refused(t, sse.Event{Retry: retry, Data: "x"})
	}
}

func TestErrorSaysWhichField(t *testing.T) {
	for field, e := range map[string]sse.Event{
		"id": {ID: "\n"}, "type": {Type: "\n"}, "channel": {Channel: "\r"}, "data": {Data: "\xff"}, "comment": {Comment: "\xff"}, "retry": {Retry: -1},
	} {
		if _, err := e.AppendText(nil); err == nil || !strings.Contains(err.Error(), field) || !strings.HasPrefix(err.Error(), "sse: ") {
			t.Errorf("%s: %v", field, err)
		}
	}
}

// lines is data as it arrives: the format has no other line end than LF.
func lines(data string) string {
	return strings.ReplaceAll(strings.ReplaceAll(data, "\r\n", "\n"), "\r", "\n")
}

// returned fails unless what e was encoded to decodes to e and to nothing else.
func returned(t *testing.T, e sse.Event, b []byte) {
	t.Helper()
	want := record{retry: -1}
	if e.Comment != "" {
		for line := range strings.SplitSeq(lines(e.Comment), "\n") {
			want.seen = append(want.seen, "comment "+line)
		}
	}
	if e.Retry != 0 {
		want.retry = e.Retry.Truncate(time.Millisecond)
	}
	want.lastID = e.ID
	if e.Data != "" || e.Type != "" || e.ID == "" && e.Retry == 0 && e.Comment == "" {
		want.seen = append(want.seen, show(sse.Event{ID: e.ID, Type: e.Type, Channel: e.Channel, Data: lines(e.Data), Retry: max(want.retry, 0)}))
	}
	if got := decode(strings.NewReader(string(b)), sse.DecoderOptions{}); !slices.Equal(got.seen, want.seen) ||
		got.lastID != want.lastID || got.retry != want.retry || got.err != nil {
		t.Errorf("%s became %q, which is\n%v\nwant\n%v", show(e), b, got, want)
	}
}

// B-39: a leading space arrives.
func TestWhatGoesInComesOut(t *testing.T) {
	texts := []string{"", "a", " ", " a ", ":", "\n", "\r", "\r\n", "a\n", "\na", "a\n\nb", "a\r\rb\r\n", "data: x\n\n", "\x00", "\uFEFF", "€\U0001F600", "\t\v\f\u0085\u2028"}
	for _, data := range texts {
		for _, other := range texts {
			for _, e := range []sse.Event{
				{Data: data, Type: other}, {Data: data, ID: other}, {Data: data, Comment: other},
				{Comment: data, ID: other}, {Channel: other, Data: data}, {Type: data, Channel: data, ID: other, Retry: time.Second},
			} {
				if b, err := e.AppendText(nil); err == nil {
					returned(t, e, b)
				} else if !strings.ContainsAny(e.ID, "\r\n\x00") && !strings.ContainsAny(e.Type+e.Channel, "\r\n") {
					t.Errorf("%s: %v", show(e), err)
				}
			}
		}
	}
}
