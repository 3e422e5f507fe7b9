//go:build linux

package main

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"testing/iotest"
)

// question is a stream whose meaning the HTML Standard fixes (§9.2.5, §9.2.6).
type question struct {
	name, stream string
	want         []event
	ids          bool // it is about ids alone
}

func cases() []question {
	one := func(data string) []event { return []event{{Data: data}} }
	long := func(n int) string { return strings.Repeat("x", n) }
	return []question{
		{name: "LF", stream: "id: 1\nevent: t\ndata: a\n\n", want: []event{{"1", "t", "a"}}},
		{name: "CRLF", stream: "id: 1\r\nevent: t\r\ndata: a\r\n\r\n", want: []event{{"1", "t", "a"}}},
		{name: "lone CR", stream: "id: 1\revent: t\rdata: a\r\r", want: []event{{"1", "t", "a"}}},
		{name: "CR, LF and CRLF mixed", stream: "data: a\rdata: b\ndata: c\r\n\r\ndata: d\n\r", want: []event{{Data: "a\nb\nc"}, {Data: "d"}}},
		{name: "byte order mark", stream: "\uFEFFdata: a\n\n", want: one("a")},
		{name: "comments between lines", stream: ": x\ndata: a\n:\ndata: b\n\n: y\n\n", want: one("a\nb")},
		{name: "one space is taken off, no more", stream: "data:  a \ndata:\tb\ndata:c\n\n", want: one(" a \n\tb\nc")},
		{name: "colons in data", stream: "data: a: b:c\n\n", want: one("a: b:c")},
		{name: "field without a colon", stream: "data\ndata\n\n", want: one("\n")},
		{name: "empty data is an event", stream: "data:\n\ndata: a\n\n", want: []event{{}, {Data: "a"}}},
		{name: "no data is no event", stream: "event: t\n\nretry: 5\n\ndata: a\n\n", want: one("a")},
		{name: "unknown fields, other case", stream: "Data: x\ndatas: y\n data: z\ndata: a\n\n", want: one("a")},
		{name: "an event that is not ended is dropped", stream: "data: a\n\ndata: b\n", want: one("a")},
		{name: "NUL in data", stream: "data: a\x00b\n\n", want: one("a\x00b")},
		{name: "invalid UTF-8 is U+FFFD", stream: "data: a\xffb\n\n", want: one("a\uFFFDb")},
		{name: "other Unicode line ends are none", stream: "data: a\u2028b\u0085c\x0bd\n\n", want: one("a\u2028b\u0085c\x0bd")},
		{name: "a line of 100 KB", stream: "data: " + long(100_000) + "\n\n", want: one(long(100_000))},
		{name: "a line of 1 MB", stream: "data: " + long(1_000_000) + "\n\n", want: one(long(1_000_000))},
		{name: "an id stays", stream: "id: 1\ndata: a\n\ndata: b\n\n", want: []event{{"1", "", "a"}, {"1", "", "b"}}, ids: true},
		{name: "an id without data counts", stream: "id: 1\n\ndata: a\n\n", want: []event{{"1", "", "a"}}, ids: true},
		{name: "an empty id resets it", stream: "id: 1\ndata: a\n\nid\ndata: b\n\n", want: []event{{"1", "", "a"}, {"", "", "b"}}, ids: true},
		{name: "NUL in an id: ignored", stream: "id: 1\ndata: a\n\nid: 2\x00\ndata: b\n\n", want: []event{{"1", "", "a"}, {"1", "", "b"}}, ids: true},
	}
}

// verdict is what a decoder made of a stream: right, or what it said instead. It may not be
// concerned.
type verdict struct {
	right, unconcerned bool
	instead            string
}

// judge asks every decoder every question: verdicts[question][decoder].
func judge(decoders []decoder, questions []question) [][]verdict {
	all := make([][]verdict, len(questions))
	for i, q := range questions {
		for _, d := range decoders {
			all[i] = append(all[i], d.asked(q))
		}
	}
	return all
}

// asked is what one makes of a stream, however it is cut.
func (d decoder) asked(q question) verdict {
	if d.linesOf || d.noIDs && q.ids {
		return verdict{unconcerned: true}
	}
	want := slices.Clone(q.want)
	for i := range want {
		if d.noIDs {
			want[i].ID = ""
		}
	}
	cut := iotest.OneByteReader
	if len(q.stream) > 1000 { // some look at all that they have for each byte more
		cut = iotest.HalfReader
	}
	for _, r := range []io.Reader{strings.NewReader(q.stream), cut(strings.NewReader(q.stream))} {
		var got []event
		err := d.read(r, &seen{keep: func(e event) {
			if e.Type == "message" {
				e.Type = ""
			}
			got = append(got, e)
		}})
		if err != nil || !slices.Equal(got, want) {
			return verdict{instead: said(got, err)}
		}
	}
	return verdict{right: true}
}

// said is what a decoder said, for people.
func said(got []event, err error) string {
	parts := []string{}
	for _, e := range got {
		text := fmt.Sprintf("%.40q", e.Data)
		if e.Type != "" {
			text = e.Type + ": " + text
		}
		if e.ID != "" {
			text += fmt.Sprintf(" with the id %q", e.ID)
		}
		parts = append(parts, text)
	}
	switch {
	case len(parts) == 0 && err == nil:
		parts = []string{"nothing"}
	case err != nil:
		parts = append(parts, "the error “"+err.Error()+"”")
	}
	return strings.Join(parts, ", ")
}
