package client_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stentor-sse/stentor/client"
	"github.com/stentor-sse/stentor/eventsource"
	"github.com/stentor-sse/stentor/sse"
	"github.com/stentor-sse/stentor/ssetest"
)

func TestHandlersByType(t *testing.T) {
	ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
		f := newFace(t, p)
		f.begin = func(_ int, w http.ResponseWriter, r *http.Request) {
			say(w, opening(1)+"id: 101\nevent: order\ndata: {\"n\":1}\n\nevent: order\ndata: {\"n\":\"x\"}\n\ndata: plain\n\n"+
				"event: tv.watch\ndata: a\n\nevent: tv.off\ndata: b\n\nevent: other\ndata: c\n\nevent: stentor.new\ndata: d\n\n"+
				"event: stentor.gap\ndata: {\"reason\":\"expired\",\"after\":\"5\",\"oldest\":\"9\"}\n\nevent: tv.off\ndata: e\n\n")
			<-r.Context().Done()
		}
		var got, told []string
		add := func(format string, args ...any) { got = append(got, fmt.Sprintf(format, args...)) }
		c := f.client(t, client.Options{Channels: []string{"home"}, Error: func(err error) { told = append(told, err.Error()) }})
		client.On(c, "order", func(o struct{ N int }, e sse.Event) { add("order %d %s", o.N, e.ID) })
		client.On(c, "message", func(s string, _ sse.Event) { add("message %s", s) })
		client.On(c, "tv.watch", func(s string, _ sse.Event) { add("watch %s", s) })
		client.On(c, "tv.*", func(s string, e sse.Event) { add("tv %s %s", e.Type, s) })
		client.On(c, "*", func(s string, e sse.Event) {
			add("rest %s %s", e.Type, s)
			client.On[string](c, "tv.*", nil) // a handler may change the handlers
		})
		client.On(c, "stentor.gap", func(g client.Gap, _ sse.Event) { add("gap %s %s %s", g.Reason, g.After, g.Oldest) })
		run(t, c)
		want := []string{"order 1 101", "message plain", "watch a", "tv tv.off b", "rest other c", "gap expired 5 9", "rest tv.off e"}
		if !slices.Equal(got, want) {
			t.Errorf("got %q, want %q", got, want)
		}
		if len(told) != 1 || !strings.HasPrefix(told[0], `client: "order" message`) {
			t.Errorf("told of %q", told)
		}
	})
}

func TestRequest(t *testing.T) {
	ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
		f := newFace(t, p)
		c := f.client(t, client.Options{
			Channels: []string{"home", "b c", "home"}, User: "u", Session: "s", Key: "k", Presence: true, LastEventID: "0",
			Token: func(context.Context, bool) (string, error) { return "secret", nil },
		})
		run(t, c)
		want := request{line: "GET /events?channel=home&channel=b c&key=k&presence=true&session=s&user=u", token: "Bearer secret", cursor: "0"}
		if got := f.asked(); len(got) != 1 || got[0] != want {
			t.Errorf("asked %+v, want %+v", got, want)
		}
	})
}

// The server knows a client that comes back by its cookie.
func TestCookieIsKept(t *testing.T) {
	ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
		f := newFace(t, p)
		var got []string
		f.begin = func(n int, w http.ResponseWriter, r *http.Request) {
			got = append(got, r.Header.Get("Cookie"))
			http.SetCookie(w, &http.Cookie{Name: "stentor", Value: "x"})
			forever(n, w, r)
		}
		c := f.client(t, client.Options{Channels: []string{"a"}})
		run(t, c)
		c.Restart()
		synctest.Wait()
		if !slices.Equal(got, []string{"", "stentor=x"}) || f.Client.Jar != nil {
			t.Errorf("cookies %q", got)
		}
		if c.LastEventID() != "200" {
			t.Errorf("it is at %q", c.LastEventID())
		}
	})
}

// What may have been published is published once more as the same message.
func TestPublishIsSafeToRepeat(t *testing.T) {
	ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
		f := newFace(t, p)
		f.publish = func() (int, string) {
			switch len(f.asked()) {
			case 1:
				panic(http.ErrAbortHandler)
			case 2:
				return 503, ""
			}
			return 200, `{"id":"7","matched":2,"repeated":true,"durability":"disk"}`
		}
		c := f.client(t, client.Options{})
		if r, err := c.Publish(t.Context(), client.Message{All: true}); err != nil || !r.Repeated || r.Durability != "disk" || r.ID != "7" {
			t.Errorf("publish: %+v, %v", r, err)
		}
		if _, err := c.Publish(t.Context(), client.Message{All: true, IdempotencyKey: "own"}); err != nil {
			t.Error(err)
		}
		r := f.asked()
		if len(r) != 4 || len(r[0].key) < 20 || r[1].key != r[0].key || r[2].key != r[0].key || r[3].key != `"own"` || strings.Contains(r[3].body, "own") {
			t.Errorf("the requests were %+v", r)
		}
	})
}

