package client_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stentor-sse/stentor/client"
	"github.com/stentor-sse/stentor/eventsource"
	"github.com/stentor-sse/stentor/ssetest"
)

func TestRequest(t *testing.T) {
	o := client.Options{
		Channels: []string{"home", "b+c", "home"}, User: "u", Session: "s", Key: "k", Presence: true, LastEventID: "0",
		Token:  func(context.Context, bool) (string, error) { return "secret", nil },
		Header: http.Header{"X-A": {"b"}},
	}
	each(t, func(t *testing.T, s *server) {
		want := map[client.Face]string{
			client.Plain:        "GET /events?channel=home&channel=b%2Bc&key=k&named=true&presence=true&session=s&user=u",
			client.ServiceStack: "GET /event-stream?channels=home%2Cb%2Bc&key=k&session=s&user=u",
		}
		run(t, s.client(t, o))
		got := s.asked()
		if len(got) != 1 || got[0].line != want[s.face()] || got[0].cursor != "0" {
			t.Fatalf("asked %+v, want %q", got, want[s.face()])
		}
		for name, value := range map[string]string{"Authorization": "Bearer secret", "X-A": "b", "Accept": "text/event-stream"} {
			if h := got[0].header.Get(name); h != value {
				t.Errorf("%s: %q, want %q", name, h, value)
			}
		}
	})
	each(t, func(t *testing.T, s *server) {
		c := s.client(t, client.Options{StreamPath: "/live/here"})
		if run(t, c)(); len(s.asked()) != 1 || !strings.HasPrefix(s.asked()[0].line, "GET /live/here") {
			t.Errorf("asked %+v", s.asked())
		}
	})
}

// A face that is under a path is there with all its services.
func TestServerUnderAPath(t *testing.T) {
	each(t, func(t *testing.T, s *server) {
		s.Config.Handler = http.StripPrefix("/under/here", s.Config.Handler)
		s.begin = s.stay
		o := client.Options{Channels: []string{"a"}, Presence: true, HTTP: s.Client, Face: s.face()}
		c, err := client.New(s.URL+"/under/here/", &o)
		if err != nil {
			t.Fatal(err)
		}
		run(t, c)
		if err := c.Join(t.Context(), "b"); err != nil {
			t.Error(err)
		}
		if _, err := c.Publish(t.Context(), client.Message{All: true}); err != nil {
			t.Error(err)
		}
		if got := s.heard(); !slices.Equal(got, []string{"stream a", "members a", "change s1 +b", "members b", "publish"}) {
			t.Errorf("asked %q", got)
		}
	})
}

