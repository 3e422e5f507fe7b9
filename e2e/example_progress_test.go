package e2e_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// jobber is a page of the jobs, or of one.
type jobber struct{ *tab }

// live waits until the page is connected.
func (p jobber) live() jobber {
	p.t.Helper()
	p.Until("it is connected", `document.body.dataset.state === "open"`)
	return p
}

// start starts a job as somebody does, and returns its id.
func (p jobber) start(kind, title string) (id string) {
	p.t.Helper()
	eval[bool](p.tab, `(() => {
		globalThis.before = [...document.querySelectorAll("[data-job]")].map(e => e.dataset.job);
		document.querySelector("#title").value = %s;
		document.querySelector("[value=" + %s + "]").click();
		return true;
	})()`, title, kind)
	p.Until("the job is shown", `(globalThis.job = [...document.querySelectorAll("[data-job]")].map(e => e.dataset.job).find(id => !before.includes(id)))`)
	return eval[string](p.tab, "job")
}

// is waits for a job's state, "running" meaning also that it has come some way.
func (p jobber) is(id, state string) {
	p.t.Helper()
	p.Until("the job is "+state, `(() => {
		const card = [...document.querySelectorAll("[data-job]")].find(e => e.dataset.job === %s);
		return card?.dataset.state === %s && (card.dataset.state !== "running" || card.querySelector("progress").value > 3);
	})()`, id, state)
}

// A job is shown in every window of its owner, and to whoever has its link; a page that is opened meanwhile has the
// state at once; its owner cancels it.
func TestProgressIsWatched(t *testing.T) {
	t.Parallel()
	server := startExample(t, "progress", "127.0.0.1:0")
	b := newBrowser(t)
	one := jobber{b.Tab("one", server.URL)}.live()
	two := jobber{b.Tab("two", server.URL)}.live()
	stranger := jobber{b.Person("stranger", server.URL)}.live()
	id := one.start("archive", "Holidays")
	for _, p := range []jobber{one, two} {
		p.is(id, "running")
		p.Until("its name is shown", `document.querySelector("[data-job] .title").textContent === "Holidays"`)
	}

	link := server.URL + "/jobs/" + id
	before := eval[int](one.tab, `document.querySelector("progress").value`)
	mine, theirs := jobber{b.Tab("mine", link)}.live(), jobber{b.Person("theirs", link)}.live()
	for _, p := range []jobber{mine, theirs} {
		p.Until("the state is shown", `!document.querySelector("#job").hidden && document.querySelector("h2").textContent === "Holidays"`)
		if now := eval[int](p.tab, `document.querySelector("progress").value`); now < before {
			t.Errorf("%s: %d steps, after %d elsewhere", p.name, now, before)
		}
		p.Until("the bound parts go together", `document.querySelector("progress").max === 1500 &&
			document.querySelector(".percent b").textContent === String(Math.floor(document.querySelector("progress").value / 15)) &&
			document.querySelector(".note").textContent === "Picture " + document.querySelector("progress").value + " of 1500"`)
		p.Until("it goes on", `document.querySelector("progress").value > %s`, before+5)
	}

	// Leave, and come back.
	left := eval[int](two.tab, `document.querySelector("progress").value`)
	two.Go("about:blank")
	one.Until("it goes on meanwhile", `document.querySelector("progress").value > %s`, left+5)
	two.Go(server.URL)
	two.is(id, "running")
	if now := eval[int](two.tab, `document.querySelector("progress").value`); now <= left {
		t.Errorf("it comes back to %d steps, and had seen %d", now, left)
	}

	mine.Until("its owner may cancel it", `!document.querySelector(".cancel").hidden`)
	if eval[bool](theirs.tab, `document.querySelector(".cancel").checkVisibility()`) {
		t.Error("another may cancel it")
	}
	if status := eval[int](theirs.tab, `fetch(location.pathname + "/cancel", { method: "POST" }).then(a => a.status)`); status != 404 {
		t.Errorf("another cancels it: status %d", status)
	}
	eval[bool](mine.tab, `(document.querySelector(".cancel").click(), true)`)
	one.is(id, "cancelled")
	two.is(id, "cancelled")
	for _, p := range []jobber{mine, theirs} {
		p.Until("it is cancelled", `document.querySelector(".badge").textContent === "cancelled" && !document.querySelector(".cancel").checkVisibility()`)
	}
	if n := eval[int](stranger.tab, `document.querySelectorAll("[data-job]").length`); n != 0 {
		t.Errorf("another browser's list has %d jobs", n)
	}
}

