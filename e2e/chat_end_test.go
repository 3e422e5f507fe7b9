package e2e_test

import (
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
