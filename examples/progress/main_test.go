package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stentor-sse/stentor/ssetest"
)

const step = 50 * time.Millisecond

// serve serves the application in memory.
func serve(t *testing.T, p ssetest.Protocol) (*app, *ssetest.Server) {
	t.Helper()
	a, err := newApp(t.Context(), step)
	if err != nil {
		t.Fatal(err)
	}
	srv := ssetest.NewServer(t, p, a.mux)
	t.Cleanup(func() {
		if err := a.Shutdown(context.WithoutCancel(t.Context())); err != nil {
			t.Error(err)
		}
	})
	return a, srv
}

// browser is somebody's cookie.
func browser(name string) string {
	return "Cookie: stentor=" + strings.Repeat(name, 26)[:26]
}

// do sends a form, or asks with GET where there is none, and decodes the answer.
func do[T any](t *testing.T, srv *ssetest.Server, who, path, form string) (status int, answer T) {
	t.Helper()
	method := http.MethodPost
	if form == "" {
		method = http.MethodGet
	}
	a, body := srv.Do(t, method, path, form, "Content-Type: application/x-www-form-urlencoded", who)
	if err := json.Unmarshal([]byte(body), &answer); err != nil {
		t.Fatalf("%s: %s: %v", path, body, err)
	}
	return a.StatusCode, answer
}

// start starts a job that has to begin.
func start(t *testing.T, srv *ssetest.Server, who, form string) status {
	t.Helper()
	code, s := do[status](t, srv, who, "/jobs", form)
	if code != http.StatusOK || s.ID == "" {
		t.Fatalf("%s: status %d, %+v", form, code, s)
	}
	return s
}

// next is what is told next of a job.
func next(t *testing.T, page *ssetest.Recorder) (s status) {
	t.Helper()
	for {
		e := page.Next(t)
		if e.Type != "job" {
			continue
		}
		if err := json.Unmarshal([]byte(e.Data), &s); err != nil {
			t.Fatalf("%s: %v", e.Data, err)
		}
		return s
	}
}

// end is what is told last of a job; done are the steps that were told on the way.
func end(t *testing.T, page *ssetest.Recorder) (last status, done []int) {
	t.Helper()
	for {
		s := next(t, page)
		if s.Over {
			return s, done
		}
		done = append(done, s.Done)
	}
}

// A job is told from its beginning to its end, in order, some ten times a second however fast it goes.
func TestJobIsToldToItsEnd(t *testing.T) {
	ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
		_, srv := serve(t, p)
		page := srv.Open(t, "/events?channel=jobs", browser("A"))
		page.Next(t)
		job := start(t, srv, browser("A"), "kind=report&title=July")
		if s := next(t, page); s != job || s.State != "waiting" || s.Title != "July" {
			t.Errorf("first %+v, want %+v", s, job)
		}
		last, done := end(t, page)
		if last.State != "done" || last.Done != 120 || last.Percent != 100 || last.Failed {
			t.Errorf("last %+v", last)
		}
		for i := range done[1:] {
			if done[i+1] < done[i] {
				t.Errorf("%d after %d", done[i+1], done[i])
			}
		}
		if most := int(120*step/beat) + 5; len(done) < 20 || len(done) > most {
			t.Errorf("it was told %d times, want from 20 to %d", len(done), most)
		}
		a, body := srv.Do(t, http.MethodGet, last.Result, "")
		if a.StatusCode != http.StatusOK || strings.Count(body, "\n") != 121 {
			t.Errorf("the result: status %d, %d lines", a.StatusCode, strings.Count(body, "\n"))
		}
	})
}

// Who comes has the state at once, and one message of it; who was away goes on with what it is then.
func TestComesBackToTheState(t *testing.T) {
	ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
		_, srv := serve(t, p)
		away := srv.Open(t, "/events?channel=jobs", browser("A"))
		away.Next(t)
		job := start(t, srv, browser("A"), "kind=report")
		next(t, away)
		cursor := away.LastEventID()
		away.Close()
		time.Sleep(2 * time.Second) // as long as it takes no time
		synctest.Wait()
		for name, page := range map[string]*ssetest.Recorder{
			"a newcomer":      srv.Open(t, "/events?channel=jobs", browser("A")),
			"one from zero":   srv.Open(t, "/events?channel=jobs&lastEventId=0", browser("A")),
			"who was away":    srv.Open(t, "/events?channel=jobs", browser("A"), "Last-Event-ID: "+cursor),
			"one with a link": srv.Open(t, "/events?channel=job:"+job.ID+"&lastEventId=0", browser("B")),
		} {
			if s := next(t, page); s.ID != job.ID || s.Done < 30 || s.Done > 50 {
				t.Errorf("%s is told %+v first, want the job after some forty steps", name, s)
			}
			if last, _ := end(t, page); last.State != "done" {
				t.Errorf("%s: last %+v", name, last)
			}
		}
	})
}

