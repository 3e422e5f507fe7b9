package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"
)

// harness plays the part of the contract tests: it has a stream server that is told what to
// send, and a callback address.
type harness struct {
	t        *testing.T
	service  string
	streams  *httptest.Server
	conns    chan *conn
	back     *httptest.Server
	reports  chan report
	refusals chan int // statuses for the requests to come
}

// conn is one request for the stream.
type conn struct {
	r    *http.Request
	body string
	send chan string // closed: the response ends
	gone chan struct{}
}

func newHarness(t *testing.T) *harness {
	h := &harness{t: t, conns: make(chan *conn, 10), reports: make(chan report, 100), refusals: make(chan int, 10)}
	h.streams = httptest.NewServer(http.HandlerFunc(h.stream))
	n := 0
	h.back = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n++
		var rep report
		if err := json.NewDecoder(r.Body).Decode(&rep); err != nil || r.URL.Path != fmt.Sprintf("/back/%d", n) {
			t.Errorf("callback %d is at %s, %v", n, r.URL.Path, err)
		}
		h.reports <- rep
	}))
	out, in := io.Pipe()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- run(ctx, []string{"-port", "0"}, in) }()
	var line [256]byte
	k, err := out.Read(line[:])
	if err != nil {
		t.Fatal(err)
	}
	h.service = strings.TrimSpace(strings.TrimPrefix(string(line[:k]), "listening on "))
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
		h.streams.Close()
		h.back.Close()
	})
	return h
}

func (h *harness) stream(w http.ResponseWriter, r *http.Request) {
	select {
	case code := <-h.refusals:
		w.WriteHeader(code)
		return
	default:
	}
	body, _ := io.ReadAll(r.Body)
	c := &conn{r: r, body: string(body), send: make(chan string), gone: make(chan struct{})}
	defer close(c.gone)
	w.Header().Set("Content-Type", "text/event-stream")
	http.NewResponseController(w).Flush()
	h.conns <- c
	for {
		select {
		case text, ok := <-c.send:
			if !ok {
				return
			}
			io.WriteString(w, text)
			http.NewResponseController(w).Flush()
		case <-r.Context().Done():
			return
		}
	}
}

// call sends a request to the service and gives status, Location and body.
func (h *harness) call(method, path, body string) (int, string, string) {
	h.t.Helper()
	r, err := http.NewRequest(method, h.service+path, bytes.NewReader([]byte(body)))
	if err != nil {
		h.t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		h.t.Fatal(err)
	}
	defer resp.Body.Close()
	answer, _ := io.ReadAll(resp.Body)
	return resp.StatusCode, resp.Header.Get("Location"), string(answer)
}

// create opens a stream with more parameters, as a harness does.
func (h *harness) create(more string) (place string) {
	h.t.Helper()
	code, place, answer := h.call("POST", "/", fmt.Sprintf(`{"streamUrl":%q,"callbackUrl":%q,"tag":"a test"%s}`, h.streams.URL, h.back.URL+"/back", more))
	if code/100 != 2 || place == "" {
		h.t.Fatalf("create: %d, %q, %s", code, place, answer)
	}
	return place
}

func await[T any](t *testing.T, c <-chan T) T {
	t.Helper()
	select {
	case v := <-c:
		return v
	case <-time.After(time.Minute): // only a broken service takes any of it
		t.Fatal("nothing came")
		panic("unreachable")
	}
}

func (h *harness) event(kind, data, id string) {
	h.t.Helper()
	if r := await(h.t, h.reports); r.Kind != "event" || *r.Event != (event{kind, data, id}) {
		h.t.Errorf("report %+v %+v, want %s %q %q", r, r.Event, kind, data, id)
	}
}

func TestStatusSaysWhatCanBeTested(t *testing.T) {
	code, _, body := newHarness(t).call("GET", "/", "")
	var status struct{ Capabilities []string }
	if err := json.Unmarshal([]byte(body), &status); err != nil || code != 200 {
		t.Fatalf("%d %s", code, body)
	}
	want := []string{"bom", "comments", "headers", "last-event-id", "post", "read-timeout", "report", "restart", "server-directed-shutdown-request"}
	if !slices.Equal(status.Capabilities, want) {
		t.Errorf("capabilities %q", status.Capabilities)
	}
}

func TestEventsAndCommentsAreReportedInOrder(t *testing.T) {
	h := newHarness(t)
	h.create("")
	c := await(t, h.conns)
	c.send <- ": now\n"
	if r := await(t, h.reports); r.Kind != "comment" || r.Comment != "now" {
		t.Errorf("report %+v", r)
	}
	c.send <- "id: 1\nevent: t\ndata: a\n\ndata: b\n\n"
	h.event("t", "a", "1")
	h.event("message", "b", "1")
	big := strings.Repeat("x", 1<<20)
	c.send <- "data: " + big + "\n\n"
	h.event("message", big, "1")
}

