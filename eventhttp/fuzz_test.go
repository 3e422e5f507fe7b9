package eventhttp_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stentor-sse/stentor"
	"github.com/stentor-sse/stentor/eventhttp"
)

// FuzzPublish: whatever the body, the answer is one of the documented ones; what is
// published is what was sent; and what is refused is not published.
func FuzzPublish(f *testing.F) {
	kinds := []string{"application/json", "application/x-www-form-urlencoded", "application/x-ndjson"}
	for kind, body := range []string{
		`{"channel":"a","data":"hello"}`, "channel=a&data=x%0A", `{"channel":"a"}` + "\n" + `{"user":"b","data":{"n":1}}`,
	} {
		f.Add(kind, body)
	}
	for _, body := range []string{
		"", "{", `{"all":true,"data":"\ud83c\udf89"}`, `{"all":true,"data":"\ud83c"}`, `{"\u0061ll":true,"data":[1, 2]}`,
		`{"channel":"\u0001a"}`, `{"all":true,"type":"stentor.x"}`, `{"all":true,"data":"\\\\ud83c"}`, "\xef\xbb\xbf{}",
	} {
		f.Add(0, body)
	}
	hub := newHub(f, nil)
	f.Fuzz(func(t *testing.T, kind int, body string) {
		var taken []stentor.Message
		face := eventhttp.New(hub, &eventhttp.Options{Publish: func(_ *http.Request, m *stentor.Message) error {
			taken = append(taken, *m)
			return nil
		}})
		before := hub.Stats().Published
		r := httptest.NewRequest("POST", "/publish", strings.NewReader(body))
		contentType := kinds[uint(kind)%uint(len(kinds))]
		r.Header.Set("Content-Type", contentType)
		w := httptest.NewRecorder()
		face.ServeHTTP(w, r)

		published := hub.Stats().Published - before
		switch w.Code {
		case 200:
			if contentType != "application/x-ndjson" && published != 1 {
				t.Errorf("200, and %d published", published)
			}
		case 400, 404, 413:
			if published != 0 {
				t.Errorf("%d, and %d published", w.Code, published)
			}
		default:
			t.Errorf("status %d: %s", w.Code, w.Body)
		}
		for line := range strings.Lines(w.Body.String()) {
			if !json.Valid([]byte(line)) {
				t.Errorf("answer %q is not JSON", line)
			}
		}
		if w.Code == 200 && contentType == "application/json" {
			same(t, body, taken[0])
		}
		for _, m := range taken {
			if !utf8.ValidString(m.Data) {
				t.Errorf("data %q is not UTF-8", m.Data)
			}
		}
	})
}

// same checks a message against a plain decoding of its body.
func same(t *testing.T, body string, m stentor.Message) {
	t.Helper()
	var plain map[string]any
	if err := json.Unmarshal([]byte(body), &plain); err != nil {
		t.Fatalf("%q was taken: %v", body, err)
	}
	if text, ok := plain["data"].(string); ok && (m.Data != text || m.JSON) {
		t.Errorf("data %q arrived as %q", text, m.Data)
	}
	channel, _ := plain["channel"].(string)
	typ, _ := plain["type"].(string)
	if string(m.Target.Channel) != channel || m.Type != typ {
		t.Errorf("%q arrived as %+v", body, m)
	}
}