// The result can be downloaded, and an error is shown.
func TestProgressEnds(t *testing.T) {
	t.Parallel()
	server := startExample(t, "progress", "127.0.0.1:0", "--step", "2ms")
	b := newBrowser(t)
	p := jobber{b.Tab("page", server.URL)}.live()
	done, failed := p.start("report", ""), p.start("import", "")
	p.is(done, "done")
	p.is(failed, "failed")
	if got := eval[string](p.tab, `fetch(document.querySelector("[data-state=done] .result").href).then(a => a.text())`); !strings.HasPrefix(got, "order,items,amount\n1001,") {
		t.Errorf("the result is %.80q", got)
	}
	p.Until("the error is shown", `document.querySelector("[data-state=failed] .note").textContent.startsWith("row 133: the price is")`)
	p.Go(server.URL + "/jobs/" + failed)
	p.Until("the error is shown there too", `document.querySelector("#job.over.failed .note")?.textContent.startsWith("row 133: the price is")`)
	if eval[bool](p.tab, `document.querySelector(".result").checkVisibility()`) {
		t.Error("a failed job has a result")
	}
	p.Go(server.URL + "/jobs/" + done)
	p.Until("the result is there", `document.querySelector("#job.over .result[href$='/result']")?.checkVisibility() && document.title === "done · Report of all orders"`)
	p.Go(server.URL + "/jobs/nobody")
	p.Until("it is told that there is none", `!document.querySelector("#gone").hidden && document.body.dataset.state === "closed"`)
	p.Go(server.URL)
	p.live()
	for range 5 {
		p.start("archive", "")
	}
	eval[bool](p.tab, `(document.querySelector("[value=archive]").click(), true)`)
	p.Until("one too many is refused, with what to do", `document.querySelector("#wrong:not([hidden])")?.textContent.includes("cancel one")`)
}

// The server is killed and starts anew: what it knows nothing of is told as lost, and one goes on with another.
func TestProgressOutlivesTheServer(t *testing.T) {
	t.Parallel()
	server := startExample(t, "progress", "127.0.0.1:0")
	b := newBrowser(t)
	list := jobber{b.Tab("list", server.URL)}.live()
	lost := list.start("archive", "")
	list.is(lost, "running")
	one := jobber{b.Tab("one", server.URL+"/jobs/"+lost)}.live()
	one.Until("the state is shown", `!document.querySelector("#job").hidden`)
	server.Kill(t)
	list.Until("the loss is told", `document.body.dataset.state === "connecting"`)
	startExample(t, "progress", server.Addr)
	list.is(lost, "lost")
	one.Until("it is told that there is none", `!document.querySelector("#gone").hidden && document.querySelector("#job").hidden`)
	list.is(list.start("archive", ""), "running")
}

// Names are shown as they are, and addresses are no more than that.
func TestProgressIsInert(t *testing.T) {
	t.Parallel()
	server := startExample(t, "progress", "127.0.0.1:0", "--step", "1ms")
	b := newBrowser(t)
	list := jobber{b.Tab("list", server.URL)}.live()
	kindsOf := func(p jobber) []string {
		return eval[[]string](p.tab, `[...new Set([...document.querySelectorAll("*")].map(e => e.localName))].sort()`)
	}
	known := append(kindsOf(list), "li", "progress", "a", "article")
	one := jobber{b.Tab("one", "about:blank")}
	for _, text := range attacks() {
		text = strings.TrimSpace(string([]rune(text)[:min(60, len([]rune(text)))]))
		if strings.ContainsAny(text, "\u202e\u2028") {
			continue // refused
		}
		id := list.start("import", text)
		list.Until(fmt.Sprintf("%q is shown", text), `document.querySelector("[data-job] .title").textContent === %s`, text)
		list.is(id, "failed")
		one.Go(server.URL + "/jobs/" + id)
		one.Until(fmt.Sprintf("%q is shown", text), `document.querySelector("h2").textContent === %s`, text)
	}
	for _, path := range []string{`%3Cimg%20src=x%20onerror=alert(1)%3E`, `javascript:alert(2)`, `x?job=%3Cscript%3Ealert(3)%3C/script%3E`} {
		one.Go(server.URL + "/jobs/" + path)
		one.Until("there is no such job", `!document.querySelector("#gone").hidden`)
	}
	for _, p := range []jobber{list, one} {
		for _, name := range kindsOf(p) {
			if !slices.Contains(known, name) {
				t.Errorf("%s has a new kind of element, %s", p.name, name)
			}
		}
	}
	b.check()
}

// The pages can be read and used at each size, dark and light, and by keyboard.
func TestProgressIsLegible(t *testing.T) {
	t.Parallel()
	server := startExample(t, "progress", "127.0.0.1:0", "--step", "20ms")
	b := newBrowser(t)
	list := jobber{b.Tab("list", server.URL)}.live()
	done, failed := list.start("report", strings.Repeat("W", 60)), list.start("import", "")
	list.is(done, "done")
	list.is(failed, "failed")
	running := list.start("archive", "")
	eval[bool](list.tab, `(document.querySelector("[data-job] .cancel").focus(), true)`)
	list.press("Enter")
	list.is(running, "cancelled")
	for range 6 {
		eval[bool](list.tab, `(document.querySelector("[value=archive]").click(), true)`)
	}
	list.Until("one is refused", `!document.querySelector("#wrong").hidden`)
	pages := []jobber{list}
	for _, id := range []string{done, failed, running, "nobody"} {
		p := jobber{b.Tab("one", server.URL+"/jobs/"+id)}
		p.Until("the job is shown", `document.querySelector(".job:not([hidden]), #gone:not([hidden])")`)
		pages = append(pages, p)
	}
	for _, p := range pages {
		for _, size := range [][2]int64{{1280, 800}, {390, 844}, {320, 640}} {
			for _, scheme := range schemes(size[0]) {
				p.look(size[0], size[1], scheme)
				for _, fault := range eval[[]string](p.tab, faults) {
					t.Errorf("%s at %d by %d, %s: %s", p.name, size[0], size[1], scheme, fault)
				}
			}
		}
	}
}