// All windows of the owner are told of a job that one of them starts; another's are not.
func TestWindowsOfTheOwner(t *testing.T) {
	ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
		_, srv := serve(t, p)
		one := srv.Open(t, "/events?channel=jobs", browser("A"))
		two := srv.Open(t, "/events?channel=jobs", browser("A"))
		other := srv.Open(t, "/events?channel=jobs", browser("B"))
		for _, page := range []*ssetest.Recorder{one, two, other} {
			page.Next(t)
		}
		job := start(t, srv, browser("A"), "kind=report")
		for _, page := range []*ssetest.Recorder{one, two} {
			if s := next(t, page); s != job {
				t.Errorf("got %+v, want %+v", s, job)
			}
			end(t, page)
		}
		theirs := start(t, srv, browser("B"), "kind=report")
		if s := next(t, other); s.ID != theirs.ID {
			t.Errorf("another is told of %+v", s)
		}
		if _, list := do[struct{ Jobs []status }](t, srv, browser("B"), "/jobs", ""); len(list.Jobs) != 1 || list.Jobs[0].ID != theirs.ID {
			t.Errorf("another's list: %+v", list)
		}
	})
}

// Its owner cancels a job, whether it runs or waits, and nobody else does.
func TestCancel(t *testing.T) {
	ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
		_, srv := serve(t, p)
		var jobs []status
		for range maxRunning + 1 {
			jobs = append(jobs, start(t, srv, browser("A"), "kind=archive"))
		}
		time.Sleep(time.Second)
		for i, job := range jobs {
			page := srv.Open(t, "/events?channel=job:"+job.ID+"&lastEventId=0", browser("B"))
			state := map[bool]string{true: "running", false: "waiting"}[i < maxRunning]
			if s := next(t, page); s.State != state {
				t.Errorf("job %d: %+v, want it %s", i, s, state)
			}
			page.Close()
		}
		for _, i := range []int{maxRunning, 0} { // one that waits, one that runs
			page := srv.Open(t, "/events?channel=job:"+jobs[i].ID, browser("B"))
			page.Next(t)
			path := "/jobs/" + jobs[i].ID + "/cancel"
			if code, _ := do[struct{}](t, srv, browser("B"), path, "a=b"); code != http.StatusNotFound {
				t.Errorf("another cancels: status %d", code)
			}
			if code, _ := do[struct{}](t, srv, browser("A"), path, "a=b"); code != http.StatusOK {
				t.Errorf("status %d", code)
			}
			if last, _ := end(t, page); last.State != "cancelled" || last.Failed {
				t.Errorf("last %+v", last)
			}
			if code, _ := do[struct{}](t, srv, browser("A"), path, "a=b"); code != http.StatusNotFound {
				t.Errorf("once more: status %d", code)
			}
			if a, _ := srv.Do(t, http.MethodGet, "/jobs/"+jobs[i].ID+"/result", ""); a.StatusCode != http.StatusNotFound {
				t.Errorf("its result: status %d", a.StatusCode)
			}
		}
	})
}

// What goes wrong is told, and the others go on.
func TestErrorIsTold(t *testing.T) {
	ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
		a, srv := serve(t, p)
		a.jobs.kinds = append(a.jobs.kinds, kind{"panic", "Panic", 1, func(context.Context, func(int, string)) ([]byte, error) { panic("oh") }})
		for _, row := range []struct{ kind, want string }{{"import", "row 133: the price is"}, {"panic", "it panicked: oh"}} {
			who := browser(strings.ToUpper(row.kind[:1]))
			page := srv.Open(t, "/events?channel=jobs", who)
			page.Next(t)
			start(t, srv, who, "kind="+row.kind)
			last, _ := end(t, page)
			if last.State != "failed" || !last.Failed || !strings.Contains(last.Note, row.want) || last.Result != "" {
				t.Errorf("%s: %+v", row.kind, last)
			}
		}
	})
}

