package serverevents_test

import (
	"compress/gzip"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/stentor-sse/stentor"
	"github.com/stentor-sse/stentor/serverevents"
	"github.com/stentor-sse/stentor/sse"
	"github.com/stentor-sse/stentor/ssetest"
)

// Streams are compressed where that is asked for, for clients that accept it.
func TestCompress(t *testing.T) {
	ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
		hub, err := stentor.New(t.Context(), nil)
		if err != nil {
			t.Fatal(err)
		}
		defer hub.Shutdown(t.Context())
		for by, want := range map[*sse.Compressor]string{nil: "", {}: "gzip"} {
			mux := http.NewServeMux()
			serverevents.New(hub, &serverevents.Options{Compress: by}).Register(mux)
			srv := ssetest.NewServer(t, p, mux)
			r, err := http.NewRequest(http.MethodGet, srv.URL+"/event-stream?channels=home", nil)
			if err != nil {
				t.Fatal(err)
			}
			r.Header.Set("Accept-Encoding", "gzip")
			resp, err := srv.Client.Do(r)
			if err != nil {
				t.Fatal(err)
			}
			defer resp.Body.Close()
			if got := resp.Header.Get("Content-Encoding"); got != want {
				t.Errorf("Content-Encoding %q, want %q", got, want)
			}
			body := io.Reader(resp.Body)
			if want != "" {
				if body, err = gzip.NewReader(body); err != nil {
					t.Fatal(err)
				}
			}
			b := make([]byte, 4096)
			n, err := body.Read(b)
			if err != nil || !strings.Contains(string(b[:n]), "cmd.onConnect") {
				t.Errorf("%q as %q, %v", b[:n], want, err)
			}
		}
	})
}
