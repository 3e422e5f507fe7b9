package eventhttp_test

import (
	"context"
	"errors"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stentor-sse/stentor"
	"github.com/stentor-sse/stentor/eventhttp"
	"github.com/stentor-sse/stentor/sse"
	"github.com/stentor-sse/stentor/ssetest"
)

// keyed makes the browser's cookie the identity of one receiver, as a client id
// provider does.
func keyed() *eventhttp.Options {
	return &eventhttp.Options{Subscribe: func(_ *http.Request, o *stentor.SubscribeOptions) error {
		o.Key = o.Session
		return nil
	}}
}

// cookie is what a browser would send after an answer.
func cookie(t testing.TB, resp *http.Response) string {
	t.Helper()
	all := resp.Cookies()
	if len(all) != 1 {
		t.Fatalf("%d cookies set, want 1: %v", len(all), resp.Header)
	}
	return "Cookie: " + all[0].Name + "=" + all[0].Value
}

// L-69: the identity that browsers have without anybody's doing: one cookie, stable over
// reconnects, out of reach of scripts and of other sites.
func TestCookie(t *testing.T) {
	ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
		hub, srv := serve(t, p, nil, nil)
		s := srv.Open(t, "/events?channel=a")
		sub := hub.Subscription(opened(t, s))
		set := s.Response.Header.Values("Set-Cookie")
		if len(set) != 1 || !regexp.MustCompile(`^stentor=[A-Z2-7]{26}; Path=/; HttpOnly; SameSite=Lax$`).MatchString(set[0]) {
			t.Fatalf("Set-Cookie %q", set)
		}
		have := cookie(t, s.Response)
		if !strings.HasSuffix(have, "="+sub.Session()) {
			t.Errorf("%s, and session %s", have, sub.Session())
		}

		// It is taken, and not set again, and a browser that comes back has its place.
		user := sub.Member().User
		s.Close()
		synctest.Wait()
		s = srv.Open(t, "/events?channel=a", have)
		again := hub.Subscription(opened(t, s))
		if again.Session() != sub.Session() || again.Member().User != user || s.Response.Header.Get("Set-Cookie") != "" {
			t.Errorf("back as %s of session %s, set %q; want %s of %s and nothing", again.Member().User, again.Session(),
				s.Response.Header.Get("Set-Cookie"), user, sub.Session())
		}

		// What is not of our making is replaced.
		for _, forged := range []string{"stentor=admin", "stentor=", "stentor=" + strings.Repeat("a", 26), "stentor=" + strings.Repeat("A", 27)} {
			s := srv.Open(t, "/events?channel=a", "Cookie: "+forged)
			got := hub.Subscription(opened(t, s)).Session()
			if strings.Contains(forged, got) || !strings.HasSuffix(cookie(t, s.Response), "="+got) {
				t.Errorf("%s: session %s", forged, got)
			}
		}

		// A page of another site has none, and none is made up for it.
		s = srv.Open(t, "/events?channel=a", "Sec-Fetch-Site: cross-site", "Origin: https://evil.example")
		if got := hub.Subscription(opened(t, s)).Session(); got != "" || s.Response.Header.Get("Set-Cookie") != "" {
			t.Errorf("a page of another site: session %q, set %q", got, s.Response.Header.Get("Set-Cookie"))
		}
	})
}

