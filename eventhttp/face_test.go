package eventhttp_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/stentor-sse/stentor"
	"github.com/stentor-sse/stentor/eventhttp"
	"github.com/stentor-sse/stentor/sse"
	"github.com/stentor-sse/stentor/ssetest"
)

// open lets everyone do everything.
func open() *eventhttp.Options {
	return &eventhttp.Options{
		Subscribe: eventhttp.QuerySubscribe,
		Publish:   func(*http.Request, *stentor.Message) error { return nil },
		Presence:  func(*http.Request, []stentor.Channel) error { return nil },
	}
}

func newHub(t testing.TB, o *stentor.Options) *stentor.Hub {
	t.Helper()
	hub, err := stentor.New(context.Background(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := hub.Shutdown(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return hub
}

// serve runs the face of a new hub.
func serve(t testing.TB, p ssetest.Protocol, ho *stentor.Options, o *eventhttp.Options) (*stentor.Hub, *ssetest.Server) {
	t.Helper()
	hub := newHub(t, ho)
	return hub, ssetest.NewServer(t, p, eventhttp.New(hub, o))
}

func publish(t testing.TB, hub *stentor.Hub, m stentor.Message) stentor.Position {
	t.Helper()
	r, err := hub.Publish(context.Background(), m)
	if err != nil {
		t.Fatal(err)
	}
	return r.Position
}

func to(channel stentor.Channel, data string) stentor.Message {
	return stentor.Message{Target: stentor.Target{Channel: channel}, Data: data}
}

// opened takes the first event of a stream and gives the subscription's id. It returns
// when the subscription has been announced, which follows that event.
func opened(t testing.TB, r *ssetest.Recorder) string {
	t.Helper()
	e := r.Next(t)
	var data struct{ Subscription string }
	if err := json.Unmarshal([]byte(e.Data), &data); err != nil || e.Type != "stentor.open" || data.Subscription == "" {
		t.Fatalf("first event %+v, want stentor.open with a subscription", e)
	}
	synctest.Wait()
	return data.Subscription
}

// want takes the next event and compares it, but for the retry.
func want(t testing.TB, r *ssetest.Recorder, e sse.Event) {
	t.Helper()
	got := r.Next(t)
	got.Retry = 0
	if got != e {
		t.Fatalf("got event %+v, want %+v", got, e)
	}
}

// refused checks that an answer is a problem document with a status, whose detail
// holds a text.
func refused(t testing.TB, resp *http.Response, body string, status int, detail string) {
	t.Helper()
	var d struct {
		Title, Detail string
		Status        int
	}
	if err := json.Unmarshal([]byte(body), &d); err != nil {
		t.Fatalf("status %d, body %.200q: %v", resp.StatusCode, body, err)
	}
	if resp.StatusCode != status || d.Status != status || resp.Header.Get("Content-Type") != "application/problem+json" {
		t.Errorf("status %d %s, in the body %d; want %d and a problem document (%s)",
			resp.StatusCode, resp.Header.Get("Content-Type"), d.Status, status, d.Detail)
	}
	if d.Title == "" || !strings.Contains(d.Detail, detail) {
		t.Errorf("title %q, detail %q; want it to hold %q", d.Title, d.Detail, detail)
	}
	if resp.Header.Get("Cache-Control") != "no-store" {
		t.Errorf("Cache-Control %q, want no-store", resp.Header.Get("Cache-Control"))
	}
}

const jsonType = "Content-Type: application/json"

func TestStreamBytes(t *testing.T) {
	ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
		hub, srv := serve(t, p, nil, nil)
		s := srv.Open(t, "/events?channel=home&channel=news")
		id := opened(t, s)
		a := publish(t, hub, stentor.Message{Target: stentor.Target{Channel: "home"}, Type: "greet", Data: "one\ntwo\r\nthree\rfour"})
		b := publish(t, hub, stentor.Message{Target: stentor.Target{Channel: "news"}, Data: ` {"a": [1, 2]} `, JSON: true})
		publish(t, hub, stentor.Message{Target: stentor.Target{All: true}, Type: "tick", Ephemeral: true})
		c := publish(t, hub, stentor.Message{Target: stentor.Target{Channel: "home"}})
		synctest.Wait()

		wanted := "retry: R\nid: C\nevent: stentor.open\ndata: {\"subscription\":\"" + id + "\"}\n\n" +
			"id: " + a.String() + "\nevent: greet\ndata: one\ndata: two\ndata: three\ndata: four\n\n" +
			"id: " + b.String() + "\ndata: {\"a\":[1,2]}\n\n" +
			"event: tick\ndata: \n\n" +
			"id: " + c.String() + "\ndata: \n\n"
		got := regexp.MustCompile(`^retry: (2\d{3}|3\d{3})\nid: \d+\n`).ReplaceAllString(s.Raw(), "retry: R\nid: C\n")
		if got != wanted {
			t.Errorf("got\n%s\nwant\n%s", got, wanted)
		}
		for name, value := range map[string]string{
			"Content-Type":           "text/event-stream",
			"Cache-Control":          "no-store, no-transform",
			"X-Accel-Buffering":      "no",
			"X-Content-Type-Options": "nosniff",
			"Referrer-Policy":        "no-referrer",
		} {
			if got := s.Response.Header.Get(name); got != value {
				t.Errorf("%s: %q, want %q", name, got, value)
			}
		}
	})
}

// Who asks for it is told the channel of each message that has one. The others are not, and read
// the same.
func TestNamedChannels(t *testing.T) {
	ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
		hub, srv := serve(t, p, nil, &eventhttp.Options{Subscribe: eventhttp.QuerySubscribe})
		named := srv.Open(t, "/events?channel=home&channel=news&user=7&named=true")
		plain := srv.Open(t, "/events?channel=home&channel=news&user=7&named=false")
		opened(t, named)
		opened(t, plain)
		publish(t, hub, stentor.Message{Target: stentor.Target{Channel: "home"}, Type: "greet", Data: "channel: news\n"})
		publish(t, hub, stentor.Message{Target: stentor.Target{Channel: "news", User: "7"}, Data: "x", Ephemeral: true})
		publish(t, hub, stentor.Message{Target: stentor.Target{User: "7"}, Data: "y", Ephemeral: true})
		synctest.Wait()
		ids := regexp.MustCompile(`(?s)^.*?\n\n|id: \d+\n`)
		wanted := "event: greet\nchannel: home\ndata: channel: news\ndata: \n\nchannel: news\ndata: x\n\ndata: y\n\n"
		if got := ids.ReplaceAllString(named.Raw(), ""); got != wanted {
			t.Errorf("named: got\n%s\nwant\n%s", got, wanted)
		}
		wanted = regexp.MustCompile(`(?m)^channel: .*\n`).ReplaceAllString(wanted, "")
		if got := ids.ReplaceAllString(plain.Raw(), ""); got != wanted {
			t.Errorf("not named: got\n%s\nwant\n%s", got, wanted)
		}
	})
}

