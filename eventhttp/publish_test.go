package eventhttp_test

import (
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/stentor-sse/stentor"
	"github.com/stentor-sse/stentor/sse"
	"github.com/stentor-sse/stentor/ssetest"
)

const (
	formType  = "Content-Type: application/x-www-form-urlencoded"
	batchType = "Content-Type: application/x-ndjson"
)

func TestPublish(t *testing.T) {
	rows := []struct {
		name, contentType, body string
		want                    sse.Event
	}{
		{"text", jsonType, `{"channel":"a","data":"hello"}`, sse.Event{Data: "hello"}},
		{"typed", jsonType, `{"channel":"a","type":"greet","data":"x"}`, sse.Event{Type: "greet", Data: "x"}},
		{"text of several lines", jsonType, `{"channel":"a","data":"a\r\nb\n\nc "}`, sse.Event{Data: "a\nb\n\nc "}},
		{"text is not markup", jsonType, `{"channel":"a","data":"<b>&\u2028 🎉 \ud83c\udf89"}`, sse.Event{Data: "<b>&\u2028 🎉 🎉"}},
		{"text with a NUL", jsonType, `{"channel":"a","data":"a\u0000b"}`, sse.Event{Data: "a\x00b"}},
		{"forged field", jsonType, `{"channel":"a","data":"x\nid: 1\nevent: stentor.open\n\ndata: y"}`,
			sse.Event{Data: "x\nid: 1\nevent: stentor.open\n\ndata: y"}},
		{"object", jsonType, `{"channel":"a","data":{"n": 12345678901234567890, "s": "é\u00e9"}}`,
			sse.Event{Data: `{"n":12345678901234567890,"s":"é\u00e9"}`}},
		{"list over lines", jsonType, "{\"channel\":\"a\",\"data\":[1,\n2]}", sse.Event{Data: "[1,2]"}},
		{"null", jsonType, `{"channel":"a","data":null}`, sse.Event{Data: "null"}},
		{"number", jsonType, `{"channel":"a","data":1.50}`, sse.Event{Data: "1.50"}},
		{"no data", jsonType, `{"channel":"a","type":"poke"}`, sse.Event{Type: "poke"}},
		{"empty text", jsonType, `{"channel":"a","data":""}`, sse.Event{}},
		{"user", jsonType, `{"user":"anna","data":"x"}`, sse.Event{Data: "x"}},
		{"session", jsonType, `{"session":"s1","data":"x"}`, sse.Event{Data: "x"}},
		{"key", jsonType, `{"key":"k1","data":"x"}`, sse.Event{Data: "x"}},
		{"everyone", jsonType, `{"all":true,"data":"x"}`, sse.Event{Data: "x"}},
		{"user on a channel", jsonType, `{"user":"anna","channel":"a","all":false,"data":"x"}`, sse.Event{Data: "x"}},
		{"charset", jsonType + "; charset=UTF-8", `{"channel":"a","data":"é"}`, sse.Event{Data: "é"}},
		{"form", formType, "channel=a&type=t&data=a+b%26%0Ac", sse.Event{Type: "t", Data: "a b&\nc"}},
		{"form without data", formType, "channel=a", sse.Event{}},
		{"form to everyone", formType, "all=true&data=x", sse.Event{Data: "x"}},
		{"form with JSON as text", formType, `channel=a&data={"n":1}`, sse.Event{Data: `{"n":1}`}},
		{"batch of one", batchType, `{"channel":"a","data":"x"}`, sse.Event{Data: "x"}},
	}
	ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
		_, srv := serve(t, p, nil, open())
		s := srv.Open(t, "/events?channel=a&user=anna&session=s1&key=k1")
		opened(t, s)
		other := srv.Open(t, "/events?channel=z&user=bert")
		opened(t, other)
		for _, row := range rows {
			resp, body := srv.Do(t, "POST", "/publish", row.body, row.contentType)
			if resp.StatusCode != 200 {
				t.Errorf("%s: %d %s", row.name, resp.StatusCode, body)
				continue
			}
			e := s.Next(t)
			matched := "1"
			if strings.Contains(row.name, "everyone") {
				matched = "2"
			}
			if wanted := `{"id":"` + e.ID + `","matched":` + matched + "}\n"; body != wanted {
				t.Errorf("%s: answer %q, want %q", row.name, body, wanted)
			}
			if e.ID == "" {
				t.Errorf("%s: no id", row.name)
			}
			e.ID = ""
			if e != row.want {
				t.Errorf("%s: got %+v, want %+v", row.name, e, row.want)
			}
		}
		synctest.Wait()
		for _, e := range other.Events() {
			if e.Data != "x" && e.Type != "stentor.open" {
				t.Errorf("another user on another channel got %+v", e)
			}
		}
	})
}