func TestCookieOptions(t *testing.T) {
	rows := []struct {
		name  string
		o     eventhttp.Options
		query string
		set   string // a part of it; "" for none
	}{
		{"another name", eventhttp.Options{Cookie: "who"}, "", "who="},
		{"no name", eventhttp.Options{Cookie: "who is it"}, "", ""},
		{"off", eventhttp.Options{Cookie: "-"}, "", ""},
		{"declared https", eventhttp.Options{PublicURL: "https://app.example"}, "", "; HttpOnly; Secure; SameSite=Lax"},
		{"the hook gives another session", eventhttp.Options{Subscribe: func(_ *http.Request, o *stentor.SubscribeOptions) error {
			o.Session = "mine"
			return nil
		}}, "", ""},
		{"the hook keeps it as the key alone", eventhttp.Options{Subscribe: func(_ *http.Request, o *stentor.SubscribeOptions) error {
			o.Key, o.Session = o.Session, "mine"
			return nil
		}}, "", "stentor="},
		{"the query wins where it is believed", eventhttp.Options{Subscribe: eventhttp.QuerySubscribe}, "&session=mine", ""},
		{"the query has none", eventhttp.Options{Subscribe: eventhttp.QuerySubscribe}, "", "stentor="},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
				hub, srv := serve(t, p, nil, &row.o)
				s := srv.Open(t, "/events?channel=a"+row.query)
				sub := hub.Subscription(opened(t, s))
				set := s.Response.Header.Get("Set-Cookie")
				if !strings.Contains(set, row.set) || row.set == "" && set != "" {
					t.Errorf("Set-Cookie %q, want %q in it", set, row.set)
				}
				if set == "" && sub.Session() != "" && sub.Session() != "mine" {
					t.Errorf("session %q, which nobody can present", sub.Session())
				}
			})
		})
	}
}

// An anonymous browser owns its subscriptions, from the first request on that shows its
// cookie; before, and for clients that keep none, knowing the id has to do.
func TestCookieOwns(t *testing.T) {
	ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
		_, srv := serve(t, p, nil, nil)
		first := srv.Open(t, "/events?channel=a")
		mine := cookie(t, first.Response)
		fresh := opened(t, first)
		returned := opened(t, srv.Open(t, "/events?channel=b", mine))
		other := cookie(t, srv.Open(t, "/events?channel=a").Response)
		for _, row := range []struct {
			name, id string
			header   []string
			status   int
		}{
			{"the browser", fresh, []string{mine}, 200},
			{"the browser, when it has come back", returned, []string{mine}, 200},
			{"the browser, by the name that another of its first streams was given", fresh, []string{other}, 200},
			{"another browser, when it has come back", returned, []string{other}, 404},
			{"no cookie, and none was shown", fresh, nil, 200},
			{"no cookie, where one was shown", returned, nil, 404},
			{"a forged one is none", returned, []string{"Cookie: stentor=x"}, 404},
		} {
			resp, body := srv.Do(t, "POST", "/subscriptions/"+row.id, `{}`, append(row.header, jsonType)...)
			if resp.StatusCode != row.status {
				t.Errorf("%s: %d %s, want %d", row.name, resp.StatusCode, body, row.status)
			}
			if resp.Header.Get("Set-Cookie") != "" {
				t.Errorf("%s: a cookie is set", row.name)
			}
		}
	})
}

// L-13, L-69: the newest stream of one client id wins, and the old response ends, with a cause
// of its own; the id stays the newcomer's.
func TestLibNewestWins(t *testing.T) {
	ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
		var closed notes
		ho := &stentor.Options{Hooks: stentor.Hooks{Close: func(s *stentor.Subscription, cause error) { closed.add("%v", cause) }}}
		hub, srv := serve(t, p, ho, keyed())
		one := srv.Open(t, "/events?channel=a")
		id := opened(t, one)
		old, have := hub.Subscription(id), cookie(t, one.Response)
		two := srv.Open(t, "/events?channel=a", have)
		opened(t, two)
		if err := one.Wait(t); err != nil {
			t.Errorf("the old response ended with %v, want a clean end", err)
		}
		if !errors.Is(old.Cause(), stentor.ErrReplaced) || len(closed.all()) != 1 || hub.Subscription(id) != nil {
			t.Errorf("the old one: cause %v, close hooks %v", old.Cause(), closed.all())
		}
		if h := hub.Holder(old.Key()); h == nil || h == old || hub.Count(stentor.Target{Channel: "a"}) != 1 {
			t.Errorf("holder %v of %d on the channel, want the newcomer alone", h, hub.Count(stentor.Target{Channel: "a"}))
		}
		at := publish(t, hub, stentor.Message{Target: stentor.Target{Key: old.Key()}, Data: "to the newcomer"})
		want(t, two, sse.Event{ID: at.String(), Data: "to the newcomer"})
	})
}