// An owner has so many jobs at a time; the oldest that are over are forgotten; and then nobody can
// watch them.
func TestJobsAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, srv := serve(t, ssetest.HTTP1)
		page := srv.Open(t, "/events?channel=jobs", browser("A"))
		page.Next(t)
		first := start(t, srv, browser("A"), "kind=report")
		for range maxWaiting - 1 {
			start(t, srv, browser("A"), "kind=report")
		}
		if code, refusal := do[struct{ Detail string }](t, srv, browser("A"), "/jobs", "kind=report"); code != http.StatusTooManyRequests || refusal.Detail == "" {
			t.Errorf("one more: status %d, %q", code, refusal.Detail)
		}
		start(t, srv, browser("B"), "kind=report")
		for range 2 * maxOwned {
			time.Sleep(time.Minute)
			start(t, srv, browser("A"), "kind=report")
		}
		time.Sleep(time.Minute)
		for e := page.Next(t); e.Type != "gone"; e = page.Next(t) {
		}
		if _, list := do[struct{ Jobs []status }](t, srv, browser("A"), "/jobs", ""); len(list.Jobs) != maxOwned {
			t.Errorf("%d jobs are kept, want %d", len(list.Jobs), maxOwned)
		}
		if answer, _ := srv.Do(t, http.MethodGet, "/events?channel=job:"+first.ID, ""); answer.StatusCode != http.StatusNotFound {
			t.Errorf("a forgotten job: status %d", answer.StatusCode)
		}
		if n := len(a.hub.Channels()); n > maxOwned+1 {
			t.Errorf("the window is on %d channels", n)
		}
		for n := range maxJobs {
			start(t, srv, browser(string(rune('C'+n%20))), "kind=report")
			time.Sleep(time.Minute)
		}
		if n := len(a.jobs.list); n > maxJobs {
			t.Errorf("%d jobs in all", n)
		}
	})
}

// What is no job is refused before anything has begun.
func TestStartRefuses(t *testing.T) {
	ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
		a, srv := serve(t, p)
		for _, row := range []struct {
			who, form string
			want      int
		}{
			{"X: y", "kind=report", http.StatusForbidden},
			{browser("A"), "kind=", http.StatusBadRequest}, {browser("A"), "kind=<script>", http.StatusBadRequest}, {browser("A"), "kind=%zz", http.StatusBadRequest},
			{browser("A"), "kind=report&title=" + strings.Repeat("x", 61), http.StatusBadRequest},
			{browser("A"), "kind=report&title=" + url.QueryEscape("a\u202eb"), http.StatusBadRequest},
			{browser("A"), "kind=report&title=%ff", http.StatusBadRequest},
			{browser("A"), "kind=report&title=" + strings.Repeat("x", 5<<10), http.StatusBadRequest},
		} {
			if code, _ := do[struct{ Detail string }](t, srv, row.who, "/jobs", row.form); code != row.want {
				t.Errorf("%s %.60s: status %d, want %d", row.who, row.form, code, row.want)
			}
		}
		answer, _ := srv.Do(t, http.MethodPost, "/jobs", "kind=report", "Content-Type: application/x-www-form-urlencoded", browser("A"), "Sec-Fetch-Site: cross-site")
		if answer.StatusCode != http.StatusForbidden {
			t.Errorf("a page of another site: status %d", answer.StatusCode)
		}
		for _, ch := range []string{"other", "job:", "job:nobody", "job:<script>"} {
			if answer, _ := srv.Do(t, http.MethodGet, "/events?channel="+url.QueryEscape(ch), ""); answer.StatusCode != http.StatusNotFound {
				t.Errorf("channel %s: status %d", ch, answer.StatusCode)
			}
		}
		if n := len(a.jobs.list); n != 0 {
			t.Errorf("%d jobs have begun", n)
		}
	})
}

// The end of the server is told as the end of its jobs, and waits for them.
func TestShutdownEndsJobs(t *testing.T) {
	ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
		a, srv := serve(t, p)
		page := srv.Open(t, "/events?channel=jobs", browser("A"))
		page.Next(t)
		start(t, srv, browser("A"), "kind=archive")
		time.Sleep(time.Second)
		if err := a.Shutdown(t.Context()); err != nil {
			t.Fatal(err)
		}
		if last, _ := end(t, page); last.State != "failed" || last.Note != fmt.Sprint(errClosing) {
			t.Errorf("last %+v", last)
		}
		if code, _ := do[struct{}](t, srv, browser("A"), "/jobs", "kind=report"); code != http.StatusServiceUnavailable {
			t.Errorf("a job after the end: status %d", code)
		}
	})
}

// The pages load and run their own files alone.
func TestPages(t *testing.T) {
	ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
		_, srv := serve(t, p)
		for _, path := range []string{"/", "/jobs/any", "/jobs.js", "/job.js", "/server.js", "/style.css", "/icon.svg", "/stentor.js", "/stentor-bindings.js"} {
			a, body := srv.Do(t, http.MethodGet, path, "")
			if a.StatusCode != http.StatusOK || body == "" {
				t.Errorf("%s: status %d, %d bytes", path, a.StatusCode, len(body))
			}
			if html := strings.HasPrefix(a.Header.Get("Content-Type"), "text/html"); html && (strings.Contains(body, "<script>") || !strings.Contains(a.Header.Get("Content-Security-Policy"), "default-src 'none'")) {
				t.Errorf("%s has no policy, or a script within", path)
			}
		}
	})
}
