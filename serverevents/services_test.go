package serverevents_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stentor-sse/stentor"
	"github.com/stentor-sse/stentor/serverevents"
	"github.com/stentor-sse/stentor/ssetest"
)

const (
	formType = "Content-Type: application/x-www-form-urlencoded"
	jsonType = "Content-Type: application/json"
)

// S-15, S-16: TestSpellings sends what the shipped clients send, and what hands write.
func TestSpellings(t *testing.T) {
	ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
		s := newSite(t, p, nil, nil)
		for _, row := range []struct {
			body, contentType string
			want              string // the channels after it
		}{
			{`SubscribeChannels=B,C`, formType, "A,B,C"},
			{`subscribechannels=B%2CC`, formType, "A,B,C"},
			{`SubscribeChannels=B&SubscribeChannels=C`, formType, "A,B,C"},
			{`SUBSCRIBECHANNELS=%5BB,C%5D`, formType, "A,B,C"},
			{`SubscribeChannels=["B","C"]`, formType, "A,B,C"},
			{`SubscribeChannels=[ "B" , "C" ]`, "", "A,B,C"},
			{`SubscribeChannels=[]&UnsubscribeChannels=`, formType, "A"},
			{`SubscribeChannels=A,A`, formType, "A"},
			{`UnsubscribeChannels=A&SubscribeChannels=A`, formType, "A"},
			{`UnsubscribeChannels=A,Z`, formType, ""},
			{`{"subscribeChannels":["B","C"]}`, jsonType, "A,B,C"},
			{`{"SubscribeChannels":["B"],"subscribeChannels":["C"],"x":{"y":[1]}}`, jsonType + "; charset=utf-8", "A,B,C"},
			{`{"subscribeChannels":"B, C"}`, "", "A,B,C"},
			{`{"subscribeChannels":"[B,C]"}`, "Content-Type: text/plain", "A,B,C"},
			{`{"subscribeChannels":[7,true,null,""]}`, jsonType, "A,7,true"},
			{`{"subscribeChannels":[],"unsubscribeChannels":null}`, jsonType, "A"},
			{`{"subscribeChannels":["[B]"]}`, "Content-Type: bad/;;", "A,[B]"},
			{` {"unsubscribeChannels":["A"],"subscribeChannels":["B","A"]} `, formType, "B,A"},
			{``, jsonType, "A"},
			{`{}`, "Content-Type: application/vnd.x+json", "A"},
		} {
			st := s.open("/event-stream?channels=A")
			for _, path := range []string{"/event-subscribers/" + st.id(), "/api/UpdateEventSubscriber?id=" + st.id()} {
				sub := s.hub.Subscription(st.id())
				sub.Leave(t.Context(), sub.Channels()...)
				sub.Join(t.Context(), "A")
				s.want(200, "{}", "POST", path, row.body, header(row.contentType)...)
				if got := names(sub.Channels()); got != row.want {
					t.Errorf("%s: on %s, want %s", row.body, got, row.want)
				}
			}
			s.do("POST", st.connect()["unRegisterUrl"], "")
		}
	})
}

func names(channels []stentor.Channel) string {
	out := make([]string, len(channels))
	for i, ch := range channels {
		out[i] = string(ch)
	}
	return strings.Join(out, ",")
}

// S-14, S-16: the spellings of a list of channels.
func TestListSpellings(t *testing.T) {
	ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
		s := newSite(t, p, nil, nil)
		a := s.open("/event-stream?channels=A").frames()[1].json
		b := s.open("/event-stream?channels=B").frames()[1].json
		for _, row := range []struct{ method, query, body, want string }{
			{"GET", "?Channels=%5B%22A%22%2C%22B%22%5D", "", a + "," + b},
			{"GET", "?channels=A%2CB", "", a + "," + b},
			{"GET", "?channels=%5B%5D", "", a + "," + b}, // C# with no channels: all
			{"GET", "?channels=", "", a + "," + b},
			{"GET", "?channels=%5BB%5D", "", b},
			{"POST", "", `{"Channels":["A"]}`, a},
			{"POST", "", `channels=B`, b},
			{"POST", "?channel=A", `channels=B`, a + "," + b},
			{"GET", "?channels=nobody", "", ""},
		} {
			for _, path := range []string{"/event-subscribers", "/api/GetEventSubscribers", "/json/reply/GetEventSubscribers"} {
				s.want(200, "["+row.want+"]", row.method, path+row.query, row.body, jsonType+"x")
			}
		}
	})
}

