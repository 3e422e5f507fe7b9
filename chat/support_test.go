package chat_test

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stentor-sse/stentor"
	"github.com/stentor-sse/stentor/chat"
	"github.com/stentor-sse/stentor/eventhttp"
	"github.com/stentor-sse/stentor/serverevents"
	"github.com/stentor-sse/stentor/ssetest"
)

// site is a hub with both faces and the chat on one server.
type site struct {
	t    *testing.T
	hub  *stentor.Hub
	chat *chat.Chat
	srv  *ssetest.Server
}

func newSite(t *testing.T, p ssetest.Protocol, o *chat.Options) *site {
	t.Helper()
	hub, err := stentor.New(context.Background(), nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := hub.Shutdown(context.Background()); err != nil {
			t.Errorf("shutdown: %v", err)
		}
	})
	c := chat.New(hub, o)
	mux := http.NewServeMux()
	eventhttp.New(hub, &eventhttp.Options{Subscribe: c.Subscribe, Prepare: c.Prepare, Presence: c.Presence}).Register(mux)
	serverevents.New(hub, &serverevents.Options{Subscribe: c.Subscribe, Prepare: c.Prepare}).Register(mux)
	c.Register(mux)
	return &site{t: t, hub: hub, chat: c, srv: ssetest.NewServer(t, p, mux)}
}

// user is one window of a ServiceStack client.
type user struct {
	*ssetest.Recorder
	t              *testing.T
	id, userID, me string
	info           map[string]string // what onConnect told
}

// join opens a stream on channels, with a session of its own unless header has cookies.
func (s *site) join(channels string, header ...string) *user {
	s.t.Helper()
	r := s.srv.Open(s.t, "/event-stream?channels="+channels, header...)
	u := &user{Recorder: r, t: s.t}
	_, info, _ := strings.Cut(r.Next(s.t).Data, " ")
	decode(s.t, info, &u.info)
	u.id, u.userID, u.me = u.info["id"], u.info["userId"], u.info["displayName"]
	synctest.Wait() // its joins are told
	return u
}

// got is what has come that is not about who is there: "channel@selector body".
func (u *user) got() []string {
	u.t.Helper()
	synctest.Wait()
	var out []string
	for _, e := range u.Events() {
		if token, _, _ := strings.Cut(e.Data, " "); !strings.Contains(token, "cmd.on") {
			out = append(out, e.Data)
		}
	}
	return out
}

// messages are the chat messages that have come.
func (u *user) messages() []message {
	u.t.Helper()
	var out []message
	for _, data := range u.got() {
		token, body, _ := strings.Cut(data, " ")
		if !strings.HasSuffix(token, "cmd.chat") {
			continue
		}
		var m message
		decode(u.t, body, &m)
		out = append(out, m)
	}
	return out
}

// message is a ChatMessage as clients read it.
type message struct {
	ID          int64   `json:"id"`
	Channel     string  `json:"channel"`
	FromUserID  string  `json:"fromUserId"`
	FromName    string  `json:"fromName"`
	DisplayName *string `json:"displayName"`
	Message     string  `json:"message"`
	UserAuthID  *string `json:"userAuthId"`
	Private     *bool   `json:"private"`
	ToUserID    string  `json:"toUserId"`
	ToName      string  `json:"toName"`
	Note        string  `json:"note"`
	ProfileURL  string  `json:"profileUrl"`
	CreatedAt   int64   `json:"createdAt"`
}

// call posts JSON to a service by its name and wants the status.
func (s *site) call(want int, name string, fields map[string]any) string {
	s.t.Helper()
	body, err := json.Marshal(fields)
	if err != nil {
		s.t.Fatal(err)
	}
	return s.post(want, "/api/"+name, string(body), "Content-Type: application/json")
}

func (s *site) post(want int, path, body string, header ...string) string {
	s.t.Helper()
	resp, text := s.srv.Do(s.t, http.MethodPost, path, body, header...)
	if resp.StatusCode != want {
		s.t.Errorf("POST %s %s: %d %s, want %d", path, short(body), resp.StatusCode, text, want)
	}
	if want >= 400 && !strings.HasPrefix(text, `{"responseStatus":{"errorCode":"`) {
		s.t.Errorf("POST %s: no envelope: %s", path, text)
	}
	synctest.Wait()
	return text
}

// say posts a chat message that must be taken.
func (s *site) say(u *user, channel, text string) message {
	s.t.Helper()
	var m message
	decode(s.t, s.call(200, "PostChatToChannel", map[string]any{"from": u.id, "channel": channel, "message": text}), &m)
	return m
}

// history is what a request for it gets.
func (s *site) history(query string) []message {
	s.t.Helper()
	resp, text := s.srv.Do(s.t, http.MethodGet, "/chathistory?"+query, "")
	if resp.StatusCode != 200 {
		s.t.Fatalf("history of %s: %d %s", query, resp.StatusCode, text)
	}
	var h struct {
		Results *[]message `json:"results"`
	}
	decode(s.t, text, &h)
	if h.Results == nil {
		s.t.Fatalf("no results in %s", text)
	}
	return *h.Results
}

// signIn signs in by name and gives the Cookie header of the browser.
func (s *site) signIn(name string, header ...string) string {
	s.t.Helper()
	resp, body := s.srv.Do(s.t, http.MethodPost, "/auth/name", url.Values{"name": {name}}.Encode(),
		append(header, "Content-Type: application/x-www-form-urlencoded")...)
	if resp.StatusCode != http.StatusSeeOther || resp.Header.Get("Location") != "/" {
		s.t.Fatalf("sign in as %q: %d, to %q: %s", name, resp.StatusCode, resp.Header.Get("Location"), short(body))
	}
	return cookieOf(s.t, resp)
}

// cookieOf is the Cookie header of a browser that got resp.
func cookieOf(t testing.TB, resp *http.Response) string {
	t.Helper()
	for _, c := range resp.Cookies() {
		if c.Name == "chat-session" && c.Value != "" {
			return "Cookie: " + c.Name + "=" + c.Value
		}
	}
	t.Fatalf("no session in %q", resp.Header["Set-Cookie"])
	return ""
}

func texts(list []message) string {
	var out []string
	for _, m := range list {
		out = append(out, m.Message)
	}
	return strings.Join(out, "|")
}

func decode(t testing.TB, text string, v any) {
	t.Helper()
	if err := json.Unmarshal([]byte(text), v); err != nil {
		t.Fatalf("%v in %s", err, short(text))
	}
}

func short(s string) string {
	if len(s) > 200 {
		return s[:200] + "…"
	}
	return s
}

// pass lets virtual time pass.
func pass(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

// request is one of somebody who has not signed in.
func request() *http.Request { return &http.Request{Header: http.Header{}} }