func TestPublishToOneSubscription(t *testing.T) {
	ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
		hub, srv := serve(t, p, nil, open())
		s := srv.Open(t, "/events?channel=a")
		id := opened(t, s)
		resp, body := srv.Do(t, "POST", "/publish", `{"subscription":"`+id+`","data":"x"}`, jsonType)
		if e := s.Next(t); resp.StatusCode != 200 || e.Data != "x" {
			t.Errorf("%d %s, got %+v", resp.StatusCode, body, e)
		}
		resp, body = srv.Do(t, "POST", "/publish", `{"subscription":"nobody","data":"x"}`, jsonType)
		refused(t, resp, body, 404, "subscription")
		if n := hub.Stats().Published; n != 1 {
			t.Errorf("%d messages published, want 1", n)
		}
	})
}

func TestPublishEphemeral(t *testing.T) {
	ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
		_, srv := serve(t, p, nil, open())
		s := srv.Open(t, "/events?channel=a")
		opened(t, s)
		for _, send := range [][2]string{
			{jsonType, `{"channel":"a","ephemeral":true,"data":"x"}`},
			{formType, "channel=a&ephemeral=1&data=x"},
		} {
			_, body := srv.Do(t, "POST", "/publish", send[1], send[0])
			if body != `{"matched":1}`+"\n" {
				t.Errorf("answer %q, want no id", body)
			}
			want(t, s, sse.Event{Data: "x"})
		}
	})
}

