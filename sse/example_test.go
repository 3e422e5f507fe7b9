package sse_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"time"

	"github.com/stentor-sse/stentor/sse"
)

func Example() {
	greet := func(w http.ResponseWriter, r *http.Request) {
		stream, err := sse.Accept(w, r, nil)
		if err != nil {
			http.Error(w, "no streams here", http.StatusNotImplemented)
			return
		}
		stream.Send(r.Context(), sse.Event{Type: "greet", Data: "hello"})
		stream.Close(sse.Event{Type: "bye"})
	}

	w := httptest.NewRecorder()
	greet(w, httptest.NewRequest("GET", "/events", nil))
	for event, err := range sse.NewDecoder(w.Body, nil).Events() {
		fmt.Println(event.Type, event.Data, err)
	}
	// Output:
	// greet hello <nil>
	// bye  <nil>
}

func ExampleAccept() {
	countdown := func(w http.ResponseWriter, r *http.Request) {
		var from int
		if _, err := fmt.Sscan(sse.LastEventID(r), &from); err != nil {
			from = 4 // a reader that begins, or one whose cursor is not ours
		}
		w.Header().Set("Access-Control-Allow-Origin", "https://example.com")
		stream, err := sse.Accept(w, r, &sse.AcceptOptions{Retry: time.Second})
		if err != nil {
			http.Error(w, err.Error(), http.StatusNotImplemented)
			return
		}
		defer stream.Close()
		for i := from - 1; i > 0; i-- {
			if err := stream.Send(r.Context(), sse.Event{ID: fmt.Sprint(i), Data: fmt.Sprintf("%d\nto go", i)}); err != nil {
				return
			}
		}
	}

	r := httptest.NewRequest("GET", "/events", nil)
	r.Header.Set("Last-Event-ID", "3")
	w := httptest.NewRecorder()
	countdown(w, r)
	fmt.Print(w.Header().Get("Content-Type"), "\n\n", w.Body)
	// Output:
	// text/event-stream
	//
	// retry: 1000
	//
	// id: 2
	// data: 2
	// data: to go
	//
	// id: 1
	// data: 1
	// data: to go
}

// Frames that are encoded once go to as many streams as there are.
func ExampleStream_WriteFrames() {
	var frames []byte
	for _, e := range []sse.Event{{Type: "price", Data: "42"}, {Type: "price", Data: "43"}} {
		var err error
		if frames, err = e.AppendText(frames); err != nil {
			fmt.Println(err)
			return
		}
	}
	for _, reader := range []string{"ada", "bob"} {
		w := httptest.NewRecorder()
		stream, err := sse.Accept(w, httptest.NewRequest("GET", "/prices", nil), nil)
		if err != nil {
			fmt.Println(err)
			return
		}
		err = stream.WriteFrames(frames)
		stream.Close()
		fmt.Println(reader, w.Body.Len(), err)
	}
	// Output:
	// ada 46 <nil>
	// bob 46 <nil>
}

func ExampleDecoder() {
	stream := strings.NewReader(": welcome\nretry: 2000\n\nid: 7\nevent: chat\ndata: hi\n\ndata: cut off")
	decoder := sse.NewDecoder(stream, &sse.DecoderOptions{
		Comment: func(text string) { fmt.Println("comment:", text) },
	})
	for event, err := range decoder.Events() {
		if err != nil {
			fmt.Println("stream broke:", err)
			break
		}
		fmt.Println(event.ID, event.Type, event.Data)
	}
	retry, _ := decoder.Retry()
	fmt.Println("reconnect after", retry, "from", decoder.LastEventID())
	// Output:
	// comment: welcome
	// 7 chat hi
	// reconnect after 2s from 7
}

func ExampleEvent_AppendText() {
	frame, err := sse.Event{ID: "7", Type: "chat", Data: "two\nlines"}.AppendText(nil)
	fmt.Printf("%s%v\n", frame, err)
	_, err = sse.Event{ID: "7\ndata: forged"}.AppendText(nil)
	fmt.Println(err)
	// Output:
	// id: 7
	// event: chat
	// data: two
	// data: lines
	//
	// <nil>
	// sse: invalid event: the id has a CR, LF or NUL at byte 1; leave it out
}
