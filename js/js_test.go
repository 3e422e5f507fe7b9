package js_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stentor-sse/stentor/js"
	"github.com/stentor-sse/stentor/sse"
)

func TestFilesAreServed(t *testing.T) {
	for name, h := range map[string]http.Handler{"connect": js.Client(), "bind": js.Bindings()} {
		ask := func(tag string) *http.Response {
			r := httptest.NewRequest("GET", "/", nil)
			r.Header.Set("If-None-Match", tag)
			w := httptest.NewRecorder()
			h.ServeHTTP(w, r)
			return w.Result()
		}
		first := ask(`"other"`)
		body := new(bytes.Buffer)
		if _, err := body.ReadFrom(first.Body); err != nil {
			t.Fatal(err)
		}
		if first.StatusCode != 200 || !strings.Contains(body.String(), "export{") || !strings.Contains(body.String(), " as "+name) {
			t.Errorf("%s: %s, %d bytes", name, first.Status, body.Len())
		}
		if strings.Contains(body.String(), "import") {
			t.Errorf("%s imports something", name)
		}
		for field, want := range map[string]string{
			"Content-Type": "text/javascript; charset=utf-8", "Cache-Control": "no-cache", "X-Content-Type-Options": "nosniff",
		} {
			if got := first.Header.Get(field); got != want {
				t.Errorf("%s: %s %q", name, field, got)
			}
		}
		tag := first.Header.Get("ETag")
		if again := ask(tag); tag == "" || again.StatusCode != http.StatusNotModified {
			t.Errorf("%s: with its own tag %q: %s", name, tag, again.Status)
		}
	}
}

// The decoder of package sse passes the cases that the client's parser passes, so both read alike.
func TestStreamsAreReadAlike(t *testing.T) {
	type event struct{ ID, Type, Channel, Data string }
	var cases []struct {
		Name        string
		Input       []byte
		Events      []event
		Comments    []string
		LastEventID string
		Retry       int
	}
	text, err := os.ReadFile("testdata/streams.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &cases); err != nil || len(cases) == 0 {
		t.Fatalf("%d cases, %v", len(cases), err)
	}
	for _, c := range cases {
		var events []event
		var comments []string
		d := sse.NewDecoder(bytes.NewReader(c.Input), &sse.DecoderOptions{Comment: func(text string) { comments = append(comments, text) }})
		for e, err := range d.Events() {
			if err != nil {
				t.Fatalf("%s: %v", c.Name, err)
			}
			events = append(events, event{e.ID, e.Type, e.Channel, e.Data})
		}
		retry := -1
		if d, ok := d.Retry(); ok {
			retry = int(d / time.Millisecond)
		}
		if !slices.Equal(events, c.Events) || !slices.Equal(comments, c.Comments) || d.LastEventID() != c.LastEventID || retry != c.Retry {
			t.Errorf("%s: %q:\ngot  %q %q %q %d\nwant %q %q %q %d", c.Name, c.Input,
				events, comments, d.LastEventID(), retry, c.Events, c.Comments, c.LastEventID, c.Retry)
		}
	}
}