// What is refused leaves no trace.
func TestPublishRefuses(t *testing.T) {
	rows := []struct {
		name, contentType, body string
		status                  int
		detail                  string
	}{
		{"empty body", jsonType, ``, 400, "line 1, column 1"},
		{"malformed", jsonType, "{\"channel\":\"a\",\n \"data\":tru}", 400, "line 2, column 12"},
		{"cut short", jsonType, `{"channel":"a"`, 400, "column 14"},
		{"something after it", jsonType, `{"channel":"a"} {"channel":"b"}`, 400, "after top-level value"},
		{"a list", jsonType, `[{"channel":"a"}]`, 400, "not an object"},
		{"null", jsonType, `null`, 400, "not an object"},
		{"repeated field", jsonType, `{"channel":"a","channel":"b"}`, 400, `"channel" is there twice`},
		{"repeated in disguise", jsonType, `{"channel":"a","ch\u0061nnel":"b"}`, 400, `"channel" is there twice`},
		{"unknown field", jsonType, `{"channel":"a","chanel":"b"}`, 400, `"chanel"`},
		{"other case", jsonType, `{"Channel":"a"}`, 400, `"Channel"`},
		{"no target", jsonType, `{"data":"x"}`, 400, "target"},
		{"all is false", jsonType, `{"all":false,"data":"x"}`, 400, "target"},
		{"empty user", jsonType, `{"channel":"a","user":""}`, 400, "user: it is empty"},
		{"channel is a number", jsonType, `{"channel":7}`, 400, "channel: write a string"},
		{"channel is null", jsonType, `{"channel":null}`, 400, "channel: write a string"},
		{"all is a string", jsonType, `{"all":"true"}`, 400, "all: write true or false"},
		{"all is null", jsonType, `{"all":null,"channel":"a"}`, 400, "all: write true or false"},
		{"comma in the channel", jsonType, `{"channel":"a,b"}`, 400, "leave out"},
		{"reserved channel", jsonType, `{"channel":"\u0001a"}`, 400, "control character"},
		{"long channel", jsonType, `{"channel":"` + strings.Repeat("x", 256) + `"}`, 400, "255"},
		{"line break in the type", jsonType, `{"channel":"a","type":"x\nid: 7"}`, 400, "type"},
		{"space in the type", jsonType, `{"channel":"a","type":"x y"}`, 400, "type"},
		{"reserved type", jsonType, `{"channel":"a","type":"stentor.open"}`, 400, "reserved"},
		{"long type", jsonType, `{"channel":"a","type":"` + strings.Repeat("x", 129) + `"}`, 400, "128"},
		{"not UTF-8", jsonType, "{\"channel\":\"a\",\"data\":\"\xff\"}", 400, "not UTF-8 at line 1, column 24"},
		{"half a surrogate pair", jsonType, `{"channel":"a","data":"\ud83c!"}`, 400, "surrogate"},
		{"the other half", jsonType, `{"channel":"a","data":"\udf89"}`, 400, "surrogate"},
		{"two first halves", jsonType, `{"channel":"a","data":"\ud83c\ud83c"}`, 400, "surrogate"},
		{"too much data", jsonType, `{"channel":"a","data":"` + strings.Repeat("x", 65537) + `"}`, 413, "65536"},
		{"too much body", jsonType, `{"channel":"a","data":"` + strings.Repeat("x", 1<<20) + `"}`, 413, "1048576 bytes"},
		{"deep nesting", jsonType, `{"channel":"a","data":` + strings.Repeat("[", 100_000), 400, "JSON"},
		{"form: unknown field", formType, "channel=a&chanel=b", 400, `"chanel"`},
		{"form: JSON by mistake", formType, `{"channel":"a"}`, 400, "application/json"},
		{"form: repeated", formType, "channel=a&channel=b", 400, "channel: give it once"},
		{"form: empty channel", formType, "channel=", 400, "channel: it is empty"},
		{"form: not UTF-8", formType, "channel=a&data=%ff", 400, "data: send UTF-8"},
		{"form: broken escape", formType, "channel=a&data=%zz", 400, "form"},
		{"form: all", formType, "all=perhaps", 400, "true or false"},
		{"form: nothing", formType, "", 400, "target"},
		{"text", "Content-Type: text/plain", `{"channel":"a"}`, 415, "application/json"},
		{"no type", "X-Nothing: 1", `{"channel":"a"}`, 415, "application/json"},
		{"multipart", "Content-Type: multipart/form-data; boundary=x", "--x--", 415, "application/json"},
		{"other charset", jsonType + "; charset=latin1", `{"channel":"a"}`, 415, "UTF-8"},
		{"malformed type", "Content-Type: a/b; =", `{"channel":"a"}`, 415, "application/json"},
	}
	ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
		hub, srv := serve(t, p, nil, open())
		s := srv.Open(t, "/events?channel=a")
		opened(t, s)
		for _, row := range rows {
			resp, body := srv.Do(t, "POST", "/publish", row.body, row.contentType)
			refused(t, resp, body, row.status, row.detail)
			if t.Failed() {
				t.Fatalf("in row %q", row.name)
			}
		}
		resp, body := srv.Do(t, "POST", "/publish", `{"channel":"a"}`, jsonType, "Content-Encoding: gzip")
		refused(t, resp, body, 415, "Content-Encoding")
		if n := hub.Stats().Published; n != 0 {
			t.Errorf("%d messages published", n)
		}
		at := publish(t, hub, to("a", "nothing lost"))
		want(t, s, sse.Event{ID: at.String(), Data: "nothing lost"})
	})
}

