package main

import (
	"context"
	"crypto/rand"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/stentor-sse/stentor"
)

const (
	maxRunning = 3   // at a time; the others wait
	maxWaiting = 5   // of one owner, running ones included
	maxOwned   = 20  // of one owner; the oldest that is over is forgotten
	maxJobs    = 500 // in all; likewise

	beat = 100 * time.Millisecond // between two messages of a job
)

// jobs are all that there are. Its methods are for any goroutine. End it with Close.
type jobs struct {
	hub   *stentor.Hub
	kinds []kind
	slots chan struct{} // one for each that runs
	all   sync.WaitGroup

	mu     sync.Mutex // guards the rest
	list   []*job     // the oldest first
	closed bool
}

func newJobs(hub *stentor.Hub, kinds []kind) *jobs {
	return &jobs{hub: hub, kinds: kinds, slots: make(chan struct{}, maxRunning)}
}

// subject is what all messages of a channel are about: its job. The newest takes the place of the one before.
const subject = "job"

// channel is where a job is told of.
func channel(id string) stentor.Channel { return stentor.Channel("job:" + id) }

// Start begins a job, or has it wait for its turn. Errors are refusals.
func (js *jobs) Start(ctx context.Context, owner, name, title string) (status, error) {
	at := slices.IndexFunc(js.kinds, func(k kind) bool { return k.name == name })
	if at < 0 {
		return status{}, fmt.Errorf("%w kind: %.40q is no kind of job", stentor.ErrInvalid, name)
	}
	k := js.kinds[at]
	if title == "" {
		title = k.title
	}
	jobCtx, cancel := context.WithCancelCause(context.Background()) // it goes on when its request has ended
	j := &job{id: rand.Text(), owner: owner, cancel: cancel, changed: true}
	first := status{ID: j.id, Title: title, Started: time.Now().UnixMilli(), State: "waiting", Total: k.steps, Note: "Waits for its turn"}
	j.now = first
	forgotten, err := js.add(j)
	for _, id := range forgotten {
		js.tellGone(id)
	}
	if err != nil {
		cancel(err)
		return status{}, err
	}
	// Before anything is told: the owner's windows miss nothing. One that comes
	// meanwhile finds the job in the list.
	for s := range js.hub.Subscriptions(stentor.Target{Channel: mine, User: owner}) {
		s.Join(ctx, channel(j.id)) // an error: it has gone
	}
	js.publish(j)
	go js.run(jobCtx, j, k) // Close waits for it
	return first, nil
}

// add takes a job into the list, if there is room. It gives those that had to go for it.
func (js *jobs) add(j *job) (forgotten []string, err error) {
	js.mu.Lock()
	defer js.mu.Unlock()
	if js.closed {
		return nil, &stentor.Refusal{Status: http.StatusServiceUnavailable, Detail: "the server is being stopped; try again in a moment"}
	}
	owned, waiting := 0, 0
	for _, other := range js.list {
		if other.owner == j.owner {
			owned++
			if !other.status().Over {
				waiting++
			}
		}
	}
	if waiting >= maxWaiting {
		return nil, &stentor.Refusal{Status: http.StatusTooManyRequests, Detail: fmt.Sprintf("%d of your jobs aren't over yet; wait for one, or cancel one", waiting)}
	}
	if owned >= maxOwned {
		forgotten = js.forget(forgotten, func(other *job) bool { return other.owner == j.owner })
	}
	if len(js.list) >= maxJobs {
		forgotten = js.forget(forgotten, func(*job) bool { return true })
	}
	if len(js.list) >= maxJobs {
		return forgotten, &stentor.Refusal{Status: http.StatusServiceUnavailable, Detail: "there are too many jobs now; try again later"}
	}
	js.list = append(js.list, j)
	js.all.Add(1)
	return forgotten, nil
}

// forget drops the oldest job of some that is over, and adds it to the forgotten. The caller holds mu.
func (js *jobs) forget(forgotten []string, some func(*job) bool) []string {
	at := slices.IndexFunc(js.list, func(j *job) bool { return some(j) && j.status().Over })
	if at < 0 {
		return forgotten
	}
	forgotten = append(forgotten, js.list[at].id)
	js.list = slices.Delete(js.list, at, at+1)
	return forgotten
}

// tellGone tells that a job is known no longer, and takes everyone off its channel.
func (js *jobs) tellGone(id string) {
	ctx, ch := context.Background(), channel(id)
	m := stentor.Message{Target: stentor.Target{Channel: ch}, Type: "gone", Data: id, Subject: subject, Remove: true}
	if _, err := js.hub.Publish(ctx, m); err != nil {
		slog.Error("end of a job not told", "job", id, "err", err)
	}
	for s := range js.hub.Subscriptions(m.Target) {
		s.Leave(ctx, ch) // an error: it has gone
	}
}

// Result is what a job made, nil if it made nothing.
func (js *jobs) Result(id string) []byte {
	j := js.find(id)
	if j == nil {
		return nil
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.result
}

// Of lists the jobs of an owner, the oldest first.
func (js *jobs) Of(owner string) []status {
	js.mu.Lock()
	defer js.mu.Unlock()
	list := []status{}
	for _, j := range js.list {
		if j.owner == owner {
			list = append(list, j.status())
		}
	}
	return list
}

// Known says whether there is such a job.
func (js *jobs) Known(id string) bool { return js.find(id) != nil }

// Cancel ends a job of an owner. It is told when the job has ended, at once unless it is busy. False: there is no such
// job, or it is another's, or it is over.
func (js *jobs) Cancel(owner, id string) bool {
	j := js.find(id)
	if j == nil || j.owner != owner || j.status().Over {
		return false
	}
	j.cancel(errCancelled)
	return true
}

func (js *jobs) find(id string) *job {
	js.mu.Lock()
	defer js.mu.Unlock()
	if at := slices.IndexFunc(js.list, func(j *job) bool { return j.id == id }); at >= 0 {
		return js.list[at]
	}
	return nil
}

// Close ends all jobs and waits for them. No more start.
func (js *jobs) Close() {
	js.mu.Lock()
	js.closed = true
	list := slices.Clone(js.list)
	js.mu.Unlock()
	for _, j := range list {
		j.cancel(errClosing)
	}
	js.all.Wait()
}
