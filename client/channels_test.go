package client_test

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stentor-sse/stentor/client"
	"github.com/stentor-sse/stentor/eventsource"
	"github.com/stentor-sse/stentor/sse"
)

func TestChannelsAreChangedLiveAndKept(t *testing.T) {
	each(t, func(t *testing.T, s *server) {
		s.begin = s.stay
		c := s.client(t, client.Options{Channels: []string{"a"}, User: "u"})
		if err := c.Join(t.Context(), "b"); err != nil || len(s.asked()) != 0 {
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
		want := []string{"stream a b", "change s1 +c", "change s1 -a", "stream b c"}
		if got := s.heard(); !slices.Equal(got, want) || !slices.Equal(c.Channels(), []string{"b", "c"}) {
			t.Errorf("asked %q; on %q", got, c.Channels())
		}
	})
}

// What is no name would be another one on its way, or several.
func TestChannelNames(t *testing.T) {
	each(t, func(t *testing.T, s *server) {
		s.begin = s.stay
		c := s.client(t, client.Options{Channels: []string{"übung", "a/b&c=d?e%20#f+g"}})
		run(t, c)
		for _, name := range []string{"", "a b", "a,b", "a@b", "a\nb", "a\x7f", "\xff", strings.Repeat("x", 256)} {
			if err := c.Join(t.Context(), "ok", name); err == nil || status(err) != 0 {
				t.Errorf("%q: %v", name, err)
			}
			if _, err := client.New(s.URL, &client.Options{Channels: []string{name}}); err == nil {
				t.Errorf("%q: no error", name)
			}
		}
		if got := s.heard(); !slices.Equal(got, []string{"stream übung a/b&c=d?e%20#f+g"}) || len(c.Channels()) != 2 {
			t.Errorf("asked %q; on %q", got, c.Channels())
		}
	})
}

// After an error nothing has changed. Where nobody knows, the server is asked anew.
func TestChangeFailsWhole(t *testing.T) {
	each(t, func(t *testing.T, s *server) {
		s.begin = s.stay
		s.change = func(string) int { return 403 }
		c := s.client(t, client.Options{Channels: []string{"a"}})
		run(t, c)
		err := c.Join(t.Context(), "b")
		if status(err) != 403 || !strings.HasSuffix(err.Error(), "403 Forbidden: because") || !slices.Equal(c.Channels(), []string{"a"}) || len(s.heard()) != 2 {
			t.Errorf("refused: %v; on %q", err, c.Channels())
		}
		s.change = func(string) int { time.Sleep(time.Minute); return 200 }
		if err := c.Join(t.Context(), "b"); err == nil || status(err) != 0 {
			t.Errorf("no answer: %v", err)
		}
		synctest.Wait()
		if got := s.heard(); got[len(got)-1] != "stream a" || len(got) != 4 {
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
	each(t, func(t *testing.T, s *server) {
		s.begin = func(n int, w http.ResponseWriter, r *http.Request) {
			time.Sleep(time.Second)
			s.stay(n, w, r)
		}
		c := s.client(t, client.Options{Channels: []string{"a"}})
		run(t, c)
		if err := c.Join(t.Context(), "b"); err != nil { // the request is on its way
			t.Error(err)
		}
		time.Sleep(5 * time.Second)
		synctest.Wait()
		want := []string{"stream a", "stream a b"}
		if got := s.heard(); !slices.Equal(got, want) || c.State() != eventsource.Open {
			t.Errorf("asked %q", got)
		}
		// The stream is replaced by another one while the server is being told.
		s.change = func(string) int {
			c.Restart()
			time.Sleep(3 * time.Second)
			return 404
		}
		if err := c.Join(t.Context(), "c"); err != nil {
			t.Error(err)
		}
		time.Sleep(5 * time.Second)
		synctest.Wait()
		want = append(want, "change s2 +c", "stream a b", "stream a b c")
		if got := s.heard(); !slices.Equal(got, want) || !slices.Equal(c.Channels(), []string{"a", "b", "c"}) {
			t.Errorf("asked %q", got)
		}
	})
}

// What was left while there was no stream is left on the next one too, on which the server may have put it: once, and not
// what is wanted again.
func TestLeftBetweenStreams(t *testing.T) {
	each(t, func(t *testing.T, s *server) {
		s.begin = func(n int, w http.ResponseWriter, r *http.Request) {
			if n == 2 {
				w.WriteHeader(http.StatusServiceUnavailable)
				return
			}
			s.stay(n, w, r)
		}
		var asked atomic.Int32
		s.change = func(string) int {
			if asked.Add(1) == 2 {
				return 404 // the stream is another server's
			}
			return 200
		}
		c := s.client(t, client.Options{Channels: []string{"a", "never-asked"}})
		if err := c.Leave(t.Context(), "never-asked"); err != nil {
			t.Error(err)
		}
		run(t, c)
		if err := c.Join(t.Context(), "b", "c"); err != nil {
			t.Error(err)
		}
		c.Restart()
		synctest.Wait()
		for _, err := range []error{c.Leave(t.Context(), "b", "c"), c.Join(t.Context(), "c")} {
			if err != nil {
				t.Error(err)
			}
		}
		time.Sleep(20 * time.Second)
		c.Restart()
		synctest.Wait()
		c.Restart()
		synctest.Wait()
		want := []string{
			"stream a", "change s1 +b +c", "stream a b c", "stream a c", "change s3 -b", "stream a c", "change s4 -b", "stream a c",
		}
		if got := s.heard(); !slices.Equal(got, want) {
			t.Errorf("asked %q, want %q", got, want)
		}
	})
}

// Changes are made one after the other, whoever makes them, a handler too.
func TestChangesFromAnyGoroutine(t *testing.T) {
	each(t, func(t *testing.T, s *server) {
		s.begin = s.stay
		busy := make(chan struct{}, 1)
		s.change = func(string) int {
			select {
			case busy <- struct{}{}:
			default:
				t.Error("two changes at a time")
			}
			time.Sleep(time.Second)
			<-busy
			return 200
		}
		c := s.client(t, client.Options{Channels: []string{"a"}})
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

// Without a stream there is nobody to tell.
func TestJoinWhileItWaits(t *testing.T) {
	each(t, func(t *testing.T, s *server) {
		s.begin = func(n int, w http.ResponseWriter, r *http.Request) {
			say(w, s.opening(n))
			if n > 1 {
				<-r.Context().Done()
			}
		}
		c := s.client(t, client.Options{Channels: []string{"a"}})
		run(t, c)
		if err := c.Join(t.Context(), "b"); err != nil {
			t.Error(err)
		}
		time.Sleep(9 * time.Second)
		synctest.Wait()
		if got := s.heard(); !slices.Equal(got, []string{"stream a", "stream a b"}) {
			t.Errorf("asked %q", got)
		}
	})
}

// A server that can't change the stream, because it is another's or the service isn't there, has it asked for anew.
func TestChangeOfAStreamThatTheServerDoesNotKnow(t *testing.T) {
	each(t, func(t *testing.T, s *server) {
		s.begin = s.stay
		s.change = func(string) int { return 404 }
		c := s.client(t, client.Options{Channels: []string{"a"}})
		run(t, c)
		if err := c.Join(t.Context(), "b"); err != nil {
			t.Error(err)
		}
		synctest.Wait()
		if err := c.Leave(t.Context(), "a"); err != nil {
			t.Error(err)
		}
		synctest.Wait()
		if got := s.heard(); !slices.Equal(got, []string{"stream a", "change s1 +b", "stream a b", "change s2 -a", "stream b"}) || c.LastEventID() != "300" {
			t.Errorf("asked %q; at %q", got, c.LastEventID())
		}
	})
}
