package sse_test

import (
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/stentor-sse/stentor/sse"
)

// record is all that one can see of a stream.
type record struct {
	seen   []string // events and comments in their order
	lastID string
	retry  time.Duration // -1: none
	err    error
}

func (r record) String() string {
	return fmt.Sprintf("%s\nlast event id %q, retry %v, error %v", strings.Join(r.seen, "\n"), r.lastID, r.retry, r.err)
}

func show(e sse.Event) string {
	return fmt.Sprintf("id %q type %q channel %q data %q retry %v comment %q", e.ID, e.Type, e.Channel, e.Data, e.Retry, e.Comment)
}

// events makes a record's list of what a reader sees of plain data.
func events(data ...string) (list []string) {
	for _, d := range data {
		list = append(list, show(sse.Event{Data: d}))
	}
	return list
}

func decode(r io.Reader, o sse.DecoderOptions) record {
	got := record{retry: -1}
	o.Comment = func(text string) { got.seen = append(got.seen, "comment "+text) }
	d := sse.NewDecoder(r, &o)
	for e, err := range d.Events() {
		if err != nil {
			got.err = err
			continue
		}
		got.seen = append(got.seen, show(e))
	}
	if t, ok := d.Retry(); ok {
		got.retry = t
	}
	got.lastID = d.LastEventID()
	return got
}

// everyCut decodes in every way in which input may arrive and reports each that
// differs from want.
func everyCut(t *testing.T, input string, o sse.DecoderOptions, want record) {
	t.Helper()
	check := func(how string, r io.Reader) {
		t.Helper()
		got := decode(r, o)
		if !slices.Equal(got.seen, want.seen) || got.lastID != want.lastID || got.retry != want.retry || !errors.Is(got.err, want.err) {
			t.Errorf("%s: %.200q\ngot:\n%v\nwant:\n%v", how, input, got, want)
		}
	}
	check("whole", strings.NewReader(input))
	check("byte by byte", iotest.OneByteReader(strings.NewReader(input)))
	check("with the end", iotest.DataErrReader(strings.NewReader(input)))
	for i := range len(input) {
		check(fmt.Sprintf("cut at %d", i), io.MultiReader(strings.NewReader(input[:i]), strings.NewReader(input[i:])))
	}
}

func TestCRAtTheEndOfAChunkDispatchesAtOnce(t *testing.T) {
	for _, ends := range []string{"\r\r", "\n\r", "\r\n\r", "\n\n"} {
		seen := 0
		chunks := []string{"data:1" + ends, "\ndata:2" + ends, "data:3" + ends}
		d := sse.NewDecoder(reader(func(p []byte) (int, error) {
			n := 3 - len(chunks)
			if seen != n {
				t.Errorf("%q: asked for more with %d of %d events seen", ends, seen, n)
			}
			if len(chunks) == 0 {
				return 0, io.EOF
			}
			n = copy(p, chunks[0])
			chunks = chunks[1:]
			return n, nil
		}), nil)
		for e, err := range d.Events() {
			seen++
			if err != nil || e.Data != fmt.Sprint(seen) {
				t.Errorf("%q: %v, %v", ends, e, err)
			}
		}
	}
}

type reader func(p []byte) (int, error)

func (r reader) Read(p []byte) (int, error) { return r(p) }

func TestCommentIsToldWhenItsLineEnds(t *testing.T) {
	told := false
	d := sse.NewDecoder(io.MultiReader(strings.NewReader(":hi\r"), reader(func(p []byte) (int, error) {
		if !told {
			t.Error("asked for more before the comment was told")
		}
		return 0, io.EOF
	})), &sse.DecoderOptions{Comment: func(string) { told = true }})
	for e, err := range d.Events() {
		t.Errorf("%v, %v", e, err)
	}
}

