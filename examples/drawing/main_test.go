package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stentor-sse/stentor/ssetest"
)

const (
	ada = "Authorization: Bearer ada-ada-ada-ada-ada-ada"
	bob = "Authorization: Bearer bob-bob-bob-bob-bob-bob"
)

// serve serves the application in memory.
func serve(t *testing.T, p ssetest.Protocol) *ssetest.Server {
	t.Helper()
	hub, mux, err := routes(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	srv := ssetest.NewServer(t, p, mux)
	t.Cleanup(func() { hub.Shutdown(t.Context()) })
	return srv
}

// post sends JSON.
func post(t *testing.T, srv *ssetest.Server, path, body, who string) (status int) {
	t.Helper()
	a, _ := srv.Do(t, http.MethodPost, path, body, "Content-Type: application/json", who)
	return a.StatusCode
}

// publish sends a message to the room.
func publish(t *testing.T, srv *ssetest.Server, who, typ, data string) int {
	t.Helper()
	return post(t, srv, "/publish", fmt.Sprintf(`{"channel":"room:a","type":%q,"data":%s}`, typ, data), who)
}

// enter opens the room and returns what it is told after stentor.open, whose user it returns.
func enter(t *testing.T, srv *ssetest.Server, query, who string) (page *ssetest.Recorder, user string) {
	t.Helper()
	page = srv.Open(t, "/events?channel=room:a&presence=true"+query, who)
	e := page.Next(t)
	var open struct {
		Member struct {
			User string `json:"user"`
		} `json:"member"`
	}
	if err := json.Unmarshal([]byte(e.Data), &open); err != nil || e.Type != "stentor.open" {
		t.Fatalf("first event %q %q: %v", e.Type, e.Data, err)
	}
	return page, open.Member.User
}

// next is the next event of a type.
func next(t *testing.T, page *ssetest.Recorder, typ string) string {
	t.Helper()
	for {
		if e := page.Next(t); e.Type == typ {
			return e.Data
		}
	}
}

const dot = `{"id":"s1","colour":2,"width":9,"points":[10,20]}`

// A stroke is kept, what is live is not: who comes later has the picture and nothing else.
func TestNewcomerHasThePicture(t *testing.T) {
	ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
		srv := serve(t, p)
		page, user := enter(t, srv, "", ada)
		live := `{"view":[0,0,4000,3000],"width":9,"at":[10,20],"stroke":{"id":"s1","colour":2,"width":9,"points":[10,20],"from":0}}`
		for _, m := range [][2]string{{"live", live}, {"stroke", dot}, {"undo", `{"id":"s0"}`}, {"clear", `{}`}} {
			if status := publish(t, srv, ada, m[0], m[1]); status != http.StatusOK {
				t.Fatalf("%s: status %d", m[0], status)
			}
			if got, want := next(t, page, m[0]), fmt.Sprintf(`{"by":%q,"what":`, user); !strings.HasPrefix(got, want) {
				t.Errorf("got %s, want one that begins %s", got, want)
			}
		}
		late, _ := enter(t, srv, "&lastEventId=0", bob)
		var got []string
		for len(got) < 3 {
			if e := late.Next(t); !strings.HasPrefix(e.Type, "stentor.") {
				got = append(got, e.Type+" "+e.Data)
			}
		}
		want := fmt.Sprintf("[stroke {\"by\":%[1]q,\"what\":%s} undo {\"by\":%[1]q,\"what\":{\"id\":\"s0\"}} clear {\"by\":%[1]q,\"what\":{}}]", user, dot)
		if fmt.Sprint(got) != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	})
}

// What a message says of whose it is comes from the token, whatever the data hold.
func TestNobodyDrawsForAnother(t *testing.T) {
	ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
		srv := serve(t, p)
		page, user := enter(t, srv, "", ada)
		for _, data := range []string{
			`{"by":"` + user + `","what":` + dot + `}`, `{"by":"` + user + `",` + dot[1:],
		} {
			if status := publish(t, srv, bob, "stroke", data); status != http.StatusBadRequest {
				t.Errorf("%s: status %d", data, status)
			}
		}
		if status := publish(t, srv, bob, "stroke", dot); status != http.StatusOK {
			t.Fatalf("status %d", status)
		}
		if got := next(t, page, "stroke"); strings.Contains(got, user) {
			t.Errorf("%s is told as the stroke of %s", got, user)
		}
		if status := publish(t, srv, "X-Nothing: here", "stroke", dot); status != http.StatusUnauthorized {
			t.Errorf("without a token: status %d", status)
		}
		if status := publish(t, srv, "Authorization: Bearer short", "stroke", dot); status != http.StatusUnauthorized {
			t.Errorf("with a short token: status %d", status)
		}
	})
}

