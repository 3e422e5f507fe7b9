package main

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"
)

// A batch of lines goes out when it has this much, or when no line has come for
// batchWait: a slow input is not held back, a fast one costs few requests. The
// server takes 1,000 lines and 1 MiB at once.
const (
	batchLines = 500
	batchBytes = 256 << 10
	batchWait  = 20 * time.Millisecond
)

// progressEvery is how often a long run says how far it is.
const progressEvery = 5 * time.Second

// line is one line of standard input, or why there is no more.
type line struct {
	text []byte
	err  error
}

// publishLines publishes each line of standard input. One batch is answered
// before the next is sent, which keeps the order.
func (p *program) publishLines(ctx context.Context, pub *publisher) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	lines := make(chan line, batchLines)
	// It ends with the input. After an error it may still hang in a read, which
	// nothing can interrupt; then it ends with the process.
	go readLines(ctx, p.stdin, lines)
	b := batch{pub: pub}
	idle := time.NewTimer(0)
	defer idle.Stop()
	progress := time.NewTicker(progressEvery)
	defer progress.Stop()
	for {
		var wait <-chan time.Time
		if len(b.numbers) > 0 {
			idle.Reset(batchWait)
			wait = idle.C
		}
		select {
		case l := <-lines:
			done, err := b.take(ctx, l)
			if done || err != nil {
				return err
			}
		case <-wait:
			if err := b.send(ctx); err != nil {
				return err
			}
		case <-progress.C:
			p.say("%d events published", b.published)
		case <-ctx.Done():
			return fmt.Errorf("publish: interrupted; %d events were published", b.published)
		}
	}
}

// readLines gives the lines of r without their line breaks, then the error that
// ended them, io.EOF for the end.
func readLines(ctx context.Context, r io.Reader, lines chan<- line) {
	give := func(l line) bool {
		select {
		case lines <- l:
			return l.err == nil
		case <-ctx.Done():
			return false
		}
	}
	s := bufio.NewScanner(r)
	s.Buffer(nil, maxInput)
	for s.Scan() {
		if !give(line{text: bytes.Clone(s.Bytes())}) {
			return
		}
	}
	err := s.Err()
	switch {
	case err == nil:
		err = io.EOF
	case errors.Is(err, bufio.ErrTooLong):
		err = fmt.Errorf("it is over %d bytes, too much for one event", maxInput)
	}
	give(line{err: err})
}

// batch collects the requests of lines that follow each other.
type batch struct {
	pub       *publisher
	body      []byte
	numbers   []int // the line of each event in body
	read      int   // lines taken
	published int   // events
}

// take adds a line and sends what is due; done after the last.
func (b *batch) take(ctx context.Context, l line) (done bool, err error) {
	number := b.read + 1
	var event []byte
	switch {
	case l.err == io.EOF:
		return true, errors.Join(b.send(ctx), b.pub.outErr)
	case l.err != nil:
		err = l.err
	case b.pub.json && len(bytes.TrimSpace(l.text)) == 0:
		b.read = number
		return false, nil
	default:
		event, err = b.pub.event(l.text)
	}
	if err != nil {
		// What came before it is good, and goes out.
		return true, cmp.Or(b.send(ctx), fmt.Errorf("publish: line %d: %w", number, err))
	}
	if len(b.body)+len(event) > batchBytes {
		if err := b.send(ctx); err != nil {
			return true, err
		}
	}
	b.body = append(b.body, event...)
	b.read = number
	if b.numbers = append(b.numbers, number); len(b.numbers) < batchLines {
		return false, nil
	}
	return false, b.send(ctx)
}

// send publishes what was collected.
func (b *batch) send(ctx context.Context) error {
	if len(b.numbers) == 0 {
		return nil
	}
	first, last := b.numbers[0], b.numbers[len(b.numbers)-1]
	bad, err := b.pub.post(ctx, "application/x-ndjson", b.body, len(b.numbers))
	if err != nil {
		return fmt.Errorf("publish: lines %d to %d: %w", first, last, b.inInput(err))
	}
	if len(bad) > 0 {
		errs := make([]error, 0, len(bad)+1)
		for _, r := range bad {
			errs = append(errs, fmt.Errorf("publish: line %d: %w", b.numbers[r.index], r.err))
		}
		return errors.Join(append(errs, fmt.Errorf("publish: stopped; the other lines up to %d are published", last))...)
	}
	b.published += len(b.numbers)
	b.body, b.numbers = b.body[:0], b.numbers[:0]
	return nil
}

// inInput makes a refusal that names a line of the request name the line of the
// input.
func (b *batch) inInput(err error) error {
	r, ok := errors.AsType[*refusal](err)
	if !ok {
		return err
	}
	number, rest, _ := strings.Cut(strings.TrimPrefix(r.detail, "line "), ": ")
	if n, e := strconv.Atoi(number); e == nil && n > 0 && n <= len(b.numbers) && rest != "" {
		r.detail = fmt.Sprintf("line %d: %s; none of these lines is published", b.numbers[n-1], rest)
	}
	return err
}
