package sse_test

import (
	"cmp"
	"io"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
	"time"
	"unicode/utf8"

	"github.com/stentor-sse/stentor/sse"
)

// FuzzDecode: no input makes the decoder panic, none is read otherwise than the
// standard says, and no cut changes anything.
func FuzzDecode(f *testing.F) {
	f.Add("\xEF\xBB\xBFid: 1\r\nevent:t\rdata:a\n:c\ndata\n\nretry:10\n\ndata:x", 3)
	f.Add("data:\xff\xe2\x82\ndata:\xed\xa0\x80\xf0\x90\n\n", 7)
	f.Add("id:a\x00b\n\nid\n\n\r\n\r\r\n data:1\nda:ta\n\n", 12)
	f.Add("\xEF\xBB\xBF\xEF\xBB\xBFdata:1\n\n", 4)
	f.Fuzz(func(t *testing.T, input string, cut int) {
		if len(input) > 1<<16 {
			return
		}
		want := model(input)
		cut = min(max(cut, 0), len(input))
		for how, r := range map[string]io.Reader{
			"whole":        strings.NewReader(input),
			"byte by byte": iotest.OneByteReader(strings.NewReader(input)),
			"cut":          io.MultiReader(strings.NewReader(input[:cut]), strings.NewReader(input[cut:])),
		} {
			got := decode(r, sse.DecoderOptions{})
			if !slices.Equal(got.seen, want.seen) || got.lastID != want.lastID || got.retry != want.retry || got.err != nil {
				t.Errorf("%s: %q\ngot:\n%v\nwant:\n%v", how, input, got, want)
			}
		}
	})
}

// FuzzRoundTrip: what can be sent comes out as it went in, and whatever is valid
// can be sent.
func FuzzRoundTrip(f *testing.F) {
	f.Add("1", "type", "home", "data\nof\rlines\r\n", int64(1000), "comment")
	f.Add("", "", "", "", int64(0), "")
	f.Add(" ", ":", " ", "\uFEFF", int64(1), "\n")
	f.Fuzz(func(t *testing.T, id, kind, channel, data string, retry int64, comment string) {
		e := sse.Event{ID: id, Type: kind, Channel: channel, Data: data, Retry: time.Duration(retry), Comment: comment}
		valid := utf8.ValidString(id+"."+kind+"."+channel+"."+data+"."+comment) &&
			!strings.ContainsAny(id, "\r\n\x00") && !strings.ContainsAny(kind+channel, "\r\n") &&
			(retry == 0 || e.Retry >= time.Millisecond)
		b, err := e.AppendText(nil)
		if (err == nil) != valid {
			t.Fatalf("%s: %v, want valid %v", show(e), err, valid)
		}
		if err == nil {
			returned(t, e, b)
		}
	})
}

// FuzzInjection: no text adds, changes or swallows anything beside its own event.
func FuzzInjection(f *testing.F) {
	f.Add("1\ndata: forged", "t\r\rid: forged", "h\n\n", "x\r\rdata: forged\n\n", "\n\ndata: forged")
	f.Add("\x00", "\u2028", "\x00", "\r", "\r\n")
	f.Add("", "", "", "\n\n\n", "")
	f.Fuzz(func(t *testing.T, id, kind, channel, data, comment string) {
		b, err := sse.Event{ID: "before", Data: "1"}.AppendText(nil)
		if err != nil {
			t.Fatal(err)
		}
		e := sse.Event{ID: id, Type: kind, Channel: channel, Data: data, Comment: comment}
		if e.Type == "" && e.Data == "" {
			e.Type = "message" // so that it is an event in any case
		}
		if b, err = e.AppendText(b); err != nil {
			e = sse.Event{}
		}
		if b, err = (sse.Event{ID: "after", Data: "2"}).AppendText(b); err != nil {
			t.Fatal(err)
		}
		want := []sse.Event{{ID: "before", Data: "1"}, {ID: e.ID, Type: e.Type, Channel: e.Channel, Data: lines(e.Data)}, {ID: "after", Data: "2"}}
		if e == (sse.Event{}) {
			want = slices.Delete(want, 1, 2)
		}
		var got []sse.Event
		for e, err := range sse.NewDecoder(strings.NewReader(string(b)), nil).Events() {
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, e)
		}
		if !slices.Equal(got, want) {
			t.Errorf("%q: got %+v, want %+v", b, got, want)
		}
	})
}

// FuzzAcceptable: no header makes it panic, none hides a range that admits, and how
// a list is spread over lines changes nothing.
func FuzzAcceptable(f *testing.F) {
	f.Add("text/*;q=0.5, */*;q=0", `text/html;x="a\",b"`)
	f.Add(`text/event-stream;q="1`, ",;=/")
	f.Fuzz(func(t *testing.T, one, two string) {
		ask := func(lines ...string) (ok, given bool) {
			r := httptest.NewRequest("GET", "/", nil)
			r.Header["Accept"] = lines
			return sse.Acceptable(r)
		}
		if ok, given := ask(one, two); !given && !ok {
			t.Errorf("%q, %q: refused without a range", one, two)
		}
		if ok, given := ask("text/event-stream;charset=utf-8, "+one, two); !ok || !given {
			t.Errorf("%q, %q: they hide a range that admits", one, two)
		}
		if strings.Contains(one, `"`) {
			return // a quoted string goes on to its end
		}
		ok, given := ask(one, two)
		if ok2, given2 := ask(one + "," + two); ok != ok2 || given != given2 {
			t.Errorf("%q, %q: %v, %v on two lines, %v, %v on one", one, two, ok, given, ok2, given2)
		}
	})
}

// FuzzLastEventID: any query is read, and a well-formed one as net/url does.
func FuzzLastEventID(f *testing.F) {
	f.Add("last%45ventId=%zz&lastEventId=1")
	f.Add("lastEventId&last_event_id=+%20&a=;")
	f.Fuzz(func(t *testing.T, query string) {
		r := httptest.NewRequest("GET", "/", nil)
		r.URL.RawQuery = query
		got := sse.LastEventID(r)
		values, err := url.ParseQuery(query)
		if err != nil {
			return
		}
		want := cmp.Or(values.Get("lastEventId"), values.Get("last_event_id"), values.Get("Last-Event-ID"), values.Get("evs_last_event_id"))
		if got != want {
			t.Errorf("%q: got %q, want %q", query, got, want)
		}
	})
}
