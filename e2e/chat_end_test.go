package e2e_test

import (
	"fmt"
	"net/http"
	"testing"

	"github.com/stentor-sse/stentor"
)

// A page whose place another takes doesn't take it back, for they would do so for ever.
func TestReplacedPageStays(t *testing.T) {
	t.Parallel()
	url := here(t, &faces{subscribe: func(_ *http.Request, o *stentor.SubscribeOptions) error {
		o.Key = "one window for all"
		return nil
	}})
	b := newBrowser(t)
	first := join(b, "first", url)
	second := join(b, "second", url)
	first.Until("it stops", `document.body.dataset.state === "closed" && document.querySelector("#log .line[data-kind=stopped]")?.textContent.includes("took the place")`)
	second.say("still here")
	second.sees("still here")
	eval[bool](first.tab, `(document.dispatchEvent(new Event("visibilitychange")), dispatchEvent(new Event("online")), true)`)
	if state := eval[string](first.tab, "document.body.dataset.state"); state != "closed" {
		t.Errorf("the first is %s", state)
	}
	eval[bool](first.tab, `(document.querySelector("#log .line[data-kind=stopped] button").click(), true)`)
	first.Until("it is back, as its user wants", `document.body.dataset.state === "open"`)
	second.Until("now the second stops", `document.body.dataset.state === "closed"`)
}

// A page that was away for longer than the hub's history is told so, and gets what the chat has kept, in order and
// once.
func TestPageWasAwayForTooLong(t *testing.T) {
	t.Parallel()
	server := start(t, "demo", "--history-size", "3")
	through := newProxy(t, server.Addr)
	b := newBrowser(t)
	ada, bob := join(b, "ada", server.URL), join(b, "bob", through.URL)
	ada.say("before")
	bob.sees("before")
	want := []string{"before"}
	through.Cut()
	bob.Until("bob notices", `document.body.dataset.state !== "open"`)
	for i := range 6 {
		want = append(want, fmt.Sprintf("meanwhile %d", i))
		ada.say(want[len(want)-1])
	}
	through.Mend()
	bob.Until("bob is told of the gap", `document.querySelector("#log .line[data-kind=gap]")`)
	for _, text := range want {
		bob.sees(text)
	}
	equal(t, "bob", bob.log(), want)
	equal(t, "bob is told", bob.lines("gap"), []string{"Some messages may be missing here: the connection was away for too long."})
}

// The server forgets everybody, or starts anew: pages come back by themselves, and those who write before they have
// noticed are heard.
func TestPageOutlivesItsServer(t *testing.T) {
	t.Parallel()
	server := start(t, "demo")
	through := newProxy(t, server.Addr)
	b := newBrowser(t)
	ada, bob := join(b, "ada", through.URL), join(b, "bob", through.URL)
	through.Cut()
	ada.Until("ada notices", `document.body.dataset.state !== "open"`)
	second := start(t, "demo")
	through.Turn(second.Addr)
	through.Mend()
	for _, p := range []chatter{ada, bob} {
		p.Until("it is back", `document.body.dataset.state === "open"`)
		p.say("hello from " + p.name)
	}
	bob.sees("hello from ada")
	ada.sees("hello from bob")
	eval[int](bob.tab, `fetch("/reset-serverevents", { method: "POST" }).then(r => r.status)`)
	ada.say("anybody here?") // in the name of a subscription that the server has forgotten
	bob.sees("anybody here?")
	ada.Until("both are here", `document.querySelectorAll("#people [data-user]").length === 2`)
}

// A channel that is left while the connection is away is left for everybody.
func TestChannelLeftWhileAway(t *testing.T) {
	t.Parallel()
	server := start(t, "demo")
	through := newProxy(t, server.Addr)
	b := newBrowser(t)
	ada, bob := join(b, "ada", through.URL), join(b, "bob", server.URL+"/?channels=news")
	eval[bool](ada.tab, `(document.querySelector("#channel").value = "news", document.querySelector("#join").requestSubmit(), true)`)
	bob.Until("ada came", `document.querySelectorAll("#people [data-user]").length === 2`)
	through.Cut()
	ada.Until("ada notices", `document.body.dataset.state !== "open"`)
	eval[bool](ada.tab, `(document.querySelector("#leave").click(), true)`)
	bob.say("to those on news")
	through.Mend()
	ada.Until("ada is back", `document.body.dataset.state === "open"`)
	bob.Until("ada left", `document.querySelectorAll("#people [data-user]").length === 1`)
	ada.say("end")
	ada.sees("end")
	equal(t, "ada", ada.log(), []string{"end"})
}