func TestEventHasTheIDOfItsOwnBlock(t *testing.T) {
	d := sse.NewDecoder(strings.NewReader("id:1\ndata:a\n\ndata:b\n\nid:2\n\ndata:c\n\nid\ndata:d\n\n"),
		&sse.DecoderOptions{LastEventID: "0"})
	if id := d.LastEventID(); id != "0" {
		t.Errorf("at first %q", id)
	}
	var got []string
	for e := range d.Events() {
		got = append(got, fmt.Sprintf("%s %q %q", e.Data, e.ID, d.LastEventID()))
	}
	if want := []string{`a "1" "1"`, `b "" "1"`, `c "" "2"`, `d "" ""`}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestLoopCanBeTakenUpAgain(t *testing.T) {
	d := sse.NewDecoder(strings.NewReader("data:1\n\ndata:2\n\ndata:3\n\n"), nil)
	var got []string
	for range 5 {
		for e := range d.Events() {
			got = append(got, e.Data)
			break
		}
	}
	if !slices.Equal(got, []string{"1", "2", "3"}) {
		t.Errorf("got %q", got)
	}
}

func TestReadErrorEndsTheSequence(t *testing.T) {
	for _, broken := range []error{io.ErrUnexpectedEOF, errors.New("reset"), fmt.Errorf("wrapped: %w", io.EOF)} {
		d := sse.NewDecoder(io.MultiReader(strings.NewReader("id:1\ndata:a\n\nid:2\ndata:b\n"), iotest.ErrReader(broken)), nil)
		for range 2 { // and again
			var got []string
			var last error
			for e, err := range d.Events() {
				if last = err; err == nil {
					got = append(got, e.Data)
				}
			}
			if !errors.Is(last, broken) || len(got) > 1 || d.LastEventID() != "1" {
				t.Errorf("%v: %q, %v, last event id %q", broken, got, last, d.LastEventID())
			}
		}
	}
}

func TestReaderThatGivesNothing(t *testing.T) {
	got := decode(reader(func([]byte) (int, error) { return 0, nil }), sse.DecoderOptions{})
	if !errors.Is(got.err, io.ErrNoProgress) {
		t.Errorf("error %v", got.err)
	}
}

func TestRetryIsDigitsOnly(t *testing.T) {
	const ms = time.Millisecond
	most := time.Duration(math.MaxInt64/int64(ms)) * ms
	for _, c := range []struct {
		value string
		want  time.Duration
	}{
		{"0", 0}, {"1", ms}, {"007", 7 * ms}, {" 5", 5 * ms}, // one space is the field's
		{"", -1}, {"  5", -1}, {"5 ", -1}, {"+5", -1}, {"-5", -1}, {"5.0", -1}, {"0x5", -1}, {"5e3", -1}, {"1_000", -1},
		{"٣", -1}, {"5\x00", -1},
		{fmt.Sprint(int64(most / ms)), most}, {fmt.Sprint(int64(most/ms) + 1), most},
		{"18446744073709551617", most}, {strings.Repeat("9", 1000), most}, {"1" + strings.Repeat("0", 1000), most},
	} {
		if got := decode(strings.NewReader("retry:"+c.value+"\n"), sse.DecoderOptions{}); got.retry != c.want {
			t.Errorf("%q: got %v, want %v", c.value, got.retry, c.want)
		}
	}
}

func TestInvalidUTF8IsReplacedPerMaximalSubpart(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{"\xff", "?"}, {"\xff\xfe", "??"}, {"\x80\xbf", "??"},
		{"\xc0\xaf", "??"}, {"\xc2", "?"}, {"\xc2a", "?a"}, {"\xdf\xc2\x80", "?\u0080"},
		{"\xe2\x82", "?"}, {"\xe2\x82a", "?a"}, {"\xe2\x82\xe2\x82\xac", "?€"}, {"\xe0\x9f\xbf", "???"}, {"\xe0\xa0", "?"},
		{"\xed\xa0\x80", "???"}, {"\xed\x9f", "?"},
		{"\xf0\x90\x80", "?"}, {"\xf0\x8f\xbf\xbf", "????"}, {"\xf0\x9f\x98\xff", "??"}, {"\xf4\x90\x80\x80", "????"}, {"\xf4\x8f\xbf", "?"},
		{"\xf5\x80\x80\x80", "????"}, {"\xf8\x88\x80\x80\x80", "?????"},
		{"\xef\xbf\xbd", "?"}, {"a\xffb€\xe2\x82c", "a?b€?c"},
	} {
		want := strings.ReplaceAll(c.want, "?", "\uFFFD")
		list := []string{"comment " + want, show(sse.Event{ID: want, Type: want, Channel: want, Data: want + "\n" + want})}
		input := fmt.Sprintf(":%[1]s\nid:%[1]s\nevent:%[1]s\nchannel:%[1]s\ndata:%[1]s\ndata:%[1]s\n\n", c.in)
		everyCut(t, input, sse.DecoderOptions{}, record{seen: list, lastID: want, retry: -1})
	}
}

