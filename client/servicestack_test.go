package client_test

import (
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

// beats are the addresses that heartbeats went to.
func (s *server) beats() (all []string) {
	for _, r := range s.asked() {
		if strings.HasPrefix(r.what, "beat") {
			all = append(all, r.line)
		}
	}
	return all
}

func TestSelectors(t *testing.T) {
	eachServiceStack(t, func(t *testing.T, s *server) {
		more := s.feed()
		var got []string
		c := s.client(t, client.Options{Channels: []string{"a"}, Event: func(e sse.Event) {
			got = append(got, strings.Join([]string{e.ID, e.Channel, e.Type, e.Data}, "|"))
		}})
		run(t, c)
		got = nil
		for frame, want := range map[string]string{
			"id: 4\ndata: A@cmd.chat {\"id\":7}":                `4|A|chat|{"id":7}`,
			"data: cmd.announce \"This is \\\"it\\\"\\n\"":      "||announce|This is \"it\"\n",
			"data: A@css.background$#top \"#673ab7\"":           "|A|css.background$#top|#673ab7",
			"data: A@cmd.toggle$#channels ":                     "|A|toggle$#channels|null",
			"data: cmd.toggle":                                  "||toggle|null",
			"data: cmd.message \"hi\"":                          "|||hi",
			"data: tv.watch \"http://x@y/z w\"":                 "||tv.watch|http://x@y/z w",
			"data: cmd.a.b 1":                                   "||cmd.a.b|1",
			"data: cmd.x \"broken":                              `||x|"broken`,
			"data: über@cmd.größe \"\\u00e4\"":                  "|über|größe|ä",
			"\n\nevent: message\ndata: cmd.typed 1":             "||typed|1",
			"data: cmd.onGap {\"reason\":\"slow\"}":             `||stentor.gap|{"reason":"slow"}`,
			"id: 5\ndata: cmd.onState {\"channels\":\"a,b\"}":   `5||stentor.state|{"channels":["a","b"]}`,
			"data: cmd.onHeartbeat {\"userId\":\"-1\",\"n\":1}": `||stentor.heartbeat|{"user":"-1","name":"","meta":{"n":"1"}}`,
		} {
			more <- frame + "\n\n"
			synctest.Wait()
			if len(got) != 1 || got[0] != want {
				t.Errorf("%q: got %q, want %q", frame, got, want)
			}
			got = nil
		}
	})
}

// What a server says of heartbeats is done, as long as it makes sense.
func TestHeartbeats(t *testing.T) {
	eachServiceStack(t, func(t *testing.T, s *server) {
		for _, c := range []struct {
			told string // in cmd.onConnect
			at   string
			n    int // in a minute and a bit
		}{
			{`"heartbeatUrl":"http://stentor.test/event-heartbeat?id=x","heartbeatIntervalMs":"20000"`, "POST /event-heartbeat?id=x", 3},
			{`"heartbeatUrl":"http://stentor.test/event-heartbeat?id=x","heartbeatIntervalMs":20000`, "POST /event-heartbeat?id=x", 3},
			{`"heartbeatUrl":"http://stentor.test/moved/beat/x?y=1#z"`, "POST /moved/beat/x?y=1", 6},
			{`"heartbeatUrl":"/relative?id=x","heartbeatIntervalMs":"-5"`, "POST /relative?id=x", 6},
			{`"heartbeatUrl":"https://inner.test:8080/prefix/event-heartbeat?id=x","heartbeatIntervalMs":"soon"`, "POST /event-heartbeat?id=x", 6},
			{`"heartbeatUrl":"http://stentor.test/event-heartbeat?id=x","heartbeatIntervalMs":"1"`, "POST /event-heartbeat?id=x", 610},
			{`"heartbeatUrl":null,"heartbeatIntervalMs":"1"`, "", 0},
			{`"heartbeatIntervalMs":"1000"`, "", 0},
		} {
			before := len(s.asked())
			s.begin = func(n int, w http.ResponseWriter, r *http.Request) {
				say(w, `data: cmd.onConnect {"id":"x",`+c.told+"}\n\n")
				<-r.Context().Done()
			}
			cl := s.client(t, client.Options{Channels: []string{"a"}, IdleTimeout: -1, Error: func(error) {}})
			end := run(t, cl)
			time.Sleep(time.Minute + 50*time.Millisecond)
			end()
			n := 0
			for _, r := range s.asked()[before+1:] {
				if strings.HasPrefix(r.what, "stream") {
					break // it was answered with 404, and given up
				}
				if n++; r.line != c.at || r.body != "" {
					t.Errorf("%s: %s %q", c.told, r.line, r.body)
				}
			}
			if strings.HasPrefix(c.at, "POST /event-heartbeat") && n != min(n, c.n) || n > c.n || c.n > 0 && n == 0 {
				t.Errorf("%s: %d heartbeats, want %d", c.told, n, c.n)
			}
		}
	})
}

func TestHeartbeatsToNowhere(t *testing.T) {
	eachServiceStack(t, func(t *testing.T, s *server) {
		for _, at := range []string{"http://[", "http://other.test", "http://other.test/", "mailto:x", "%zz"} {
			before := len(s.asked())
			s.begin = func(n int, w http.ResponseWriter, r *http.Request) {
				say(w, `data: cmd.onConnect {"id":"x","heartbeatUrl":"`+at+`"}`+"\n\n")
				<-r.Context().Done()
			}
			told := 0
			end := run(t, s.client(t, client.Options{Channels: []string{"a"}, Error: func(error) { told++ }}))
			time.Sleep(30 * time.Second)
			if end(); told != 1 || len(s.asked()) != before+1 {
				t.Errorf("%s: told %d times; asked %+v", at, told, s.asked()[before:])
			}
		}
	})
}

// A heartbeat that is refused or lost means that the server has forgotten this client: it connects anew, in its place.
func TestRefusedHeartbeatReconnects(t *testing.T) {
	for name, answer := range map[string]func() int{
		"unknown": func() int { return 404 },
		"foreign": func() int { return 403 },
		"lost":    func() int { panic(http.ErrAbortHandler) },
		"late":    func() int { time.Sleep(time.Minute); return 200 },
	} {
		t.Run(name, func(t *testing.T) {
			eachServiceStack(t, func(t *testing.T, s *server) {
				s.begin = s.stay
				s.beat = func(id string) int {
					if id == "s1" {
						return answer()
					}
					return 200
				}
				var told []error
				c := s.client(t, client.Options{Channels: []string{"a"}, IdleTimeout: -1, Error: func(err error) { told = append(told, err) }})
				run(t, c)
				if err := c.Join(t.Context(), "b"); err != nil {
					t.Error(err)
				}
				time.Sleep(35 * time.Second)
				synctest.Wait()
				if got := s.heard(); !slices.Equal(got, []string{"stream a", "change s1 +b", "stream a b"}) || c.State() != eventsource.Open {
					t.Errorf("asked %q; it is %v", got, c.State())
				}
				if streams := s.asked(); len(told) != 1 || !strings.HasPrefix(told[0].Error(), "client: heartbeat: ") || streams[len(streams)-1].what != "beat s2" {
					t.Errorf("told of %v; asked %+v", told, streams)
				}
				for _, r := range s.asked() {
					if r.what == "stream a b" && r.cursor != "100" {
						t.Errorf("the place is lost: %q", r.cursor)
					}
				}
			})
		})
	}
}

// A stream that says nothing, though heartbeats are answered, is dead. One whose handler takes its time isn't, nor one
// that says anything at all.
func TestSilentStreamIsGivenUp(t *testing.T) {
	eachServiceStack(t, func(t *testing.T, s *server) {
		s.begin = s.stay
		var told []error
		c := s.client(t, client.Options{Channels: []string{"a"}, Error: func(err error) { told = append(told, err) }})
		end := run(t, c)
		time.Sleep(39 * time.Second)
		synctest.Wait()
		if len(s.heard()) != 1 {
			t.Errorf("asked %q within the lease", s.heard())
		}
		time.Sleep(2 * time.Second)
		synctest.Wait()
		if len(s.heard()) != 2 || len(told) != 1 || !strings.Contains(told[0].Error(), eventsource.ErrIdle.Error()) {
			t.Errorf("asked %q; told %v", s.heard(), told)
		}
		end()

		more := s.feed()
		c = s.client(t, client.Options{Channels: []string{"a"}})
		client.On(c, "slow", func(any, sse.Event) { time.Sleep(2 * time.Minute) })
		run(t, c)
		before := len(s.heard())
		more <- s.message("", "", "slow", "1")
		for range 12 {
			time.Sleep(20 * time.Second)
			more <- "data: cmd.onHeartbeat {}\n\n"
		}
		synctest.Wait()
		if len(s.heard()) != before {
			t.Errorf("asked %q", s.heard()[before:])
		}
	})
}

// A server that wants to hear once a minute says no more than that it did.
func TestRareHeartbeats(t *testing.T) {
	eachServiceStack(t, func(t *testing.T, s *server) {
		var w serviceStackWords
		s.begin = func(n int, rw http.ResponseWriter, r *http.Request) {
			say(rw, w.connect(n, 60_000, 150_000))
			for {
				select {
				case <-r.Context().Done():
					return
				case <-time.After(time.Minute):
					say(rw, "data: cmd.onHeartbeat {}\n\n")
				}
			}
		}
		run(t, s.client(t, client.Options{Channels: []string{"a"}}))
		time.Sleep(time.Hour)
		synctest.Wait()
		if got := s.heard(); len(got) != 1 || len(s.beats()) < 59 {
			t.Errorf("asked %q, and %d heartbeats", got, len(s.beats()))
		}
	})
}

// Heartbeats are those of the stream that is open, and end with it.
func TestHeartbeatsEndWithTheStream(t *testing.T) {
	eachServiceStack(t, func(t *testing.T, s *server) {
		s.begin = func(n int, w http.ResponseWriter, r *http.Request) {
			if say(w, s.opening(n)); n > 1 {
				time.Sleep(time.Minute)
			}
		}
		c := s.client(t, client.Options{Channels: []string{"a"}, IdleTimeout: -1, Error: func(error) {}})
		end := run(t, c)
		time.Sleep(25 * time.Second)
		end()
		n := len(s.beats())
		time.Sleep(time.Hour)
		if got := s.beats(); n == 0 || len(got) != n || got[0] != "POST /event-heartbeat?id=s2" {
			t.Errorf("heartbeats %q, %d of them before the end", got, n)
		}
	})
}

// Without a channel it is on "*", as the server has it.
func TestNoChannels(t *testing.T) {
	eachServiceStack(t, func(t *testing.T, s *server) {
		s.begin = s.stay
		run(t, s.client(t, client.Options{}))
		if got := s.asked(); got[0].line != "GET /event-stream" {
			t.Errorf("asked %q", got[0].line)
		}
	})
}

// A server of ServiceStack's has ids that count from 1 on each connection, may say something before it says hello, sends
// blank lines, ends streams without a word, knows no cursor, and forgets who it was talking to.
func TestServersOfServiceStack(t *testing.T) {
	eachServiceStack(t, func(t *testing.T, s *server) {
		s.begin = func(n int, w http.ResponseWriter, r *http.Request) {
			say(w, s.message("1", "a", "early", "1")+"\n\n"+strings.TrimPrefix(s.opening(n), "retry: 1000\n")+"\n"+s.message("3", "a", "t", toJSON(n)))
			if n == 1 {
				return
			}
			for beat := 4; ; beat++ {
				select {
				case <-r.Context().Done():
					return
				case <-time.After(10 * time.Second):
					say(w, "id: 9\ndata: cmd.onHeartbeat {\"userId\":\"7\",\"createdAt\":\"\\/Date(1)\\/\"}\n\n")
				}
			}
		}
		var got []string
		c := s.client(t, client.Options{Channels: []string{"a"}, Event: func(e sse.Event) { got = append(got, e.Type+" "+e.Data) }})
		run(t, c)
		time.Sleep(5 * time.Minute)
		synctest.Wait()
		var messages []string
		beats := 0
		for _, g := range got {
			switch {
			case strings.HasPrefix(g, "stentor.heartbeat"):
				beats++
			case !strings.HasPrefix(g, "stentor."):
				messages = append(messages, g)
			}
		}
		if want := []string{"early 1", "t 1", "early 1", "t 2"}; !slices.Equal(messages, want) || beats != 29 {
			t.Errorf("got %q and %d heartbeats, want %q", messages, beats, want)
		}
		if got := s.heard(); !slices.Equal(got, []string{"stream a", "stream a"}) {
			t.Errorf("asked %q", got)
		}
	})
}