func TestKeepAliveIsAComment(t *testing.T) {
	ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
		hub, srv := serve(t, p, nil, nil)
		s := srv.Open(t, "/events?channel=home")
		opened(t, s)
		before := s.Raw()
		sleep(20) // keepalives come every 15 s, spread by a tenth
		if got := strings.TrimPrefix(s.Raw(), before); got != ":\n\n" {
			t.Errorf("after 20 s of silence: %q, want one empty comment", got)
		}
		publish(t, hub, to("home", "x"))
		if e := s.Next(t); e.Data != "x" {
			t.Errorf("got %+v after a keepalive", e)
		}
	})
}

func TestChannelsAreRepeatedParameters(t *testing.T) {
	ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
		hub, srv := serve(t, p, nil, nil)
		s := srv.Open(t, "/events?channel=b&channel=a&channel=b&_=123")
		sub := hub.Subscription(opened(t, s))
		if got := sub.Channels(); !slices.Equal(got, []stentor.Channel{"b", "a"}) {
			t.Errorf("channels %v, want [b a]", got)
		}
	})
}

// Everything is refused before anything is registered.
func TestSubscribeRefuses(t *testing.T) {
	rows := []struct {
		name, query string
		status      int
		detail      string
	}{
		{"no channel", "", 400, "name a channel"},
		{"empty channel", "channel=", 400, "empty"},
		{"comma", "channel=a,b", 400, "leave out spaces, commas"},
		{"space", "channel=a%20b", 400, "leave out spaces"},
		{"at", "channel=a@b", 400, "leave out"},
		{"line break", "channel=a%0Ab", 400, "control character"},
		{"reserved name", "channel=%01a", 400, "control character"},
		{"not UTF-8", "channel=%ff", 400, "UTF-8"},
		{"too long", "channel=" + strings.Repeat("x", 256), 400, "255"},
		{"second one bad", "channel=a&channel=b%00", 400, "control character"},
		{"too many", many(129), 400, "at most 128"},
		{"broken escape", "channel=a&channel=%zz", 400, "query"},
		{"presence", "channel=a&presence=perhaps", 400, "true or false"},
		{"named", "channel=a&named=1x", 400, "true or false"},
		{"user not UTF-8", "channel=a&user=%ff", 400, "user"},
	}
	ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
		hub, srv := serve(t, p, nil, open())
		for _, row := range rows {
			resp, body := srv.Do(t, "GET", "/events?"+row.query, "")
			refused(t, resp, body, row.status, row.detail)
			if t.Failed() {
				t.Fatalf("in row %q", row.name)
			}
			if st := hub.Stats(); st.Subscribed != 0 || st.Channels != 0 || len(hub.Members()) != 0 {
				t.Fatalf("%s: something is registered: %+v", row.name, st)
			}
		}
	})
}

