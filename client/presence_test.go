package client_test

import (
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stentor-sse/stentor/client"
	"github.com/stentor-sse/stentor/eventsource"
	"github.com/stentor-sse/stentor/sse"
)

// room is who a server has on its channels.
type room struct {
	mu    sync.Mutex // guards lists
	lists map[string][]string
}

func (r *room) set(channel string, users ...string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.lists[channel] = users
}

func (r *room) of(channel string) []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.lists[channel]
}

func newRoom(s *server) *room {
	r := &room{lists: map[string][]string{}}
	s.presence = func(ch string) (int, string) { return 200, s.list(r.of(ch)...) }
	return r
}

func TestMembersAreKeptUpToDate(t *testing.T) {
	each(t, func(t *testing.T, s *server) {
		there := newRoom(s)
		there.set("a", "1", "2")
		there.set("b", "2")
		there.set("c", "9")
		more := s.feed()
		c := s.client(t, client.Options{Channels: []string{"a", "b"}, Presence: true, MaxMembers: 3})
		var told []string
		client.On(c, "stentor.*", func(m client.Member, e sse.Event) {
			if e.Type != "stentor.open" && e.Type != "stentor.gap" {
				told = append(told, strings.TrimPrefix(e.Type, "stentor.")+" "+m.Channel+" "+m.User)
			}
		})
		expect := func(what, channel string, want ...string) {
			t.Helper()
			time.Sleep(2 * time.Second) // when a face has to ask again, it has
			synctest.Wait()
			if got := users(c, channel); !slices.Equal(got, want) {
				t.Errorf("%s: %q on %s, want %q", what, got, channel, want)
			}
		}
		expect("before", "a")
		run(t, c)
		expect("loaded", "a", "1", "2")
		expect("loaded", "b", "2")
		there.set("a", "1", "3")
		more <- s.notice("join", "a", "3", "Eve") + s.notice("leave", "a", "2", "") + s.notice("leave", "a", "7", "")
		expect("told", "a", "1", "3")
		if want := []string{"join a 3", "leave a 2", "leave a 7"}; !slices.Equal(told, want) {
			t.Errorf("told %q, want %q", told, want)
		}
		there.set("a", "1", "3", "4")
		more <- s.notice("join", "a", "4", "") + s.notice("join", "a", "5", "")
		expect("too many", "a", "1", "3", "4")
		more <- s.notice("join", "elsewhere", "4", "")
		expect("not there", "elsewhere")
		there.set("a", "6")
		more <- s.gap("ephemeral", "", "")
		expect("after a gap", "a", "6")
		if err := c.Join(t.Context(), "c"); err != nil {
			t.Error(err)
		}
		expect("joined", "c", "9")
		if err := c.Leave(t.Context(), "a"); err != nil {
			t.Error(err)
		}
		expect("left", "a")
		there.set("b", "8")
		c.Restart()
		expect("another stream", "b", "8")
	})
}

// What a notice says of a user is what Members has at once, and nobody else's to change.
func TestMemberIsAsTold(t *testing.T) {
	each(t, func(t *testing.T, s *server) {
		newRoom(s).set("a", "1")
		more := s.feed()
		c := s.client(t, client.Options{Channels: []string{"a"}, Presence: true})
		var name string
		client.On(c, "stentor.update", func(m client.Member, _ sse.Event) {
			name = c.Members("a")[0].Name + c.Members("a")[0].Meta["m"] + m.Name
		})
		run(t, c)
		more <- s.notice("update", "a", "1", "Ada")
		synctest.Wait()
		if name != "Ada1Ada" {
			t.Errorf("it was %q", name)
		}
		more <- s.notice("join", "a", "2", "Bob")
		synctest.Wait()
		for _, m := range c.Members("a") {
			if m.Channel != "a" {
				t.Errorf("a member of %q", m.Channel)
			}
			if m.Meta != nil {
				m.Meta["m"] = "changed"
			}
		}
		for _, m := range c.Members("a") {
			if m.Meta["m"] == "changed" {
				t.Error("what Members gives is the client's own")
			}
		}
	})
}

// What is told while a list is on its way is not lost, whatever the list says.
func TestNoticeWhileAListIsOnItsWay(t *testing.T) {
	each(t, func(t *testing.T, s *server) {
		more := s.feed()
		asked := 0
		s.presence = func(ch string) (int, string) {
			if ch == "b" {
				if asked++; asked > 1 {
					return 200, s.list("2", "3")
				}
				more <- s.notice("leave", "b", "1", "") + s.notice("join", "b", "3", "")
				time.Sleep(time.Second)
			}
			return 200, s.list("1", "2")
		}
		c := s.client(t, client.Options{Channels: []string{"a"}, Presence: true})
		run(t, c)
		go func() { // the list is asked for when the channel is joined, and told about before
			if err := c.Join(t.Context(), "b"); err != nil {
				t.Error(err)
			}
		}()
		time.Sleep(3 * time.Second)
		synctest.Wait()
		if got := users(c, "b"); !slices.Equal(got, []string{"2", "3"}) {
			t.Errorf("%q are on b", got)
		}
	})
}

