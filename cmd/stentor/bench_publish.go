//go:build linux

package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"sync/atomic"
	"time"

	"github.com/stentor-sse/stentor/bench/load/payload"
)

const (
	// benchBatch is how many messages at most a publisher sends in one request. It does when
	// it is behind its rate, or has none.
	benchBatch = 100
	// benchBehind is how many messages an average reader may be behind without a rate: well
	// within the history that the server keeps.
	benchBehind = 500
	// benchPatience is how long an answer to publishing may take.
	benchPatience = 30 * time.Second
)

// traffic is what is published, and how much of it has come.
type traffic struct {
	name      string // begins the name of every channel
	readers   []int  // by channel
	published atomic.Int64
	bytes     atomic.Int64 // of data
	expected  atomic.Int64 // deliveries
	delivered atomic.Int64 // each once, told by who reads
}

func (t *traffic) channel(i int) string { return fmt.Sprintf("%s.%d", t.name, i) }

// lag is how many messages an average reader has yet to get.
func (t *traffic) lag() int64 {
	var readers int64
	for _, n := range t.readers {
		readers += int64(n)
	}
	return (t.expected.Load() - t.delivered.Load()) / max(readers, 1)
}

// benchPublisher is one of several. It alone has its channels, or its lane in one.
type benchPublisher struct {
	*traffic
	publisher
	size        int
	first, step int // channels
	lane, lanes int
	sent        int // messages of the run
	body        []byte
}

// newBenchPublishers shares the channels out.
func newBenchPublishers(s *benchSettings, target *url.URL, client *http.Client, t *traffic) []*benchPublisher {
	all := make([]*benchPublisher, s.publishers)
	for i := range all {
		b := &benchPublisher{
			traffic: t, publisher: publisher{client: client, server: target, out: io.Discard},
			size: int(s.size), first: i % s.channels, step: s.channels, lane: i / s.channels, lanes: lanesOf(s),
		}
		if s.channels >= s.publishers {
			b.step = s.publishers
		}
		all[i] = b
	}
	return all
}

// lanesOf is how many publishers the busiest channel has.
func lanesOf(s *benchSettings) int { return (s.publishers + s.channels - 1) / s.channels }

// run publishes at a rate, in messages a second, until ctx ends; zero is as fast as they are
// read. What was begun is finished. Without counted the events have the number zero.
func (b *benchPublisher) run(ctx context.Context, rate float64, counted bool) error {
	b.sent = 0
	begun := time.Now()
	for ctx.Err() == nil {
		due := benchBatch
		if rate > 0 {
			due = min(due, int(time.Since(begun).Seconds()*rate)+1-b.sent)
		} else if b.lag() > benchBehind {
			due = 0
		}
		if due <= 0 {
			wait := 200 * time.Microsecond
			if rate > 0 {
				wait = time.Until(begun.Add(time.Duration(float64(b.sent) / rate * float64(time.Second))))
			}
			select {
			case <-time.After(wait):
			case <-ctx.Done():
			}
			continue
		}
		if err := b.publish(ctx, due, counted); err != nil {
			return err
		}
	}
	return nil
}

// all publishes one event with the number zero to each of its channels.
func (b *benchPublisher) all(ctx context.Context) error {
	channels := (len(b.readers) - b.first + b.step - 1) / b.step
	b.sent = 0
	for b.sent < channels && ctx.Err() == nil {
		if err := b.publish(ctx, min(benchBatch, channels-b.sent), false); err != nil {
			return err
		}
	}
	return nil
}

// publish sends the next n messages in one request, to its channels by turns.
func (b *benchPublisher) publish(ctx context.Context, n int, counted bool) error {
	channels := (len(b.readers) - b.first + b.step - 1) / b.step
	var expected int64
	var body bytes.Buffer
	for i := range n {
		to := b.first + (b.sent+i)%channels*b.step
		seq := int64(b.lane)
		if counted {
			seq += int64((b.sent+i)/channels+1) * int64(b.lanes)
		}
		b.body = payload.Append(b.body[:0], seq, time.Now().UnixNano(), b.size)
		b.publisher.channel = b.traffic.channel(to)
		event, err := b.event(b.body)
		if err != nil {
			return err
		}
		body.Write(event)
		expected += int64(b.readers[to])
	}
	whole, cancel := context.WithTimeout(context.WithoutCancel(ctx), benchPatience)
	defer cancel()
	bad, err := b.post(whole, "application/x-ndjson", body.Bytes(), n)
	if len(bad) > 0 {
		err = errors.Join(err, bad[0].err)
	}
	if err != nil {
		return fmt.Errorf("bench: publishing: %w", err)
	}
	b.sent += n
	if counted {
		b.published.Add(int64(n))
		b.bytes.Add(int64(n * len(b.body)))
		b.expected.Add(expected)
	}
	return nil
}

// bearer sends a token with each request.
type bearer struct {
	token string
	next  http.RoundTripper
}

// RoundTrip implements http.RoundTripper.
func (t bearer) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Header.Set("Authorization", "Bearer "+t.token)
	return t.next.RoundTrip(r)
}
