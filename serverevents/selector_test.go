package serverevents_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/stentor-sse/stentor"
	"github.com/stentor-sse/stentor/serverevents"
)

// S-10: types and selectors, both ways.
func TestSelectors(t *testing.T) {
	for _, row := range []struct{ typ, selector string }{
		{"", "cmd.message"},
		{"chat", "cmd.chat"},
		{"toggle$#channels", "cmd.toggle$#channels"},
		{"CustomType", "cmd.CustomType"},
		{"tv.watch", "tv.watch"},
		{"cmd.a.b", "cmd.a.b"},
		{"css.background-image$#top", "css.background-image$#top"},
		{"css.color$div%20.im", "css.color$div%20.im"},
		{"trigger.customEvent", "trigger.customEvent"},
		{"grüße", "cmd.grüße"},
		{"onConnected", "cmd.onConnected"},
		{strings.Repeat("x", 128), "cmd." + strings.Repeat("x", 128)},
	} {
		if got := serverevents.Selector(row.typ); got != row.selector {
			t.Errorf("Selector(%q) = %q, want %q", row.typ, got, row.selector)
		}
		if got, err := serverevents.Type(row.selector); got != row.typ || err != nil {
			t.Errorf("Type(%q) = %q, %v, want %q", row.selector, got, err, row.typ)
		}
	}
	if got := serverevents.Selector("cmd.chat"); got != "cmd.chat" {
		t.Errorf(`Selector("cmd.chat") = %q`, got)
	}
}

// S-10: what is no selector, or the server's own.
func TestSelectorsRefused(t *testing.T) {
	for _, selector := range []string{
		"", "chat", ".", "cmd.", ".chat", "cmd.a b", "A@cmd.chat", "cmd.a@b", "cmd.a\nb", "cmd.a\x00", "cmd.a\u0085", "cmd.\xff",
		"cmd." + strings.Repeat("x", 129), strings.Repeat("x", 100) + "." + strings.Repeat("y", 28),
		"cmd.onConnect", "cmd.onJoin", "cmd.onLeave", "cmd.onUpdate", "cmd.onHeartbeat", "cmd.onGap", "cmd.onEnd", "cmd.onJoin$#x", "stentor.open",
	} {
		typ, err := serverevents.Type(selector)
		if !errors.Is(err, stentor.ErrInvalid) || typ != "" {
			t.Errorf("Type(%q) = %q, %v", selector, typ, err)
		}
	}
}

// FuzzType: what a selector maps to is what maps to it, and the hub takes it.
func FuzzType(f *testing.F) {
	for _, s := range []string{"cmd.chat", "cmd.message", "tv.watch", "cmd.a.b", "a", "cmd.onJoin", "x.$", "cmd.a b", "stentor.x", "cmd.stentor.x"} {
		f.Add(s)
	}
	hub := newHub(f, nil)
	f.Fuzz(func(t *testing.T, selector string) {
		typ, err := serverevents.Type(selector)
		if err != nil {
			if !errors.Is(err, stentor.ErrInvalid) || len(err.Error()) > 512 {
				t.Errorf("Type(%q): %v", selector, err)
			}
			return
		}
		if back := serverevents.Selector(typ); back != selector {
			t.Errorf("%q → %q → %q", selector, typ, back)
		}
		if _, err := hub.Publish(t.Context(), stentor.Message{Target: on("a"), Type: typ, Data: "x"}); err != nil {
			t.Errorf("the hub refuses the type of %q: %v", selector, err)
		}
	})
}
