package serverevents_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"reflect"
	"strings"
	"testing"

	"github.com/stentor-sse/stentor"
	"github.com/stentor-sse/stentor/serverevents"
	"github.com/stentor-sse/stentor/ssetest"
)

// FuzzFrames publishes anything: the hub refuses it, or a strict client reads one message
// that says the same.
func FuzzFrames(f *testing.F) {
	for _, data := range []string{"", "x", "é\n\r\u2028\x00\"\\", "null", `{"a":[1,2.50,"é"]}`, "\n\nid: 1\ndata: cmd.x 1\n\n", "\xff"} {
		f.Add("A", "chat", data, true, false)
		f.Add("ü", "tv.watch", data, false, true)
	}
	f.Add("a b", "", "", false, false)
	f.Add("A", "x$#y%20z", "", true, false)
	f.Add("A", ".", "", true, false)
	f.Add("A", "onConnect$", "{}", true, false)
	hub := newHub(f, nil)
	srv := ssetest.NewServer(f, ssetest.HTTP1, serverevents.New(hub, nil))
	res, err := srv.Client.Get(srv.URL + "/event-stream?channels=A")
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { res.Body.Close() })
	if _, err := until(res, "A@cmd.onJoin "); err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, channel, typ, data string, isJSON, ephemeral bool) {
		m := stentor.Message{Target: on(stentor.Channel(channel)), Type: typ, Data: data, JSON: isJSON, Ephemeral: ephemeral}
		if channel != "A" { // its one reader is to hear it all the same
			m.Target.All, m.Target.Channel = true, ""
		}
		if _, err := hub.Publish(t.Context(), m); err != nil {
			if !errors.Is(err, stentor.ErrInvalid) && !errors.Is(err, stentor.ErrTooLarge) {
				t.Errorf("%+v: %v", m, err)
			}
			return
		}
		if _, err := hub.Publish(t.Context(), stentor.Message{Target: stentor.Target{All: true}, Type: "fuzz.end"}); err != nil {
			t.Fatal(err)
		}
		raw, err := until(res, "data: fuzz.end ")
		if err != nil {
			t.Fatal(err)
		}
		var c strict
		if err := c.read([]byte(raw)); err != nil {
			t.Fatalf("%+v: %v in %q", m, err, raw)
		}
		switch got := c.got; {
		case len(got) == 1 && strings.HasPrefix(serverevents.Selector(typ), "cmd.on"): // the server's own, not shown
		case len(got) != 2:
			t.Errorf("%+v: %d messages in %q", m, len(got)-1, raw)
		case got[0].selector != serverevents.Selector(typ) || (got[0].id == 0) != ephemeral || !says(got[0].json, data, isJSON):
			t.Errorf("%+v: heard as %+v", m, got[0])
		}
	})
}

// until reads whole frames up to the one that holds the text.
func until(res *http.Response, text string) (string, error) {
	var raw strings.Builder
	b := make([]byte, 4096)
	for {
		n, err := res.Body.Read(b)
		raw.Write(b[:n])
		if s := raw.String(); strings.Contains(s, text) && strings.HasSuffix(s, "\n\n") || err != nil {
			return s, err
		}
	}
}

// says reports whether a body is what was published.
func says(body, data string, isJSON bool) bool {
	if !isJSON {
		var s string
		return json.Unmarshal([]byte(body), &s) == nil && s == data
	}
	if body == "" {
		body = "null"
	}
	if data == "" {
		data = "null"
	}
	var got, want any
	return json.Unmarshal([]byte(body), &got) == nil && json.Unmarshal([]byte(data), &want) == nil && reflect.DeepEqual(got, want)
}
