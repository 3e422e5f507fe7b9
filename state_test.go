package stentor_test

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stentor-sse/stentor"
)

// set publishes what there is to say about a subject.
func set(t testing.TB, h *stentor.Hub, ch stentor.Channel, subject, text string) stentor.Position {
	t.Helper()
	return publish(t, h, stentor.Message{Target: stentor.Target{Channel: ch}, Subject: subject, Type: subject, Data: text})
}

func remove(t testing.TB, h *stentor.Hub, ch stentor.Channel, subject string) stentor.Position {
	t.Helper()
	return publish(t, h, stentor.Message{Target: stentor.Target{Channel: ch}, Subject: subject, Type: subject, Data: "gone", Remove: true})
}

// Who comes without a cursor gets the newest message about each subject, and then what is new.
func TestStateIsToldToNewcomers(t *testing.T) {
	bubble(t, func(t *testing.T) {
		h := newHub(t, nil)
		say(t, h, "prices", "no state")
		set(t, h, "prices", "a", "1")
		set(t, h, "prices", "b", "1")
		set(t, h, "prices", "a", "2")
		set(t, h, "prices", "c", "1")
		remove(t, h, "prices", "c")
		set(t, h, "levels", "a", "5")
		say(t, h, "talk", "no state")
		r := serve(t, h, on("talk", "prices", "levels"))
		set(t, h, "prices", "b", "2")
		say(t, h, "talk", "new")
		settle()
		want(t, "stream", r.got(), "open, state first\nb=1\na=2\na=5\nstate of [prices levels], on from the cursor true\nb=2\nm=new\n")

		other := serve(t, h, on("talk"))
		want(t, "channels without a state", other.got(), "open\n")
	})
}

// No age ends what is said about a subject, and no other message pushes it out while there is room.
func TestStateStays(t *testing.T) {
	bubble(t, func(t *testing.T) {
		h := newHub(t, &stentor.Options{Broker: stentor.NewMemoryBroker(&stentor.MemoryOptions{Size: 3, Age: time.Hour})})
		set(t, h, "a", "x", "1")
		after(48 * time.Hour)
		say(t, h, "a", "1")
		want(t, "after two days", serve(t, h, on("a")).got(), "open, state first\nx=1\nstate of [a], on from the cursor true\n")
		say(t, h, "a", "2")
		say(t, h, "a", "3") // four: the oldest goes
		want(t, "when there is no room", serve(t, h, on("a")).got(), "open\n")
	})
}

// One that comes back gets the newest message about each subject that has changed, whatever came
// in between: nothing is missing of a state.
func TestStateIsResumed(t *testing.T) {
	bubble(t, func(t *testing.T) {
		h := newHub(t, nil)
		set(t, h, "a", "x", "1")
		at := set(t, h, "a", "y", "1")
		for i := range 300 {
			set(t, h, "a", "x", strconv.Itoa(i))
			set(t, h, "a", "z", strconv.Itoa(i))
		}
		remove(t, h, "a", "z")
		o := on("a")
		o.Cursor = at.String()
		want(t, "stream", serve(t, h, o).got(), "open\nx=299\nz=gone\n")
	})
}

// A cursor that says nothing is answered with a gap and the state, which makes up for it.
func TestStateAfterAnUnknownCursor(t *testing.T) {
	bubble(t, func(t *testing.T) {
		h := newHub(t, nil)
		set(t, h, "a", "x", "1")
		for cursor, reason := range map[string]string{"nonsense": "unknown", "9007199254740991": "ahead"} {
			o := on("a")
			o.Cursor = cursor
			want(t, cursor, serve(t, h, o).got(), "open, state first\ngap "+reason+"\nx=1\nstate of [a], on from the cursor true\n")
		}
	})
}

// Who joins is told the state, too, and may ask for it again.
func TestStateIsToldToWhoJoins(t *testing.T) {
	bubble(t, func(t *testing.T) {
		h := newHub(t, nil)
		set(t, h, "a", "x", "1")
		r := serve(t, h, on("b"))
		if _, err := r.sub.Join(t.Context(), "a"); err != nil {
			t.Fatal(err)
		}
		settle()
		set(t, h, "a", "y", "1")
		settle()
		if err := r.sub.State(t.Context(), "a", "b", "nowhere"); err != nil {
			t.Fatal(err)
		}
		settle()
		say(t, h, "a", "after")
		settle()
		told := "state of [a], on from the cursor false\n"
		want(t, "stream", r.got(), "open\nx=1\n"+told+"y=1\nx=1\ny=1\n"+told+"m=after\n")
		r.sub.Close(nil)
		if err := r.sub.State(t.Context(), "a"); err == nil {
			t.Error("one that has ended was told the state")
		}
	})
}