func TestCookiesAreBounded(t *testing.T) {
	ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
		most, n := 0, 0
		s := ssetest.NewServer(t, p, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			most = max(most, len(r.Cookies()))
			for range 30 {
				n++
				http.SetCookie(w, &http.Cookie{Name: fmt.Sprint("c", n), Value: "x"})
			}
			if n > 300 {
				for range 200 {
					n++
					http.SetCookie(w, &http.Cookie{Name: fmt.Sprint("c", n), Value: "x"})
				}
			}
			fmt.Fprint(w, "{}")
		}))
		c, err := client.New(s.URL, &client.Options{HTTP: s.Client})
		if err != nil {
			t.Fatal(err)
		}
		for range 20 {
			if _, err := c.Publish(t.Context(), client.Message{All: true}); err != nil {
				t.Fatal(err)
			}
		}
		if most < 30 || most > 100 {
			t.Errorf("%d cookies at a time", most)
		}
	})
}

// A token that is refused is renewed, once, for the stream and for other requests, and the place is kept.
func TestTokenIsRenewed(t *testing.T) {
	ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
		good := "Bearer 1"
		f := newFace(t, p)
		f.begin = func(n int, w http.ResponseWriter, r *http.Request) {
			if r.Header.Get("Authorization") != good {
				w.WriteHeader(401)
				return
			}
			say(w, opening(n))
			if n == 2 { // it expires while the stream is open
				good = "Bearer 2"
				return
			}
			<-r.Context().Done()
		}
		token := 0
		c := f.client(t, client.Options{Channels: []string{"home"}, Token: func(_ context.Context, renew bool) (string, error) {
			if renew {
				token++
			}
			return fmt.Sprint(token), nil
		}})
		run(t, c)
		time.Sleep(30 * time.Second)
		synctest.Wait()
		var got []string
		for _, r := range f.asked() {
			got = append(got, r.token+" "+r.cursor)
		}
		if want := []string{"Bearer 0 ", "Bearer 1 ", "Bearer 1 200", "Bearer 2 200"}; !slices.Equal(got, want) {
			t.Errorf("got %q, want %q", got, want)
		}
		f.publish = func() (int, string) {
			if r := f.asked(); r[len(r)-1].token != "Bearer 3" {
				return 401, ""
			}
			return 200, `{"id":"9"}`
		}
		if r, err := c.Publish(t.Context(), client.Message{Channel: "home", Data: 1}); err != nil || r.ID != "9" {
			t.Errorf("publish: %+v, %v", r, err)
		}
		f.publish = func() (int, string) { return 401, "" }
		n := len(f.asked())
		if _, err := c.Publish(t.Context(), client.Message{Channel: "home"}); status(err) != 401 || len(f.asked()) != n+2 {
			t.Errorf("publish: %v after %d requests", err, len(f.asked())-n)
		}
	})
}

func TestTokenThatCannotBeHad(t *testing.T) {
	ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
		f := newFace(t, p)
		f.begin = func(n int, w http.ResponseWriter, r *http.Request) { say(w, opening(n)); <-r.Context().Done() }
		broken, n := errors.New("no token"), 0
		var told []error
		c := f.client(t, client.Options{
			Channels: []string{"home"},
			Token:    func(context.Context, bool) (string, error) { n++; return "", map[bool]error{true: broken}[n != 2] },
			Change:   func(c eventsource.Change) { told = append(told, c.Err) },
		})
		run(t, c)
		time.Sleep(10 * time.Second)
		synctest.Wait()
		if c.State() != eventsource.Open || !errors.Is(told[1], broken) {
			t.Errorf("it is %v; told of %v", c.State(), told)
		}
		if _, err := c.Publish(t.Context(), client.Message{}); !errors.Is(err, broken) {
			t.Errorf("publish: %v", err)
		}
	})
}

