package e2e_test

import (
	"fmt"
	"regexp"
	"strconv"
	"testing"
)

// The browser's own EventSource on the plain face: what is in docs/protocol.md is
// what a page gets, whoever writes it.
func TestEventSource(t *testing.T) {
	t.Parallel()
	eachEngine(t, func(t *testing.T, engine string) {
		server := start(t, "serve", "--engine", engine)
		b := newBrowser(t)
		p := listen(b, server.URL, "/events?channel=a&channel=b")
		publish(t, server.URL, "application/json", `{"channel":"a","data":"no type"}`)
		publish(t, server.URL, "application/json", `{"channel":"b","type":"greet","data":{"text":"hi"}}`)
		publish(t, server.URL, "application/json", `{"channel":"c","type":"greet","data":"elsewhere"}`)
		publish(t, server.URL, "application/json", `{"channel":"a","type":"greet","data":" two\nlines\r\n"}`)
		publish(t, server.URL, "application/json", `{"channel":"a","type":"greet","data":"","ephemeral":true}`)
		p.Until("all come", "got.length === 4")
		equal(t, "events", eval[[]string](p, "got.map(e => `${e.type}: ${JSON.stringify(e.data)}`)"), []string{
			`message: "no type"`, `greet: "{\"text\":\"hi\"}"`, `greet: " two\nlines\n"`, `greet: ""`,
		})
		ids := eval[[]string](p, "got.map(e => e.id)")
		if ids[3] != ids[2] {
			t.Errorf("an ephemeral event changed the last id from %s to %s", ids[2], ids[3])
		}
		eval[int](p, `fetch("/subscriptions/" + opened[0].subscription, { method: "DELETE" }).then(a => a.status)`)
		p.Until("it comes back by itself", "opened.length === 2")
		publish(t, server.URL, "application/json", `{"channel":"b","type":"greet","data":"welcome back"}`)
		p.Until("it gets what is new", `got.at(-1).data === "welcome back" && got.length === 5`)
	})
}

// A stream that was cut goes on where it was, by the browser's own Last-Event-ID.
func TestEventSourceResumesByLastEventID(t *testing.T) {
	t.Parallel()
	server := start(t, "serve")
	through := newProxy(t, server.Addr)
	b := newBrowser(t)
	p := listen(b, through.URL, "/events?channel=a&channel=b")
	var want []string
	say := func(text string) {
		publish(t, server.URL, "application/json", script(t, `{"channel":%s,"data":%s}`, []any{[]string{"a", "b"}[len(want)%2], text}))
		want = append(want, text)
	}
	for round := range 3 {
		for i := range 10 {
			say(fmt.Sprintf("before %d.%d", round, i))
		}
		p.Until("what is said before the cut comes", "got.length === %s", len(want))
		last := eval[string](p, "got.at(-1).id")
		cuts := through.Cuts()
		through.Cut()
		p.Until("the page notices", "source.readyState !== EventSource.OPEN")
		for i := range 100 {
			say(fmt.Sprintf("meanwhile %d.%d", round, i))
		}
		through.Mend()
		p.Until("the stream is back", "opened.length === %s", round+2)
		say("after")
		p.Until("the rest comes", "got.length >= %s", len(want))
		if through.Cuts() == cuts {
			t.Error("nothing was cut")
		}
		if got := through.lastEventID(); got != last {
			t.Errorf("round %d: came back with Last-Event-ID %q, want that of the last event, %q", round, got, last)
		}
	}
	equal(t, "events", eval[[]string](p, "got.map(e => e.data)"), want)
	ids := eval[[]string](p, "got.map(e => e.id)")
	for i := 1; i < len(ids); i++ {
		before, err1 := strconv.Atoi(ids[i-1])
		now, err2 := strconv.Atoi(ids[i])
		if err1 != nil || err2 != nil || now <= before {
			t.Errorf("event %d has the id %s after %s", i, ids[i], ids[i-1])
		}
	}
	if n := eval[int](p, "gaps.length"); n != 0 {
		t.Errorf("%d gaps", n)
	}
}

// A page that was away for longer than the history is told of the gap.
func TestEventSourceIsToldOfAGap(t *testing.T) {
	t.Parallel()
	server := start(t, "serve", "--history-size", "10")
	through := newProxy(t, server.Addr)
	b := newBrowser(t)
	p := listen(b, through.URL, "/events?channel=a")
	say := func(text string) {
		publish(t, server.URL, "application/json", script(t, `{"channel":"a","data":%s}`, []any{text}))
	}
	say("before")
	p.Until("it comes", "got.length === 1")
	through.Cut()
	p.Until("the page notices", "source.readyState !== EventSource.OPEN")
	for i := range 50 {
		say(strconv.Itoa(i))
	}
	through.Mend()
	p.Until("the newest comes", `got.at(-1).data === "49"`)
	equal(t, "events", eval[[]string](p, "got.map(e => e.data)"),
		[]string{"before", "40", "41", "42", "43", "44", "45", "46", "47", "48", "49"})
	gap := eval[string](p, "JSON.stringify(gaps)")
	first, oldest := eval[string](p, "got[0].id"), eval[string](p, "got[1].id")
	if want := fmt.Sprintf(`[{"reason":"expired","after":%q,"oldest":%q}]`, first, oldest); gap != want {
		t.Errorf("gaps %s, want %s", gap, want)
	}
}

// listen opens a page of the server with an EventSource in it: got are its events,
// opened and gaps the data of the server's own.
func listen(b *browser, url, path string) *tab {
	b.t.Helper()
	p := b.Person("listener", url+"/healthz")
	eval[bool](p, `(() => {
		globalThis.got = []; globalThis.opened = []; globalThis.gaps = [];
		globalThis.source = new EventSource(%s);
		const take = e => got.push({ type: e.type, data: e.data, id: e.lastEventId });
		source.onmessage = take;
		source.addEventListener("greet", take);
		source.addEventListener("stentor.open", e => opened.push(JSON.parse(e.data)));
		source.addEventListener("stentor.gap", e => gaps.push(JSON.parse(e.data)));
		return true;
	})()`, path)
	p.Until("the stream opens", "opened.length === 1")
	return p
}

// lastEventID is the last one that came through.
func (p *proxy) lastEventID() string {
	all := regexp.MustCompile(`(?mi)^Last-Event-ID: (.*?)\r$`).FindAllStringSubmatch(p.Asked(), -1)
	if len(all) == 0 {
		return ""
	}
	return all[len(all)-1][1]
}