// S-13, S-16: the spellings of an id.
func TestIDSpellings(t *testing.T) {
	ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
		s := newSite(t, p, nil, nil)
		for _, row := range []struct{ query, body, contentType string }{
			{"?id=%s", "", ""}, {"?Id=%s", "", ""}, {"", "id=%s", formType}, {"", "ID=%s", ""},
			{"", `{"id":"%s"}`, jsonType}, {"?id=", `{"Id":"%s"}`, ""}, {"?id=%s", "id=other", formType},
		} {
			st := s.open("/event-stream?channels=A")
			query, body := strings.Replace(row.query, "%s", st.id(), 1), strings.Replace(row.body, "%s", st.id(), 1)
			s.want(200, st.frames()[1].json, "POST", "/event-unregister"+query, body, header(row.contentType)...)
		}
	})
}

func header(h string) []string {
	if h == "" {
		return nil
	}
	return []string{h}
}

// S-15, S-17: TestMalformedRequests are answered with what to change, and change nothing.
func TestMalformedRequests(t *testing.T) {
	ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
		s := newSite(t, p, &stentor.Options{MaxChannels: 3}, nil)
		st := s.open("/event-stream?channels=A")
		many := strings.Repeat("x,", 40_000)
		for _, row := range []struct {
			body, contentType string
			status            int
			code              string
		}{
			{`{"subscribeChannels":["B"]`, jsonType, 400, "BadRequest"},
			{`["B"]`, jsonType, 400, "BadRequest"},
			{`{"subscribeChannels":{"B":1}}`, jsonType, 400, "BadRequest"},
			{`{"subscribeChannels":[["B"]]}`, jsonType, 400, "BadRequest"},
			{`{"subscribeChannels":["B"]} {}`, jsonType, 400, "BadRequest"},
			{"{\"subscribeChannels\":[\"\xff\"]}", jsonType, 400, "BadRequest"},
			{`subscribeChannels=%ff`, formType, 400, "BadRequest"},
			{`subscribeChannels=%zz`, formType, 400, "BadRequest"},
			{`{"subscribeChannels":["B","a b"],"unsubscribeChannels":["A"]}`, jsonType, 400, "BadRequest"},
			{`{"subscribeChannels":["B,C"]}`, jsonType, 400, "BadRequest"},
			{`{"subscribeChannels":["B"],"unsubscribeChannels":["a@b"]}`, jsonType, 400, "BadRequest"},
			{`{"subscribeChannels":["\n"],"unsubscribeChannels":["A\u0001"]}`, jsonType, 400, "BadRequest"},
			{`{"subscribeChannels":["B","C","D","E"],"unsubscribeChannels":["A"]}`, jsonType, 413, "RequestEntityTooLarge"},
			{"subscribeChannels=" + many, formType, 413, "RequestEntityTooLarge"},
			{"--x\r\n\r\n--x--", "Content-Type: multipart/form-data; boundary=x", 415, "UnsupportedMediaType"},
		} {
			status, text, _ := s.do("POST", "/event-subscribers/"+st.id(), row.body, row.contentType)
			if status != row.status || !strings.HasPrefix(text, `{"responseStatus":{"errorCode":"`+row.code+`","message":"`) {
				t.Errorf("%.80q: %d %s", row.body, status, text)
			}
			if got := names(s.hub.Subscription(st.id()).Channels()); got != "A" {
				t.Fatalf("%.80q: now on %s", row.body, got)
			}
		}
		if st.ended() {
			t.Error("the stream ended")
		}
		if got := s.hub.Members("B", "C", "a b"); len(got) != 0 {
			t.Errorf("members %v", got)
		}
		pass(time.Second) // net/http waits so long before it closes on a body that was too large
	})
}