// The server knows a client that comes back by its cookie.
func TestCookieIsKept(t *testing.T) {
	each(t, func(t *testing.T, s *server) {
		var got []string
		s.begin = func(n int, w http.ResponseWriter, r *http.Request) {
			got = append(got, r.Header.Get("Cookie"))
			http.SetCookie(w, &http.Cookie{Name: "stentor", Value: "x"})
			s.stay(n, w, r)
		}
		c := s.client(t, client.Options{Channels: []string{"a"}})
		run(t, c)
		c.Restart()
		synctest.Wait()
		if !slices.Equal(got, []string{"", "stentor=x"}) || s.Client.Jar != nil {
			t.Errorf("cookies %q", got)
		}
		if c.LastEventID() != "200" {
			t.Errorf("it is at %q", c.LastEventID())
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
	each(t, func(t *testing.T, s *server) {
		good := "Bearer 1"
		s.begin = func(n int, w http.ResponseWriter, r *http.Request) {
			if r.Header.Get("Authorization") != good {
				w.WriteHeader(401)
				return
			}
			say(w, s.opening(n))
			if n == 2 { // it expires while the stream is open
				good = "Bearer 2"
				return
			}
			<-r.Context().Done()
		}
		var token atomic.Int32
		c := s.client(t, client.Options{Channels: []string{"home"}, Token: func(_ context.Context, renew bool) (string, error) {
			if renew {
				token.Add(1)
			}
			return fmt.Sprint(token.Load()), nil
		}})
		run(t, c)
		time.Sleep(30 * time.Second)
		synctest.Wait()
		var got []string
		for _, r := range s.asked() {
			if strings.HasPrefix(r.what, "stream") {
				got = append(got, r.header.Get("Authorization")+" "+r.cursor)
			}
		}
		if want := []string{"Bearer 0 ", "Bearer 1 ", "Bearer 1 200", "Bearer 2 200"}; !slices.Equal(got, want) {
			t.Errorf("got %q, want %q", got, want)
		}
		s.publish = func() (int, string) {
			if r := s.asked(); r[len(r)-1].header.Get("Authorization") != "Bearer 3" {
				return 401, ""
			}
			return 200, `{"id":"9"}`
		}
		if r, err := c.Publish(t.Context(), client.Message{Channel: "home", Data: 1}); err != nil || r.ID != "9" {
			t.Errorf("publish: %+v, %v", r, err)
		}
		s.publish = func() (int, string) { return 401, "" }
		n := len(s.asked())
		if _, err := c.Publish(t.Context(), client.Message{Channel: "home"}); status(err) != 401 || len(s.asked()) != n+2 {
			t.Errorf("publish: %v after %d requests", err, len(s.asked())-n)
		}
	})
}

func TestTokenThatCannotBeHad(t *testing.T) {
	each(t, func(t *testing.T, s *server) {
		s.begin = s.stay
		broken := errors.New("no token")
		var n atomic.Int32 // heartbeats take tokens too
		var told []error
		c := s.client(t, client.Options{
			Channels: []string{"home"},
			Token:    func(context.Context, bool) (string, error) { return "", map[bool]error{true: broken}[n.Add(1) != 2] },
			Change:   func(c eventsource.Change) { told = append(told, c.Err) },
			Error:    func(error) {},
		})
		run(t, c)
		time.Sleep(9 * time.Second)
		synctest.Wait()
		if c.State() != eventsource.Open || !errors.Is(told[1], broken) {
			t.Errorf("it is %v; told of %v", c.State(), told)
		}
		if _, err := c.Publish(t.Context(), client.Message{}); !errors.Is(err, broken) {
			t.Errorf("publish: %v", err)
		}
	})
}

func TestNewSaysWhatIsWrong(t *testing.T) {
	for _, address := range []string{"", "example.com", "ws://example.com", "http://host:port/"} {
		if c, err := client.New(address, nil); c != nil || err == nil {
			t.Errorf("%q: %v", address, err)
		}
	}
	if _, err := client.New("http://example.com", &client.Options{Face: 7}); err == nil || !strings.Contains(err.Error(), "Face 7") {
		t.Errorf("a face that isn't: %v", err)
	}
}

// Who signs in has other cookies, and the next stream is theirs.
func TestCallAsTheSameVisitor(t *testing.T) {
	each(t, func(t *testing.T, s *server) {
		inner := s.Config.Handler
		var who []string
		s.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			switch {
			case r.URL.Path == "/auth/credentials" && r.URL.RawQuery == "a=%20b" && r.Header.Get("Content-Type") == "application/json":
				http.SetCookie(w, &http.Cookie{Name: "ss-id", Value: "ada", Path: "/"})
				fmt.Fprint(w, `{"displayName":"Ada"}`)
			case r.URL.Path == "/form" && r.PostFormValue("name") == "Ada Lovelace":
				http.Redirect(w, r, "/", http.StatusSeeOther)
			case r.URL.Path == "/nothing":
				w.WriteHeader(204)
			default:
				if strings.HasPrefix(r.URL.Path, "/event") {
					who = append(who, r.Header.Get("Cookie")+r.Header.Get("Authorization"))
				}
				inner.ServeHTTP(w, r)
			}
		})
		s.begin = s.stay
		c := s.client(t, client.Options{Channels: []string{"a"}, Token: func(context.Context, bool) (string, error) { return "t", nil }})
		run(t, c)
		var answer struct{ DisplayName string }
		if err := c.Call(t.Context(), "POST", "/auth/credentials?a=%20b", map[string]string{"password": "p"}, &answer); err != nil || answer.DisplayName != "Ada" {
			t.Errorf("signing in: %+v, %v", answer, err)
		}
		if err := c.Call(t.Context(), "GET", "nothing", nil, &answer); err != nil {
			t.Error(err)
		}
		form := url.Values{"name": {"Ada Lovelace"}}
		if err := c.Call(t.Context(), "POST", "form", form, nil); err != nil {
			t.Error(err)
		}
		if err := c.Call(t.Context(), "POST", "form", form, &answer); status(err) != 303 {
			t.Errorf("an answer that is elsewhere: %v", err)
		}
		c.Restart()
		synctest.Wait()
		if !slices.Equal(who, []string{"Bearer t", "ss-id=adaBearer t"}) {
			t.Errorf("the streams were of %q", who)
		}
		if err := c.Call(t.Context(), "GET", "missing", nil, nil); status(err) != 404 || !strings.HasSuffix(err.Error(), ": no such path") {
			t.Errorf("what is not there: %v", err)
		}
		n := len(s.asked())
		for _, path := range []string{"http://elsewhere.test/x", "//elsewhere.test/x", "http:x", "%zz"} {
			if err := c.Call(t.Context(), "GET", path, nil, nil); err == nil || status(err) != 0 {
				t.Errorf("%s: %v", path, err)
			}
		}
		if err := c.Call(t.Context(), "BAD METHOD", "x", nil, nil); err == nil || len(s.asked()) != n {
			t.Errorf("a method that isn't: %v", err)
		}
	})
}
