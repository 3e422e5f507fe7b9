package e2e_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stentor-sse/stentor"
	"github.com/stentor-sse/stentor/eventhttp"
)

// eachEngine runs a test with each value of --engine.
func eachEngine(t *testing.T, f func(t *testing.T, engine string)) {
	t.Helper()
	for _, engine := range []string{"auto", "attached"} {
		t.Run(engine, func(t *testing.T) {
			t.Parallel()
			f(t, engine)
		})
	}
}

// descriptors is how many the server has of a kind, like "socket:".
func (p *process) descriptors(t *testing.T, kind string) int {
	t.Helper()
	dir := fmt.Sprintf("/proc/%d/fd", p.cmd.Process.Pid)
	list, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, fd := range list {
		// An error is of one that was closed meanwhile.
		if what, err := os.Readlink(filepath.Join(dir, fd.Name())); err == nil && strings.HasPrefix(what, kind) {
			n++
		}
	}
	return n
}

// until waits for something that nothing tells of.
func until(t *testing.T, what string, happened func() bool) {
	t.Helper()
	end := time.After(patience)
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for !happened() {
		select {
		case <-tick.C:
		case <-end:
			t.Fatalf("it never happened that %s", what)
		}
	}
}

// Streams are taken over with auto and not with attached: what the tests below compare are two things.
func TestEngineFlag(t *testing.T) {
	t.Parallel()
	eachEngine(t, func(t *testing.T, engine string) {
		server := start(t, "serve", "--engine", engine)
		before := server.descriptors(t, "anon_inode:[eventpoll]")
		dial(t, server.Addr, "HTTP/1.1", "/events?channel=home").Frame(t)
		if engine == "auto" {
			until(t, "the stream is taken over", func() bool {
				return server.descriptors(t, "anon_inode:[eventpoll]") > before
			})
			return
		}
		publish(t, server.URL, "application/json", `{"channel":"home","data":"hello"}`)
		if n := server.descriptors(t, "anon_inode:[eventpoll]"); n != before {
			t.Errorf("%d pollers, %d before the stream", n, before)
		}
	})
}

// call is a request beside a stream.
func call(t *testing.T, method, url, cookie, contentType, body string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", contentType)
	r.Header.Set("Cookie", cookie)
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	if text, _ := io.ReadAll(answer.Body); answer.StatusCode/100 != 2 {
		t.Fatalf("%s %s: %s %s", method, url, answer.Status, text)
	}
}

// plainStream is the life of a stream of the plain face up to its farewell.
func plainStream(t *testing.T, server *process, addr, proto string) *record {
	t.Helper()
	channel := strings.ReplaceAll(proto, "/", "-")
	r := request(t, addr, "GET", proto, "/events?presence=true&channel="+channel)
	r.until(t, "stentor.open")
	id := field(t, r.last, `"subscription":"([A-Z2-7]+)"`)
	r.until(t, "stentor.join")
	for _, test := range exactBytes() {
		publish(t, server.URL, "application/json", strings.Replace(test.body, "{", `{"channel":"`+channel+`",`, 1))
		r.until(t, "\n\n")
	}
	publish(t, server.URL, "application/json", `{"channel":"`+channel+`","data":"`+strings.Repeat("x", 60_000)+`"}`)
	r.until(t, "xxx")
	call(t, "POST", server.URL+"/subscriptions/"+id, r.cookie, "application/json", `{"join":["also-`+channel+`"]}`)
	publish(t, server.URL, "application/json", `{"channel":"also-`+channel+`","data":"joined"}`)
	r.until(t, "data: joined")
	call(t, "POST", server.URL+"/subscriptions/"+id, r.cookie, "application/json", `{"leave":["also-`+channel+`"]}`)
	publish(t, server.URL, "application/json", `{"channel":"also-`+channel+`","data":"left"}`)
	publish(t, server.URL, "application/json", `{"subscription":"`+id+`","data":"for it alone"}`)
	r.until(t, "for it alone")
	return r
}

