package main

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stentor-sse/stentor/ssetest"
)

// serve serves the whole program in memory.
func serve(t *testing.T, p ssetest.Protocol) *ssetest.Server {
	t.Helper()
	hub, err := newHub(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	files, err := fs.Sub(dist, "dist")
	if err != nil {
		t.Fatal(err)
	}
	mux, err := routes(hub, files)
	if err != nil {
		t.Fatal(err)
	}
	srv := ssetest.NewServer(t, p, mux)
	t.Cleanup(func() {
		if err := hub.Shutdown(t.Context()); err != nil && t.Context().Err() == nil {
			t.Error(err)
		}
	})
	return srv
}

// person is one browser.
type person struct {
	*ssetest.Server
	header []string
}

func visitor(srv *ssetest.Server, digit, name string) person {
	return person{srv, []string{"Authorization: Bearer " + strings.Repeat(digit, 64), "Chat-Name: " + name}}
}

// say publishes a body and gives the status.
func (p person) say(t *testing.T, body string) int {
	t.Helper()
	answer, _ := p.Do(t, "POST", "/publish", body, append(p.header, "Content-Type: application/json")...)
	return answer.StatusCode
}

// messages are what was said on a stream so far.
func messages(t *testing.T, r *ssetest.Recorder) (all []said) {
	t.Helper()
	synctest.Wait()
	for _, e := range r.Events() {
		if e.Type != sayType {
			continue
		}
		var m said
		if err := json.Unmarshal([]byte(e.Data), &m); err != nil {
			t.Fatal(err)
		}
		all = append(all, m)
	}
	return all
}

const hello = `{"channel":"general","type":"say","data":{"text":" hello ","ref":%q,"at":%d,"from":"somebody else","name":"root"}}`

// Who says something is the hub's to say, and a time that can't be is none; what is said again, because nobody
// knows if it was heard, is heard once.
func TestMessageIsTheSenders(t *testing.T) {
	ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
		srv := serve(t, p)
		ada := visitor(srv, "a", "Ada%20L%C3%B6w")
		page := srv.Open(t, "/events?channel=general&presence=true", ada.header...)
		var open struct{ Member struct{ User, Name string } }
		if err := json.Unmarshal([]byte(page.Next(t).Data), &open); err != nil {
			t.Fatal(err)
		}
		now := time.Now().UnixMilli()
		for i, row := range []struct{ at, want int64 }{{now, now}, {now - 3_600_000, now - 3_600_000}, {1, 0}, {now + 3_600_000, 0}} {
			ref := fmt.Sprintf("%016d", i)
			for range 2 {
				if status := ada.say(t, fmt.Sprintf(hello, ref, row.at)); status != http.StatusOK {
					t.Fatalf("status %d", status)
				}
				time.Sleep(time.Minute)
			}
			want := said{asked: asked{Text: "hello", Ref: ref, At: row.want}, From: open.Member.User, Name: "Ada Löw"}
			if got := messages(t, page); len(got) != i+1 || got[i] != want {
				t.Errorf("got %+v, want %+v", got, want)
			}
		}
	})
}

// That somebody writes is told to those who are there, without a word of it, and isn't kept.
func TestWritingIsTold(t *testing.T) {
	ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
		srv := serve(t, p)
		ada := visitor(srv, "a", "Ada")
		page := srv.Open(t, "/events?channel=general", ada.header...)
		if status := ada.say(t, `{"channel":"general","type":"writing","ephemeral":true,"data":{"text":"secr","name":"root"}}`); status != http.StatusOK {
			t.Fatalf("status %d", status)
		}
		late := srv.Open(t, "/events?channel=general&lastEventId=0", visitor(srv, "b", "Bob").header...)
		synctest.Wait()
		events := page.Events()
		if e := events[len(events)-1]; e.Type != writingType || e.ID != "" || !strings.Contains(e.Data, `"name":"Ada"`) || strings.Contains(e.Data, "secr") {
			t.Errorf("got %+v", e)
		}
		if events := late.Events(); len(events) != 1 {
			t.Errorf("kept: %+v", events)
		}
	})
}

