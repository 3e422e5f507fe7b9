package sse_test

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stentor-sse/stentor/sse"
)

// samples are events of usual kinds.
func samples() map[string]sse.Event {
	return map[string]sse.Event{
		"small": {ID: "1700000000000000", Type: "chat", Data: `{"from":"ada","text":"hello"}`},
		"lines": {ID: "1700000000000000", Data: strings.Repeat("a line of some text\n", 20)},
		"64KiB": {ID: "1700000000000000", Type: "chat", Data: strings.Repeat("x", 64<<10)},
	}
}

func TestAppendTextAllocatesNothing(t *testing.T) {
	b := make([]byte, 0, 128<<10)
	for name, e := range samples() {
		if n := testing.AllocsPerRun(100, func() { b, _ = e.AppendText(b[:0]) }); n != 0 {
			t.Errorf("%s: %v allocations", name, n)
		}
	}
}

func BenchmarkAppendText(b *testing.B) {
	for name, e := range samples() {
		b.Run(name, func(b *testing.B) {
			frame, _ := e.AppendText(nil)
			b.SetBytes(int64(len(frame)))
			b.ReportAllocs()
			for b.Loop() {
				frame, _ = e.AppendText(frame[:0])
			}
		})
	}
}

func BenchmarkDecoder(b *testing.B) {
	for name, e := range samples() {
		b.Run(name, func(b *testing.B) {
			frame, _ := e.AppendText(nil)
			r := &repeat{text: frame}
			b.SetBytes(int64(len(frame)))
			b.ReportAllocs()
			d := sse.NewDecoder(r, nil)
			for b.Loop() {
				for range d.Events() {
					break
				}
			}
		})
	}
}

// repeat gives the same bytes over and over.
type repeat struct {
	text []byte
	at   int
}

func (r *repeat) Read(p []byte) (int, error) {
	n := copy(p, r.text[r.at:])
	r.at = (r.at + n) % len(r.text)
	return n, nil
}

// discard is a ResponseWriter that costs nothing.
type discard struct{ header http.Header }

func (d discard) Header() http.Header         { return d.header }
func (d discard) Write(p []byte) (int, error) { return len(p), nil }
func (d discard) WriteHeader(int)             {}
func (d discard) Flush()                      {}

func (d discard) SetWriteDeadline(time.Time) error { return nil }

func BenchmarkSend(b *testing.B) {
	for name, e := range samples() {
		b.Run(name, func(b *testing.B) {
			s, err := sse.Accept(discard{http.Header{}}, httptest.NewRequest("GET", "/", nil), nil)
			if err != nil {
				b.Fatal(err)
			}
			defer s.Close()
			b.ReportAllocs()
			for b.Loop() {
				s.Send(b.Context(), e)
			}
		})
	}
}

func BenchmarkWriteFrames(b *testing.B) {
	s, err := sse.Accept(discard{http.Header{}}, httptest.NewRequest("GET", "/", nil), nil)
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	frame := bytes.Repeat([]byte("x"), 100)
	b.ReportAllocs()
	for b.Loop() {
		s.WriteFrames(frame)
	}
}

func BenchmarkAccept(b *testing.B) {
	r := httptest.NewRequest("GET", "/", nil)
	b.ReportAllocs()
	for b.Loop() {
		s, err := sse.Accept(discard{http.Header{}}, r, nil)
		if err != nil {
			b.Fatal(err)
		}
		s.Close()
	}
}
