package e2e_test

import (
	"bufio"
	"net/http"
	"strings"
	"testing"
)

// A reader that was cut off by the death of its server gets what it missed from the next one, on
// both faces, without a gap; one whose cursor is older than the history is told of it first.
func TestResumeAfterAKill(t *testing.T) {
	for _, path := range []string{"/events?channel=c0", "/event-stream?channels=c0"} {
		t.Run(path, func(t *testing.T) {
			args := []string{"serve", "--data", t.TempDir(), "--history-size", "3"}
			p := start(t, args...)
			var ids []string
			for _, data := range []string{"one", "two", "three", "four"} {
				id, ok := stormPublish(p.Addr, "c0", data)
				if !ok {
					t.Fatal("not published")
				}
				ids = append(ids, id)
			}
			p.Kill(t)
			p = start(t, args...)
			stormPublish(p.Addr, "c0", "five")
			equal(t, "after two", resumed(t, p.URL+path, ids[1]), []string{"three", "four", "five"})
			equal(t, "after one", resumed(t, p.URL+path, ids[0]), []string{"gap", "three", "four", "five"})
		})
	}
}

// resumed is what comes after a cursor, up to "five".
func resumed(t *testing.T, url, cursor string) (got []string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Last-Event-ID", cursor)
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	lines := bufio.NewScanner(resp.Body)
	for lines.Scan() {
		line := lines.Text()
		if strings.Contains(line, "stentor.gap") || strings.Contains(line, "cmd.onGap") {
			got = append(got, "gap")
		}
		for _, data := range []string{"one", "two", "three", "four", "five"} {
			if strings.HasPrefix(line, "data: ") && strings.HasSuffix(strings.Trim(line, `"`), data) {
				got = append(got, data)
			}
		}
		if len(got) > 0 && got[len(got)-1] == "five" {
			return got
		}
	}
	t.Fatalf("the stream ended after %q: %v", got, lines.Err())
	return nil
}
