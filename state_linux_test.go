package stentor_test

import (
	"strconv"
	"strings"
	"testing"

	"github.com/stentor-sse/stentor"
)

// A stream that the engine writes is told the state of what it joins between two messages, as one
// that has a goroutine.
func TestStateOfATakenStream(t *testing.T) {
	h := newHub(t, nil)
	set(t, h, "a", "x", "1")
	r := take(t, h, on("b"))
	say(t, h, "b", "before")
	if _, err := r.sub.Join(t.Context(), "a"); err != nil {
		t.Fatal(err)
	}
	r.expect("open", "m=before", "x=1", "state of [a], on from the cursor false")
	set(t, h, "a", "x", "2")
	r.expect("x=2")
	if err := r.sub.State(t.Context(), "a"); err != nil {
		t.Fatal(err)
	}
	say(t, h, "b", "after")
	r.expect("x=2", "state of [a], on from the cursor false", "m=after")
}

// The same, with everybody publishing and joining at once: each ends with the newest word about each
// subject, and none hears an older one after it.
func TestStateOfTakenStreamsNeverGoesBack(t *testing.T) {
	h := newHub(t, nil)
	const subjects, rounds, readers = 40, 30, 20
	var list []*remote
	for range readers {
		list = append(list, take(t, h, on("b")))
	}
	for s := range subjects {
		set(t, h, "a", "s"+strconv.Itoa(s), "100")
	}
	for i, r := range list {
		go func() {
			for n := range 5 {
				if n == 0 || n == 2 {
					r.sub.Join(t.Context(), "a")
				} else if i%2 == 0 && n == 1 {
					r.sub.Leave(t.Context(), "a")
				} else {
					r.sub.State(t.Context(), "a")
				}
			}
			r.sub.Publish(t.Context(), stentor.Message{Type: "joined"})
		}()
	}
	for n := range rounds {
		for s := range subjects {
			set(t, h, "a", "s"+strconv.Itoa(s), strconv.Itoa(101+n))
		}
	}
	for i, r := range list {
		newest, full := map[string]string{}, 0
		for joined := false; !joined || full < subjects; {
			line, err := r.lines.ReadString('\n')
			if err != nil {
				t.Fatalf("reader %d has %d of %d: %v", i, full, subjects, err)
			}
			subject, value, _ := strings.Cut(strings.TrimSpace(line), "=")
			if subject == "joined" {
				joined = true
			}
			if !strings.HasPrefix(subject, "s") || strings.HasPrefix(subject, "state") {
				continue
			}
			if newest[subject] > value {
				t.Fatalf("reader %d: %s was %s after %s", i, subject, value, newest[subject])
			}
			if newest[subject] = value; value == strconv.Itoa(100+rounds) {
				full = 0
				for _, v := range newest {
					if v == value {
						full++
					}
				}
			}
		}
	}
}
