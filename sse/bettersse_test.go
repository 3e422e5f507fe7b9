package sse_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stentor-sse/stentor/sse"
	"github.com/stentor-sse/stentor/ssetest"
)

// What Better SSE does on one connection, by the numbers of the facts; those that
// other tests show stand above these. Its channels are the hub's.

func TestBetterSSESession(t *testing.T) {
	t.Run("B-04 padding, for the polyfills that need it", func(t *testing.T) {
		ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
			padding := sse.Event{Comment: strings.Repeat(" ", 2048)}
			s, got := open(t, p, &sse.AcceptOptions{
				Retry: 2 * time.Second, KeepAlive: sse.KeepAlive{AtOnce: true, Event: padding},
			})
			is(t, got, "retry: 2000\n\n:  "+strings.Repeat(" ", 2047)+"\n\n")
			expect(t, "set", s.SetKeepAlive(t.Context(), sse.KeepAlive{}), nil)
		})
	})
	t.Run("B-06 B-08 what is pushed is what was given, and nothing is made up", func(t *testing.T) {
		ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
			s, got := open(t, p, nil)
			s.Send(t.Context(), sse.Event{ID: "id-1", Type: "named", Data: `{"a":1}`}, sse.Event{Data: "x"})
			is(t, got, "id: id-1\nevent: named\ndata: {\"a\":1}\n\ndata: x\n\n")
			if id := s.LastEventID(); id != "" {
				t.Errorf("LastEventID %q, want what the reader presented", id)
			}
		})
	})
	t.Run("B-09 a reader's lines as events", func(t *testing.T) {
		ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
			s, got := open(t, p, nil)
			expect(t, "send", s.SendAll(t.Context(), lineEvents(strings.NewReader("one\ntwo"))), nil)
			broken := errors.New("broken")
			expect(t, "send", s.SendAll(t.Context(), lineEvents(io.MultiReader(strings.NewReader("three\n"), failing{broken}))), broken)
			is(t, got, "data: one\n\ndata: two\n\ndata: three\n\n")
		})
	})
	t.Run("B-11 the source is stopped when the reader has gone", func(t *testing.T) {
		ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
			s, got := open(t, p, nil)
			made, stopped := 0, make(chan bool, 1)
			source := func(yield func(sse.Event, error) bool) {
				defer func() { stopped <- true }()
				for {
					made++
					if !yield(sse.Event{Data: "x"}, nil) {
						return
					}
					time.Sleep(time.Second)
				}
			}
			time.AfterFunc(10*time.Second+1, got.Close)
			expect(t, "send", s.SendAll(t.Context(), source), sse.ErrClientGone)
			if <-stopped; made != 12 {
				t.Errorf("%d made; want eleven, and one to find out", made)
			}
		})
	})
	t.Run("B-11 and one that waits, when its context is the request's", func(t *testing.T) {
		ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
			result := make(chan error, 1)
			srv := serve(t, p, nil, func(ctx context.Context, s *sse.Stream) {
				r, w := io.Pipe()
				defer w.Close()
				defer context.AfterFunc(ctx, func() { r.Close() })()
				result <- s.SendAll(ctx, lineEvents(r))
			})
			got := srv.Open(t, "/")
			synctest.Wait()
			got.Close()
			expect(t, "send", <-result, io.ErrClosedPipe)
		})
	})
	t.Run("B-12 frames are encoded once and written to many", func(t *testing.T) {
		ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
			var frames []byte
			for _, e := range []sse.Event{{Retry: 2400 * time.Millisecond}, {ID: "1", Type: "x", Data: "one\ntwo"}} {
				var err error
				if frames, err = e.AppendText(frames); err != nil {
					t.Fatal(err)
				}
			}
			want := "retry: 2400\n\nid: 1\nevent: x\ndata: one\ndata: two\n\n"
			for range 3 {
				s, got := open(t, p, nil)
				expect(t, "frames", s.WriteFrames(frames), nil)
				is(t, got, want)
			}
			if string(frames) != want {
				t.Errorf("the frames were changed: %q", frames)
			}
		})
	})
	t.Run("B-13 frames are refused after the end, too", func(t *testing.T) {
		ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
			s, _ := open(t, p, nil)
			s.Close()
			expect(t, "frames", s.WriteFrames([]byte("data: x\n\n")), sse.ErrClosed)
		})
	})
	t.Run("B-14 a keepalive at every interval", func(t *testing.T) {
		ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
			s, got := open(t, p, &sse.AcceptOptions{KeepAlive: sse.KeepAlive{Interval: 10 * time.Second, Always: true}})
			pass(9 * time.Second)
			s.Send(t.Context(), sse.Event{Data: "x"})
			pass(11 * time.Second)
			is(t, got, "data: x\n\n:\n\n:\n\n")
		})
	})
	t.Run("B-15 whether it is connected", func(t *testing.T) {
		ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
			s, got := open(t, p, nil)
			if s.Cause() != nil {
				t.Errorf("cause %v of an open stream", s.Cause())
			}
			got.Close()
			<-s.Done()
			expect(t, "cause", s.Cause(), sse.ErrClientGone)
		})
	})
	t.Run("B-20 anybody sends while the handler waits", func(t *testing.T) {
		ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
			s, got := open(t, p, nil) // the test is not the handler
			time.Sleep(time.Hour)
			expect(t, "send", s.Send(t.Context(), sse.Event{Data: "later"}), nil)
			if e := got.Next(t); e.Data != "later" {
				t.Errorf("event %+v", e)
			}
		})
	})
}

