package e2e_test

import (
	"net/http"
	"strings"
	"testing"
	"time"
)

// clientFiles are the page with @servicestack/client, and the package.
func clientFiles() map[string]string {
	return map[string]string{
		"/page":       "testdata/client.html",
		"/client.mjs": "node_modules/@servicestack/client/dist/servicestack-client.mjs",
	}
}

// S-10, S-28: @servicestack/client in a browser, where there are elements.
func TestServiceStackClientInAPage(t *testing.T) {
	t.Parallel()
	needPackages(t)
	s := serve(t, &faces{files: clientFiles()})
	b := newBrowser(t)
	p := b.Person("page", s.URL+"/page?channels=home&heartbeat=50")
	p.Until("onConnect and the own onJoin fire", "connects.length === 1 && seen.length === 1")
	p.Until("heartbeats are answered", "heartbeats > 2")
	say := func(typ, data string) {
		publish(t, s.URL, "application/json", `{"channel":"home","type":"`+typ+`","data":`+data+`}`)
	}
	say("css.color$.im,#other", `"rgb(1, 2, 3)"`)
	say("css.backgroundColor", `"rgb(4, 5, 6)"`)
	say("toggle$p%20+%20p", `null`)
	say("tv.watch", `"channel 5"`)
	say("trigger.customEvent", `"arg"`)
	say("document.title", `"A new title"`)
	say("greet", `"hello"`)
	p.Until("all come", `seen.at(-1) === "greet hello"`)
	equal(t, "what was called", eval[[]string](p, "seen"),
		[]string{"join home", "toggle other", "watch channel 5", "trigger arg", "greet hello"})
	equal(t, "what it did", eval[[]string](p, `[
		getComputedStyle(box).color, getComputedStyle(other).color, getComputedStyle(document.body).backgroundColor,
		String(other.hidden), document.title]`),
		[]string{"rgb(1, 2, 3)", "rgb(1, 2, 3)", "rgb(4, 5, 6)", "true", "A new title"})
	equal(t, "errors", eval[[]string](p, "errors.map(String)"), nil)
}

// S-28: a page that is left unregisters with a beacon, which has no content type.
func TestUnloadBeaconUnregisters(t *testing.T) {
	t.Parallel()
	needPackages(t)
	s := serve(t, &faces{linger: time.Hour, files: clientFiles()}) // nobody leaves but by saying so
	through := newProxy(t, s.Address())
	b := newBrowser(t)
	stays := b.Person("stays", s.URL+"/page?channels=home")
	stays.Until("it is connected", "seen.length === 1")
	goes := b.Person("goes", through.URL+"/page?channels=home")
	goes.Until("it is connected", "connects.length === 1") // the other may hear of it first
	stays.Until("the other has joined", "seen.length === 2")
	url := eval[string](goes, "client.connectionInfo.unRegisterUrl")
	goes.Go("about:blank")
	stays.Until("the leave comes", `seen.at(-1) === "leave home"`)
	_, path, _ := strings.Cut(url, through.Addr)
	_, request, sent := strings.Cut(through.Asked(), "POST "+path+" ")
	if !sent {
		t.Fatalf("no POST %s", path)
	}
	if header, _, _ := strings.Cut(request, "\r\n\r\n"); strings.Contains(strings.ToLower(header), "content-type") {
		t.Errorf("the beacon has a content type:\n%s", header)
	}
}

// S-18: a page of another origin, with credentials, where only listed origins may.
func TestServiceStackClientAcrossOrigins(t *testing.T) {
	t.Parallel()
	needPackages(t)
	pages := http.NewServeMux()
	for path, file := range clientFiles() {
		pages.HandleFunc("GET "+path, func(w http.ResponseWriter, r *http.Request) { http.ServeFile(w, r, file) })
	}
	mine, foreign := serveHere(t, pages), serveHere(t, pages)
	s := serve(t, &faces{origins: []string{mine}})
	through := newProxy(t, s.Address())
	b := newBrowser(t)
	p := b.Person("page", mine+"/page?channels=home&heartbeat=50&at="+through.URL)
	p.Until("it is connected", "connects.length === 1")
	p.Until("heartbeats are answered", "heartbeats > 2")
	eval[bool](p, `client.subscribeToChannels("news").then(() => true)`) // preflighted
	p.Until("the update comes", `seen.at(-1) === "update home,news"`)
	if n := eval[int](p, "client.getChannelSubscribers().then(u => u.length)"); n != 1 {
		t.Errorf("%d subscribers", n)
	}
	publish(t, s.URL, "application/json", `{"channel":"news","type":"greet","data":"hello"}`)
	p.Until("what is said there comes", `seen.at(-1) === "greet hello"`)
	equal(t, "errors", eval[[]string](p, "errors.map(String)"), nil)
	asked := through.Asked()
	for _, want := range []string{"OPTIONS /api/UpdateEventSubscriber ", "OPTIONS /api/GetEventSubscribers?", "Cookie: "} {
		if !strings.Contains(asked, want) {
			t.Errorf("the page never sent %q", want)
		}
	}
	if strings.Contains(asked, "OPTIONS /event-") {
		t.Error("the stream or a heartbeat was preflighted")
	}
	eval[bool](p, `client.stop().then(() => true)`)
	if n := s.hub.Stats().Subscriptions; n != 0 {
		t.Errorf("%d subscriptions after stop", n)
	}

	// A site that is not listed reads nothing.
	f := b.Person("foreign", foreign+"/page?channels=home&at="+through.URL)
	f.Until("it is refused", "errors.length > 0 && client.eventSource.readyState === EventSource.CLOSED")
	if n := eval[int](f, "connects.length + seen.length"); n != 0 {
		t.Errorf("a page of a foreign origin saw %d messages", n)
	}
}

// S-28: in a browser, which keeps cookies by itself, its own retry keeps what was
// joined live.
func TestServiceStackPageComesBackWithItsChannels(t *testing.T) {
	t.Parallel()
	needPackages(t)
	s := serve(t, &faces{files: clientFiles()})
	through := newProxy(t, s.Address())
	b := newBrowser(t)
	p := b.Person("page", through.URL+"/page?channels=home")
	p.Until("it is connected", "connects.length === 1")
	eval[bool](p, `client.subscribeToChannels("news").then(() => true)`)
	through.Cut()
	p.Until("it notices", "client.eventSource.readyState === EventSource.CONNECTING")
	publish(t, s.URL, "application/json", `{"channel":"news","type":"greet","data":"meanwhile"}`)
	through.Mend()
	p.Until("it is back", "connects.length === 2")
	publish(t, s.URL, "application/json", `{"channel":"news","type":"greet","data":"after"}`)
	p.Until("all comes", `seen.at(-1) === "greet after"`)
	equal(t, "what comes", eval[[]string](p, "seen"), []string{
		"join home", "update home,news", "update home,news", "greet meanwhile", "join home", "join news", "greet after",
	})
	if got := eval[string](p, "client.channels.join()"); got != "home,news" {
		t.Errorf("the client is on %s", got)
	}
}