// What is not a shape of this board is refused, and nobody gets it.
func TestHostileShapesAreRefused(t *testing.T) {
	srv := serve(t, ssetest.HTTP1)
	page, _ := enter(t, srv, "", ada)
	long := "[" + strings.Repeat("1,", 2001) + "1]"
	shape := func(change string) string { // the last of two fields counts
		return dot[:len(dot)-1] + "," + change + "}"
	}
	live := func(change string) string { return `{"view":[0,0,9,9],"width":9,` + change + `}` }
	for _, row := range []struct{ typ, data string }{
		{"stroke", `"<img src=x onerror=alert(1)>"`}, {"stroke", `null`}, {"stroke", `[]`}, {"stroke", `{}`}, {"stroke", `1`},
		{"stroke", shape(`"points":[]`)}, {"stroke", shape(`"points":[1]`)}, {"stroke", shape(`"points":[1,2,3]`)},
		{"stroke", shape(`"points":[-1,2]`)}, {"stroke", shape(`"points":[4001,2]`)}, {"stroke", shape(`"points":[1,3001]`)},
		{"stroke", shape(`"points":[1.5,2]`)}, {"stroke", shape(`"points":[1e99,2]`)}, {"stroke", shape(`"points":["1",2]`)},
		{"stroke", shape(`"points":[[1,2]]`)}, {"stroke", shape(`"points":{"length":2}`)}, {"stroke", shape(`"points":` + long)},
		{"stroke", shape(`"width":0`)}, {"stroke", shape(`"width":121`)}, {"stroke", shape(`"width":"9"`)},
		{"stroke", shape(`"colour":-1`)}, {"stroke", shape(`"colour":9`)}, {"stroke", shape(`"colour":"red"`)},
		{"stroke", shape(`"id":""`)}, {"stroke", shape(`"id":"<b>"`)}, {"stroke", shape(`"id":"` + strings.Repeat("s", 41) + `"`)},
		{"stroke", shape(`"onload":"alert(1)"`)}, {"undo", `{}`}, {"undo", `{"id":"__proto__"}`}, {"clear", `{"by":"x"}`},
		{"live", `{}`}, {"live", live(`"at":[1]`)}, {"live", live(`"at":[-1,2]`)}, {"live", live(`"view":[0,0,0,0]`)},
		{"live", live(`"view":[0,0,9e9,9]`)}, {"live", live(`"stroke":{}`)}, {"live", live(`"stroke":{"id":"s","colour":1,"width":1,"points":[9999,1],"from":0}`)},
		{"live", live(`"stroke":{"id":"s","colour":1,"width":1,"points":[1,1],"from":-1}`)}, {"watch", `{"user":""}`}, {"watch", `{"user":"<b>"}`},
		{"", dot}, {"message", `"hello"`}, {"stentor.join", `{}`}, {"trigger.x", `1`},
	} {
		if status := publish(t, srv, ada, row.typ, row.data); status != http.StatusBadRequest {
			t.Errorf("%s %.80s: status %d, want 400", row.typ, row.data, status)
		}
	}
	for _, body := range []string{
		`{"all":true,"type":"stroke","data":` + dot + `}`, `{"channel":"room:a","user":"x","type":"stroke","data":` + dot + `}`,
		`{"channel":"other","type":"stroke","data":` + dot + `}`, `{"channel":"room:A","type":"stroke","data":` + dot + `}`, `{"channel":"room:","type":"stroke","data":` + dot + `}`,
	} {
		if status := post(t, srv, "/publish", body, ada); status != http.StatusForbidden {
			t.Errorf("%s: status %d, want 403", body, status)
		}
	}
	if status := post(t, srv, "/publish", `{"channel":"room:a","type":"stroke","data":`+strings.Repeat(" ", 40<<10)+dot+`}`, ada); status != http.StatusRequestEntityTooLarge {
		t.Errorf("a large body: status %d", status)
	}
	if status := publish(t, srv, ada, "stroke", dot); status != http.StatusOK {
		t.Fatalf("a good stroke: status %d", status)
	}
	for {
		e := page.Next(t)
		if e.Type == "stroke" {
			break
		}
		if !strings.HasPrefix(e.Type, "stentor.") {
			t.Errorf("%s %s was published", e.Type, e.Data)
		}
	}
	if a, _ := srv.Do(t, http.MethodGet, "/events?channel=other", ""); a.StatusCode != http.StatusNotFound {
		t.Errorf("another channel: status %d", a.StatusCode)
	}
}