// B-37: data is text, and JSON is what encoding/json makes of a value.
func TestBetterSSESerializer(t *testing.T) {
	for _, c := range []struct {
		value any
		want  string
	}{
		{map[string]int{"a": 1}, `data: {"a":1}` + "\n\n"},
		{"héllo\nworld", `data: "héllo\nworld"` + "\n\n"},
		{nil, "data: null\n\n"},
	} {
		text, err := json.Marshal(c.value)
		if err != nil {
			t.Fatal(err)
		}
		b, err := sse.Event{Data: string(text)}.AppendText(nil)
		if err != nil || string(b) != c.want {
			t.Errorf("%v: %q, %v", c.value, b, err)
		}
	}
	if b, _ := (sse.Event{Data: "b"}).AppendText(nil); string(b) != "data: b\n\n" {
		t.Errorf("a string became %q", b)
	}
}

// lineEvents is a sequence of the lines of r.
func lineEvents(r io.Reader) iter.Seq2[sse.Event, error] {
	return func(yield func(sse.Event, error) bool) {
		lines := bufio.NewScanner(r)
		for lines.Scan() {
			if !yield(sse.Event{Data: lines.Text()}, nil) {
				return
			}
		}
		if err := lines.Err(); err != nil {
			yield(sse.Event{}, err)
		}
	}
}

// failing is a reader that can't be read.
type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

// The lines of a reader, one event each. The reader is closed when the request ends, so
// that it isn't read for somebody who has gone.
func ExampleStream_SendAll() {
	r := httptest.NewRequest("GET", "/log", nil)
	w := httptest.NewRecorder()
	source := io.NopCloser(strings.NewReader("compiling\nlinking\ndone"))

	stream, err := sse.Accept(w, r, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer stream.Close()
	defer context.AfterFunc(r.Context(), func() { source.Close() })()
	err = stream.SendAll(r.Context(), func(yield func(sse.Event, error) bool) {
		lines := bufio.NewScanner(source)
		for n := 1; lines.Scan(); n++ {
			if !yield(sse.Event{ID: fmt.Sprint(n), Data: lines.Text()}, nil) {
				return // the reader of the stream has gone
			}
		}
		if err := lines.Err(); err != nil {
			yield(sse.Event{}, err)
		}
	})
	fmt.Printf("%s%v\n", w.Body, err)
	// Output:
	// id: 1
	// data: compiling
	//
	// id: 2
	// data: linking
	//
	// id: 3
	// data: done
	//
	// <nil>
}
