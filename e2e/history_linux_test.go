package e2e_test

import (
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// publishForm publishes a form and gives the status and the body.
func publishForm(t *testing.T, url, form string, header ...string) (int, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url+"/publish", strings.NewReader(form))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(body)
}

// A server whose disk is full says so with 507 and goes on serving what it has; when there is room it
// publishes again. It needs the right to mount.
func TestFullDiskOverHTTP(t *testing.T) {
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=1m"); err != nil {
		t.Fatalf("mounting a small disk: %v; run the test as root", err)
	}
	t.Cleanup(func() { syscall.Unmount(dir, syscall.MNT_DETACH) })
	p := start(t, "serve", "--data", dir)
	if status, body := publishForm(t, p.URL, "channel=c0&data=first"); status != 200 || !strings.Contains(body, `"durability":"disk"`) {
		t.Fatalf("%d %s", status, body)
	}
	ballast := filepath.Join(dir, "ballast")
	f, err := os.Create(ballast)
	if err != nil {
		t.Fatal(err)
	}
	for err == nil {
		_, err = f.Write(make([]byte, 4096))
	}
	f.Close()
	large := "channel=c0&data=" + strings.Repeat("x", 20_000)
	status, body := 0, ""
	for range 100 {
		if status, body = publishForm(t, p.URL, large); status != 200 {
			break
		}
	}
	if status != 507 || !strings.Contains(body, "make room") {
		t.Errorf("publishing to a full disk: %d %s", status, body)
	}
	for e := range stormEvents(p.Addr, "0") {
		if e.Data == "first" {
			break
		}
		if e.Type == "stentor.gap" {
			t.Fatal("the history is gone")
		}
	}
	if err := os.Remove(ballast); err != nil {
		t.Fatal(err)
	}
	if status, body := publishForm(t, p.URL, large); status != 200 {
		t.Errorf("publishing when there is room: %d %s", status, body)
	}
}

// A publisher that does not know what became of its message sends it again, to the
// server that came back: it is there once.
func TestRetryAfterARestart(t *testing.T) {
	dir := t.TempDir()
	p := start(t, "serve", "--data", dir)
	_, first := publishForm(t, p.URL, "channel=c0&data=once", "Idempotency-Key", "k")
	p.Kill(t)
	p = start(t, "serve", "--data", dir)
	_, again := publishForm(t, p.URL, "channel=c0&data=once", "Idempotency-Key", "k")
	if want := strings.Replace(first, "}", `,"repeated":true}`, 1); again != want {
		t.Errorf("the retry is answered %s, want %s", again, want)
	}
	publishForm(t, p.URL, "channel=c0&data=end")
	n := 0
	for e := range stormEvents(p.Addr, "0") {
		if e.Data == "once" {
			n++
		}
		if e.Data == "end" {
			break
		}
	}
	if n != 1 {
		t.Errorf("it was delivered %d times", n)
	}
}