// Nobody hears an old word after a newer one, however state and stream meet.
func TestStateNeverGoesBack(t *testing.T) {
	bubble(t, func(t *testing.T) {
		h := newHub(t, &stentor.Options{QueueLength: 3})
		for i := range 700 { // pages of it
			set(t, h, "a", "s"+strconv.Itoa(i), "0")
		}
		r := serve(t, h, on("b"))
		release := r.block()
		say(t, h, "b", "stuck")
		settle()
		go r.sub.Join(t.Context(), "a")
		for i := range 700 {
			set(t, h, "a", "s"+strconv.Itoa(i), "1")
			if i == 350 {
				release()
			}
			settle()
		}
		newest := map[string]string{}
		for _, line := range r.lines() {
			subject, value, _ := strings.Cut(strings.TrimSpace(line), "=")
			if newest[subject] > value {
				t.Fatalf("%s was %s after %s", subject, value, newest[subject])
			}
			newest[subject] = value
		}
		for i := range 700 {
			if s := "s" + strconv.Itoa(i); newest[s] != "1" {
				t.Fatalf("%s is %q at last", s, newest[s])
			}
		}
	})
}

// One whose stream broke off before it had the state has no cursor, and gets it when it comes back.
func TestStateThatWasCutIsToldAgain(t *testing.T) {
	bubble(t, func(t *testing.T) {
		h := newHub(t, nil)
		for i := range 300 {
			set(t, h, "a", "s"+strconv.Itoa(i), "x")
		}
		browser := stentor.SubscribeOptions{Channels: []stentor.Channel{"a", "b"}, Session: "s", Resume: true, Dialect: plain{}}
		sub, err := h.Subscribe(t.Context(), &browser)
		if err != nil {
			t.Fatal(err)
		}
		r := newResponse()
		r.block()
		go sub.Serve(r)
		settle()
		say(t, h, "b", "meanwhile")
		r.hangUp()
		settle()
		set(t, h, "a", "new", "y")
		got := serve(t, h, browser).got()
		if n := strings.Count(got, "=x\n"); n != 300 || !strings.Contains(got, "m=meanwhile\n") || !strings.Contains(got, "new=y\n") {
			t.Errorf("it got %d of 300, and %.300q", n, got)
		}
	})
}

func TestMessagesHasTheState(t *testing.T) {
	bubble(t, func(t *testing.T) {
		h := newHub(t, nil)
		set(t, h, "a", "x", "1")
		sub, err := h.Subscribe(t.Context(), &stentor.SubscribeOptions{Channels: []stentor.Channel{"a"}})
		if err != nil {
			t.Fatal(err)
		}
		at := set(t, h, "a", "x", "2")
		for m, err := range sub.Messages(t.Context()) {
			if err != nil {
				t.Fatal(err)
			}
			if m.Data == "2" {
				if m.Position != at {
					t.Errorf("at %v, want %v", m.Position, at)
				}
				break
			}
			if m.Subject != "x" || m.Data != "1" || m.Position != 0 || m.Time.IsZero() {
				t.Errorf("got %+v", m)
			}
		}
	})
}

func TestSubjectIsRefused(t *testing.T) {
	bubble(t, func(t *testing.T) {
		h := newHub(t, nil)
		for name, m := range map[string]stentor.Message{
			"ephemeral":        {Target: stentor.Target{Channel: "a"}, Subject: "x", Ephemeral: true},
			"channel alone":    {Target: stentor.Target{Channel: "a", User: "u"}, Subject: "x"},
			"to a channel":     {Target: stentor.Target{All: true}, Subject: "x"},
			"control char":     {Target: stentor.Target{Channel: "a"}, Subject: "x\n"},
			"255":              {Target: stentor.Target{Channel: "a"}, Subject: strings.Repeat("x", 256)},
			"is to be removed": {Target: stentor.Target{Channel: "a"}, Remove: true},
		} {
			if _, err := h.Publish(t.Context(), m); err == nil || !strings.Contains(fmt.Sprint(err), strings.TrimPrefix(name, "to ")) {
				t.Errorf("%s: %v", name, err)
			}
		}
	})
}
