package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/stentor-sse/stentor/eventsource"
)

// params is what the harness says about a stream that it wants.
type params struct {
	StreamURL      string            `json:"streamUrl"`
	CallbackURL    string            `json:"callbackUrl"`
	InitialDelayMS *int64            `json:"initialDelayMs"`
	ReadTimeoutMS  int64             `json:"readTimeoutMs"`
	LastEventID    string            `json:"lastEventId"`
	Headers        map[string]string `json:"headers"`
	Method         string            `json:"method"`
	Body           string            `json:"body"`
}

// report is one callback: an event, a comment or an error.
type report struct {
	Kind    string `json:"kind"`
	Event   *event `json:"event,omitempty"`
	Comment string `json:"comment,omitempty"`
	Error   string `json:"error,omitempty"`
}

type event struct {
	Type string `json:"type"`
	Data string `json:"data"`
	ID   string `json:"id"`
}

// stream is one Source. Its goroutine reads it and reports, one callback after the other.
type stream struct {
	source   *eventsource.Source
	callback string
	client   *http.Client
	reports  int
	cancel   context.CancelFunc
	running  sync.WaitGroup
}

// open begins a stream.
func open(p params) (*stream, error) {
	if p.CallbackURL == "" {
		return nil, errors.New("callbackUrl is missing")
	}
	ctx, cancel := context.WithCancel(context.Background())
	st := &stream{callback: p.CallbackURL, client: &http.Client{Transport: &http.Transport{}}, cancel: cancel}
	o := &eventsource.Options{
		Method:      p.Method,
		Body:        []byte(p.Body),
		Header:      http.Header{},
		LastEventID: p.LastEventID,
		IdleTimeout: time.Duration(p.ReadTimeoutMS) * time.Millisecond,
		MinRetry:    -1,
		Comment:     func(text string) { st.report(ctx, report{Kind: "comment", Comment: text}) },
		Change: func(c eventsource.Change) {
			if c.Err != nil && ctx.Err() == nil {
				st.report(ctx, report{Kind: "error", Error: c.Err.Error()})
			}
		},
	}
	for name, value := range p.Headers {
		o.Header.Set(name, value)
	}
	if p.InitialDelayMS != nil {
		o.Retry = cmp.Or(time.Duration(*p.InitialDelayMS)*time.Millisecond, -1) // its 0 is our none
	}
	var err error
	if st.source, err = eventsource.New(p.StreamURL, o); err != nil {
		cancel()
		return nil, err
	}
	st.running.Go(func() { st.read(ctx) })
	return st, nil
}

// read reports what comes. How it ends, Change has been told.
func (st *stream) read(ctx context.Context) {
	for e, err := range st.source.Events(ctx) {
		if err == nil {
			st.report(ctx, report{Kind: "event", Event: &event{
				Type: cmp.Or(e.Type, "message"),
				Data: e.Data,
				ID:   st.source.LastEventID(), // which is what the standard gives an event
			}})
		}
	}
}

// report tells the harness. If it doesn't listen any more, nobody is there to be told.
func (st *stream) report(ctx context.Context, r report) {
	st.reports++
	body, err := json.Marshal(r)
	if err != nil {
		return // strings always can be
	}
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, fmt.Sprintf("%s/%d", st.callback, st.reports), bytes.NewReader(body))
	if err != nil {
		return
	}
	req.Header.Set("Content-Type", "application/json")
	if resp, err := st.client.Do(req); err == nil {
		resp.Body.Close()
	}
}

// close ends the stream and waits until nothing more will be reported.
func (st *stream) close() {
	st.cancel()
	st.running.Wait()
	st.client.CloseIdleConnections()
}