// A private message reaches two users and nobody else, and each of them who comes later.
func TestPrivateMessage(t *testing.T) {
	ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
		srv := serve(t, p)
		people := []person{visitor(srv, "a", "Ada"), visitor(srv, "b", "Bob"), visitor(srv, "c", "Eve")}
		var pages []*ssetest.Recorder
		for _, who := range people {
			pages = append(pages, srv.Open(t, "/events?channel=general", who.header...))
		}
		bob, err := identify(request(people[1]))
		if err != nil {
			t.Fatal(err)
		}
		ada, err := identify(request(people[0]))
		if err != nil {
			t.Fatal(err)
		}
		for _, user := range []string{bob, ada} {
			if status := people[0].say(t, fmt.Sprintf(`{"user":%q,"type":"say","data":{"text":"psst","ref":"0123456789abcdef","at":1,"to":%q}}`, user, bob)); status != http.StatusOK {
				t.Fatalf("status %d", status)
			}
		}
		pages = append(pages, srv.Open(t, "/events?lastEventId=0", people[1].header...), srv.Open(t, "/events?lastEventId=0", people[2].header...))
		for i, want := range []int{1, 1, 0, 1, 0} {
			got := messages(t, pages[i])
			if len(got) != want {
				t.Errorf("page %d got %+v, want %d", i, got, want)
			} else if want == 1 && (got[0].From != ada || got[0].To != bob || got[0].ToName != "Bob") {
				t.Errorf("page %d got %+v", i, got[0])
			}
		}
	})
}

func request(p person) *http.Request {
	r := &http.Request{Header: http.Header{}}
	for _, h := range p.header {
		name, value, _ := strings.Cut(h, ": ")
		r.Header.Set(name, value)
	}
	return r
}

// One name has one user, until its last page is gone.
func TestNameIsTaken(t *testing.T) {
	ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
		srv := serve(t, p)
		page := srv.Open(t, "/events?channel=general", visitor(srv, "a", "Ada").header...)
		for _, row := range []struct {
			digit, name string
			want        int
		}{{"b", "ada", http.StatusConflict}, {"b", "%20Ada%20", http.StatusConflict}, {"a", "Ada", http.StatusOK}, {"b", "Ada2", http.StatusOK}} {
			again := srv.Open(t, "/events?channel=general", visitor(srv, row.digit, row.name).header...)
			if got := again.Response.StatusCode; got != row.want {
				t.Errorf("%s as %s: status %d, want %d", row.digit, row.name, got, row.want)
			}
			again.Close()
		}
		page.Close()
		synctest.Wait()
		if got := srv.Open(t, "/events?channel=general", visitor(srv, "b", "Ada").header...).Response.StatusCode; got != http.StatusOK {
			t.Errorf("a name that is free: status %d", got)
		}
	})
}