func many(n int) string {
	var b strings.Builder
	for i := range n {
		b.WriteString("channel=c")
		b.WriteString(string(rune('a' + i/26)))
		b.WriteString(string(rune('a' + i%26)))
		b.WriteByte('&')
	}
	return b.String()
}

func TestSubscribeHookDecides(t *testing.T) {
	o := &eventhttp.Options{Subscribe: func(r *http.Request, o *stentor.SubscribeOptions) error {
		switch r.Header.Get("Authorization") {
		case "Bearer anna":
			o.User, o.Authenticated = "anna", true
			o.Channels = slices.DeleteFunc(o.Channels, func(c stentor.Channel) bool { return c == "secret" })
			return nil
		case "Bearer full":
			return stentor.ErrFull
		case "Bearer broken":
			return io.ErrUnexpectedEOF
		}
		return &stentor.Refusal{Status: 401, Detail: "send a token"}
	}}
	ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
		hub, srv := serve(t, p, nil, o)
		resp, body := srv.Do(t, "GET", "/events?channel=a", "")
		refused(t, resp, body, 401, "send a token")
		resp, body = srv.Do(t, "GET", "/events?channel=a", "", "Authorization: Bearer broken")
		refused(t, resp, body, 500, "the server failed")
		resp, body = srv.Do(t, "GET", "/events?channel=a", "", "Authorization: Bearer full")
		if resp.StatusCode != 200 || !strings.Contains(body, "retry: ") {
			t.Errorf("the hook said full: %d %q", resp.StatusCode, body)
		}
		if n := hub.Stats().Subscribed; n != 0 {
			t.Fatalf("%d subscriptions after refusals", n)
		}
		s := srv.Open(t, "/events?channel=secret&channel=a", "Authorization: Bearer anna")
		m := hub.Subscription(opened(t, s)).Member()
		if m.User != "anna" || !slices.Equal(m.Channels, []stentor.Channel{"a"}) {
			t.Errorf("member %+v, want anna on a", m)
		}
		// An identity alone is enough: messages to it arrive.
		s = srv.Open(t, "/events", "Authorization: Bearer anna")
		opened(t, s)
		publish(t, hub, stentor.Message{Target: stentor.Target{User: "anna"}, Data: "for you"})
		if e := s.Next(t); e.Data != "for you" {
			t.Errorf("got %+v", e)
		}
	})
}

func TestHeadRegistersNothing(t *testing.T) {
	ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
		hub, srv := serve(t, p, nil, nil)
		resp, body := srv.Do(t, "HEAD", "/events?channel=a", "")
		if resp.StatusCode != 200 || resp.Header.Get("Content-Type") != "text/event-stream" || body != "" {
			t.Errorf("HEAD: %d %q %q", resp.StatusCode, resp.Header.Get("Content-Type"), body)
		}
		if resp, _ := srv.Do(t, "HEAD", "/events?channel=a,b", ""); resp.StatusCode != 400 {
			t.Errorf("HEAD of a bad channel: %d, want 400", resp.StatusCode)
		}
		if n := hub.Stats().Subscribed; n != 0 {
			t.Errorf("%d subscriptions", n)
		}
	})
}

