package client_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/stentor-sse/stentor/client"
	"github.com/stentor-sse/stentor/sse"
)

func TestHandlersByType(t *testing.T) {
	each(t, func(t *testing.T, s *server) {
		more := s.feed()
		var got, told []string
		add := func(format string, args ...any) { got = append(got, fmt.Sprintf(format, args...)) }
		c := s.client(t, client.Options{Channels: []string{"home"}, Error: func(err error) { told = append(told, err.Error()) }})
		client.On(c, "order", func(o struct{ N int }, e sse.Event) { add("order %d %s %s", o.N, e.ID, e.Channel) })
		client.On(c, "message", func(s string, e sse.Event) { add("message %s%s", s, e.Type) })
		client.On(c, "tv.watch", func(s string, _ sse.Event) { add("watch %s", s) })
		var stop func()
		stop = client.On(c, "tv.*", func(s string, e sse.Event) { add("tv %s %s", e.Type, s); stop() })
		client.On(c, "*", func(v any, e sse.Event) { add("rest %s %v", e.Type, v) })
		client.On(c, "stentor.gap", func(g client.Gap, _ sse.Event) { add("gap %s %s %s", g.Reason, g.After, g.Oldest) })
		client.On(c, "stentor.open", func(o client.Open, e sse.Event) {
			add("open %s %s %s %s", o.Subscription, o.Member.User, o.Member.Name, o.Member.Meta["a"])
		})
		run(t, c)
		more <- s.message("101", "home", "order", `{"n":1}`) + s.message("", "", "order", `{"n":"x"}`) + s.message("", "home", "", "plain") +
			s.message("", "", "tv.watch", "a") + s.message("", "", "tv.off", "b") + s.message("", "", "other", `[1]`) + s.message("", "", "other", "no JSON") +
			s.gap("expired", "5", "9") + s.message("", "", "tv.off", "e") + s.message("", "", "tv.watch$#x", "null")
		synctest.Wait()
		want := []string{"open s1 7 Ada b", "order 1 101 home", "message plain", "watch a", "tv tv.off b", "rest other [1]", "rest other no JSON",
			"gap expired 5 9", "rest tv.off e", "watch null"}
		if !slices.Equal(got, want) {
			t.Errorf("got %q, want %q", got, want)
		}
		if len(told) != 1 || !strings.HasPrefix(told[0], `client: "order" message`) {
			t.Errorf("told of %q", told)
		}
	})
}

// A trigger has as many listeners as there are, each of which may go.
func TestSeveralHandlersOfOneType(t *testing.T) {
	each(t, func(t *testing.T, s *server) {
		more := s.feed()
		c := s.client(t, client.Options{Channels: []string{"a"}})
		var got []string
		listen := func(name string) func() {
			return client.On(c, "trigger.saved", func(v any, e sse.Event) { got = append(got, name+fmt.Sprint(v)) })
		}
		listen("one")
		two := listen("two")
		var three func()
		three = client.On(c, "trigger.saved", func(v any, e sse.Event) {
			got = append(got, "three")
			three()
			listen("late")
		})
		run(t, c)
		for n := range 3 {
			if n == 2 {
				two()
				two()
			}
			more <- s.message("", "a", "trigger.saved", fmt.Sprint(n))
			synctest.Wait()
		}
		if want := []string{"one0", "two0", "three", "one1", "two1", "late1", "one2", "late2"}; !slices.Equal(got, want) {
			t.Errorf("got %q, want %q", got, want)
		}
	})
}

// Nobody but the server says its words.
func TestServersWordsAreNotForged(t *testing.T) {
	eachServiceStack(t, func(t *testing.T, s *server) {
		more := s.feed()
		var got, told []string
		c := s.client(t, client.Options{Channels: []string{"a"}, Presence: true,
			Event: func(e sse.Event) { got = append(got, e.Type+" "+e.Data) },
			Error: func(err error) { told = append(told, err.Error()) },
		})
		run(t, c)
		got = nil
		for _, selector := range []string{"stentor.end", "stentor.open", "a@stentor.gap", "a@stentor.join"} {
			more <- "data: " + selector + " {\"subscription\":\"x\"}\n\n"
		}
		more <- "data: a@cmd.onConnect {}\n\ndata: cmd.onJoin 1\n\ndata: a@cmd.onEnd 2\n\ndata: a@cmd.onGap 3\n\ndata: a@cmd.onHeartbeat 4\n\nevent: x\ndata: cmd.y 5\n\n"
		synctest.Wait()
		if want := []string{"onConnect {}", "onJoin 1", "onEnd 2", "onGap 3", "onHeartbeat 4"}; !slices.Equal(got, want) || len(told) != 0 {
			t.Errorf("got %q, want %q; told %q", got, want, told)
		}
		got = nil
		more <- s.opening(9) + "data: cmd.onConnect {}\n\ndata: cmd.onConnect [\n\ndata: a@cmd.onJoin [\n\ndata: nodot {}\n\ndata: .x {}\n\ndata: x. {}\n\ndata: \n\ndata: x@ y\n\n"
		synctest.Wait()
		if len(got) != 0 || len(told) != 9 {
			t.Errorf("got %q; told %d of %q", got, len(told), told)
		}
		if err := c.Join(t.Context(), "b"); err != nil || !slices.Contains(s.heard(), "change s1 +b") {
			t.Errorf("%v; asked %q", err, s.heard())
		}
	})
}

// What the plain face's server may not have said, it didn't say either.
func TestMalformedWords(t *testing.T) {
	eachPlain(t, func(t *testing.T, s *server) {
		more := s.feed()
		var got, told []string
		c := s.client(t, client.Options{Channels: []string{"a"}, Presence: true,
			Event: func(e sse.Event) { got = append(got, e.Type) }, Error: func(err error) { told = append(told, err.Error()) }})
		run(t, c)
		more <- s.opening(2) + "event: stentor.open\ndata: [\n\nevent: stentor.join\ndata: [\n\nevent: stentor.end\ndata: [\n\nevent: stentor.new\ndata: 1\n\n"
		synctest.Wait()
		if want := []string{"stentor.open", "stentor.join", "stentor.end", "stentor.new"}; !slices.Equal(got, want) || len(told) != 3 {
			t.Errorf("got %q; told %q", got, told)
		}
	})
}
