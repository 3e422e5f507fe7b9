package problem_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stentor-sse/stentor"
	"github.com/stentor-sse/stentor/internal/problem"
)

func TestWriteIsAProblemDocument(t *testing.T) {
	w := httptest.NewRecorder()
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("Content-Encoding", "gzip")
	problem.Write(w, http.StatusBadRequest, "channel: leave out the comma")

	want := `{"title":"Bad Request","status":400,"detail":"channel: leave out the comma"}` + "\n"
	if got := w.Body.String(); got != want {
		t.Errorf("body %s, want %s", got, want)
	}
	for name, want := range map[string]string{
		"Content-Type":           "application/problem+json",
		"Cache-Control":          "no-store",
		"X-Content-Type-Options": "nosniff",
		"Content-Encoding":       "",
		"Content-Length":         strconv.Itoa(len(want)),
	} {
		if got := w.Header().Get(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
}

func TestErrorStatus(t *testing.T) {
	for _, row := range []struct {
		name   string
		err    error
		status int
		detail string // a part of it
	}{
		{"refusal", &stentor.Refusal{Status: 403, Detail: "log in first"}, 403, "log in first"},
		{"wrapped refusal", fmt.Errorf("hook: %w", &stentor.Refusal{Status: 451, Detail: "no"}), 451, "no"},
		{"refusal with a status that is none", &stentor.Refusal{Status: 200, Detail: "x"}, 500, "x"},
		{"invalid", stentor.Channel("a b").Validate(), 400, "leave out spaces"},
		{"too large", fmt.Errorf("%w: at most 7 bytes", stentor.ErrTooLarge), 413, "at most 7 bytes"},
		{"body too large", fmt.Errorf("read: %w", &http.MaxBytesError{Limit: 42}), 413, "over 42 bytes"},
		{"unknown", fmt.Errorf("%w subscription", stentor.ErrUnknown), 404, "unknown subscription"},
		{"key taken", stentor.ErrKeyTaken, 409, "another key"},
		{"dismissed", fmt.Errorf("subscribe: %w", stentor.ErrDismissed), 403, "don't come back"},
		{"full", stentor.ErrFull, 503, "try again"},
		{"draining", stentor.ErrDraining, 503, "try again"},
		{"closed", fmt.Errorf("publish: %w", stentor.ErrClosed), 503, "try again"},
		{"anything else", errors.New("dial 10.0.0.7: password hunter2 refused"), 500, "the server failed"},
	} {
		t.Run(row.name, func(t *testing.T) {
			w := httptest.NewRecorder()
			problem.Error(w, row.err)
			d := decode(t, w)
			if w.Code != row.status || d.Status != row.status {
				t.Errorf("status %d, in the body %d, want %d", w.Code, d.Status, row.status)
			}
			if !strings.Contains(d.Detail, row.detail) || strings.Contains(d.Detail, "hunter2") {
				t.Errorf("detail %q, want it to hold %q and nothing of the server", d.Detail, row.detail)
			}
			after, err := strconv.Atoi(w.Header().Get("Retry-After"))
			if row.status == 503 && (err != nil || after < 2 || after > 30) {
				t.Errorf("Retry-After %q, want 2 to 30", w.Header().Get("Retry-After"))
			}
		})
	}
}

func TestUnauthorizedCarriesAChallenge(t *testing.T) {
	w := httptest.NewRecorder()
	problem.Write(w, http.StatusUnauthorized, "send a token")
	if got := w.Header().Get("WWW-Authenticate"); got != "Bearer" {
		t.Errorf("WWW-Authenticate %q, want Bearer", got)
	}
	w = httptest.NewRecorder()
	w.Header().Set("WWW-Authenticate", `Basic realm="x"`)
	problem.Write(w, http.StatusUnauthorized, "send a password")
	if got := w.Header().Get("WWW-Authenticate"); got != `Basic realm="x"` {
		t.Errorf("WWW-Authenticate %q, want the handler's own", got)
	}
}

func TestHostileDetailStaysData(t *testing.T) {
	for _, detail := range []string{
		"a\r\nSet-Cookie: x=1", "\x00\x1b[31m", `","status":200,"x":"`, "<script>alert(1)</script>",
		"\xff\xfe", strings.Repeat("ж", 100_000), strings.Repeat("\xff", 100_000),
	} {
		w := httptest.NewRecorder()
		problem.Write(w, http.StatusBadRequest, detail)
		d := decode(t, w)
		if d.Status != 400 || !utf8.ValidString(d.Detail) || len(d.Detail) > 3*512 {
			t.Errorf("%.20q: status %d, %d bytes of detail", detail, d.Status, len(d.Detail))
		}
		if strings.ContainsAny(w.Body.String(), "\x00\x1b\r<>") {
			t.Errorf("%.20q stands unescaped in %.200q", detail, w.Body.String())
		}
	}
}

func decode(t *testing.T, w *httptest.ResponseRecorder) problem.Document {
	t.Helper()
	var d problem.Document
	if err := json.Unmarshal(w.Body.Bytes(), &d); err != nil {
		t.Fatalf("%v in %.200q", err, w.Body.String())
	}
	return d
}
