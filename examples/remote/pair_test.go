package main

import (
	"net/http"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/stentor-sse/stentor/ssetest"
)

const (
	pairCode = "abcdefghijklmnopqrstuvwxyz"
	left     = "0000000000000001"
	right    = "0000000000000002"
	third    = "0000000000000003"
)

// serve serves the whole program in memory.
func serve(t *testing.T, p ssetest.Protocol) *ssetest.Server {
	t.Helper()
	hub, err := newHub(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	mux, err := routes(hub)
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

func open(t *testing.T, srv *ssetest.Server, code, user string) *ssetest.Recorder {
	t.Helper()
	return srv.Open(t, "/events?channel="+code+"&user="+user)
}

// commands are what a window was told so far, but for the open event.
func commands(r *ssetest.Recorder) (all []string) {
	synctest.Wait()
	for _, e := range r.Events() {
		if !strings.HasPrefix(e.Type, "stentor.") {
			all = append(all, e.Type+" "+e.Data)
		}
	}
	return all
}

// A command reaches the other window of the pair, and that alone.
func TestCommandReachesTheOther(t *testing.T) {
	ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
		srv := serve(t, p)
		windows := []*ssetest.Recorder{open(t, srv, pairCode, left), open(t, srv, pairCode, right), open(t, srv, strings.Repeat("7", 26), right)}
		for _, c := range []struct{ typ, data string }{
			{"slides.next", "null"}, {"slides.go", "3"}, {"page.colour", `"teal"`}, {"page.caption", `{"text":"hello"}`}, {"page.scroll", "0.5"},
		} {
			body := `{"channel":"` + pairCode + `","user":"` + right + `","type":"` + c.typ + `","data":` + c.data + `}`
			if answer, why := srv.Do(t, "POST", "/publish", body, "Content-Type: application/json"); answer.StatusCode != http.StatusOK {
				t.Fatalf("%s: %s", c.typ, why)
			}
		}
		want := "slides.next null, slides.go 3, page.colour teal, page.caption {\"text\":\"hello\"}, page.scroll 0.5"
		for i, want := range []string{"", want, ""} {
			if got := strings.Join(commands(windows[i]), ", "); got != want {
				t.Errorf("window %d got %q, want %q", i, got, want)
			}
		}
		// One that was away gets what is kept: a movement is not.
		back := srv.Open(t, "/events?channel="+pairCode+"&user="+right+"&lastEventId=0")
		if got := strings.Join(commands(back), ", "); got != strings.TrimSuffix(want, ", page.scroll 0.5") {
			t.Errorf("who comes back got %q", got)
		}
	})
}

// A pair has two windows; one that is loaded again is no third.
func TestPairHasTwoWindows(t *testing.T) {
	ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
		srv := serve(t, p)
		first := open(t, srv, pairCode, left)
		for _, row := range []struct {
			user string
			want int
		}{{right, http.StatusOK}, {third, http.StatusConflict}, {right, http.StatusOK}, {left, http.StatusOK}} {
			if got := open(t, srv, pairCode, row.user).Response.StatusCode; got != row.want {
				t.Errorf("%s: status %d, want %d", row.user, got, row.want)
			}
		}
		first.Close()
	})
}

// What is no code is nobody's channel.
func TestCodeIsNeeded(t *testing.T) {
	ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
		srv := serve(t, p)
		for _, path := range []string{
			"/events?channel=home&user=" + left, "/events?channel=" + pairCode[1:] + "&user=" + left, "/events?channel=" + strings.ToUpper(pairCode) + "&user=" + left,
			"/events?channel=" + pairCode, "/events?channel=" + pairCode + "&user=me", "/presence?channel=home",
			"/events?channel=" + pairCode + "&channel=" + strings.Repeat("7", 26) + "&user=" + left,
		} {
			if got := srv.Open(t, path).Response.StatusCode; got != http.StatusBadRequest {
				t.Errorf("%s: status %d", path, got)
			}
		}
	})
}

func TestKnownCommands(t *testing.T) {
	for _, row := range []struct {
		typ, data string
		want      bool
	}{
		{"slides.next", "null", true}, {"slides.next", "1", false}, {"slides.next", "", false},
		{"slides.go", "1", true}, {"slides.go", "0", false}, {"slides.go", "1e9", false}, {"slides.go", "1.5", false}, {"slides.go", `1 2`, false},
		{"slides.toString", "null", false}, {"", "null", false}, {"page.location", `"/"`, false},
		{"page.scroll", "0.25", true}, {"page.scroll", "-1", false}, {"page.scroll", "2", false}, {"page.scroll", "NaN", false},
		{"page.colour", "plum", true}, {"page.colour", "red", false},
		{"page.caption", `{"text":"a"}`, true}, {"page.caption", `{"text":"a","html":"b"}`, false}, {"page.caption", `"a"`, false},
		{"page.caption", `{"text":"` + strings.Repeat("ö", maxText) + `"}`, true}, {"page.caption", `{"text":"` + strings.Repeat("ö", maxText+1) + `"}`, false},
		{"other.state", `{"slide":1,"colour":"teal"}`, true}, {"other.state", `{"slide":1,"colour":"x"}`, false}, {"other.state", `[]`, false},
	} {
		if got := known(row.typ, row.data); got != row.want {
			t.Errorf("%s %.60s: %t, want %t", row.typ, row.data, got, row.want)
		}
	}
}