// Lib before 8.3.1 refused the newcomer; with KeyRefuse so does this hub, by 409.
func TestKeyTakenIs409(t *testing.T) {
	o := &eventhttp.Options{Subscribe: func(_ *http.Request, o *stentor.SubscribeOptions) error {
		o.Key, o.KeyRule = "k", stentor.KeyRefuse
		return nil
	}}
	ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
		hub, srv := serve(t, p, nil, o)
		s := srv.Open(t, "/events?channel=a")
		opened(t, s)
		resp, body := srv.Do(t, "GET", "/events?channel=a", "")
		refused(t, resp, body, 409, "another key")
		if n := hub.Stats().Subscribed; n != 1 || s.Ended() {
			t.Errorf("%d subscribed; the holder has ended: %v", n, s.Ended())
		}
	})
}

// L-14, L-70, L-73, L-74, L-75: a dismissed browser's stream ends gracefully, its next attempts are
// 204, and in the end the name is forgotten.
func TestLibDismissal(t *testing.T) {
	ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
		var causes notes
		ho := &stentor.Options{Hooks: stentor.Hooks{Close: func(_ *stentor.Subscription, cause error) { causes.add("%v", cause) }}}
		hub, srv := serve(t, p, ho, keyed())
		s := srv.Open(t, "/events?channel=a")
		sub, have := hub.Subscription(opened(t, s)), cookie(t, s.Response)
		for range 2 { // L-73: idempotent
			if err := sub.Dismiss(time.Minute); err != nil {
				t.Fatal(err)
			}
		}
		if err := s.Wait(t); err != nil {
			t.Errorf("the stream ended with %v, want a clean end", err)
		}
		synctest.Wait()
		if got := causes.all(); !slices.Equal(got, []string{stentor.ErrDismissed.Error()}) || !errors.Is(sub.Cause(), stentor.ErrDismissed) {
			t.Errorf("close hooks %v, cause %v", got, sub.Cause())
		}
		for range 3 { // not only the first time
			resp, body := srv.Do(t, "GET", "/events?channel=a", "", have)
			if resp.StatusCode != 204 || body != "" || resp.Header.Get("Content-Type") != "" || resp.Header.Get("Cache-Control") != "no-store" {
				t.Errorf("%d %q %v, want 204 and nothing", resp.StatusCode, body, resp.Header)
			}
		}
		if n := hub.Stats().Subscribed; n != 1 {
			t.Errorf("%d subscribed, want the first alone", n)
		}
		opened(t, srv.Open(t, "/events?channel=a")) // nobody else is meant
		sleep(60)
		opened(t, srv.Open(t, "/events?channel=a", have))
		if n := hub.Stats().Dismissed; n != 0 {
			t.Errorf("%d remembered after their time", n)
		}
	})
}

// L-70: a bound and an expiry; L-71: who was never dismissed gets in, who was does not, and a
// dismissal can be lifted.
func TestLibDismissedAreKnownAndForgotten(t *testing.T) {
	ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
		hub, srv := serve(t, p, &stentor.Options{MaxDismissed: 2}, open())
		status := func(key string) int {
			s := srv.Open(t, "/events?channel=a&key="+key)
			if s.Response.StatusCode == 200 {
				opened(t, s)
				s.Close()
				synctest.Wait()
			}
			return s.Response.StatusCode
		}
		if got := status("anna"); got != 200 {
			t.Errorf("never dismissed: %d", got)
		}
		for i, key := range []string{"anna", "bert", "carl"} {
			if err := hub.Dismiss(key, time.Duration(i+1)*time.Hour); err != nil {
				t.Fatal(err)
			}
		}
		got := []int{status("anna"), status("bert"), status("carl")}
		if !slices.Equal(got, []int{200, 204, 204}) {
			t.Errorf("anna, bert, carl: %v, want the two that are remembered longest to be refused", got)
		}
		if err := hub.Dismiss("bert", -1); err != nil {
			t.Fatal(err)
		}
		if got := status("bert"); got != 200 {
			t.Errorf("lifted: %d", got)
		}
		if got := hub.Stats().Dismissed; got != 1 {
			t.Errorf("%d remembered, want carl", got)
		}
	})
}

