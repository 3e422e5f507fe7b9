//go:build linux

package main

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net/http"
	"time"

	donovanhide "github.com/donovanhide/eventsource"
	launchdarkly "github.com/launchdarkly/eventsource"
	openai "github.com/openai/openai-go/v3/packages/ssestream"
	r3labs "github.com/r3labs/sse/v2"
	tmaxmax "github.com/tmaxmax/go-sse"

	"github.com/stentor-sse/stentor/eventsource"
	"github.com/stentor-sse/stentor/sse"
)

// event is what a decoder says of one.
type event struct{ ID, Type, Data string }

// seen counts events and keeps them, if there is somebody for them: a run that is
// measured must not pay for that.
type seen struct {
	events, bytes int // of data
	keep          func(event)
}

// decoder is one way to read a stream, with its default settings.
type decoder struct {
	name    string
	module  string // where it is from, empty for ours and the standard library
	what    string // of its package is used
	ours    bool
	noIDs   bool // it tells no ids
	linesOf bool // it only cuts lines: the least that anybody does
	read    func(r io.Reader, s *seen) error
}

func decoders() []decoder {
	return []decoder{
		{name: "sse", what: "`sse.Decoder`", ours: true, read: readStentor},
		{name: "eventsource", what: "`eventsource.Source` over an answer in memory", ours: true, read: readSource},
		{name: "tmaxmax", module: "github.com/tmaxmax/go-sse", what: "`Read`", read: readTmaxmax},
		{name: "launchdarkly", module: "github.com/launchdarkly/eventsource", what: "`Decoder`, which has a goroutine that cuts lines", read: readLaunchDarkly},
		{name: "donovanhide", module: "github.com/donovanhide/eventsource", what: "`Decoder`", read: readDonovanhide},
		{name: "r3labs", module: "github.com/r3labs/sse/v2", what: "`Client` over an answer in memory; its `EventStreamReader` alone does not take fields apart", read: readR3labs},
		{name: "openai", module: "github.com/openai/openai-go/v3", what: "`ssestream.Decoder`", noIDs: true, read: readOpenAI},
		{name: "lines", what: "`bufio.Scanner`, which makes events of nothing: what it costs to cut lines", linesOf: true, read: readLines},
	}
}

func readStentor(r io.Reader, s *seen) error {
	d := sse.NewDecoder(r, nil)
	for e, err := range d.Events() {
		if err != nil {
			return err
		}
		s.events, s.bytes = s.events+1, s.bytes+len(e.Data)
		if s.keep != nil {
			s.keep(event{d.LastEventID(), e.Type, e.Data})
		}
	}
	return nil
}

func readSource(r io.Reader, s *seen) error {
	source, err := eventsource.New("http://host/", &eventsource.Options{Client: answering(r), Once: true})
	if err != nil {
		return err
	}
	for e, err := range source.Events(context.Background()) {
		if err != nil {
			return err
		}
		s.events, s.bytes = s.events+1, s.bytes+len(e.Data)
		if s.keep != nil {
			s.keep(event{source.LastEventID(), e.Type, e.Data})
		}
	}
	return nil
}

func readTmaxmax(r io.Reader, s *seen) error {
	for e, err := range tmaxmax.Read(r, nil) {
		if err != nil {
			return err
		}
		s.events, s.bytes = s.events+1, s.bytes+len(e.Data)
		if s.keep != nil {
			s.keep(event{e.LastEventID, e.Type, e.Data})
		}
	}
	return nil
}

func readLaunchDarkly(r io.Reader, s *seen) error {
	d := launchdarkly.NewDecoder(r)
	for {
		e, err := d.Decode()
		if err != nil {
			return unless(err, io.EOF)
		}
		s.events, s.bytes = s.events+1, s.bytes+len(e.Data())
		if s.keep != nil {
			s.keep(event{e.(launchdarkly.EventWithLastID).LastEventID(), e.Event(), e.Data()})
		}
	}
}

// readDonovanhide keeps the last id, as the package's own Stream does.
func readDonovanhide(r io.Reader, s *seen) error {
	d := donovanhide.NewDecoder(r)
	id := ""
	for {
		e, err := d.Decode()
		if err != nil {
			return unless(err, io.EOF)
		}
		s.events, s.bytes = s.events+1, s.bytes+len(e.Data())
		if s.keep != nil {
			if e.Id() != "" {
				id = e.Id()
			}
			s.keep(event{id, e.Event(), e.Data()})
		}
	}
}

func readR3labs(r io.Reader, s *seen) error {
	c := r3labs.NewClient("http://host/")
	c.Connection = answering(r)
	c.ReconnectStrategy = never{}
	return c.SubscribeRaw(func(e *r3labs.Event) {
		s.events, s.bytes = s.events+1, s.bytes+len(e.Data)
		if s.keep != nil {
			s.keep(event{string(e.ID), string(e.Event), string(e.Data)})
		}
	})
}

// readOpenAI takes off the line feed that the decoder leaves at the end of data, for its callers read JSON.
func readOpenAI(r io.Reader, s *seen) error {
	d := openai.NewDecoder(&http.Response{Body: io.NopCloser(r)})
	for d.Next() {
		e := d.Event()
		data := e.Data[:max(0, len(e.Data)-1)]
		s.events, s.bytes = s.events+1, s.bytes+len(data)
		if s.keep != nil {
			s.keep(event{"", e.Type, string(data)})
		}
	}
	return d.Err()
}

func readLines(r io.Reader, s *seen) error {
	lines := bufio.NewScanner(r)
	for lines.Scan() {
		if len(lines.Bytes()) == 0 {
			s.events++
		}
		s.bytes += len(lines.Bytes())
	}
	return lines.Err()
}

func unless(err, is error) error {
	if errors.Is(err, is) {
		return nil
	}
	return err
}

// answering is a client whose requests are all answered with this stream.
func answering(r io.Reader) *http.Client { return &http.Client{Transport: answer{r}} }

type answer struct{ body io.Reader }

func (a answer) RoundTrip(r *http.Request) (*http.Response, error) {
	return &http.Response{
		StatusCode: http.StatusOK, Header: http.Header{"Content-Type": {"text/event-stream"}},
		Body: io.NopCloser(a.body), Request: r,
	}, nil
}

// never is a strategy of r3labs' client: it does not connect again.
type never struct{}

func (never) NextBackOff() time.Duration { return -1 }
func (never) Reset()                     {}
