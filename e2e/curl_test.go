package e2e_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// curl is what a stranger types. It gives the status and the body.
func curl(t *testing.T, args ...string) (status, body string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, "curl", append([]string{"-sS", "-w", "\n%{http_code}"}, args...)...)
	var failed bytes.Buffer
	cmd.Stderr = &failed
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("curl %q: %v %s", args, err, failed.String())
	}
	at := bytes.LastIndexByte(out, '\n')
	return string(out[at+1:]), string(out[:at])
}

// answers checks both.
func answers(t *testing.T, status, pattern string, args ...string) {
	t.Helper()
	gotStatus, got := curl(t, args...)
	if gotStatus != status || !regexp.MustCompile("^(?s:"+pattern+")$").MatchString(got) {
		t.Errorf("curl %q\nanswers %s %s\nwant    %s %s", args, gotStatus, got, status, pattern)
	}
}

// curlStream is curl -N, read frame by frame, until the test ends.
func curlStream(t *testing.T, args ...string) (next func() string) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	cmd := exec.CommandContext(ctx, "curl", append([]string{"-sSN", "--max-time", "60"}, args...)...)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cancel()
		cmd.Wait() // killed; how it ends says nothing
	})
	s := &socket{body: bufio.NewReader(out)}
	return func() string {
		t.Helper()
		return s.Frame(t)
	}
}

// field is what a pattern with one group finds.
func field(t *testing.T, text, pattern string) string {
	t.Helper()
	m := regexp.MustCompile(pattern).FindStringSubmatch(text)
	if m == nil {
		t.Fatalf("no %s in %q", pattern, text)
	}
	return m[1]
}

const (
	asJSON  = "Content-Type: application/json"
	receipt = `{"id":"\d+","matched":\d+}\n?`
)

// The plain face, as a shell has it.
func TestCurlPlainFace(t *testing.T) {
	t.Parallel()
	url := start(t, "serve").URL
	jar := filepath.Join(t.TempDir(), "jar")
	answers(t, "200", receipt, "-d", "channel=home&data=before", url+"/publish")
	next := curlStream(t, "-c", jar, url+"/events?channel=home&presence=true")
	open := next()
	id := field(t, open, `"subscription":"([A-Z2-7]+)"`)
	if join := next(); !strings.HasPrefix(join, "event: stentor.join\n") {
		t.Errorf("then %q", join)
	}
	for _, publish := range [][]string{
		{"-d", "channel=home&data=hello"},
		{"-d", "channel=home", "--data-urlencode", "data=hello"},
		{"-H", asJSON, "-d", `{"channel":"home","data":"hello"}`},
		{"-H", "Content-Type: application/x-ndjson", "--data-binary", `{"channel":"home","data":"hello"}` + "\n"},
		{"--http2-prior-knowledge", "-d", "channel=home&data=hello"},
		{"-d", "subscription=" + id + "&data=hello"},
		{"-d", "all=true&data=hello"},
	} {
		answers(t, "200", receipt, append(publish, url+"/publish")...)
		if frame := next(); !regexp.MustCompile(`^id: \d+\ndata: hello\n\n$`).MatchString(frame) {
			t.Errorf("after %q comes %q", publish, frame)
		}
	}
	answers(t, "200", `{"id":"\d+","matched":1}\n{"id":"\d+","matched":0}\n?`, "-H", "Content-Type: application/x-ndjson",
		"--data-binary", `{"channel":"home","type":"greet","data":{"n": 1}}`+"\n"+`{"channel":"empty","data":1}`, url+"/publish")
	if frame := next(); !strings.HasSuffix(frame, "\nevent: greet\ndata: {\"n\":1}\n\n") {
		t.Errorf("then %q", frame)
	}

	again := curlStream(t, "-b", jar, "-H", "Last-Event-ID: 0", url+"/events?channel=home")
	again()
	if frame := again(); !strings.HasSuffix(frame, "\ndata: before\n\n") {
		t.Errorf("the history begins with %q", frame)
	}
	answers(t, "200", `{"channel":"home","members":\[{"user":"-\d+",.*"count":\d+}.*\]}\n?`, url+"/presence?channel=home")
	answers(t, "200", `{"channels":\["home","news"\]}\n?`, "-H", asJSON, "-d", `{"join":["news"]}`, "-b", jar, url+"/subscriptions/"+id)
	answers(t, "204", ``, "-X", "DELETE", url+"/subscriptions/"+id)
	answers(t, "404", `{"title":"Not Found".*}\n?`, "-X", "DELETE", url+"/subscriptions/"+id)
	for frame := next(); !strings.Contains(frame, `event: stentor.end`+"\n"+`data: {"reason":"unregistered"}`); frame = next() {
	}

	// Mistakes are explained.
	for _, row := range []struct {
		status, detail string
		args           []string
	}{
		{"406", "Accept: text/event-stream", []string{"-H", "Accept: text/html", url + "/events?channel=home"}},
		{"400", "name a channel", []string{url + "/events"}},
		{"400", "leave out spaces", []string{url + "/events?channel=a%20b"}},
		{"405", "use one of GET, HEAD, OPTIONS", []string{"-X", "PUT", url + "/events"}},
		{"405", "use one of POST", []string{url + "/publish"}},
		{"415", "Content-Type", []string{"-H", "Content-Type: text/plain", "-d", "x", url + "/publish"}},
		{"404", "the paths are /events", []string{url + "/event"}},
		{"421", "", []string{"-H", "Host: evil.example", url + "/events?channel=home"}},
		{"403", "", []string{"-H", "Origin: https://evil.example", "-d", "channel=home&data=x", url + "/publish"}},
	} {
		answers(t, row.status, `.*`+regexp.QuoteMeta(row.detail)+`.*`, row.args...)
	}
	answers(t, "200", `.*`, url+"/healthz")
	answers(t, "200", `.*`, url+"/readyz")
	answers(t, "200", `.*Content-Type: text/event-stream\r\n.*`, "-I", url+"/events?channel=home")
	answers(t, "204", `.*`, "-X", "OPTIONS", url+"/publish")
}

