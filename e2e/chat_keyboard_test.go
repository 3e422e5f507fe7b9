package e2e_test

import (
	"context"
	"testing"

	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"
)

// keyCodes are the keys that no character stands for, as Windows numbers them.
func keyCodes() map[string]int64 {
	return map[string]int64{
		"Enter": 13, "Tab": 9, "Escape": 27, "ArrowUp": 38, "ArrowDown": 40, "ArrowLeft": 37, "ArrowRight": 39, "Home": 36, "End": 35, " ": 32,
	}
}

// press presses a key as a person does: what a page prevents does not happen.
func (p *tab) press(keys ...string) {
	p.t.Helper()
	for _, key := range keys {
		down := input.DispatchKeyEventParams{Type: input.DispatchKeyEventTypeKeyDown, Key: key, Code: key}
		switch code := keyCodes()[key]; {
		case key == "Enter":
			down.Text, down.WindowsVirtualKeyCode = "\r", code
		case len(key) == 1:
			down.Text, down.WindowsVirtualKeyCode = key, code
		default:
			down.WindowsVirtualKeyCode = code
		}
		up := down
		up.Type, up.Text = input.DispatchKeyEventTypeKeyUp, ""
		for _, event := range []input.DispatchKeyEventParams{down, up} {
			ctx, cancel := context.WithTimeout(p.ctx, patience)
			_, err := chromedp.Call(ctx, input.DispatchKeyEvent, event)
			cancel()
			if err != nil {
				p.t.Fatalf("%s: key %q: %v", p.name, key, err)
			}
		}
	}
}

// write presses a key for each character.
func (p *tab) write(text string) {
	p.t.Helper()
	for _, c := range text {
		p.press(string(c))
	}
}

// written is what stands in the field.
func (c chatter) written() string {
	c.t.Helper()
	return eval[string](c.tab, `document.querySelector("#say").value`)
}

// focused is the id, or the text, of the element that has the focus.
func (p *tab) focused() string {
	p.t.Helper()
	return eval[string](p, `document.activeElement.id || document.activeElement.textContent`)
}

// S-32: Tab, Enter, Space and → complete @name; ↑ and ↓ choose, and walk through what was sent.
func TestCompletionByKeyboard(t *testing.T) {
	t.Parallel()
	server := start(t, "demo")
	b := newBrowser(t)
	ada := join(b, "ada", server.URL) // user1
	for _, name := range []string{"bob", "eve"} {
		join(b, name, server.URL) // user2, user3
	}
	ada.Until("ada sees both", `document.querySelectorAll("#people [data-user]").length === 3`)
	eval[bool](ada.tab, `(document.querySelector("#say").focus(), true)`)
	for _, row := range []struct {
		typed string
		keys  []string
		want  string
	}{
		{"@us", []string{"Tab"}, "@user2 "},
		{"@us", []string{"Enter"}, "@user2 "},
		{"@us", []string{" "}, "@user2 "},
		{"@us", []string{"ArrowRight"}, "@user2 "},
		{"@us", []string{"ArrowDown", "Tab"}, "@user3 "},
		{"@us", []string{"ArrowUp", "Enter"}, "@user3 "},
		{"hello @US", []string{"Tab"}, "hello @user2 "},
		{"@m", []string{"Tab"}, "@me "},
		{"@us", []string{"Escape", " "}, "@us "},
		{"@", []string{" "}, "@ "}, // nothing was begun
		{"at 5 @zz", []string{" "}, "at 5 @zz "},
	} {
		eval[bool](ada.tab, `(document.querySelector("#say").value = "", true)`)
		ada.write(row.typed)
		ada.press(row.keys...)
		if got := ada.written(); got != row.want {
			t.Errorf("%q and %q: %q, want %q", row.typed, row.keys, got, row.want)
		}
		if !eval[bool](ada.tab, `document.querySelector("#suggestions").hidden`) {
			t.Errorf("%q and %q: the list stays", row.typed, row.keys)
		}
	}
	eval[bool](ada.tab, `(document.querySelector("#say").value = "", true)`)
	ada.write("@us")
	if got := eval[string](ada.tab, `document.getElementById(document.querySelector("#say").getAttribute("aria-activedescendant")).textContent`); got != "@user2" {
		t.Errorf("told to assistive technology: %q", got)
	}
	ada.press("Enter")
	ada.write("hi")
	ada.press("Enter")
	ada.sees("hi")
	ada.write("to @user3")
	ada.press("Enter") // the name is complete: it sends
	ada.sees("to @user3")
	ada.press("ArrowUp", "ArrowUp")
	if got := ada.written(); got != "@user2 hi" {
		t.Errorf("two inputs ago: %q", got)
	}
	ada.press("ArrowDown", "ArrowDown")
	if got := ada.written(); got != "" {
		t.Errorf("then: %q", got)
	}
}

// Everything can be reached and done without a mouse.
func TestPageByKeyboard(t *testing.T) {
	t.Parallel()
	server := start(t, "demo", "--channels", "home,news")
	b := newBrowser(t)
	ada := join(b, "ada", server.URL)
	eval[bool](ada.tab, `(document.activeElement.blur(), true)`)
	ada.press("Tab")
	if got := ada.focused(); got != "Write a message" {
		t.Errorf("the first is %q", got)
	}
	ada.press("Tab", "ArrowDown") // the tabs are one stop
	ada.Until("news is shown", `document.querySelector("#name").textContent === "news"`)
	ada.press("Home")
	ada.Until("home is shown", `document.querySelector("#name").textContent === "home"`)
	ada.press("Tab")
	if got := ada.focused(); got != "channel" {
		t.Errorf("after the tabs comes %q", got)
	}
	ada.write("#garden")
	ada.press("Enter")
	ada.Until("garden is shown", `document.querySelector("#name").textContent === "garden"`)
	seen := map[string]bool{}
	for range 40 {
		ada.press("Tab")
		seen[ada.focused()] = true
		if !eval[bool](ada.tab, `document.activeElement === document.body || (() => {
			const s = getComputedStyle(document.activeElement), f = document.activeElement.closest("form");
			return s.outlineStyle !== "none" || s.boxShadow !== "none" || (f && f.matches(":focus-within"));
		})()`) {
			t.Errorf("nobody sees that %q has the focus", ada.focused())
		}
	}
	for _, want := range []string{"Sign in", "clear", "leave", "say", "send"} {
		if !seen[want] {
			t.Errorf("%q is never reached: %v", want, seen)
		}
	}
}
