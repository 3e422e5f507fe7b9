package chat_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/stentor-sse/stentor"
	"github.com/stentor-sse/stentor/chat"
	"github.com/stentor-sse/stentor/ssetest"
)

// S-32: the history is bounded, and take and afterId choose of it.
func TestHistoryBounds(t *testing.T) {
	t.Run("messages", func(t *testing.T) {
		ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
			s := newSite(t, p, &chat.Options{History: 5})
			u := s.join("home")
			for i := range 12 {
				s.say(u, "home", fmt.Sprint(i))
			}
			for query, want := range map[string]string{
				"channels=home":                   "7|8|9|10|11",
				"channels=home&take=1000000":      "7|8|9|10|11",
				"channels=home&take=2":            "10|11",
				"channels=home&take=0":            "",
				"channels=home&afterId=10":        "10|11", // ids begin at 1
				"channels=home&afterId=10&take=1": "11",
				"channels=home&afterId=99":        "",
				"channels=none":                   "",
				"":                                "",
			} {
				if got := texts(s.history(query)); got != want {
					t.Errorf("%s: %q, want %q", query, got, want)
				}
			}
		})
	})
	t.Run("off", func(t *testing.T) {
		ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
			s := newSite(t, p, &chat.Options{History: -1})
			s.say(s.join("home"), "home", "x")
			if got := s.history("channels=home"); len(got) != 0 {
				t.Errorf("kept %q", texts(got))
			}
		})
	})
	// These take thousands of requests, so they go to the handler without a server.
	t.Run("channels", func(t *testing.T) {
		post, read := handler(t, "")
		post("first", "x")
		post("second", "x")
		for i := range 255 {
			post(fmt.Sprint("c", i), "x")
			post("first", fmt.Sprint(i)) // never quiet
		}
		if n := read("second"); n != 0 {
			t.Errorf("the quietest of 257 channels is kept")
		}
		if n := read("first,c0,c254"); n != 258 {
			t.Errorf("%d messages of the others, want 258", n)
		}
	})
	t.Run("bytes", func(t *testing.T) {
		post, read := handler(t, "")
		post("quiet", "x")
		large := strings.Repeat("🎺", 2000) // 8,000 bytes
		for range 1060 {
			post("home", large)
		}
		if n := read("quiet"); n != 0 {
			t.Error("the quiet channel is kept")
		}
		if n := read("home"); n*8000 > 8<<20 || n < 950 {
			t.Errorf("%d messages of 8,000 bytes are kept in 8 MiB", n)
		}
	})
	t.Run("pictures", func(t *testing.T) {
		post, read := handler(t, "data:,"+strings.Repeat("x", 12_000))
		for range 800 {
			post("home", "x")
		}
		if n := read("home"); n*12_000 > 8<<20 || n < 600 {
			t.Errorf("%d messages with a picture of 12,000 bytes are kept in 8 MiB", n)
		}
	})
}

// handler is a chat whose one subscription, with a picture, may post anywhere; read counts what is kept.
func handler(t *testing.T, picture string) (post func(channel, text string), read func(channels string) int) {
	t.Helper()
	hub, err := stentor.New(t.Context(), &stentor.Options{Broker: stentor.NewMemoryBroker(&stentor.MemoryOptions{Size: -1})})
	if err != nil {
		t.Fatal(err)
	}
	sub, err := hub.Subscribe(t.Context(), &stentor.SubscribeOptions{Channels: []stentor.Channel{"elsewhere"}})
	if err != nil {
		t.Fatal(err)
	}
	sub.SetMeta("profileUrl", picture)
	t.Cleanup(func() {
		sub.Close(nil)
		hub.Shutdown(context.Background())
	})
	c := chat.New(hub, &chat.Options{History: 3000})
	call := func(path, body string) string {
		w := httptest.NewRecorder()
		c.ServeHTTP(w, httptest.NewRequest(http.MethodPost, path, strings.NewReader(body)))
		if w.Code != 200 {
			t.Fatalf("%s %s: %d %s", path, short(body), w.Code, short(w.Body.String()))
		}
		return w.Body.String()
	}
	post = func(channel, text string) {
		call("/channels/"+channel+"/chat", fmt.Sprintf(`{"from":%q,"message":%q}`, sub.ID(), text))
	}
	read = func(channels string) int {
		return strings.Count(call("/chathistory", fmt.Sprintf(`{"channels":%q,"take":3000}`, channels)), `"fromUserId"`)
	}
	return post, read
}

