package eventhttp_test

import (
	"regexp"
	"testing"
	"testing/synctest"

	"github.com/stentor-sse/stentor/ssetest"
)

// A newcomer gets what is kept about each subject, and has no cursor before it has all of it.
func TestState(t *testing.T) {
	ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
		hub, srv := serve(t, p, nil, open())
		for _, body := range []string{
			`{"channel":"prices","subject":"gold","type":"gold","data":2600}`,
			`{"channel":"prices","subject":"tin","data":"x"}`,
			`{"channel":"prices","subject":"silver","type":"silver","data":{"euro": 31}}`,
			`{"channel":"prices","subject":"tin","remove":true,"data":"y"}`,
			`{"channel":"prices","subject":"gold","type":"gold","data":2650}`,
		} {
			if resp, answer := srv.Do(t, "POST", "/publish", body, jsonType); resp.StatusCode != 200 {
				t.Fatalf("%s: %s %s", body, resp.Status, answer)
			}
		}
		resp, answer := srv.Do(t, "POST", "/publish", "channel=prices&subject=lead&remove=yes", "Content-Type: application/x-www-form-urlencoded")
		refused(t, resp, answer, 400, "true or false")
		resp, answer = srv.Do(t, "POST", "/publish", `{"channel":"prices","remove":true}`, jsonType)
		refused(t, resp, answer, 400, "subject")

		s := srv.Open(t, "/events?channel=prices&channel=talk&named=true")
		id := opened(t, s)
		at := publish(t, hub, to("talk", "new"))
		if resp, answer := srv.Do(t, "POST", "/subscriptions/"+id, `{"state":["prices","elsewhere"]}`, jsonType); resp.StatusCode != 200 {
			t.Fatalf("%s %s", resp.Status, answer)
		}
		synctest.Wait()
		told := "event: silver\nchannel: prices\ndata: {\"euro\":31}\n\nevent: gold\nchannel: prices\ndata: 2650\n\n"
		state := "event: stentor.state\ndata: {\"channels\":[\"prices\"]}\n\n"
		wanted := "retry: R\nevent: stentor.open\ndata: {\"subscription\":\"" + id + "\"}\n\n" +
			told + "id: C\n" + state + "id: " + at.String() + "\nchannel: talk\ndata: new\n\n" + told + state
		got := regexp.MustCompile(`^retry: \d+`).ReplaceAllString(s.Raw(), "retry: R")
		got = regexp.MustCompile(`id: \d+\nevent: stentor.state`).ReplaceAllString(got, "id: C\nevent: stentor.state")
		if got != wanted {
			t.Errorf("got\n%s\nwant\n%s", got, wanted)
		}

		s = srv.Open(t, "/events?channel=prices", "Last-Event-ID: x")
		opened(t, s)
		if e := s.Next(t); e.Type != "stentor.gap" || e.ID != "" {
			t.Errorf("got %+v, want a gap without an id: the state is to come", e)
		}
	})
}