// A change of name or colour is told to the room, as it can be shown.
func TestNamesAreTold(t *testing.T) {
	ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
		srv := serve(t, p)
		page, user := enter(t, srv, "&name=Ada&colour=3", ada)
		if got, want := next(t, page, "stentor.join"), `"meta":{"colour":"3","name":"Ada"}`; !strings.Contains(got, want) {
			t.Errorf("got %s, want %s in it", got, want)
		}
		for _, row := range []struct{ body, want string }{
			{`{"name":"Bea","colour":3}`, `"name":"Bea"`},
			{`{"name":"  A\u202e\u0007 <b>  \n","colour":3}`, `"name":"A <b>"`},
			{`{"name":"` + strings.Repeat("é", 99) + `","colour":3}`, `"name":"` + strings.Repeat("é", 24) + `"`},
			{`{"name":"","colour":3}`, `"name":"Somebody"`},
			{`{"name":"Somebody","colour":99}`, `"colour":"0"`},
		} {
			if status := post(t, srv, "/me", row.body, ada); status != http.StatusNoContent {
				t.Fatalf("%s: status %d", row.body, status)
			}
			got := next(t, page, "stentor.update")
			if got = strings.NewReplacer(`\u003c`, "<", `\u003e`, ">").Replace(got); !strings.Contains(got, row.want) || !strings.Contains(got, user) {
				t.Errorf("%s: got %s, want %s in it", row.body, got, row.want)
			}
		}
	})
}

// Who is watched is told, and nobody else.
func TestWatchedAloneIsTold(t *testing.T) {
	ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
		srv := serve(t, p)
		watched, user := enter(t, srv, "", ada)
		other, by := enter(t, srv, "", bob)
		if status := publish(t, srv, bob, "watch", `{"user":"`+user+`","on":true}`); status != http.StatusOK {
			t.Fatalf("status %d", status)
		}
		if got, want := next(t, watched, "watch"), fmt.Sprintf(`{"by":%q,"what":{"user":%q,"on":true}}`, by, user); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
		publish(t, srv, ada, "clear", "{}")
		for e := other.Next(t); e.Type != "clear"; e = other.Next(t) {
			if e.Type == "watch" {
				t.Errorf("another was told %s", e.Data)
			}
		}
	})
}

// One user can't publish faster than pages do by much; another isn't concerned; and after a moment it goes on.
func TestPace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := serve(t, ssetest.HTTP1)
		for n := range burst {
			if status := publish(t, srv, ada, "clear", "{}"); status != http.StatusOK {
				t.Fatalf("message %d: status %d", n+1, status)
			}
		}
		for _, row := range []struct {
			who  string
			want int
		}{{ada, http.StatusTooManyRequests}, {bob, http.StatusOK}} {
			if status := publish(t, srv, row.who, "clear", "{}"); status != row.want {
				t.Errorf("%s: status %d, want %d", row.who, status, row.want)
			}
		}
		time.Sleep(time.Second)
		for n := range perSecond {
			if status := publish(t, srv, ada, "clear", "{}"); status != http.StatusOK {
				t.Fatalf("a second later, message %d: status %d", n+1, status)
			}
		}
		if status := publish(t, srv, ada, "clear", "{}"); status != http.StatusTooManyRequests {
			t.Errorf("status %d, want 429", status)
		}
	})
}

// However many users come, so many are remembered; and one whose time has passed is forgotten.
func TestPaceIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &pace{users: map[string]*bucket{}}
		for n := range maxPaced {
			if !p.take(fmt.Sprint(n)) {
				t.Fatalf("user %d is refused", n)
			}
		}
		if p.take("one more") {
			t.Error("one more than the most is taken")
		}
		time.Sleep(time.Second)
		if !p.take("one more") {
			t.Error("a second later there is no room yet")
		}
		if n := len(p.users); n > 1 {
			t.Errorf("%d users are remembered", n)
		}
	})
}

// The page loads and runs its own files alone.
func TestPagesPolicy(t *testing.T) {
	ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
		srv := serve(t, p)
		for path, kind := range map[string]string{"/": "text/html", "/app.js": "text/javascript", "/style.css": "text/css", "/icon.svg": "image/svg+xml", "/stentor.js": "text/javascript"} {
			a, body := srv.Do(t, http.MethodGet, path, "")
			if a.StatusCode != http.StatusOK || body == "" || !strings.HasPrefix(a.Header.Get("Content-Type"), kind) {
				t.Errorf("%s: status %d, %s, %d bytes", path, a.StatusCode, a.Header.Get("Content-Type"), len(body))
			}
			if path == "/" && (!strings.Contains(a.Header.Get("Content-Security-Policy"), "default-src 'none'") || strings.Contains(body, "<script>")) {
				t.Error("the page has no policy, or a script within")
			}
		}
	})
}