func TestRequestParameters(t *testing.T) {
	h := newHarness(t)
	h.create(`,"method":"REPORT","body":"question","lastEventId":"7","headers":{"x-a":"b"}`)
	c := await(t, h.conns)
	if c.r.Method != "REPORT" || c.body != "question" || c.r.Header.Get("Last-Event-ID") != "7" || c.r.Header.Get("X-A") != "b" {
		t.Errorf("request %+v, %q", c.r, c.body)
	}
}

func TestReconnectsAndReportsTheError(t *testing.T) {
	h := newHarness(t)
	h.create(`,"initialDelayMs":0`)
	c := await(t, h.conns)
	c.send <- "id: 1\ndata: a\n\n"
	h.event("message", "a", "1")
	close(c.send)
	if r := await(t, h.reports); r.Kind != "error" || r.Error == "" {
		t.Errorf("report %+v", r)
	}
	if c = await(t, h.conns); c.r.Header.Get("Last-Event-ID") != "1" {
		t.Errorf("it went on from %q", c.r.Header.Get("Last-Event-ID"))
	}
	c.send <- "data: b\n\n"
	h.event("message", "b", "1")
}

func TestReadTimeout(t *testing.T) {
	h := newHarness(t)
	h.create(`,"initialDelayMs":1,"readTimeoutMs":50`)
	await(t, h.conns)
	if r := await(t, h.reports); r.Kind != "error" || !strings.Contains(r.Error, "silent") {
		t.Errorf("report %+v", r)
	}
	await(t, h.conns)
}

func TestFinalAnswerIsReported(t *testing.T) {
	h := newHarness(t)
	for _, code := range []int{204, 301, 404} {
		h.refusals <- code
		place := h.create("")
		if r := await(t, h.reports); r.Kind != "error" || !strings.Contains(r.Error, fmt.Sprint(code)) {
			t.Errorf("%d: report %+v", code, r)
		}
		if code, _, _ := h.call("DELETE", place, ""); code != 204 {
			t.Errorf("delete: %d", code)
		}
		h = newHarness(t) // its callbacks count from 1 again
	}
}

// A restart is no error: the harness takes the next report for an event.
func TestRestartCommand(t *testing.T) {
	h := newHarness(t)
	place := h.create("")
	c := await(t, h.conns)
	if code, _, _ := h.call("POST", place, `{"command":"restart"}`); code/100 != 2 {
		t.Errorf("restart: %d", code)
	}
	await(t, c.gone)
	c = await(t, h.conns)
	c.send <- "data: new\n\n"
	h.event("message", "new", "")
}

func TestCommandsThatCannotBe(t *testing.T) {
	h := newHarness(t)
	place := h.create("")
	await(t, h.conns)
	for _, c := range []struct {
		method, path, body string
		want               int
	}{
		{"POST", place, `{"command":"listen","listen":{"type":"t"}}`, 202},
		{"POST", place, `{"command":"dance"}`, 400},
		{"POST", place, `{`, 400},
		{"POST", "/streams/99", `{"command":"restart"}`, 404},
		{"DELETE", "/streams/99", ``, 404},
		{"POST", "/", `{`, 400},
		{"POST", "/", `{"streamUrl":"http://h"}`, 400},
		{"POST", "/", `{"streamUrl":"nowhere","callbackUrl":"http://h"}`, 400},
	} {
		if code, _, _ := h.call(c.method, c.path, c.body); code != c.want {
			t.Errorf("%s %s %s: %d, want %d", c.method, c.path, c.body, code, c.want)
		}
	}
}

func TestDeleteEndsTheStream(t *testing.T) {
	h := newHarness(t)
	place := h.create("")
	c := await(t, h.conns)
	if code, _, _ := h.call("DELETE", place, ""); code != 204 {
		t.Errorf("delete: %d", code)
	}
	await(t, c.gone)
	if code, _, _ := h.call("DELETE", place, ""); code != 404 || len(h.reports) > 0 {
		t.Errorf("again: %d, %d reports", code, len(h.reports))
	}
}

func TestStopsWhenAsked(t *testing.T) {
	out, in := io.Pipe()
	done := make(chan error, 1)
	go func() { done <- run(context.Background(), []string{"-port", "0"}, in) }()
	var line [256]byte
	k, _ := out.Read(line[:])
	h := &harness{t: t, service: strings.TrimSpace(strings.TrimPrefix(string(line[:k]), "listening on "))}
	if code, _, _ := h.call("DELETE", "/", ""); code/100 != 2 {
		t.Errorf("stop: %d", code)
	}
	if err := await(t, done); err != nil {
		t.Error(err)
	}
}

func TestUsage(t *testing.T) {
	for _, args := range [][]string{{"-port", "nowhere"}, {"-what"}} {
		if err := run(t.Context(), args, io.Discard); err == nil {
			t.Errorf("%q: no error", args)
		}
	}
}
