//go:build linux

package main

import (
	"errors"
	"io"
	"strings"
	"testing"
	"time"
)

// A decoder that read less than the others would be faster.
func TestAllReadTheSame(t *testing.T) {
	c := comparison{decoders: decoders(), payloads: payloads()}
	for _, turn := range c.turns(0) {
		for _, n := range []int{1, 20} {
			if _, err := turn.measure(n); err != nil {
				t.Errorf("%s, %s, %s, %d frames: %v", turn.decoder.name, turn.payload.name, turn.way.name, n, err)
			}
		}
	}
	wrong := turn{decoder{read: func(_ io.Reader, s *seen) error { s.events = 1; return nil }}, payloads()[0], ways()[0]}
	if _, err := wrong.measure(1); !errors.Is(err, errWrong) {
		t.Errorf("one that reads no data: %v", err)
	}
}

// Ours read every stream as the standard says, and the questions tell those who don't.
func TestVerdicts(t *testing.T) {
	lenient := decoder{name: "lenient", read: func(r io.Reader, s *seen) error {
		return readStentor(io.MultiReader(strings.NewReader("data: before\n"), r), s)
	}}
	all := append(decoders(), lenient)
	for i, verdicts := range judge(all, cases()) {
		for j, v := range verdicts {
			if d := all[j]; d.ours && !v.right {
				t.Errorf("%s, %s: %s", d.name, cases()[i].name, v.instead)
			} else if d.name == "lenient" && (v.right || v.instead == "") {
				t.Errorf("%s: a decoder that is wrong is right", cases()[i].name)
			}
		}
	}
}

func TestSaid(t *testing.T) {
	for _, test := range []struct {
		got  []event
		err  error
		want string
	}{
		{nil, nil, "nothing"},
		{[]event{{"1", "t", "a\nb"}, {}}, nil, `t: "a\nb" with the id "1", ""`},
		{[]event{{Data: "a"}}, io.ErrUnexpectedEOF, `"a", the error “unexpected EOF”`},
	} {
		if got := said(test.got, test.err); got != test.want {
			t.Errorf("%v: %s, want %s", test.got, got, test.want)
		}
	}
}

// However a reader asks, it gets the frames and their end.
func TestStreamsAreWhole(t *testing.T) {
	for _, p := range payloads() {
		for _, most := range []int{0, 1, 7, 1 << 10} {
			got, err := io.ReadAll(p.stream(3, most))
			if err != nil || string(got) != strings.Repeat(p.frame, 3) {
				t.Errorf("%s, %d bytes at most: %d bytes, %v", p.name, most, len(got), err)
			}
		}
	}
	if size := len(payloads()[0].frame); size < 180 || size > 200 {
		t.Errorf("the chat message has %d bytes", size)
	}
}

// The report has every decoder in every table, and says what is missing.
func TestMarkdown(t *testing.T) {
	c := &comparison{
		decoders: decoders(), payloads: payloads()[:1],
		results: results{}, faults: map[cell]string{}, frames: map[cell]int{}, progress: func(int) {},
	}
	c.decoders[3].read = func(io.Reader, *seen) error { return io.ErrNoProgress }
	if err := c.run(t.Context(), options{rounds: 2, run: time.Millisecond}); err != nil {
		t.Fatal(err)
	}
	h := newHead("go run ./decode", 2)
	h.verdicts = judge(c.decoders, cases())
	text := h.markdown(c)
	tables := len(c.payloads)*len(ways()) + 2
	for i, d := range c.decoders {
		if got := strings.Count(text, "\n| "+d.name+" |"); got != tables {
			t.Errorf("%s is in %d tables, want %d", d.name, got, tables)
		}
		if missing := strings.Contains(text, d.name+" is not measured with chat: "+io.ErrNoProgress.Error()); missing != (i == 3) {
			t.Errorf("%s is missing: %v", d.name, missing)
		}
	}
	if strings.Contains(text, "NaN") || strings.Contains(text, "Inf") {
		t.Error("something is not a number")
	}
}