func TestOverloadIsSoft(t *testing.T) {
	check := func(t *testing.T, srv *ssetest.Server, reason string) {
		t.Helper()
		soft := regexp.MustCompile(`^retry: (\d{4,5})\nevent: stentor.end\ndata: {"reason":"` + reason + `"}\n\n$`)
		resp, body := srv.Do(t, "GET", "/events?channel=a", "")
		if resp.StatusCode != 200 || resp.Header.Get("Content-Type") != "text/event-stream" || !soft.MatchString(body) {
			t.Errorf("got %d %q %q, want a stream that says when to come back and ends",
				resp.StatusCode, resp.Header.Get("Content-Type"), body)
		}
	}
	ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
		t.Log("full")
		hub, srv := serve(t, p, &stentor.Options{MaxSubscriptions: 1}, open())
		s := srv.Open(t, "/events?channel=a")
		opened(t, s)
		check(t, srv, "full")
		publish(t, hub, to("a", "still here"))
		if e := s.Next(t); e.Data != "still here" {
			t.Errorf("the open stream got %+v", e)
		}
		t.Log("draining")
		if err := hub.Drain(context.Background(), 0); err != nil {
			t.Fatal(err)
		}
		check(t, srv, "draining")
		resp, body := srv.Do(t, "GET", "/readyz", "")
		refused(t, resp, body, 503, "try again")
		t.Log("closed")
		if err := hub.Shutdown(context.Background()); err != nil {
			t.Fatal(err)
		}
		check(t, srv, "shutdown")
		resp, body = srv.Do(t, "POST", "/publish", `{"channel":"a"}`, jsonType)
		refused(t, resp, body, 503, "try again")
		if resp.Header.Get("Retry-After") == "" {
			t.Error("no Retry-After")
		}
	})
}

func TestShutdownEndsStreams(t *testing.T) {
	ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
		hub, srv := serve(t, p, nil, nil)
		s := srv.Open(t, "/events?channel=a")
		opened(t, s)
		if err := hub.Shutdown(context.Background()); err != nil {
			t.Fatal(err)
		}
		if err := s.Wait(t); err != nil {
			t.Errorf("the stream ended with %v, want a clean end", err)
		}
		if !regexp.MustCompile(`\n\nretry: \d+\nevent: stentor.end\ndata: {"reason":"shutdown"}\n\n$`).MatchString(s.Raw()) {
			t.Errorf("no farewell in %q", s.Raw())
		}
	})
}

func TestMethodsAndPaths(t *testing.T) {
	rows := []struct {
		method, path string
		status       int
		allow        string
	}{
		{"POST", "/events", 405, "GET, HEAD, OPTIONS"},
		{"GET", "/publish", 405, "POST, OPTIONS"},
		{"PUT", "/publish", 405, "POST, OPTIONS"},
		{"GET", "/subscriptions/x", 405, "POST, DELETE, OPTIONS"},
		{"POST", "/presence", 405, "GET, HEAD, OPTIONS"},
		{"DELETE", "/healthz", 405, "GET, HEAD, OPTIONS"},
		{"OPTIONS", "/publish", 204, "POST, OPTIONS"},
		{"OPTIONS", "/subscriptions/x", 204, "POST, DELETE, OPTIONS"},
	}
	ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
		hub := newHub(t, nil)
		face := eventhttp.New(hub, open())
		mux := http.NewServeMux()
		face.Register(mux)
		mux.HandleFunc("GET /", func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "page") })
		registered := ssetest.NewServer(t, p, mux)
		whole := ssetest.NewServer(t, p, face)
		for _, row := range rows {
			for _, srv := range []*ssetest.Server{registered, whole} {
				resp, body := srv.Do(t, row.method, row.path, "")
				if resp.Header.Get("Allow") != row.allow {
					t.Errorf("%s %s: Allow %q, want %q", row.method, row.path, resp.Header.Get("Allow"), row.allow)
				}
				if row.status == 405 {
					refused(t, resp, body, 405, "use one of")
				} else if resp.StatusCode != row.status {
					t.Errorf("%s %s: %d, want %d", row.method, row.path, resp.StatusCode, row.status)
				}
			}
		}
		if _, body := registered.Do(t, "GET", "/other", ""); body != "page" {
			t.Errorf("beside the registered face: %q, want the program's own page", body)
		}
		resp, body := whole.Do(t, "GET", "/other", "")
		refused(t, resp, body, 404, "/events")
		for _, path := range []string{"/healthz", "/readyz"} {
			if resp, _ := whole.Do(t, "GET", path, ""); resp.StatusCode != 200 {
				t.Errorf("%s: %d", path, resp.StatusCode)
			}
		}
	})
}

