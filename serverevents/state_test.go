package serverevents_test

import (
	"testing"
	"testing/synctest"

	"github.com/stentor-sse/stentor"
	"github.com/stentor-sse/stentor/ssetest"
)

// The state of channels comes after cmd.onConnect, and no frame has an id before it is whole: a browser that
// loses the stream halfway comes back as a newcomer.
func TestState(t *testing.T) {
	ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
		s := newSite(t, p, nil, nil)
		for subject, data := range map[string]string{"gold": "2600", "tin": "1"} {
			s.publish(stentor.Message{Target: on("A"), Type: subject, Subject: subject, Data: data, JSON: true})
		}
		s.publish(stentor.Message{Target: on("A"), Type: "gold", Subject: "gold", Data: "2650", JSON: true})
		s.publish(stentor.Message{Target: on("A"), Type: "tin", Subject: "tin", Remove: true})
		st := s.open("/event-stream?channels=A,B")
		synctest.Wait()
		frames := st.frames()
		if len(frames) < 3 {
			t.Fatalf("got %v", frames)
		}
		if frames[0].id != "" || frames[1].id != "" || frames[2].id == "" {
			t.Errorf("ids %q, %q, %q; want one with the state alone", frames[0].id, frames[1].id, frames[2].id)
		}
		if got := frames[1].String() + "; " + frames[2].String(); got != `A@cmd.gold 2650; cmd.onState {"channels":"A"}` {
			t.Errorf("got %s", got)
		}
	})
}