func TestListsThatCannotBeHad(t *testing.T) {
	each(t, func(t *testing.T, s *server) {
		s.presence = func(string) (int, string) { return 403, s.problem("it is off") }
		more := s.feed()
		var told []string
		c := s.client(t, client.Options{Channels: []string{"a", "b"}, Presence: true, Error: func(err error) { told = append(told, err.Error()) }})
		run(t, c)
		more <- s.notice("join", "a", "1", "") + s.notice("join", "a", "2", "") + s.notice("leave", "a", "2", "")
		time.Sleep(5 * time.Second)
		synctest.Wait()
		if got := users(c, "a"); !slices.Equal(got, []string{"1"}) || len(told) != 1 || !strings.Contains(told[0], `who is on "a"`) {
			t.Errorf("%q are there; told of %q", got, told)
		}
		// Another server may say; and whoever says once is asked again.
		there := newRoom(s)
		c.Restart()
		synctest.Wait()
		there.set("a", "5")
		more <- s.notice("join", "a", "5", "") + s.notice("join", "a", "6", "")
		time.Sleep(5 * time.Second)
		synctest.Wait()
		want := map[client.Face][]string{client.Plain: {"5", "6"}, client.ServiceStack: {"5"}}[s.face()]
		if got := users(c, "a"); !slices.Equal(got, want) {
			t.Errorf("%q are there, want %q", got, want)
		}
	})
}

// A server that is away for a moment is asked again with the next notice.
func TestListAfterAFailure(t *testing.T) {
	eachServiceStack(t, func(t *testing.T, s *server) {
		n := 0
		s.presence = func(string) (int, string) {
			if n++; n == 1 {
				panic(http.ErrAbortHandler)
			}
			return 200, s.list("1", "2")
		}
		more := s.feed()
		told := 0
		c := s.client(t, client.Options{Channels: []string{"a"}, Presence: true, Error: func(error) { told++ }})
		run(t, c)
		more <- s.notice("join", "a", "2", "")
		time.Sleep(time.Second)
		synctest.Wait()
		if got := users(c, "a"); !slices.Equal(got, []string{"1", "2"}) || told != 1 {
			t.Errorf("%q are there; told %d times", got, told)
		}
	})
}

// ServiceStack tells of subscriptions: a user with two leaves with the second, and how many
// there are the server is asked, but not for each of many notices.
func TestUserWithSeveralSubscriptions(t *testing.T) {
	eachServiceStack(t, func(t *testing.T, s *server) {
		there := newRoom(s)
		there.set("a", "1", "1", "2", "1")
		more := s.feed()
		c := s.client(t, client.Options{Channels: []string{"a"}, Presence: true})
		gone := 0 // leaves after which the user was not there
		client.On(c, "stentor.leave", func(m client.Member, e sse.Event) {
			if e.Channel != "" || m.Channel != "a" {
				t.Errorf("%+v of %+v", e, m)
			}
			if !slices.Contains(users(c, "a"), m.User) {
				gone++
			}
		})
		run(t, c)
		if got := users(c, "a"); !slices.Equal(got, []string{"1", "2"}) {
			t.Errorf("%q are there", got)
		}
		there.set("a", "1", "2")
		more <- s.notice("leave", "a", "1", "") + s.notice("leave", "a", "1", "")
		time.Sleep(2 * time.Second)
		synctest.Wait()
		if got := users(c, "a"); !slices.Equal(got, []string{"1", "2"}) || gone != 0 {
			t.Errorf("after two of three leaves %q are there", got)
		}
		there.set("a", "2")
		before := len(s.heard())
		for range 500 {
			more <- s.notice("join", "a", "1", "") + s.notice("leave", "a", "1", "")
		}
		time.Sleep(2 * time.Second)
		synctest.Wait()
		if got := users(c, "a"); !slices.Equal(got, []string{"2"}) {
			t.Errorf("in the end %q are there", got)
		}
		if n := len(s.heard()) - before; n != 1 {
			t.Errorf("asked %d times", n)
		}
		// One who moves elsewhere is told with the channels that it is on then.
		there.set("a", "2", "3")
		more <- "data: a@cmd.onUpdate {\"userId\":\"3\",\"channels\":\"b,a\"}\n\n"
		time.Sleep(2 * time.Second)
		synctest.Wait()
		if got := users(c, "a"); !slices.Equal(got, []string{"2", "3"}) {
			t.Errorf("%q are there", got)
		}
		there.set("a", "2")
		more <- "data: a@cmd.onUpdate {\"userId\":\"3\",\"channels\":\"b\"}\n\n"
		time.Sleep(2 * time.Second)
		synctest.Wait()
		if got := users(c, "a"); !slices.Equal(got, []string{"2"}) {
			t.Errorf("%q are there", got)
		}
	})
}

// Without Presence nobody is told, though this face says it to everyone.
func TestNoPresence(t *testing.T) {
	eachServiceStack(t, func(t *testing.T, s *server) {
		more := s.feed()
		c := s.client(t, client.Options{Channels: []string{"a"}, Event: func(e sse.Event) {
			if e.Type != "stentor.open" {
				t.Errorf("told of %+v", e)
			}
		}})
		run(t, c)
		more <- s.notice("join", "a", "1", "") + s.notice("leave", "a", "1", "") + s.notice("update", "a", "1", "")
		synctest.Wait()
		if c.State() != eventsource.Open || len(c.Members("a")) != 0 || len(s.heard()) != 1 {
			t.Errorf("%v; asked %q", c.State(), s.heard())
		}
	})
}