func TestMaxEventSize(t *testing.T) {
	o := sse.DecoderOptions{MaxEventSize: 10}
	for _, c := range []struct {
		name, input string
		seen        []string
		err         error
	}{
		{"at the limit", "data:12345\n\n", events("12345"), nil},
		{"line beyond", "data:123456\n\n", nil, sse.ErrTooLarge},
		{"lines beyond", "data:1\ndata:\n\n", nil, sse.ErrTooLarge},
		{"unended line beyond", "data:123456", nil, sse.ErrTooLarge},
		{"counted anew for each event", "data:12345\n\ndata:12345\n\n", events("12345", "12345"), nil},
		{"events before are given", "data:1\n\ndata:123456\n\n", events("1"), sse.ErrTooLarge},
		{"no event but counted anew", "event:1234\n\ndata:12345\n\n", events("12345"), nil},
		{"unknown fields count", "unknown:1\ndata:2\n\n", nil, sse.ErrTooLarge},
		{"comments don't add up", ":1234\n:5678\ndata:12345\n:9\n\n", []string{"comment 1234", "comment 5678", "comment 9", show(sse.Event{Data: "12345"})}, nil},
		{"comment at the limit", ":123456789\n", []string{"comment 123456789"}, nil},
		{"comment beyond", ":1234567890\n", nil, sse.ErrTooLarge},
	} {
		t.Run(c.name, func(t *testing.T) {
			everyCut(t, c.input, o, record{seen: c.seen, retry: -1, err: c.err})
		})
	}
}

// endless gives the same bytes for ever and counts them.
type endless struct {
	text string
	n    int
}

func (e *endless) Read(p []byte) (int, error) {
	n := 0
	for n+len(e.text) <= len(p) {
		n += copy(p[n:], e.text)
	}
	e.n += n
	return n, nil
}

func TestHostileStreamIsReadWithinTheLimit(t *testing.T) {
	for _, text := range []string{"x", "data", ":", "data:x\n", "unknown\r", "event:x\r\n", "id:1\n", "\xff", "data:\xff\r"} {
		r := &endless{text: text}
		if got := decode(r, sse.DecoderOptions{MaxEventSize: 256 << 10}); !errors.Is(got.err, sse.ErrTooLarge) {
			t.Errorf("%q: %v", text, got.err)
		}
		if r.n > 768<<10 {
			t.Errorf("%q: read %d bytes", text, r.n)
		}
	}
}

// What takes time that grows with the square of the input would not end here.
func TestHostileStreamTakesLinearTime(t *testing.T) {
	const n = 512 << 10
	for name, text := range map[string]string{
		"CR":              strings.Repeat("\r", n),
		"LF":              strings.Repeat("\n", n),
		"colons":          strings.Repeat(":\r", n/2),
		"one line":        "data:" + strings.Repeat("x", n) + "\n\n",
		"empty lines":     strings.Repeat("data\n", n/8) + "\n",
		"CR in a long LF": strings.Repeat("a\r", n/2) + "\n",
		"broken UTF-8":    "data:" + strings.Repeat("\xe2\x82", n/4) + "\n\n",
	} {
		t.Run(name, func(t *testing.T) {
			o := sse.DecoderOptions{MaxEventSize: -1}
			whole := decode(strings.NewReader(text), o)
			bytes := decode(iotest.OneByteReader(strings.NewReader(text)), o)
			if whole.err != nil || bytes.err != nil || !slices.Equal(whole.seen, bytes.seen) {
				t.Errorf("%v, %v", whole.err, bytes.err)
			}
		})
	}
}