func TestHowItEnds(t *testing.T) {
	end := func(reason string) func(int, http.ResponseWriter, *http.Request) {
		return func(n int, w http.ResponseWriter, r *http.Request) {
			say(w, opening(n)+"retry: 86400000\nevent: stentor.end\ndata: {\"reason\":\""+reason+"\"}\n\n")
		}
	}
	code := func(code int, body string) func(int, http.ResponseWriter, *http.Request) {
		return func(n int, w http.ResponseWriter, r *http.Request) { w.WriteHeader(code); fmt.Fprint(w, body) }
	}
	for name, c := range map[string]struct {
		begin func(int, http.ResponseWriter, *http.Request)
		check func(error) bool
	}{
		"replaced":  {end("replaced"), func(err error) bool { return err == client.ErrReplaced }},
		"dismissed": {func(n int, w http.ResponseWriter, _ *http.Request) { w.WriteHeader(204) }, func(err error) bool { return errors.Is(err, eventsource.ErrDismissed) }},
		"refused": {code(403, `{"detail":"ask for it"}`), func(err error) bool {
			return status(err) == 403 && err.Error() == "client: the server answered 403 Forbidden: ask for it"
		}},
		"refused by a proxy":               {code(404, `<html>`), func(err error) bool { return err.Error() == "client: the server answered 404 Not Found" }},
		"no stream":                        {code(200, `hello`), func(err error) bool { return strings.Contains(err.Error(), "no event stream") }},
		"draining, and it would come back": {end("draining"), func(err error) bool { return errors.Is(err, context.Canceled) }},
	} {
		t.Run(name, func(t *testing.T) {
			ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
				f := newFace(t, p)
				f.begin = c.begin
				var why []string
				cl := f.client(t, client.Options{Channels: []string{"home"}})
				client.On(cl, "stentor.end", func(e client.End, _ sse.Event) { why = append(why, e.Reason) })
				end := run(t, cl)
				if err := end(); !c.check(err) || cl.State() != eventsource.Closed {
					t.Errorf("ended with %v, %v", err, cl.State())
				}
				if told := len(why) == 1; told != strings.HasPrefix(name, "replaced") && told != strings.HasPrefix(name, "draining") {
					t.Errorf("told of %q", why)
				}
			})
		})
	}
	t.Run("closed", func(t *testing.T) {
		ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
			f := newFace(t, p)
			c := f.client(t, client.Options{Channels: []string{"home"}})
			time.AfterFunc(time.Second, c.Close)
			if err := c.Run(t.Context()); err != nil {
				t.Errorf("ended with %v", err)
			}
		})
	})
}

func TestNewSaysWhatIsWrong(t *testing.T) {
	for _, address := range []string{"", "example.com", "ws://example.com", "http://host:port/"} {
		if c, err := client.New(address, nil); c != nil || err == nil {
			t.Errorf("%q: %v", address, err)
		}
	}
}

func TestPublish(t *testing.T) {
	ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
		f := newFace(t, p)
		c := f.client(t, client.Options{Header: http.Header{"X-A": {"b"}}})
		r, err := c.Publish(t.Context(), client.Message{Channel: "home", Type: "t", Data: map[string]int{"n": 1}, Ephemeral: true})
		if err != nil || r != (client.Receipt{ID: "7", Matched: 2}) {
			t.Errorf("publish: %+v, %v", r, err)
		}
		if want := `POST /publish?{"channel":"home","type":"t","data":{"n":1},"ephemeral":true}`; f.lines()[0] != want {
			t.Errorf("asked %q", f.lines())
		}
		if _, err := c.Publish(t.Context(), client.Message{Data: func() {}}); err == nil || len(f.asked()) != 1 {
			t.Errorf("data that is no JSON: %v", err)
		}
		for _, a := range []struct {
			code int
			body string
			want string
		}{
			{403, `{"detail":"ask for it"}`, "403 Forbidden: ask for it"},
			{502, `<html>`, "502 Bad Gateway"},
			{307, ``, "307 Temporary Redirect"},
			{200, `<html>`, "is the URL that of a plain face?"},
		} {
			f.publish = func() (int, string) { return a.code, a.body }
			if _, err := c.Publish(t.Context(), client.Message{All: true}); err == nil || !strings.Contains(err.Error(), a.want) {
				t.Errorf("%d: %v", a.code, err)
			}
		}
		f.publish = func() (int, string) { time.Sleep(time.Minute); return 200, "" }
		start := time.Now()
		if _, err := c.Publish(t.Context(), client.Message{All: true}); !errors.Is(err, context.DeadlineExceeded) || time.Since(start) != 33*time.Second {
			t.Errorf("a server that doesn't answer: %v after %v", err, time.Since(start))
		}
		ctx, cancel := context.WithTimeout(t.Context(), 11*time.Second-1)
		defer cancel()
		start = time.Now()
		if _, err := c.Publish(ctx, client.Message{All: true}); err == nil || time.Since(start) >= 11*time.Second {
			t.Errorf("no patience: %v after %v", err, time.Since(start))
		}
	})
}
