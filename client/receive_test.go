package client_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/stentor-sse/stentor/client"
	"github.com/stentor-sse/stentor/sse"
)

type tv struct{ got []string }

func (t *tv) add(format string, args ...any)   { t.got = append(t.got, fmt.Sprintf(format, args...)) }
func (t *tv) Watch(url string, e sse.Event)    { t.add("watch %s %s", url, e.Channel) }
func (t *tv) Off()                             { t.add("off") }
func (t *tv) BackgroundImage(v string)         { t.add("image %s", v) }
func (t *tv) Save(o Order)                     { t.add("save %d", o.ID) }
func (t *tv) Change(o *Setter, e sse.Event)    { t.add("change %s", o.Name) }
func (t *tv) Raw(e sse.Event)                  { t.add("raw %s %s", e.Type, e.Data) }
func (t *tv) Fail(n int) error                 { t.add("fail"); return map[int]error{1: errors.New("no")}[n] }
func (t *tv) TooMany(a, b, c string)           { t.add("never") }
func (t *tv) Returns(a string) (string, error) { t.add("never"); return "", nil }
func (t *tv) Value() int                       { t.add("never"); return 0 }
func (t *tv) Second(a string, b string)        { t.add("never") }
func (t *tv) Variadic(a ...string)             { t.add("never") }

func (t *tv) One(b Both)   { t.add("never") }
func (t *tv) Other(b Both) { t.add("never") }

type Both struct{}
type Order struct{ ID int }
type Setter struct{ Name string }

type rest struct{ tv }

func (r *rest) NoSuchMethod(e sse.Event) { r.add("none %s", e.Type) }

func TestReceivers(t *testing.T) {
	each(t, func(t *testing.T, s *server) {
		more := s.feed()
		var told []string
		c := s.client(t, client.Options{Channels: []string{"a"}, Error: func(err error) { told = append(told, err.Error()) }})
		set, all := &tv{}, &rest{}
		stop := receive(t, c, "tv", set)
		receive(t, c, "css", set)
		receive(t, c, "cmd", all)
		client.On(c, "tv.*", func(v any, e sse.Event) { set.add("other %s", e.Type) })
		client.On(c, "tv.watch", func(v any, e sse.Event) { set.add("beside") })
		run(t, c)
		for _, m := range []struct{ kind, data string }{
			{"tv.watch", "x"}, {"tv.OFF", "null"}, {"css.background-image$#top", "url(x)"}, {"tv.Order", `{"id":3}`}, {"tv.save", `{"id":4}`},
			{"tv.Setter", `{"name":"n"}`}, {"tv.raw", "[1]"}, {"tv.toomany", "1"}, {"tv.returns", "1"}, {"tv.value", "1"}, {"tv.second", "1"}, {"tv.variadic", "1"}, {"tv.string", "1"}, {"tv.both", "{}"},
			{"tv.save", "text"}, {"tv.fail", "0"}, {"tv.fail", "1"}, {"Order", `{"id":5}`}, {"", "m"}, {"cmd.a.b", "1"}, {"css.no", "1"},
		} {
			more <- s.message("", "a", m.kind, m.data)
		}
		synctest.Wait()
		want := []string{"beside", "watch x a", "off", "image url(x)", "save 3", "save 4", "change n", "raw tv.raw [1]", "other tv.toomany", "other tv.returns",
			"other tv.value", "other tv.second", "other tv.variadic", "other tv.string", "other tv.both", "fail", "fail"}
		if !slices.Equal(set.got, want) {
			t.Errorf("got  %q\nwant %q", set.got, want)
		}
		if want := []string{"save 5", "none ", "none cmd.a.b"}; !slices.Equal(all.got, want) {
			t.Errorf("got %q, want %q", all.got, want)
		}
		if len(told) != 2 || !strings.Contains(told[0], `"tv.save"`) || !strings.HasSuffix(told[1], ": no") {
			t.Errorf("told of %q", told)
		}
		other := &tv{}
		receive(t, c, "tv", other)
		stop() // which no longer receives
		more <- s.message("", "a", "tv.off", "")
		synctest.Wait()
		if !slices.Equal(other.got, []string{"off"}) || len(set.got) != len(want) {
			t.Errorf("got %q and %q", other.got, set.got[len(want):])
		}
	})
}

func receive(t *testing.T, c *client.Client, name string, v any) func() {
	t.Helper()
	stop, err := client.Receive(c, name, v)
	if err != nil {
		t.Fatal(err)
	}
	return stop
}

func TestReceiverThatReceivesNothing(t *testing.T) {
	c, err := client.New("http://stentor.test", nil)
	if err != nil {
		t.Fatal(err)
	}
	for name, v := range map[string]any{"nil": nil, "none": struct{}{}, "unexported": tvless{}, "stentor": &tv{}, "": &tv{}, "a.b": &tv{}, "*": &tv{}} {
		if stop, err := client.Receive(c, name, v); err == nil || stop != nil {
			t.Errorf("%q: no error", name)
		}
	}
	stop := receive(t, c, "tv", &tv{})
	stop()
	stop()
}

type tvless struct{}

func (tvless) watch(string) {}

var _ = tvless.watch

// A handler that adds another one takes nobody's place.
func TestHandlerAddedWhileOthersRun(t *testing.T) {
	each(t, func(t *testing.T, s *server) {
		more := s.feed()
		c := s.client(t, client.Options{Channels: []string{"a"}})
		set := &tv{}
		receive(t, c, "tv", set)
		for range 3 {
			stop := func() {}
			stop = client.On(c, "tv.off", func(any, sse.Event) {
				client.On(c, "tv.off", func(any, sse.Event) { set.add("late") })
				stop()
			})
		}
		run(t, c)
		more <- s.message("", "a", "tv.off", "1")
		synctest.Wait()
		if !slices.Equal(set.got, []string{"off"}) {
			t.Errorf("got %q", set.got)
		}
		more <- s.message("", "a", "tv.off", "1")
		synctest.Wait()
		if !slices.Equal(set.got, []string{"off", "late", "late", "late", "off"}) {
			t.Errorf("got %q", set.got)
		}
	})
}
