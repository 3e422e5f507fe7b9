package e2e_test

import (
	"fmt"
	"testing"
)

// chatter is a window of the Chat application.
type chatter struct{ *tab }

func join(b *browser, name, url string) chatter {
	b.t.Helper()
	c := chatter{b.Person(name, url)}
	c.ready()
	return c
}

func (c chatter) ready() {
	c.t.Helper()
	c.Until("it is connected", `document.body?.dataset.state === "open" && document.querySelector("#me").textContent`)
	c.Until("it is welcome", `document.querySelector('#log .line[data-kind=welcome]')`)
}

// me is the own display name.
func (c chatter) me() string {
	c.t.Helper()
	return eval[string](c.tab, `document.querySelector("#me").lastChild.textContent`)
}

// say types a line and sends it.
func (c chatter) say(text string) {
	c.t.Helper()
	eval[bool](c.tab, `(() => {
		const say = document.querySelector("#say");
		say.value = %s;
		say.dispatchEvent(new Event("input", { bubbles: true }));
		document.querySelector("#composer").requestSubmit();
		return true;
	})()`, text)
	c.Until("the line is sent", `document.querySelector("#say").value === ""`)
}

// log is the text of all messages in their order.
func (c chatter) log() []string {
	c.t.Helper()
	return eval[[]string](c.tab, `[...document.querySelectorAll("#log .message .text")].map(e => e.textContent)`)
}

// sees waits for a message.
func (c chatter) sees(text string) {
	c.t.Helper()
	c.Until("it sees "+text, `[...document.querySelectorAll("#log .message .text")].some(e => e.textContent === %s)`, text)
}

// lines are the texts of lines of some kinds, without the time.
func (c chatter) lines(kinds ...string) []string {
	c.t.Helper()
	return eval[[]string](c.tab, `[...document.querySelectorAll("#log .line")]
		.filter(e => %s.includes(e.dataset.kind)).map(e => (e.querySelector(".text") ?? e).textContent)`, kinds)
}

func TestTwoWindowsChat(t *testing.T) {
	t.Parallel()
	server := start(t, "demo")
	b := newBrowser(t)
	ada := join(b, "ada", server.URL)
	bob := join(b, "bob", server.URL)
	if ada.me() == bob.me() {
		t.Fatalf("both are %q", ada.me())
	}
	ada.Until("ada sees bob among the people", `[...document.querySelectorAll("#people [data-user]")].some(e => e.textContent.includes(%s))`, bob.me())
	bob.Until("bob sees both, of whom one was there before", `document.querySelectorAll("#people [data-user]").length === 2`)
	ada.Until("ada is told that bob joined", `document.querySelector('#log .line[data-kind=join]')`)
	ada.say("hello bob")
	bob.sees("hello bob")
	bob.say("hello ada")
	ada.sees("hello ada")
	for _, c := range []chatter{ada, bob} {
		equal(t, c.name, c.log(), []string{"hello bob", "hello ada"})
	}
	publish(t, server.URL, "application/json", `{"channel":"home","data":"hello from curl"}`)
	ada.sees("hello from curl")
	bob.sees("hello from curl")
	bob.Go("about:blank")
	ada.Until("ada is told that bob left", `document.querySelector('#log .line[data-kind=leave]')`)
	ada.Until("bob is gone from the people", `document.querySelectorAll("#people [data-user]").length === 1`)
}

// Two windows of somebody who has signed in are one person, who leaves with the last of
// them.
func TestTwoWindowsOfOnePerson(t *testing.T) {
	t.Parallel()
	url := here(t, &faces{subscribe: byCookie})
	b := newBrowser(t)
	other := join(b, "other", url)
	first := b.Tab("first", url+"/healthz")
	eval[string](first, `document.cookie = "who=ada"`)
	var windows []chatter
	for _, name := range []string{"one", "two"} {
		w := chatter{b.Tab(name, url)}
		w.ready()
		if w.me() != "Ada" {
			t.Errorf("window %s is of %q", name, w.me())
		}
		windows = append(windows, w)
	}
	other.Until("it sees ada", `document.querySelectorAll("#people [data-user=ada]").length === 1`)
	windows[0].say("from one")
	windows[1].sees("from one")
	other.sees("from one")
	windows[1].Go("about:blank")
	windows[0].say("still here")
	other.sees("still here")
	if n := eval[int](other.tab, `document.querySelectorAll("#people [data-user]").length`); n != 2 {
		t.Errorf("%d people with one window of ada's", n)
	}
	equal(t, "lines about ada", other.lines("join", "leave"), []string{"Ada joined"})
	windows[0].Go("about:blank")
	other.Until("ada is gone", `document.querySelectorAll("#people [data-user]").length === 1`)
	equal(t, "lines about ada", other.lines("join", "leave"), []string{"Ada joined", "Ada left"})
}