// L-72: who could not be recognised can't be dismissed: an error that says so, and
// nothing has happened.
func TestLibDismissNeedsAKey(t *testing.T) {
	ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
		hub, srv := serve(t, p, nil, nil)
		s := srv.Open(t, "/events?channel=a")
		sub := hub.Subscription(opened(t, s))
		if err := sub.Dismiss(0); !errors.Is(err, stentor.ErrInvalid) || !strings.Contains(err.Error(), "key") {
			t.Errorf("got %v, want an error about the key", err)
		}
		if sub.Cause() != nil || s.Ended() {
			t.Error("the stream has ended all the same")
		}
	})
}

// L-76: what there is beside: a plain close after which the reader may come back, all at once, an
// end by age, and refusals from the request's parameters.
func TestLibOtherEnds(t *testing.T) {
	old := errors.New("old enough")
	o := &eventhttp.Options{Subscribe: func(r *http.Request, o *stentor.SubscribeOptions) error {
		switch r.URL.Query().Get("as") {
		case "gone":
			return stentor.ErrDismissed
		case "banned":
			return &stentor.Refusal{Status: 403, Detail: "not you"}
		}
		o.Key = r.URL.Query().Get("key")
		return nil
	}}
	ho := &stentor.Options{Hooks: stentor.Hooks{Open: func(s *stentor.Subscription) error {
		age := time.AfterFunc(time.Hour, func() { s.Close(old) }) // a greatest age
		s.OnEnd(func(error) { age.Stop() })
		return nil
	}}}
	ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
		hub, srv := serve(t, p, ho, o)
		if resp, _ := srv.Do(t, "GET", "/events?channel=a&as=gone", ""); resp.StatusCode != 204 {
			t.Errorf("the hook says dismissed: %d", resp.StatusCode)
		}
		resp, body := srv.Do(t, "GET", "/events?channel=a&as=banned", "")
		refused(t, resp, body, 403, "not you")

		// One is closed, and comes back.
		s := srv.Open(t, "/events?channel=a&key=k")
		opened(t, s)
		hub.Holder("k").Close(nil)
		s.Wait(t)
		s = srv.Open(t, "/events?channel=a&key=k")
		last := hub.Subscription(opened(t, s))

		// All are closed.
		var all []*ssetest.Recorder
		for range 5 {
			r := srv.Open(t, "/events?channel=b")
			opened(t, r)
			all = append(all, r)
		}
		if n := hub.Drop(stentor.Target{Channel: "b"}, nil); n != 5 {
			t.Errorf("%d dropped, want 5", n)
		}
		for _, r := range all {
			r.Wait(t)
		}
		if n := hub.Count(stentor.Target{}); n != 1 {
			t.Errorf("%d left, want 1", n)
		}
		time.Sleep(time.Hour)
		s.Wait(t)
		if !errors.Is(last.Cause(), old) {
			t.Errorf("the cause is %v, want its age", last.Cause())
		}
	})
}

// L-68, L-77: open streams don't hold up a shutdown, of the hub or of the server.
func TestLibShutdownIsQuick(t *testing.T) {
	ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
		hub, srv := serve(t, p, nil, nil)
		for range 10 {
			opened(t, srv.Open(t, "/events?channel=a"))
		}
		srv.Config.RegisterOnShutdown(func() { hub.Shutdown(context.Background()) })
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		if err := srv.Config.Shutdown(ctx); err != nil {
			t.Errorf("shutdown with open streams: %v", err)
		}
		if n := hub.Stats().Subscriptions; n != 0 {
			t.Errorf("%d left", n)
		}
	})
}
