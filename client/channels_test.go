package client_test

import (
	"context"
	"net/http"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stentor-sse/stentor/client"
	"github.com/stentor-sse/stentor/eventsource"
	"github.com/stentor-sse/stentor/sse"
	"github.com/stentor-sse/stentor/ssetest"
)

// forever opens a stream that stays.
func forever(n int, w http.ResponseWriter, r *http.Request) {
	say(w, opening(n))
	<-r.Context().Done()
}

func TestChannelsAreChangedLiveAndKept(t *testing.T) {
	ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
		f := newFace(t, p)
		f.begin = forever
		c := f.client(t, client.Options{Channels: []string{"a"}, User: "u"})
		if err := c.Join(t.Context(), "b"); err != nil || len(f.asked()) != 0 {
			t.Errorf("before the stream: %v", err)
		}
		run(t, c)
		for _, err := range []error{
			c.Join(t.Context(), "c", "b", "c"), c.Leave(t.Context(), "a", "x"), c.Join(t.Context(), "b"), c.Leave(t.Context()),
		} {
			if err != nil {
				t.Error(err)
			}
		}
		c.Restart()
		synctest.Wait()
		want := []string{
			"GET /events?channel=a&channel=b&user=u", `POST /subscriptions/s1?user=u{"join":["c"]}`, `POST /subscriptions/s1?user=u{"leave":["a"]}`,
			"GET /events?channel=b&channel=c&user=u",
		}
		if got := f.lines(); !slices.Equal(got, want) || !slices.Equal(c.Channels(), []string{"b", "c"}) {
			t.Errorf("asked %q; on %q", got, c.Channels())
		}
	})
}

// After an error nothing has changed. Where nobody knows, the server is asked anew.
func TestChangeFailsWhole(t *testing.T) {
	ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
		f := newFace(t, p)
		f.begin = forever
		f.change = func(string) int { return 403 }
		c := f.client(t, client.Options{Channels: []string{"a"}})
		run(t, c)
		if err := c.Join(t.Context(), "b"); status(err) != 403 || !slices.Equal(c.Channels(), []string{"a"}) || len(f.asked()) != 2 {
			t.Errorf("refused: %v; on %q", err, c.Channels())
		}
		f.change = func(string) int { time.Sleep(time.Minute); return 200 }
		if err := c.Join(t.Context(), "b"); err == nil || status(err) != 0 {
			t.Errorf("no answer: %v", err)
		}
		synctest.Wait()
		if got := f.lines(); got[len(got)-1] != "GET /events?channel=a" || len(got) != 4 {
			t.Errorf("asked %q", got)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if err := c.Leave(ctx, "a"); err == nil || !slices.Equal(c.Channels(), []string{"a"}) {
			t.Errorf("context has ended: %v; on %q", err, c.Channels())
		}
	})
}

// What changes while there is no stream, or while one is about to begin, is asked for.
func TestChangeBetweenStreams(t *testing.T) {
	ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
		f := newFace(t, p)
		f.begin = func(n int, w http.ResponseWriter, r *http.Request) {
			time.Sleep(time.Second)
			forever(n, w, r)
		}
		c := f.client(t, client.Options{Channels: []string{"a"}})
		run(t, c)
		if err := c.Join(t.Context(), "b"); err != nil { // the request is on its way
			t.Error(err)
		}
		time.Sleep(5 * time.Second)
		synctest.Wait()
		want := []string{"GET /events?channel=a", "GET /events?channel=a&channel=b"}
		if got := f.lines(); !slices.Equal(got, want) || c.State() != eventsource.Open {
			t.Errorf("asked %q", got)
		}
		// The stream is replaced by another one while the server is being told.
		f.change = func(string) int {
			c.Restart()
			time.Sleep(3 * time.Second)
			return 404
		}
		if err := c.Join(t.Context(), "c"); err != nil {
			t.Error(err)
		}
		time.Sleep(5 * time.Second)
		synctest.Wait()
		want = append(want, `POST /subscriptions/s2?{"join":["c"]}`, "GET /events?channel=a&channel=b", "GET /events?channel=a&channel=b&channel=c")
		if got := f.lines(); !slices.Equal(got, want) || !slices.Equal(c.Channels(), []string{"a", "b", "c"}) {
			t.Errorf("asked %q", got)
		}
	})
}

// Changes are made one after the other, whoever makes them, a handler too.
func TestChangesFromAnyGoroutine(t *testing.T) {
	ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
		f := newFace(t, p)
		f.begin = forever
		busy := make(chan struct{}, 1)
		f.change = func(string) int {
			select {
			case busy <- struct{}{}:
			default:
				t.Error("two changes at a time")
			}
			time.Sleep(time.Second)
			<-busy
			return 200
		}
		c := f.client(t, client.Options{Channels: []string{"a"}})
		client.On(c, "stentor.open", func(struct{}, sse.Event) {
			if err := c.Join(t.Context(), "h"); err != nil {
				t.Error(err)
			}
		})
		run(t, c)
		done := make(chan error)
		for _, ch := range []string{"b", "c", "d"} {
			go func() { done <- c.Join(t.Context(), ch) }()
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		synctest.Wait()
		if err := c.Join(ctx, "e"); err != context.DeadlineExceeded {
			t.Errorf("no patience: %v", err)
		}
		for range 3 {
			if err := <-done; err != nil {
				t.Error(err)
			}
		}
		list := c.Channels()
		if slices.Sort(list); !slices.Equal(list, []string{"a", "b", "c", "d", "h"}) {
			t.Errorf("on %q", list)
		}
	})
}