func TestPublishHookDecides(t *testing.T) {
	o := open()
	o.Publish = func(r *http.Request, m *stentor.Message) error {
		if m.Target.Channel == "secret" {
			return &stentor.Refusal{Status: 403, Detail: "not on this channel"}
		}
		m.Type = "said"
		return nil
	}
	ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
		hub, srv := serve(t, p, nil, o)
		s := srv.Open(t, "/events?channel=a")
		opened(t, s)
		resp, body := srv.Do(t, "POST", "/publish", `{"channel":"secret"}`, jsonType)
		refused(t, resp, body, 403, "not on this channel")
		resp, body = srv.Do(t, "POST", "/publish", `{"channel":"a"}`+"\n"+`{"channel":"secret"}`, batchType)
		refused(t, resp, body, 403, "line 2: not on this channel")
		if n := hub.Stats().Published; n != 0 {
			t.Errorf("%d messages published", n)
		}
		srv.Do(t, "POST", "/publish", `{"channel":"a","data":"x"}`, jsonType)
		if e := s.Next(t); e.Type != "said" || e.Data != "x" {
			t.Errorf("got %+v", e)
		}
	})
}

func TestBodyBound(t *testing.T) {
	o := open()
	o.MaxBody = 30
	ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
		_, srv := serve(t, p, nil, o)
		const head = `{"channel":"a","data":"`
		for size, status := range map[int]int{29: 200, 30: 200, 31: 413} {
			body := head + strings.Repeat("x", size-len(head)-2) + `"}`
			if resp, got := srv.Do(t, "POST", "/publish", body, jsonType); resp.StatusCode != status {
				t.Errorf("%d bytes: %d %s, want %d", size, resp.StatusCode, got, status)
			}
		}
	})
}

func TestBatch(t *testing.T) {
	ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
		hub, srv := serve(t, p, nil, open())
		s := srv.Open(t, "/events?channel=a")
		opened(t, s)
		resp, body := srv.Do(t, "POST", "/publish",
			`{"channel":"a","data":"one"}`+"\r\n\n"+`{"channel":"b","data":"two"}`+"\n"+
				`{"channel":"a","ephemeral":true,"data":"three"}`+"\n", batchType)
		if resp.StatusCode != 200 || resp.Header.Get("Content-Type") != "application/x-ndjson" {
			t.Fatalf("%d %s %s", resp.StatusCode, resp.Header.Get("Content-Type"), body)
		}
		one := s.Next(t)
		lines := strings.Split(body, "\n")
		if len(lines) != 4 || lines[0] != `{"id":"`+one.ID+`","matched":1}` ||
			!strings.HasSuffix(lines[1], `"matched":0}`) || lines[2] != `{"matched":1}` || lines[3] != "" {
			t.Errorf("answer %q", body)
		}
		if one.Data != "one" {
			t.Errorf("got %+v", one)
		}
		want(t, s, sse.Event{Data: "three"})

		// One bad line, and nothing of the batch happens.
		for bad, detail := range map[string]string{
			`{"channel":"a"`:         "line 3: invalid JSON at line 1, column 14",
			`{"channel":"a,b"}`:      "line 3: invalid channel",
			`{"chanel":"a"}`:         "line 3: invalid field",
			"{\"channel\":\"\xff\"}": "line 3: invalid JSON: not UTF-8",
		} {
			resp, body := srv.Do(t, "POST", "/publish", `{"channel":"a"}`+"\n\n"+bad+"\n"+`{"channel":"a"}`, batchType)
			refused(t, resp, body, 400, detail)
		}
		resp, body = srv.Do(t, "POST", "/publish", "\n\n", batchType)
		refused(t, resp, body, 400, "empty")
		resp, body = srv.Do(t, "POST", "/publish", strings.Repeat(`{"channel":"q"}`+"\n", 1001), batchType)
		refused(t, resp, body, 413, "1000")
		if n := hub.Stats().Published; n != 3 {
			t.Errorf("%d messages published, want the 3 of the good batch", n)
		}
		resp, body = srv.Do(t, "POST", "/publish", strings.Repeat(`{"channel":"q"}`+"\n", 1000), batchType)
		if n := strings.Count(body, "\n"); resp.StatusCode != 200 || n != 1000 {
			t.Errorf("1,000 lines: %d, %d lines answered", resp.StatusCode, n)
		}
	})
}