func TestZeroOptionsRefuseToPublishAndList(t *testing.T) {
	ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
		hub, srv := serve(t, p, nil, nil)
		resp, body := srv.Do(t, "POST", "/publish", `{"channel":"a"}`, jsonType)
		refused(t, resp, body, 403, "Options.Publish")
		resp, body = srv.Do(t, "GET", "/presence?channel=a", "")
		refused(t, resp, body, 403, "Options.Presence")
		if n := hub.Stats().Published; n != 0 {
			t.Errorf("%d messages published", n)
		}
	})
}

func TestForeignPages(t *testing.T) {
	const app, evil = "https://app.example", "https://evil.example"
	ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
		o := open()
		o.AllowOrigins = []string{app}
		hub, srv := serve(t, p, nil, o)
		form := "Content-Type: application/x-www-form-urlencoded"

		s := srv.Open(t, "/events?channel=a", "Origin: "+app, "Sec-Fetch-Site: cross-site")
		id := opened(t, s)
		h := s.Response.Header
		if h.Get("Access-Control-Allow-Origin") != app || h.Get("Access-Control-Allow-Credentials") != "true" || h.Get("Vary") != "Origin" {
			t.Errorf("a listed page's stream: %v", h)
		}
		s = srv.Open(t, "/events?channel=a", "Origin: "+evil, "Sec-Fetch-Site: cross-site")
		if got := s.Response.Header.Get("Access-Control-Allow-Origin"); got != "" {
			t.Errorf("a foreign page may read: %q", got)
		}
		for _, origin := range []string{evil, "null"} {
			for _, do := range [][2]string{{"POST", "/publish"}, {"POST", "/subscriptions/" + id}, {"DELETE", "/subscriptions/" + id}} {
				resp, body := srv.Do(t, do[0], do[1], "channel=a&data=x", form, "Origin: "+origin, "Sec-Fetch-Site: cross-site")
				refused(t, resp, body, 403, "origin")
			}
		}
		if n := hub.Stats().Published; n != 0 || hub.Subscription(id) == nil {
			t.Errorf("a foreign page changed something: %d published", n)
		}
		// A problem must be readable for the listed page too.
		resp, body := srv.Do(t, "POST", "/publish", "channel=a,b", form, "Origin: "+app, "Sec-Fetch-Site: cross-site")
		refused(t, resp, body, 400, "channel")
		if resp.Header.Get("Access-Control-Allow-Origin") != app {
			t.Error("the refusal can't be read by the page")
		}
		if resp, body := srv.Do(t, "POST", "/publish", "channel=a", form, "Origin: "+app, "Sec-Fetch-Site: cross-site"); resp.StatusCode != 200 {
			t.Errorf("a listed page's publish: %d %s", resp.StatusCode, body)
		}
	})
}

// Refusals are the caller's to mend, failures the operator's; queries hold tokens.
func TestLog(t *testing.T) {
	ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
		var log bytes.Buffer
		o := &eventhttp.Options{
			Logger: slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug})),
			Subscribe: func(*http.Request, *stentor.SubscribeOptions) error {
				return errors.New("directory \"x\"\nlevel=FORGED is down")
			},
		}
		_, srv := serve(t, p, nil, o)
		srv.Do(t, "POST", "/publish", `{}`, jsonType)
		srv.Do(t, "GET", "/events?channel=a&token=hunter2", "")
		synctest.Wait()
		lines := strings.Split(strings.TrimSpace(log.String()), "\n")
		if len(lines) != 2 || !strings.Contains(lines[0], "level=DEBUG") || !strings.Contains(lines[0], "status=403") ||
			!strings.Contains(lines[1], "level=ERROR") || !strings.Contains(lines[1], "is down") {
			t.Errorf("log:\n%s", log.String())
		}
		if strings.Contains(log.String(), "hunter2") || strings.Contains(log.String(), "\nlevel=FORGED") {
			t.Errorf("the log holds a query or a forged line:\n%s", log.String())
		}
	})
}

// A writer that can't flush gets a problem, and the subscription is gone.
func TestStreamOnAWriterThatCannotFlush(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hub := newHub(t, nil)
		w := httptest.NewRecorder()
		eventhttp.New(hub, nil).ServeHTTP(struct{ http.ResponseWriter }{w}, httptest.NewRequest("GET", "/events?channel=a", nil))
		refused(t, w.Result(), w.Body.String(), 500, "the server failed")
		if st := hub.Stats(); st.Subscriptions != 0 {
			t.Errorf("%d subscriptions left", st.Subscriptions)
		}
	})
}
