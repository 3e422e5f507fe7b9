package eventsource_test

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/stentor-sse/stentor/eventsource"
)

// repeat gives the same bytes over and over.
type repeat struct {
	text string
	at   int
}

func (r *repeat) Read(p []byte) (int, error) {
	n := copy(p, r.text[r.at:])
	r.at = (r.at + n) % len(r.text)
	return n, nil
}

func (r *repeat) Close() error { return nil }

// frames are events of usual kinds on the wire.
func frames() map[string]string {
	return map[string]string{
		"small":  "id: 1700000000000000\nevent: chat\ndata: {\"from\":\"ada\",\"text\":\"hello\"}\n\n",
		"no id":  "data: {\"choices\":[{\"delta\":{\"content\":\" word\"}}]}\n\n",
		"lines":  "id: 1700000000000000\n" + strings.Repeat("data: a line of some text\n", 20) + "\n",
		"64KiB":  "id: 1700000000000000\nevent: chat\ndata: " + strings.Repeat("x", 64<<10) + "\n\n",
		"silent": ":\n\ndata: a\n\n",
	}
}

// answering is a client that gets this body.
func answering(body io.ReadCloser) *http.Client {
	return &http.Client{Transport: transport(func(r *http.Request) (*http.Response, error) {
		return &http.Response{StatusCode: 200, Header: http.Header{"Content-Type": {"text/event-stream"}}, Body: body, Request: r}, nil
	})}
}

// What an event costs: the text that it hands out, which is the decoder's.
func BenchmarkEvents(b *testing.B) {
	for name, frame := range frames() {
		b.Run(name, func(b *testing.B) {
			src, err := eventsource.New("http://host/", &eventsource.Options{Client: answering(&repeat{text: frame})})
			if err != nil {
				b.Fatal(err)
			}
			b.SetBytes(int64(len(frame)))
			b.ReportAllocs()
			n := 0
			for range src.Events(b.Context()) {
				if n++; n > b.N {
					break
				}
			}
		})
	}
}

// What a connection costs beside net/http.
func BenchmarkConnect(b *testing.B) {
	src, err := eventsource.New("http://host/", &eventsource.Options{Client: answering(&repeat{text: "data: a\n\n"})})
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		for range src.Events(b.Context()) {
			break
		}
	}
}

// An event costs its strings and nothing else.
func TestEventsAllocateTheirTextAlone(t *testing.T) {
	for name, most := range map[string]float64{"small": 2, "no id": 1, "lines": 2} {
		src, err := eventsource.New("http://host/", &eventsource.Options{Client: answering(&repeat{text: frames()[name]})})
		if err != nil {
			t.Fatal(err)
		}
		const events = 1000
		once := testing.AllocsPerRun(10, func() {
			for range src.Events(t.Context()) {
				break
			}
		})
		all := testing.AllocsPerRun(10, func() {
			n := 0
			for range src.Events(t.Context()) {
				if n++; n > events {
					break
				}
			}
		})
		if each := (all - once) / events; each > most+0.1 {
			t.Errorf("%s: %.2f allocations for each event, want %v", name, each, most)
		}
	}
}
