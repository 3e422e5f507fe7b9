package e2e_test

import (
	"testing"
)

// A server is replaced by a new one, whose memory is empty. Pages come back to it by
// themselves, are told that something may be missing, and miss nothing new.
func TestPagesSurviveADeploy(t *testing.T) {
	t.Parallel()
	old := start(t, "serve")
	through := newProxy(t, old.Addr)
	b := newBrowser(t)
	p := listen(b, through.URL, "/events?channel=a")
	publish(t, old.URL, "application/json", `{"channel":"a","data":"old"}`)
	p.Until("what the old server says comes", "got.length === 1")
	next := start(t, "serve")
	through.Turn(next.Addr)
	old.Stop(t)
	publish(t, next.URL, "application/json", `{"channel":"a","data":"new"}`)
	p.Until("the page comes back", "opened.length === 2")
	publish(t, next.URL, "application/json", `{"channel":"a","data":"newer"}`)
	p.Until("all comes", `got.length >= 3`)
	equal(t, "events", eval[[]string](p, "got.map(e => e.data)"), []string{"old", "new", "newer"})
	equal(t, "gaps", eval[[]string](p, "gaps.map(g => g.reason + ' ' + (g.after === got[0].id))"), []string{"discontinuity true"})
	if !eval[bool](p, "Number(got[1].id) > Number(got[0].id)") {
		t.Error("the new server's positions are not above the old one's")
	}
}

// The chat goes on in a new server too, and says that something may be missing.
func TestChatSurvivesADeploy(t *testing.T) {
	t.Parallel()
	old := start(t, "demo")
	through := newProxy(t, old.Addr)
	b := newBrowser(t)
	ada, bob := join(b, "ada", through.URL), join(b, "bob", through.URL)
	ada.say("before the deploy")
	bob.sees("before the deploy")
	next := start(t, "demo")
	through.Turn(next.Addr)
	old.Stop(t)
	for _, c := range []chatter{ada, bob} {
		c.Until("it is told of the gap", `document.querySelector("#log .line[data-kind=gap]")`)
		c.Until("it is connected again", `document.body.dataset.state === "open"`)
	}
	ada.Until("ada sees both", `document.querySelectorAll("#people [data-user]").length === 2`)
	ada.say("after the deploy")
	bob.sees("after the deploy")
	bob.say("indeed")
	ada.sees("indeed")
	for _, c := range []chatter{ada, bob} {
		equal(t, c.name, c.log(), []string{"before the deploy", "after the deploy", "indeed"})
	}
}