// Where several hubs share a log, nobody can count whom a message reaches.
func TestMatchedIsLeftOutWhereNobodyCanCount(t *testing.T) {
	ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
		broker := stentor.NewMemoryBroker(nil)
		newHub(t, &stentor.Options{Broker: broker})
		_, srv := serve(t, p, &stentor.Options{Broker: broker}, open())
		s := srv.Open(t, "/events?channel=a")
		opened(t, s)
		_, body := srv.Do(t, "POST", "/publish", `{"channel":"a","data":"x"}`, jsonType)
		if e := s.Next(t); body != `{"id":"`+e.ID+`"}`+"\n" {
			t.Errorf("answer %s for %+v", body, e)
		}
	})
}

// What only the hub can refuse refuses the batch as a whole, too.
func TestBatchLineThatTheHubRefuses(t *testing.T) {
	ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
		hub, srv := serve(t, p, nil, open())
		good := `{"channel":"a","data":"x"}` + "\n"
		for line, status := range map[string]int{
			`{"channel":"a","data":"` + strings.Repeat("x", 65537) + `"}`: 413,
			`{"channel":"a","type":"stentor.open"}`:                       400,
			`{"data":"for nobody"}`:                                       400,
			`{"subscription":"nobody"}`:                                   404,
		} {
			resp, body := srv.Do(t, "POST", "/publish", good+line+"\n"+good, batchType)
			refused(t, resp, body, status, "line 2: ")
		}
		if n := hub.Stats().Published; n != 0 {
			t.Errorf("%d messages of refused batches were published", n)
		}
		if err := hub.Shutdown(t.Context()); err != nil {
			t.Fatal(err)
		}
		resp, body := srv.Do(t, "POST", "/publish", good+good, batchType)
		refused(t, resp, body, 503, "try again")
	})
}

// A body that never ends does not hold a handler for ever.
func TestSlowBody(t *testing.T) {
	ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
		hub, srv := serve(t, p, nil, open())
		body, feed := io.Pipe()
		go io.WriteString(feed, `{"channel":`)
		r, err := http.NewRequestWithContext(t.Context(), "POST", srv.URL+"/publish", body)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Content-Type", "application/json")
		resp, err := srv.Client.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		feed.Close()
		refused(t, resp, string(text), 408, "30 s")
		if n := hub.Stats().Published; n != 0 {
			t.Errorf("%d messages published", n)
		}
		sleep(1)
	})
}

// Publishing over HTTP and reading over HTTP keep the order.
func TestOrderOverHTTP(t *testing.T) {
	ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
		_, srv := serve(t, p, nil, open())
		s := srv.Open(t, "/events?channel=a")
		opened(t, s)
		for i := range 100 {
			body := url.Values{"channel": {"a"}, "data": {strconv.Itoa(i)}}.Encode()
			if resp, got := srv.Do(t, "POST", "/publish", body, formType); resp.StatusCode != 200 {
				t.Fatalf("%d %s", resp.StatusCode, got)
			}
		}
		last := 0
		for i := range 100 {
			e := s.Next(t)
			at, _ := strconv.Atoi(e.ID)
			if e.Data != strconv.Itoa(i) || at <= last {
				t.Fatalf("event %d is %+v after position %d", i, e, last)
			}
			last = at
		}
	})
}
