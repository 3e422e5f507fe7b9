package stentor_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/stentor-sse/stentor"
)

// L-46–L-52: groups tell what became of them, and are gone when they are empty.
func TestChanged(t *testing.T) {
	bubble(t, func(t *testing.T) {
		h := newHub(t, nil)
		a, b := serve(t, h, on("home")), serve(t, h, on("home", "b"))
		check := func(what string, c stentor.Changed, err error, want string) {
			t.Helper()
			if got := fmt.Sprint(c, err); got != want {
				t.Errorf("%s: got %s, want %s", what, got, want)
			}
		}
		c, err := a.sub.Join(t.Context(), "new", "b", "home", "new")
		check("join", c, err, "{[new b] [] [new] []} <nil>")
		if got := h.Channels(); !slices.Equal(got, []stentor.Channel{"b", "home", "new"}) {
			t.Errorf("channels %v", got)
		}
		c, err = a.sub.Leave(t.Context(), "b", "new", "never")
		check("leave", c, err, "{[] [new b] [] [new]} <nil>")
		c, err = a.sub.Change(t.Context(), []stentor.Channel{"home"}, []stentor.Channel{"home", "x"})
		check("change", c, err, "{[home x] [home] [x] []} <nil>")
		c, err = a.sub.Join(t.Context(), "a b")
		if !errors.Is(err, stentor.ErrInvalid) || len(c.Joined) != 0 {
			t.Errorf("invalid: %v, %v", c, err)
		}
		b.sub.Close(nil)
		if got := h.Channels(); !slices.Equal(got, []stentor.Channel{"home", "x"}) {
			t.Errorf("channels %v after one ended", got)
		}
		c, err = b.sub.Join(t.Context(), "zombie") // L-50
		check("after the end", c, err, "{[] [] [] []} stentor: unregistered")
		if h.Count(stentor.Target{Channel: "zombie"}) != 0 {
			t.Error("one that has ended joined")
		}
	})
}

// K-08, K-54, K-59: only the living are found, and dropping leaves nobody.
func TestLookupAndDrop(t *testing.T) {
	bubble(t, func(t *testing.T) {
		h := newHub(t, nil)
		var all []*reader
		for i := range 4 {
			o := on("home")
			o.Key = fmt.Sprint("key-", i)
			if i == 3 {
				o.Channels[0] = "other"
			}
			all = append(all, serve(t, h, o))
		}
		if h.Holder("key-1") != all[1].sub || h.Holder("key-9") != nil {
			t.Error("holders are wrong")
		}
		all[0].hangUp() // lingers: out of reach
		settle()
		if h.Holder("key-0") != nil {
			t.Error("a reader that has gone is found")
		}
		for _, c := range []struct {
			target stentor.Target
			want   int
		}{{stentor.Target{}, 3}, {stentor.Target{All: true}, 3}, {stentor.Target{Channel: "home"}, 2}, {stentor.Target{Key: "key-2"}, 1}} {
			if n := h.Count(c.target); n != c.want {
				t.Errorf("%+v: %d, want %d", c.target, n, c.want)
			}
		}
		boom := errors.New("boom")
		if n := h.Drop(stentor.Target{Channel: "home"}, boom); n != 2 {
			t.Errorf("dropped %d", n)
		}
		for _, r := range all[1:3] {
			if err := <-r.cause; err != boom {
				t.Errorf("ended with %v", err)
			}
		}
		if n := h.Drop(stentor.Target{}, nil); n != 1 {
			t.Errorf("dropped %d of the rest", n)
		}
		if err := <-all[3].cause; err != stentor.ErrUnregistered {
			t.Errorf("ended with %v", err)
		}
		if h.Count(stentor.Target{}) != 0 {
			t.Error("somebody is left")
		}
		if s := h.Stats(); s.Ended != 4 {
			t.Errorf("%d ended", s.Ended)
		}
	})
}