// records has all kinds of streams on one server, until it is interrupted.
func records(t *testing.T, engine string, proxied bool) map[string]string {
	t.Helper()
	server := start(t, "demo", "--engine", engine)
	addr := server.Addr
	if proxied {
		addr = newProxy(t, addr).Addr
	}
	done, open := map[string]string{}, map[string]*record{}
	for _, proto := range []string{"HTTP/1.1", "HTTP/1.0"} {
		open["GET "+proto] = plainStream(t, server, addr, proto)
	}
	done["HEAD"] = request(t, addr, "HEAD", "HTTP/1.1", "/events?channel=home", "Connection: close").end()

	var ids []string
	for i := range 5 {
		ids = append(ids, idOf(t, publish(t, server.URL, "application/json", fmt.Sprintf(`{"channel":"kept","data":%d}`, i))))
	}
	resumed := request(t, addr, "GET", "HTTP/1.1", "/events?channel=kept", "Last-Event-ID: "+ids[1])
	resumed.until(t, "data: 4")
	publish(t, server.URL, "application/json", `{"channel":"kept","data":"live"}`)
	resumed.until(t, "data: live")
	open["resumed"] = resumed

	deleted := request(t, addr, "GET", "HTTP/1.1", "/events?channel=deleted")
	deleted.until(t, "stentor.open")
	call(t, "DELETE", server.URL+"/subscriptions/"+field(t, deleted.last, `"subscription":"([A-Z2-7]+)"`), deleted.cookie, "", "")
	done["deleted"] = deleted.end()

	beats := request(t, addr, "GET", "HTTP/1.1", "/event-stream?channels=beats")
	beats.until(t, "cmd.onConnect")
	id := field(t, beats.last, `"id":"([A-Za-z0-9]+)"`)
	beats.until(t, "cmd.onJoin")
	for range 3 {
		call(t, "POST", server.URL+"/event-heartbeat?id="+id, beats.cookie, "", "")
		beats.until(t, "cmd.onHeartbeat")
	}
	call(t, "POST", server.URL+"/event-subscribers/"+id, beats.cookie, "application/json", `{"SubscribeChannels":["more"]}`)
	beats.until(t, "more@cmd.onUpdate")
	publish(t, server.URL, "application/json", `{"channel":"more","type":"cmd.announce","data":"hello"}`)
	beats.until(t, "hello")
	open["ServiceStack"] = beats

	server.Signal(t, syscall.SIGINT)
	for name, r := range open {
		done[name] = r.end()
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if err := server.Wait(ctx); err != nil {
		t.Errorf("%s ended: %v", engine, err)
	}
	return done
}

// Every byte is the same, whoever writes it: head, chunks, framing, farewell. And so it is with
// a proxy between.
func TestEnginesSayTheSame(t *testing.T) {
	t.Parallel()
	want := records(t, "attached", false)
	for name, said := range want {
		if name != "HEAD" && name != "ServiceStack" && !regexp.MustCompile(`(shutdown|unregistered)\\"\}\\n\\n"\n("the last chunk"\n)?end: EOF\n$`).MatchString(said) {
			t.Errorf("%s ends without a farewell:\n%s", name, said)
		}
	}
	for _, proxied := range []bool{false, true} {
		for name, said := range records(t, "auto", proxied) {
			equal(t, fmt.Sprintf("%s, proxied %v", name, proxied), strings.Split(said, "\n"), strings.Split(want[name], "\n"))
		}
	}
}

// Silent streams are kept warm with the same bytes.
func TestEnginesKeepAlive(t *testing.T) {
	t.Parallel()
	var said []string
	for _, attached := range []bool{true, false} {
		s := serveHub(t, &stentor.Options{KeepAlive: 250 * time.Millisecond, Attached: attached}, func(hub *stentor.Hub, mux *http.ServeMux) {
			eventhttp.New(hub, nil).Register(mux)
		})
		r := request(t, s.Address(), "GET", "HTTP/1.1", "/events?channel=home")
		for range 4 {
			if err := r.next(); err != nil {
				t.Fatalf("%v after\n%s", err, r.text.String())
			}
		}
		said = append(said, r.text.String())
	}
	if said[0] != said[1] || !strings.HasSuffix(said[0], "\":\\n\\n\"\n") {
		t.Errorf("attached says\n%s\nelse\n%s", said[0], said[1])
	}
}
