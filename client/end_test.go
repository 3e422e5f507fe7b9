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
)

func TestHowItEnds(t *testing.T) {
	type begin func(*server, int, http.ResponseWriter)
	end := func(reason string) begin {
		return func(s *server, n int, w http.ResponseWriter) { say(w, s.opening(n)+s.words.end(reason)) }
	}
	code := func(code int, body string) begin {
		return func(_ *server, _ int, w http.ResponseWriter) { w.WriteHeader(code); fmt.Fprint(w, body) }
	}
	for name, c := range map[string]struct {
		begin begin
		check func(error) bool
	}{
		"replaced":  {end("replaced"), func(err error) bool { return err == client.ErrReplaced }},
		"dismissed": {code(204, ""), func(err error) bool { return errors.Is(err, eventsource.ErrDismissed) }},
		"refused": {func(s *server, _ int, w http.ResponseWriter) {
			w.WriteHeader(403)
			fmt.Fprint(w, s.problem("ask for it"))
		}, func(err error) bool {
			return status(err) == 403 && err.Error() == "client: the server answered 403 Forbidden: ask for it"
		}},
		"refused by a proxy":               {code(404, `<html>`), func(err error) bool { return err.Error() == "client: the server answered 404 Not Found" }},
		"no stream":                        {code(200, `hello`), func(err error) bool { return strings.Contains(err.Error(), "no event stream") }},
		"draining, and it would come back": {end("draining"), func(err error) bool { return errors.Is(err, context.Canceled) }},
	} {
		t.Run(name, func(t *testing.T) {
			each(t, func(t *testing.T, s *server) {
				s.begin = func(n int, w http.ResponseWriter, _ *http.Request) { c.begin(s, n, w) }
				var why []string
				cl := s.client(t, client.Options{Channels: []string{"home"}})
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
}

// Close has the server told, once; the end of a context doesn't, for Run may be called again.
func TestCloseSaysGoodbye(t *testing.T) {
	each(t, func(t *testing.T, s *server) {
		s.begin = s.stay
		var c *client.Client
		c = s.client(t, client.Options{Channels: []string{"a"}, User: "u", Change: func(change eventsource.Change) {
			if change.State == eventsource.Closed && len(s.heard()) > 1 {
				c.Close() // once more, when there is nothing to close
			}
		}})
		if err := run(t, c)(); !errors.Is(err, context.Canceled) {
			t.Errorf("ended with %v", err)
		}
		end := run(t, c)
		c.Close()
		c.Close()
		synctest.Wait()
		if err := end(); err != nil {
			t.Errorf("ended with %v", err)
		}
		if err := c.Run(t.Context()); err != nil {
			t.Errorf("after Close: %v", err)
		}
		if got := s.heard(); !slices.Equal(got, []string{"stream a", "stream a", "end s2"}) {
			t.Errorf("asked %q", got)
		}
		want := map[client.Face]string{client.Plain: "DELETE /subscriptions/s2?user=u", client.ServiceStack: "POST /api/UnRegisterEventSubscriber"}
		if got := s.asked(); got[len(got)-1].line != want[s.face()] {
			t.Errorf("asked %q", got[len(got)-1].line)
		}
	})
}

// A server that doesn't want to know holds up nobody for long, nor one that was not there.
func TestCloseWaitsForNobody(t *testing.T) {
	each(t, func(t *testing.T, s *server) {
		s.begin = s.stay
		s.change = func(string) int { time.Sleep(time.Hour); return 200 }
		c := s.client(t, client.Options{Channels: []string{"a"}})
		start := time.Now()
		time.AfterFunc(time.Second, c.Close)
		if err := c.Run(t.Context()); err != nil || time.Since(start) != 3*time.Second {
			t.Errorf("ended with %v after %v", err, time.Since(start))
		}
		s.begin = func(_ int, _ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }
		c = s.client(t, client.Options{Channels: []string{"b"}})
		time.AfterFunc(time.Second, c.Close)
		if err := c.Run(t.Context()); err != nil {
			t.Errorf("ended with %v", err)
		}
		c = s.client(t, client.Options{Channels: []string{"c"}})
		c.Close()
		if err := c.Run(t.Context()); err != nil {
			t.Errorf("ended with %v", err)
		}
		if got := s.heard(); !slices.Equal(got, []string{"stream a", "end s1", "stream b"}) {
			t.Errorf("asked %q", got)
		}
	})
}

// What Run has begun has ended when it returns, be it ever so slow.
func TestRunWaitsForWhatItBegan(t *testing.T) {
	eachServiceStack(t, func(t *testing.T, s *server) {
		s.begin = s.stay
		begun, busy := 0, false
		c := s.client(t, client.Options{Channels: []string{"a"}, Error: func(error) {}, Token: func(context.Context, bool) (string, error) {
			if begun++; begun > 1 { // a heartbeat's
				busy = true
				time.Sleep(time.Hour)
				busy = false
			}
			return "", nil
		}})
		ctx, cancel := context.WithTimeout(t.Context(), 15*time.Second)
		defer cancel()
		if err := c.Run(ctx); !errors.Is(err, context.DeadlineExceeded) || begun != 2 || busy {
			t.Errorf("ended with %v; busy: %v", err, busy)
		}
	})
}

// A second Run waits for nothing, and doesn't disturb the first.
func TestOneRunAtATime(t *testing.T) {
	each(t, func(t *testing.T, s *server) {
		s.begin = s.stay
		c := s.client(t, client.Options{Channels: []string{"a"}})
		run(t, c)
		if err := c.Run(t.Context()); err != eventsource.ErrBusy {
			t.Errorf("a second one: %v", err)
		}
		time.Sleep(25 * time.Second)
		synctest.Wait()
		if c.State() != eventsource.Open {
			t.Errorf("it is %v", c.State())
		}
	})
}