// S-11: the channels of a subscription are bounded.
func TestTooManyChannels(t *testing.T) {
	ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
		s := newSite(t, p, &stentor.Options{MaxChannels: 3}, nil)
		if status, text, _ := s.do("GET", "/event-stream?channels=A,B,C,D", ""); status != 413 || !strings.Contains(text, "at most 3") {
			t.Errorf("%d %s", status, text)
		}
		if s.hub.Stats().Subscribed != 0 {
			t.Error("registered")
		}
	})
}

// S-15: an update of a subscription whose reader is gone is a 404, so that the client
// connects again.
func TestUpdateOfTheGone(t *testing.T) {
	ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
		s := newSite(t, p, nil, nil)
		st := s.open("/event-stream?channels=A")
		st.hangUp()
		want := envelope("NotFound", "Subscription "+st.id()+" does not exist")
		s.want(404, want, "POST", "/event-subscribers/"+st.id(), "SubscribeChannels=B", formType)
	})
}

// S-05, S-15: joining nothing new is no update.
func TestNoChangeIsNotTold(t *testing.T) {
	ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
		s := newSite(t, p, nil, nil)
		st := s.open("/event-stream?channels=A")
		for _, body := range []string{"SubscribeChannels=A", "UnsubscribeChannels=B", "SubscribeChannels=", ""} {
			s.want(200, "{}", "POST", "/event-subscribers/"+st.id(), body, formType)
		}
		st.expect(2)
	})
}

// S-18: a page of another site can neither end nor change anything, whatever it knows.
func TestForeignPages(t *testing.T) {
	ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
		s := newSite(t, p, nil, nil)
		st := s.open("/event-stream?channels=A")
		for _, path := range []string{"/event-unregister?id=", "/event-subscribers/", "/api/UpdateEventSubscriber?id=", "/api/UnRegisterEventSubscriber?id="} {
			s.want(403, envelope("Forbidden", "a page of another origin may not change anything here; add its origin to the allowed ones"),
				"POST", path+st.id(), "SubscribeChannels=B", "Origin: https://evil.example", "Sec-Fetch-Site: cross-site", formType)
		}
		st.expect(2)
		// What a browser's beacon sends as the page closes.
		s.want(200, st.frames()[1].json, "POST", st.connect()["unRegisterUrl"], "", "Origin: "+s.srv.URL, "Sec-Fetch-Site: same-origin")
	})
}

// FuzzBind sends any body to a live subscription: it is changed as asked or not at all.
func FuzzBind(f *testing.F) {
	for _, body := range []string{
		"", "{}", "[]", `{"subscribeChannels":["B"]}`, `{"SubscribeChannels":"[a,b]","unsubscribeChannels":"A"}`, "SubscribeChannels=a,b&x",
		`{"id":{}}`, `{"subscribeChannels":[[]]}`, "unsubscribeChannels=%5B%22A%22%5D", "\xff", `{"unsubscribechannels":"[\"A\",]"}`,
	} {
		f.Add(body, "application/json")
		f.Add(body, "")
	}
	hub := newHub(f, nil)
	face := serverevents.New(hub, nil)
	f.Fuzz(func(t *testing.T, body, contentType string) {
		sub, err := hub.Subscribe(t.Context(), &stentor.SubscribeOptions{Channels: []stentor.Channel{"A"}})
		if err != nil {
			t.Fatal(err)
		}
		defer sub.Close(nil)
		r := httptest.NewRequest(http.MethodPost, "/event-subscribers/"+url.PathEscape(sub.ID()), strings.NewReader(body))
		r.Header.Set("Content-Type", contentType)
		w := httptest.NewRecorder()
		face.ServeHTTP(w, r)
		after := sub.Channels()
		switch {
		case w.Code == http.StatusOK:
			for _, ch := range after {
				if err := ch.Validate(); err != nil {
					t.Errorf("on a channel that is none: %v", err)
				}
			}
			if strings.TrimSpace(w.Body.String()) != "{}" {
				t.Errorf("answered %s", w.Body)
			}
		case w.Code < 400 || w.Code >= 500:
			t.Errorf("answered %d %s", w.Code, w.Body)
		case !slices.Equal(after, []stentor.Channel{"A"}):
			t.Errorf("%d, but now on %v", w.Code, after)
		}
	})
}
