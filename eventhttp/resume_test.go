package eventhttp_test

import (
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stentor-sse/stentor"
	"github.com/stentor-sse/stentor/sse"
	"github.com/stentor-sse/stentor/ssetest"
)

// sleep lets seconds of the bubble's time pass, and what they bring happen.
func sleep(seconds int) {
	time.Sleep(time.Duration(seconds) * time.Second)
	synctest.Wait()
}

func TestResume(t *testing.T) {
	ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
		hub, srv := serve(t, p, nil, nil)
		one := publish(t, hub, to("a", "one")).String()
		two := publish(t, hub, to("a", "two")).String()
		publish(t, hub, to("b", "not for us"))
		three := publish(t, hub, to("a", "three")).String()
		for _, row := range []struct{ query, header string }{
			{"", two},
			{"&lastEventId=" + two, ""},
			{"&last_event_id=" + two, ""},
			{"&Last-Event-ID=" + two, ""},
			{"&lastEventId=" + one, two}, // the header wins: the query is from the first request
			{"&lastEventId=&last_event_id=" + two, ""},
		} {
			var header []string
			if row.header != "" {
				header = append(header, "Last-Event-ID: "+row.header)
			}
			s := srv.Open(t, "/events?channel=a"+row.query, header...)
			if e := s.Next(t); e.Type != "stentor.open" || e.ID != two {
				t.Errorf("%+v: first event %+v, want stentor.open at the presented cursor %s", row, e, two)
			}
			want(t, s, sse.Event{ID: three, Data: "three"})
			s.Close()
		}
		s := srv.Open(t, "/events?channel=a&lastEventId=0")
		opened(t, s)
		for _, e := range []sse.Event{{ID: one, Data: "one"}, {ID: two, Data: "two"}, {ID: three, Data: "three"}} {
			want(t, s, e)
		}
		live := publish(t, hub, to("a", "live")).String()
		want(t, s, sse.Event{ID: live, Data: "live"})
	})
}

// A reader that drops before its first message loses nothing: the open event is a
// cursor.
func TestOpenEventIsACursor(t *testing.T) {
	ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
		hub, srv := serve(t, p, nil, nil)
		publish(t, hub, to("a", "before"))
		s := srv.Open(t, "/events?channel=a")
		opened(t, s)
		cursor := s.LastEventID()
		s.Close()
		at := publish(t, hub, to("a", "meanwhile"))
		s = srv.Open(t, "/events?channel=a", "Last-Event-ID: "+cursor)
		opened(t, s)
		want(t, s, sse.Event{ID: at.String(), Data: "meanwhile"})
	})
}

func TestCursorIsNeverAnError(t *testing.T) {
	rows := []struct{ name, cursor, reason, after string }{
		{"a word", "abc", "unknown", ""},
		{"negative", "-1", "unknown", ""},
		{"a fraction", "1.5", "unknown", ""},
		{"beyond 2^53", "99999999999999999999", "unknown", ""},
		{"another server's", "urn:uuid:5e94c686-2c0b-4f9b-958c-92ccc3bbb4eb", "unknown", ""},
		{"hostile", "1\",\"x\":\"", "unknown", ""},
		{"huge", strings.Repeat("9", 5000), "unknown", ""},
		{"not UTF-8", "\xff\xfe", "unknown", ""},
		{"ahead", "9007199254740991", "ahead", "9007199254740991"},
	}
	ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
		hub, srv := serve(t, p, nil, nil)
		publish(t, hub, to("a", "old"))
		for _, row := range rows {
			s := srv.Open(t, "/events?channel=a&lastEventId="+url.QueryEscape(row.cursor))
			if s.Response.StatusCode != 200 {
				t.Fatalf("%s: status %d", row.name, s.Response.StatusCode)
			}
			opened(t, s)
			e := s.Next(t)
			wanted := `{"reason":"` + row.reason + `","after":"` + row.after + `","oldest":""}`
			if e.Type != "stentor.gap" || e.Data != wanted || e.ID == "" {
				t.Errorf("%s: got %+v, want a gap %s with an id", row.name, e, wanted)
			}
			at := publish(t, hub, to("a", "live"))
			want(t, s, sse.Event{ID: at.String(), Data: "live"})
			s.Close()
		}
		s := srv.Open(t, "/events?channel=a&lastEventId=%zz")
		opened(t, s)
		if e := s.Next(t); e.Type != "stentor.gap" {
			t.Errorf("a broken escape: got %+v, want a gap", e)
		}
	})
}

func TestGapThenWhatIsKept(t *testing.T) {
	ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
		broker := stentor.NewMemoryBroker(&stentor.MemoryOptions{Size: 2})
		hub, srv := serve(t, p, &stentor.Options{Broker: broker}, nil)
		var at []stentor.Position
		for _, data := range []string{"one", "two", "three", "four"} {
			at = append(at, publish(t, hub, to("a", data)))
		}
		s := srv.Open(t, "/events?channel=a", "Last-Event-ID: "+at[0].String())
		opened(t, s)
		e := s.Next(t)
		wanted := `{"reason":"expired","after":"` + at[0].String() + `","oldest":"` + at[2].String() + `"}`
		if e.Type != "stentor.gap" || e.Data != wanted {
			t.Errorf("got %+v, want a gap %s", e, wanted)
		}
		want(t, s, sse.Event{ID: at[2].String(), Data: "three"})
		want(t, s, sse.Event{ID: at[3].String(), Data: "four"})
	})
}
