package e2e_test

import (
	"bufio"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// Newcomers get the newest message about each subject at once, on both faces, from a server that was killed
// and had replaced most of what it kept.
func TestStateAfterAKill(t *testing.T) {
	args := []string{"serve", "--data", t.TempDir(), "--history-size", "50"}
	p := start(t, args...)
	for i := range 200 { // most of them replaced, and some taken off the disk
		set(t, p.URL, url.Values{"channel": {"prices"}, "subject": {fmt.Sprint("s", i%4)}, "data": {fmt.Sprint(i)}})
	}
	set(t, p.URL, url.Values{"channel": {"prices"}, "subject": {"s1"}, "remove": {"true"}})
	p.Kill(t)
	p = start(t, args...)
	equal(t, "plain", state(t, p.URL+"/events?channel=prices", "event: stentor.state"), []string{"196", "198", "199"})
	equal(t, "ServiceStack", state(t, p.URL+"/event-stream?channels=prices", "cmd.onState"),
		[]string{`prices@cmd.message "196"`, `prices@cmd.message "198"`, `prices@cmd.message "199"`})
}

func set(t *testing.T, at string, form url.Values) {
	t.Helper()
	resp, err := http.PostForm(at+"/publish", form)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		t.Fatalf("publish %v: %s", form, resp.Status)
	}
}

// state is the data of the messages on a stream up to a line that ends them, and has the first id.
func state(t *testing.T, at, end string) (got []string) {
	t.Helper()
	resp, err := http.Get(at)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	lines, begun, ids := bufio.NewScanner(resp.Body), false, 0
	for lines.Scan() {
		line := lines.Text()
		data, ok := strings.CutPrefix(line, "data: ")
		switch {
		case strings.HasPrefix(line, "id: "):
			ids++
		case strings.Contains(line, end):
			if ids != 1 {
				t.Errorf("%d ids up to %q, want its own", ids, end)
			}
			return got
		case !begun:
			begun = ok && (strings.HasPrefix(data, `{"subscription"`) || strings.Contains(data, "cmd.onConnect"))
		case ok:
			got = append(got, data)
		}
	}
	t.Fatalf("the stream ended after %q: %v", got, lines.Err())
	return nil
}