// S-11 to S-17: the ServiceStack face, as a shell has it.
func TestCurlServiceStackFace(t *testing.T) {
	t.Parallel()
	url := start(t, "demo").URL
	connect := func(query string) (info map[string]string, next func() string) {
		t.Helper()
		next = curlStream(t, url+"/event-stream"+query)
		text := field(t, next(), `^id: \d+\ndata: cmd\.onConnect (.*)\n\n$`)
		if err := json.Unmarshal([]byte(text), &info); err != nil { // strings only
			t.Fatal(err)
		}
		return info, next
	}
	info, next := connect("?channel=a&channels=b")
	if info["channels"] != "a,b" && info["channels"] != "b,a" {
		t.Errorf("on %s", info["channels"])
	}
	next()
	next() // its joins
	for _, args := range [][]string{
		{}, {"-X", "POST"}, {"-d", ""}, {"-H", "Content-Type: text/plain", "-d", ""}, {"-H", asJSON, "-d", "{}"},
	} { // GET, as the client for Java, and POST as the others
		answers(t, "200", "", append(args, info["heartbeatUrl"])...)
		if frame := next(); !strings.HasPrefix(frame, "data: cmd.onHeartbeat {") {
			t.Errorf("after a heartbeat with %q comes %q", args, frame)
		}
	}
	answers(t, "404", "", "-d", "", url+"/event-heartbeat?id=nobody")
	answers(t, "404", "", url+"/event-heartbeat")
	answers(t, "405", ".*", "-I", info["heartbeatUrl"])

	changed := func(channels string, args ...string) {
		t.Helper()
		answers(t, "200", `{}\n?`, args...)
		for _, member := range strings.Split(channels, ",") {
			if frame := next(); !strings.HasPrefix(frame, "data: "+member+"@cmd.onUpdate {") || !strings.Contains(frame, `"channels":"`+channels+`"`) {
				t.Errorf("after %q comes %q", args, frame)
			}
		}
	}
	one := info["channels"]
	changed(one+",c", "-d", "SubscribeChannels=c", info["updateSubscriberUrl"])
	changed(one+",c,d", "-H", asJSON, "-d", `{"Id":"`+info["id"]+`","SubscribeChannels":["d"]}`, url+"/api/UpdateEventSubscriber")
	changed(one+",c", "-d", "id="+info["id"]+"&unsubscribeChannels=[d]", url+"/json/reply/UpdateEventSubscriber")
	changed(one, "-g", "-X", "POST", info["updateSubscriberUrl"]+`?unsubscribechannels=["c"]`)

	members := `\[{"userId":"-\d+","isAuthenticated":"false",.*}\]\n?`
	for _, args := range [][]string{
		{url + "/event-subscribers?channel=a"}, {url + "/event-subscribers?channels=b,none"}, {"-d", "Channels=a,b", url + "/event-subscribers"},
		{"-g", url + `/api/GetEventSubscribers?Channels=["a","b"]`}, {"-g", url + `/json/reply/GetEventSubscribers?channels=[a]`},
		{"-H", asJSON, "-d", `{"channels":["a"]}`, url + "/api/GetEventSubscribers"},
	} {
		status, body := curl(t, args...)
		if status != "200" || !regexp.MustCompile("^"+members+"$").MatchString(body) || strings.Contains(body, info["id"]) {
			t.Errorf("curl %q answers %s %s", args, status, body)
		}
	}
	answers(t, "200", `\[\]\n?`, "-g", url+"/api/GetEventSubscribers?channels=none")

	answers(t, "200", `{"id":\d+,.*"message":"hello".*}\n?`, "-d", "from="+info["id"]+"&message=hello&selector=cmd.chat", url+"/channels/a/chat")
	if frame := next(); !strings.Contains(frame, "\ndata: a@cmd.chat {") {
		t.Errorf("then %q", frame)
	}
	answers(t, "200", receipt, "-d", "channel=b&type=tv.watch&data=5", url+"/publish")
	if frame := next(); !strings.HasSuffix(frame, "\ndata: b@tv.watch \"5\"\n\n") {
		t.Errorf("then %q", frame)
	}

	other, _ := connect("")
	if other["channels"] != "*" {
		t.Errorf("without channels: on %s", other["channels"])
	}
	answers(t, "200", `{"userId":"-\d+",.*}\n?`, other["unRegisterUrl"])
	answers(t, "200", `{"userId":"-\d+",.*}\n?`, "-d", "", info["unRegisterUrl"])
	gone := `{"responseStatus":{"errorCode":"NotFound","message":"Subscription ` + info["id"] + ` does not exist","errors":\[\]}}\n?`
	answers(t, "404", gone, "-d", "", info["unRegisterUrl"])
	answers(t, "404", gone, "-d", "SubscribeChannels=c", info["updateSubscriberUrl"])
	answers(t, "404", "", info["heartbeatUrl"])
	answers(t, "400", `{"responseStatus":{"errorCode":"BadRequest",.*}}\n?`, url+"/event-stream?channels=a@b")
	ok := curlStream(t, "-H", "Accept: image/png", url+"/event-stream?channels=a&t=1") // no Accept is refused here
	ok()
}