func TestPrivateMessageReachesOneOnly(t *testing.T) {
	t.Parallel()
	server := start(t, "demo")
	b := newBrowser(t)
	ada, bob, eve := join(b, "ada", server.URL), join(b, "bob", server.URL), join(b, "eve", server.URL)
	ada.Until("ada sees bob", `[...document.querySelectorAll("#people [data-user]")].some(e => e.textContent.includes(%s))`, bob.me())
	ada.say("@" + bob.me() + " for you alone")
	bob.sees("for you alone")
	ada.sees("for you alone")
	ada.say("for all") // when this is there, so would be what came before it
	eve.sees("for all")
	bob.sees("for all")
	equal(t, "bob", bob.log(), []string{"for you alone", "for all"})
	equal(t, "eve", eve.log(), []string{"for all"})
	equal(t, "ada", ada.log(), []string{"for you alone", "for all"})
	if page := eval[string](eve.tab, "document.documentElement.outerHTML"); contains(page, "for you alone") {
		t.Error("eve's page holds the private message")
	}
	late := join(b, "late", server.URL)
	late.sees("for all")
	equal(t, "one who comes later", late.log(), []string{"for all"})
	bob.say("@me note to myself")
	bob.sees("note to myself")
	ada.say("end")
	eve.sees("end")
	equal(t, "eve", eve.log(), []string{"for all", "end"})
}

func TestCutPageResumesWithoutLossOrRepeat(t *testing.T) {
	t.Parallel()
	server := start(t, "demo")
	through := newProxy(t, server.Addr)
	b := newBrowser(t)
	ada := join(b, "ada", server.URL)
	bob := join(b, "bob", through.URL)
	var want []string
	say := func(text string) {
		ada.say(text)
		want = append(want, text)
	}
	say("before")
	bob.sees("before")
	for round := range 3 {
		through.Cut()
		bob.Until("bob notices", `document.body?.dataset.state !== "open"`)
		for i := range 5 {
			say(fmt.Sprintf("meanwhile %d.%d", round, i))
		}
		through.Mend()
		bob.Until("bob is back", `document.body?.dataset.state === "open"`)
		say(fmt.Sprintf("after %d", round))
		bob.sees(fmt.Sprintf("after %d", round))
	}
	equal(t, "bob, after three cuts", bob.log(), want)
	equal(t, "ada", ada.log(), want)
	if n := eval[int](ada.tab, `document.querySelectorAll('#log .line[data-kind=leave]').length`); n != 0 {
		t.Errorf("ada was told %d leaves of one who came back", n)
	}
	if n := eval[int](bob.tab, `document.querySelectorAll('#log .line[data-kind=gap]').length`); n != 0 {
		t.Errorf("bob was told %d gaps", n)
	}
}

// Of two requests that a browser has under way either may arrive first; of two lines the
// first does.
func TestLinesKeepTheirOrder(t *testing.T) {
	t.Parallel()
	server := start(t, "demo")
	ada := join(newBrowser(t), "ada", server.URL)
	eval[bool](ada.tab, `(() => {
		const send = window.fetch;
		let posts = 0;
		window.fetch = (...a) => String(a[0]).includes("PostChat") && posts++ === 0
			? new Promise(done => setTimeout(() => done(send(...a)), 300))
			: send(...a);
		return true;
	})()`)
	ada.say("first")
	ada.say("second")
	ada.sees("second")
	equal(t, "ada", ada.log(), []string{"first", "second"})
}

func TestReloadedPageShowsTheHistoryOnce(t *testing.T) {
	t.Parallel()
	server := start(t, "demo")
	b := newBrowser(t)
	ada := join(b, "ada", server.URL)
	want := []string{"one", "two", "three"}
	for _, text := range want {
		ada.say(text)
		ada.sees(text)
	}
	for range 3 {
		ada.Go(server.URL)
		ada.ready()
		ada.sees("three")
		equal(t, "after a reload", ada.log(), want)
	}
	ada.say("four")
	ada.sees("four")
	equal(t, "then", ada.log(), append(want, "four"))
}