func TestMembersAreKeptUpToDate(t *testing.T) {
	notice := func(kind, channel, user, name string) string {
		return "event: stentor." + kind + "\ndata: {\"channel\":\"" + channel + "\",\"user\":\"" + user + "\",\"name\":\"" + name + "\",\"meta\":{\"m\":\"1\"}}\n\n"
	}
	ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
		f := newFace(t, p)
		lists := map[string][]string{"a": {"1", "2"}, "b": {"2"}, "c": {"9"}}
		f.presence = func(ch string) (int, string) { return 200, members(lists[ch]...) }
		more := make(chan string)
		f.begin = func(n int, w http.ResponseWriter, r *http.Request) {
			say(w, opening(n))
			for {
				select {
				case text := <-more:
					say(w, text)
				case <-r.Context().Done():
					return
				}
			}
		}
		c := f.client(t, client.Options{Channels: []string{"a", "b"}, Presence: true, MaxMembers: 3})
		expect := func(what, channel string, want ...string) {
			t.Helper()
			synctest.Wait()
			if got := users(c, channel); !slices.Equal(got, want) {
				t.Errorf("%s: %q on %s, want %q", what, got, channel, want)
			}
		}
		expect("before", "a")
		run(t, c)
		expect("loaded", "a", "1", "2")
		expect("loaded", "b", "2")
		more <- notice("join", "a", "3", "Ada") + notice("join", "a", "1", "Bob") + notice("leave", "a", "2", "") + notice("leave", "a", "7", "")
		expect("told", "a", "1", "3")
		more <- notice("update", "a", "1", "Eve")
		expect("updated", "a", "1", "3")
		if m := c.Members("a")[0]; m.Name != "Eve" || m.Meta["m"] != "1" || m.Channel != "a" {
			t.Errorf("the member is %+v", m)
		}
		c.Members("a")[0].Meta["m"] = "changed"
		if m := c.Members("a")[0]; m.Meta["m"] != "1" {
			t.Error("what Members gives is the client's own")
		}
		more <- notice("join", "a", "4", "") + notice("join", "a", "5", "")
		expect("too many", "a", "1", "3", "4")
		more <- notice("join", "elsewhere", "4", "")
		expect("not there", "elsewhere")
		lists["a"] = []string{"6"}
		more <- "event: stentor.gap\ndata: {\"reason\":\"ephemeral\"}\n\n"
		expect("after a gap", "a", "6")
		if err := c.Join(t.Context(), "c"); err != nil {
			t.Error(err)
		}
		expect("joined", "c", "9")
		if err := c.Leave(t.Context(), "a"); err != nil {
			t.Error(err)
		}
		expect("left", "a")
		lists["b"] = []string{"8"}
		c.Restart()
		expect("another stream", "b", "8")
	})
}

// What is told while a list is on its way is not lost, whatever the list says.
func TestNoticeWhileAListIsOnItsWay(t *testing.T) {
	ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
		f := newFace(t, p)
		more := make(chan string)
		f.begin = func(n int, w http.ResponseWriter, r *http.Request) {
			say(w, opening(n))
			for text := range more {
				say(w, text)
			}
		}
		f.presence = func(ch string) (int, string) {
			if ch == "b" {
				more <- "event: stentor.leave\ndata: {\"channel\":\"b\",\"user\":\"1\"}\n\nevent: stentor.join\ndata: {\"channel\":\"b\",\"user\":\"3\"}\n\n"
				time.Sleep(time.Second)
			}
			return 200, members("1", "2")
		}
		c := f.client(t, client.Options{Channels: []string{"a"}, Presence: true})
		run(t, c)
		defer close(more)
		go func() { // the list is asked for when the channel is joined, and told about before
			if err := c.Join(t.Context(), "b"); err != nil {
				t.Error(err)
			}
		}()
		time.Sleep(2 * time.Second)
		synctest.Wait()
		if got := users(c, "b"); !slices.Equal(got, []string{"2", "3"}) {
			t.Errorf("%q are on b", got)
		}
	})
}

func TestListsThatCannotBeHad(t *testing.T) {
	ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
		f := newFace(t, p)
		f.presence = func(string) (int, string) { return 403, `{"detail":"it is off"}` }
		f.begin = func(n int, w http.ResponseWriter, r *http.Request) {
			say(w, opening(n)+"event: stentor.join\ndata: {\"channel\":\"a\",\"user\":\"1\"}\n\nevent: stentor.join\ndata: [\n\n"+
				"event: stentor.end\ndata: [\n\nevent: stentor.open\ndata: [\n\n")
			<-r.Context().Done()
		}
		var told []string
		c := f.client(t, client.Options{Channels: []string{"a", "b"}, Presence: true, Error: func(err error) { told = append(told, err.Error()) }})
		run(t, c)
		if got := users(c, "a"); !slices.Equal(got, []string{"1"}) || len(told) != 3 {
			t.Errorf("%q are there; told of %q", got, told)
		}
	})
}

// Without a stream there is nobody to tell.
func TestJoinWhileItWaits(t *testing.T) {
	ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
		f := newFace(t, p)
		f.begin = func(n int, w http.ResponseWriter, r *http.Request) {
			say(w, opening(n))
			if n > 1 {
				<-r.Context().Done()
			}
		}
		c := f.client(t, client.Options{Channels: []string{"a"}})
		run(t, c)
		if err := c.Join(t.Context(), "b"); err != nil {
			t.Error(err)
		}
		time.Sleep(10 * time.Second)
		synctest.Wait()
		if got := f.lines(); !slices.Equal(got, []string{"GET /events?channel=a", "GET /events?channel=a&channel=b"}) {
			t.Errorf("asked %q", got)
		}
	})
}
