package load_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/stentor-sse/stentor/bench/load"
	"github.com/stentor-sse/stentor/bench/load/payload"
)

// body is an event stream with the events 1 to 3, an event of the server's own, and what
// is no event.
func body() string {
	return "retry: 3000\n\n" +
		"event: hello\nid: 7\ndata: {\"id\":\"x\"}\n\n" +
		"data: " + data(1) + "\n\n" +
		": comment\n\n" +
		"id: 8\r\nevent: t\r\ndata:" + data(2) + "\r\n\r\n" +
		"data: " + data(3) + "\ndata: second line\n\n"
}

func data(seq int64) string { return string(payload.Append(nil, seq, 1000+seq, 60)) }

const (
	plain   = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n"
	chunked = "HTTP/1.1 200 OK\r\ntransfer-encoding: Chunked\r\nCONTENT-TYPE:  text/event-stream; charset=utf-8\r\nX: y\r\n\r\n"
)

// inChunks frames s in chunks of n bytes, with all that the format allows.
func inChunks(s string, n int) string {
	var b strings.Builder
	for i := 0; i < len(s); i += n {
		piece := s[i:min(i+n, len(s))]
		format := [...]string{"%x\r\n%s\r\n", "%X;a=b\r\n%s\r\n", "00%x\r\n%s\r\n"}[i/n%3]
		fmt.Fprintf(&b, format, len(piece), piece)
	}
	return b.String()
}

func TestCutAnywhere(t *testing.T) {
	streams := map[string]string{
		"plain":           plain + body(),
		"one chunk":       chunked + inChunks(body(), 4096),
		"chunks of 3":     chunked + inChunks(body(), 3),
		"chunks of 7":     chunked + inChunks(body(), 7),
		"chunks of 33":    chunked + inChunks(body(), 33),
		"head with space": strings.Replace(plain, "-Type: ", "-Type:   ", 1) + body(),
	}
	want := fmt.Sprint([]load.Event{{}, {Seq: 1, At: 1001, Known: true}, {Seq: 2, At: 1002, Known: true}, {Seq: 3, At: 1003, Known: true}})
	for name, text := range streams {
		t.Run(name, func(t *testing.T) {
			for cut := 0; cut <= len(text); cut++ {
				if got, err := feed(text[:cut], text[cut:]); err != nil || fmt.Sprint(got) != want {
					t.Fatalf("cut at %d: %v, %v\nwant %s", cut, got, err, want)
				}
			}
			if got, err := feed(strings.Split(text, "")...); err != nil || fmt.Sprint(got) != want {
				t.Fatalf("byte by byte: %v, %v\nwant %s", got, err, want)
			}
		})
	}
}

// feed reads a response in the given pieces; what the pieces held is overwritten after
// each, as the load generator's buffer is.
func feed(pieces ...string) ([]load.Event, error) {
	var s load.Stream
	var got []load.Event
	for _, p := range pieces {
		b := []byte(p)
		if err := s.Feed(b, func(e load.Event) { got = append(got, e) }); err != nil {
			return got, err
		}
		clear(b)
	}
	return got, nil
}

func TestOpenWithTheHead(t *testing.T) {
	for i := range len(chunked) + 1 {
		var s load.Stream
		if err := s.Feed([]byte(chunked[:i]), nil); err != nil {
			t.Fatal(err)
		}
		if got, want := s.Open(), i == len(chunked); got != want {
			t.Errorf("after %d bytes of %d: open is %v", i, len(chunked), got)
		}
	}
}

func TestEndOfTheResponse(t *testing.T) {
	text := chunked + inChunks(body(), 50) + "0\r\n\r\n"
	for cut := range len(text) {
		got, err := feed(text[:cut], text[cut:])
		if !errors.Is(err, load.ErrEnded) || len(got) != 4 {
			t.Fatalf("cut at %d: %d events, %v", cut, len(got), err)
		}
	}
}

func TestWhatIsNoStream(t *testing.T) {
	for name, text := range map[string]string{
		"status":         "HTTP/1.1 503 Service Unavailable\r\nContent-Type: text/event-stream\r\n\r\n",
		"content type":   "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\n",
		"no type":        "HTTP/1.1 200 OK\r\nX-Content-Type: text/event-stream\r\n\r\n",
		"short":          strings.Replace(plain, "\r\n\r\n", "\r\nContent-Length: 0\r\n\r\n", 1),
		"chunk size":     chunked + "xyz\r\n",
		"no chunk size":  chunked + "\r\n",
		"long size":      chunked + "12345678\r\n",
		"after a chunk":  chunked + "1\r\nabc",
		"endless head":   "HTTP/1.1 200 OK\r\nX: " + strings.Repeat("x", 2<<20),
		"endless line":   plain + strings.Repeat("x", 2<<20),
		"another's text": "SSH-2.0-OpenSSH\r\n\r\n",
	} {
		if got, err := feed(text); err == nil || errors.Is(err, load.ErrEnded) {
			t.Errorf("%s: %v, %v", name, got, err)
		}
	}
}

func TestOrder(t *testing.T) {
	for name, test := range map[string]struct {
		from, missing, late, repeated int64
		seqs                          []int64
	}{
		"in order":            {1, 0, 0, 0, []int64{1, 2, 3}},
		"any beginning":       {0, 0, 0, 0, []int64{7, 8, 9}},
		"lost":                {1, 2, 0, 0, []int64{1, 4, 5}},
		"lost at the begin":   {1, 1, 0, 0, []int64{2, 3}},
		"twice":               {1, 0, 0, 1, []int64{1, 2, 2, 3}},
		"swapped":             {1, 1, 1, 0, []int64{1, 3, 2, 4}},
		"late and again":      {1, 1, 1, 2, []int64{1, 3, 2, 2, 3}},
		"from the begin anew": {1, 0, 0, 3, []int64{1, 2, 3, 1, 2, 3}},
		"zero":                {1, 0, 0, 1, []int64{1, 0, 2}},
		"just late":           {1, 63, 1, 0, []int64{1, 65, 2}},
		"too late to know":    {1, 64, 0, 1, []int64{1, 66, 2}},
	} {
		var o load.Order
		if test.from > 0 {
			o.From(test.from)
		}
		var missing, late, repeated int64
		for _, seq := range test.seqs {
			place, n := o.See(seq)
			missing += n
			switch place {
			case load.Late:
				late++
			case load.Repeated:
				repeated++
			}
		}
		if missing != test.missing || late != test.late || repeated != test.repeated {
			t.Errorf("%s: %d missing, %d late, %d repeated; want %d, %d, %d", name, missing, late, repeated, test.missing, test.late, test.repeated)
		}
	}
}

func FuzzStream(f *testing.F) {
	f.Add(chunked+inChunks(body(), 9), 40)
	f.Add(plain+body(), 80)
	f.Fuzz(func(t *testing.T, text string, cut int) {
		cut = max(0, min(cut, len(text)))
		whole, wholeErr := feed(text)
		parts, err := feed(text[:cut], text[cut:])
		if fmt.Sprint(whole) != fmt.Sprint(parts) || (wholeErr == nil) != (err == nil) {
			t.Errorf("whole: %v, %v; cut at %d: %v, %v", whole, wholeErr, cut, parts, err)
		}
	})
}