func TestRefused(t *testing.T) {
	ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
		srv := serve(t, p)
		ada := visitor(srv, "a", "Ada")
		if status := ada.say(t, fmt.Sprintf(hello, "01234567", 1)); status != http.StatusConflict {
			t.Errorf("before the stream: status %d", status)
		}
		page := srv.Open(t, "/events?channel=general", ada.header...)
		for _, row := range []struct {
			body string
			want int
		}{
			{`{"all":true,"type":"say","data":{"text":"x","ref":"01234567","at":1}}`, 400},
			{`{"channel":"general","type":"trigger.x","data":{"text":"x","ref":"01234567","at":1}}`, 400},
			{`{"channel":"general","type":"say","ephemeral":true,"data":{"text":"x","ref":"01234567","at":1}}`, 400},
			{`{"channel":"general","type":"writing","data":{}}`, 400},
			{`{"channel":"news","type":"writing","ephemeral":true,"data":{}}`, 403},
			{`{"channel":"general","type":"say","data":"x"}`, 400},
			{`{"channel":"general","type":"say","data":{"text":" ","ref":"01234567","at":1}}`, 400},
			{`{"channel":"general","type":"say","data":{"text":"` + strings.Repeat("x", maxText+1) + `","ref":"01234567","at":1}}`, 400},
			{`{"channel":"general","type":"say","data":{"text":"x","ref":"\"><b>01234567","at":1}}`, 400},
			{`{"channel":"general","type":"say","data":{"text":"x","ref":"01234567","at":1,"to":"me"}}`, 400},
			{`{"channel":"news","type":"say","data":{"text":"x","ref":"01234567","at":1}}`, 403},
			{`{"user":"0123","type":"say","data":{"text":"x","ref":"01234567","at":1}}`, 400},
			{`{"user":"0123","type":"say","data":{"text":"x","ref":"01234567","at":1,"to":"4567"}}`, 400},
			{`{"channel":"general","user":"0123","type":"say","data":{"text":"x","ref":"01234567","at":1}}`, 400},
		} {
			if got := ada.say(t, row.body); got != row.want {
				t.Errorf("%.100s: status %d, want %d", row.body, got, row.want)
			}
		}
		if got := messages(t, page); len(got) != 0 {
			t.Errorf("heard all the same: %+v", got)
		}
		for _, row := range []struct {
			who  person
			path string
			want int
		}{
			{person{srv, nil}, "/events?channel=general", 401},
			{person{srv, nil}, "/presence?channel=general", 401},
			{person{srv, []string{"Authorization: Bearer abc", "Chat-Name: Ada"}}, "/events?channel=general", 401},
			{visitor(srv, "b", ""), "/events?channel=general", 400},
			{visitor(srv, "b", strings.Repeat("x", maxName+1)), "/events?channel=general", 400},
			{visitor(srv, "b", "%ff"), "/events?channel=general", 400},
			{visitor(srv, "b", "a%E2%80%AEb"), "/events?channel=general", 400}, // turns the line around
			{visitor(srv, "b", "e"+strings.Repeat("%CC%81", 20)), "/events?channel=general", 400},
			{visitor(srv, "b", "Bob"), "/events?channel=General", 400},
			{visitor(srv, "b", "Bob"), "/events?channel=a/b", 400},
			{visitor(srv, "b", "Bob"), "/events?channel=" + strings.Repeat("x", maxChannel+1), 400},
			{visitor(srv, "b", "Bob"), "/events?channel=%C3%B6l_1-x", 200},
		} {
			r := srv.Open(t, row.path, row.who.header...)
			if got := r.Response.StatusCode; got != row.want {
				t.Errorf("%s as %q: status %d, want %d", row.path, row.who.header, got, row.want)
			}
			r.Close()
		}
	})
}

// The page is served so that it can run what is its own and nothing else, and isn't sent twice.
func TestPageIsServed(t *testing.T) {
	ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
		srv := serve(t, p)
		for path, kind := range map[string]string{
			"/": "text/html", "/app.js": "text/javascript", "/app.css": "text/css", "/icon.svg": "image/svg+xml", "/stentor.js": "text/javascript",
		} {
			answer, body := srv.Do(t, "GET", path, "")
			if answer.StatusCode != http.StatusOK || !strings.HasPrefix(answer.Header.Get("Content-Type"), kind) || body == "" {
				t.Errorf("%s: %s, %s", path, answer.Status, answer.Header.Get("Content-Type"))
			}
			if path != "/stentor.js" && answer.Header.Get("Content-Security-Policy") != contentPolicy {
				t.Errorf("%s: policy %q", path, answer.Header.Get("Content-Security-Policy"))
			}
			if again, _ := srv.Do(t, "GET", path, "", "If-None-Match: "+answer.Header.Get("ETag")); again.StatusCode != http.StatusNotModified {
				t.Errorf("%s again: %s", path, again.Status)
			}
		}
		for _, path := range []string{"/src/main.tsx", "/nothing", "/../main.go"} {
			if answer, _ := srv.Do(t, "GET", path, ""); answer.StatusCode == http.StatusOK {
				t.Errorf("%s is served", path)
			}
		}
	})
}
