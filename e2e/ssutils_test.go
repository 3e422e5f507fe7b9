package e2e_test

import (
	"testing"
	"time"
)

// jQuery with ss-utils, as pages of ServiceStack have them.
func TestSSUtils(t *testing.T) {
	needPackages(t)
	url := here(t, &faces{
		heartbeat: 200 * time.Millisecond,
		files: map[string]string{
			"/ss":          "testdata/ssutils.html",
			"/jquery.js":   "node_modules/jquery/dist/jquery.js",
			"/ss-utils.js": "node_modules/ss-utils/ss-utils.js",
		},
	})
	b := newBrowser(t)
	p := b.Person("ss-utils", url+"/ss?channels=home")
	p.Until("onConnect and the own onJoin fire", "info && joins === 1")
	ada := join(b, "ada", url)
	p.Until("the other's onJoin fires", "joins === 2")
	p.Until("onHeartbeat fires again and again", "heartbeats >= 3")

	ada.say("hello ss-utils")
	p.Until("the chat arrives", `seen.some(s => s[0] === "chat")`) // before others publish: their order is their own
	say := func(typ, data string) {
		publish(t, url, "application/json", `{"channel":"home","type":"`+typ+`","data":`+data+`}`)
	}
	say("greet", `{"text":"hi"}`)
	say("greet", `"text"`)
	say("tv.watch", `"channel 5"`)
	say("trigger.customEvent", `"arg"`)
	say("document.title", `"A new title"`)
	say("css.background-color", `"rgb(1, 2, 3)"`)
	say("css.color$#box", `"rgb(4, 5, 6)"`)
	say("toggle$#box", `null`)
	p.Until("all handlers have fired", `seen.length === 7 && $("#box").is(":hidden")`)
	equal(t, "what was called", eval[[]string](p, `seen.map(s => JSON.stringify(s.slice(0, 4)))`), []string{
		`["onConnect",` + eval[string](p, `JSON.stringify(info.displayName)`) + `,"cmd.onConnect",null]`,
		`["chat","hello ss-utils","cmd.chat","home"]`,
		`["greet",{"text":"hi"},"cmd.greet","home"]`,
		`["greet","text","cmd.greet","home"]`,
		`["tv.watch","channel 5"]`,
		`["customEvent","arg"]`,
		`["toggle","box","cmd.toggle$#box","home"]`,
	})
	if title := eval[string](p, "document.title"); title != "A new title" {
		t.Errorf("the receiver document: title %q", title)
	}
	equal(t, "css", eval[[]string](p, `[$("body").css("background-color"), $("#box").css("color")]`),
		[]string{"rgb(1, 2, 3)", "rgb(4, 5, 6)"})
	eval[bool](p, `($("#click").click(), true)`)
	p.Until("a bound handler fires", `seen.some(s => s[0] === "pressed")`)

	eval[bool](p, `new Promise(done => $.ss.subscribeToChannels(["news"], () => done(true), () => done(false)))`)
	publish(t, url, "application/json", `{"channel":"news","type":"greet","data":"the news"}`)
	p.Until("the joined channel arrives", `seen.some(s => s[1] === "the news")`)
	p.Until("onUpdate fires", `seen.some(s => s[0] === "onUpdate" && s[1] === "home,news")`)
	ada.Go("about:blank")
	p.Until("onLeave fires", `seen.some(s => s[0] === "onLeave")`)
	if n := eval[int](p, "reconnects"); n != 0 {
		t.Errorf("it reconnected %d times", n)
	}

	// What ends its subscription makes its heartbeat fail, and that makes it connect again.
	eval[int](p, `fetch(info.unRegisterUrl, { method: "POST" }).then(a => a.status)`)
	p.Until("onReconnect or the browser's own retry connects again", `seen.filter(s => s[0] === "onConnect").length >= 2`)
	publish(t, url, "application/json", `{"channel":"news","type":"greet","data":"late news"}`)
	p.Until("the joined channel is still there", `seen.some(s => s[1] === "late news")`)
}
