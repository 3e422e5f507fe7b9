package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/stentor-sse/stentor"
)

// job is one. Only its own goroutine changes how it is, under mu.
type job struct {
	id, owner string
	cancel    context.CancelCauseFunc

	mu      sync.Mutex // guards the rest
	now     status
	result  []byte
	changed bool // since it was published
}

// status is how a job is: the data of a message of type "job", which says all of it.
type status struct {
	ID      string `json:"id"`
	Title   string `json:"title"`
	Started int64  `json:"started"` // in ms since 1970
	State   string `json:"state"`   // waiting, running, done, failed, cancelled
	Done    int    `json:"done"`
	Total   int    `json:"total"`
	Percent int    `json:"percent"`
	Note    string `json:"note"`             // what it does, or why it failed
	Result  string `json:"result,omitempty"` // where to download it
	Over    bool   `json:"over"`
	Failed  bool   `json:"failed"`
}

var (
	errCancelled = errors.New("cancelled by its owner")
	errClosing   = errors.New("the server was stopped")
)

// run does a job, and publishes how it goes.
func (js *jobs) run(ctx context.Context, j *job, k kind) {
	defer js.all.Done()
	defer j.cancel(nil)
	select {
	case js.slots <- struct{}{}:
		defer func() { <-js.slots }()
	case <-ctx.Done():
		js.finish(ctx, j, nil, ctx.Err())
		return
	}
	j.set(func(s *status) { s.State, s.Note = "running", "Begins" })
	var result []byte
	var err error
	over := make(chan struct{})
	go func() { // ends with the work, which ctx ends
		defer close(over)
		defer func() {
			if p := recover(); p != nil { // its own mistake, and not the others'
				err = fmt.Errorf("it panicked: %v", p)
			}
		}()
		result, err = k.work(ctx, func(done int, note string) {
			j.set(func(s *status) { s.Done, s.Percent, s.Note = done, 100*done/s.Total, note })
		})
	}()
	tick := time.NewTicker(beat)
	defer tick.Stop()
	js.publish(j)
	for {
		select {
		case <-tick.C:
			js.publish(j)
		case <-over:
			js.finish(ctx, j, result, err)
			return
		}
	}
}

// finish says how a job ended.
func (js *jobs) finish(ctx context.Context, j *job, result []byte, err error) {
	j.set(func(s *status) {
		s.Over = true
		switch {
		case err == nil:
			j.result = result
			s.State, s.Done, s.Percent, s.Note = "done", s.Total, 100, fmt.Sprintf("All %d steps are done", s.Total)
			if result != nil {
				s.Result = "/jobs/" + j.id + "/result"
			}
		case context.Cause(ctx) == errCancelled:
			s.State, s.Note = "cancelled", fmt.Sprintf("Cancelled at step %d of %d", s.Done, s.Total)
		case ctx.Err() != nil:
			s.State, s.Failed, s.Note = "failed", true, context.Cause(ctx).Error()
		default:
			s.State, s.Failed, s.Note = "failed", true, err.Error()
		}
	})
	js.publish(j)
}

// publish tells how a job is, if that has changed.
func (js *jobs) publish(j *job) {
	j.mu.Lock()
	now, changed := j.now, j.changed
	j.changed = false
	j.mu.Unlock()
	if !changed {
		return
	}
	m, err := stentor.JSON(stentor.Target{Channel: channel(j.id)}, "job", now)
	if err == nil {
		m.Subject = subject
		_, err = js.hub.Publish(context.Background(), m)
	}
	if err != nil { // the next one says all of it too
		slog.Error("job not told", "job", j.id, "err", err)
	}
}

func (j *job) set(f func(*status)) {
	j.mu.Lock()
	defer j.mu.Unlock()
	f(&j.now)
	j.changed = true
}

func (j *job) status() status {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.now
}