// S-32: TestHistoryMerges: channels come merged, by id.
func TestHistoryMerges(t *testing.T) {
	ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
		s := newSite(t, p, nil)
		u := s.join("A,B")
		for i := range 6 {
			s.say(u, []string{"A", "B"}[i%2], fmt.Sprint(i))
		}
		if got := texts(s.history("channels=B,A&take=2")); got != "2|3|4|5" {
			t.Errorf("got %q", got)
		}
		s.call(204, "ClearChatHistory", map[string]any{"from": u.id, "channels": []string{"A"}})
		if got := texts(s.history("channels=A,B")); got != "1|3|5" {
			t.Errorf("after A was cleared: %q", got)
		}
		s.post(204, "/reset", "from="+u.id, "Content-Type: application/x-www-form-urlencoded")
		if got := texts(s.history("channels=A,B")); got != "" {
			t.Errorf("after all was cleared: %q", got)
		}
	})
}

// TestHistoryAndStreamMeet: whoever connects and then reads the history has every
// message in one or the other, whatever is posted meanwhile.
func TestHistoryAndStreamMeet(t *testing.T) {
	ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
		s := newSite(t, p, nil)
		posting := s.join("home")
		done := make(chan struct{})
		go func() {
			defer close(done)
			for i := range 100 {
				resp, err := s.srv.Client.Post(s.srv.URL+"/channels/home/chat", "application/json",
					strings.NewReader(fmt.Sprintf(`{"from":%q,"message":"%d"}`, posting.id, i)))
				if err != nil || resp.StatusCode != 200 {
					t.Errorf("post %d: %v %v", i, resp, err)
					return
				}
				resp.Body.Close()
			}
		}()
		late := s.join("home")
		seen := map[int64]bool{}
		for _, m := range s.history("channels=home") {
			seen[m.ID] = true
		}
		<-done
		synctest.Wait()
		for _, m := range late.messages() {
			seen[m.ID] = true
		}
		if len(seen) != 100 {
			t.Errorf("%d of 100 messages", len(seen))
		}
	})
}

// TestNotPublishedNotKept: what the hub would not take is in no history.
func TestNotPublishedNotKept(t *testing.T) {
	ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
		broker := &failing{Broker: stentor.NewMemoryBroker(nil)}
		hub, err := stentor.New(t.Context(), &stentor.Options{Broker: broker})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { hub.Shutdown(context.Background()) })
		s := &site{t: t, hub: hub, srv: ssetest.NewServer(t, p, chat.New(hub, nil))}
		sub, err := hub.Subscribe(t.Context(), &stentor.SubscribeOptions{Channels: []stentor.Channel{"home"}})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { sub.Close(nil) })
		u := &user{id: sub.ID()}
		s.say(u, "home", "before")
		broker.down = true
		text := s.call(500, "PostChatToChannel", map[string]any{"from": u.id, "channel": "home", "message": "lost"})
		if strings.Contains(text, "disk") {
			t.Errorf("the answer tells the server's business: %s", text)
		}
		broker.down = false
		s.say(u, "home", "after")
		if got := s.history("channels=home"); !slices.Equal(strings.Split(texts(got), "|"), []string{"before", "after"}) {
			t.Errorf("kept %q", texts(got))
		}
	})
}

// failing is a broker that can be down.
type failing struct {
	stentor.Broker
	down bool
}

func (f *failing) Publish(ctx context.Context, m stentor.Message) (stentor.Receipt, error) {
	if f.down {
		return stentor.Receipt{}, fmt.Errorf("disk full")
	}
	return f.Broker.Publish(ctx, m)
}

// TestClosedHub: a server that goes away says so, with an envelope.
func TestClosedHub(t *testing.T) {
	ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
		hub, err := stentor.New(t.Context(), nil)
		if err != nil {
			t.Fatal(err)
		}
		s := &site{t: t, hub: hub, srv: ssetest.NewServer(t, p, chat.New(hub, nil))}
		if err := hub.Shutdown(t.Context()); err != nil {
			t.Fatal(err)
		}
		s.post(503, "/channels/home/object", `{"customType":{"id":1}}`)
		s.post(404, "/channels/home/chat", `{"from":"x","message":"x"}`)
		if resp, text := s.srv.Do(t, http.MethodGet, "/nothing", ""); resp.StatusCode != 404 || !strings.Contains(text, "responseStatus") {
			t.Errorf("%d %s", resp.StatusCode, text)
		}
	})
}
