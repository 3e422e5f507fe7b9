package sse

import (
	"context"
	"errors"
	"net"
	"net/http"
	"time"
)

var (
	// ErrClosed is the cause of a stream that its own side closed.
	ErrClosed = errors.New("sse: stream closed")
	// ErrClientGone is the cause of a stream whose client went away.
	ErrClientGone = errors.New("sse: client gone")
	// ErrIdle is the cause of a stream without an application event for
	// AcceptOptions.IdleTimeout.
	ErrIdle = errors.New("sse: stream idle")
	// ErrHeadersSent says that a header came after the response had begun.
	ErrHeadersSent = errors.New("sse: headers already sent")
)

// AcceptOptions configures [Accept]. The zero value is ready to use.
type AcceptOptions struct {
	Header       http.Header
	KeepAlive    time.Duration
	WriteTimeout time.Duration
	IdleTimeout  time.Duration
	Retry        time.Duration
}

// Stream is one open response.
type Stream struct{}

func Accept(w http.ResponseWriter, r *http.Request, o *AcceptOptions) (*Stream, error) {
	panic("skeleton")
}
func (s *Stream) LastEventID() string                             { panic("skeleton") }
func (s *Stream) SetHeader(name, value string) error              { panic("skeleton") }
func (s *Stream) Send(ctx context.Context, events ...Event) error { panic("skeleton") }
func (s *Stream) Wait(ctx context.Context) error                  { panic("skeleton") }
func (s *Stream) Close(farewell ...Event) error                   { panic("skeleton") }
func (s *Stream) Done() <-chan struct{}                           { panic("skeleton") }
func (s *Stream) Cause() error                                    { panic("skeleton") }

// WriteFrames writes encoded frames in one write and one flush.
func (s *Stream) WriteFrames(p []byte) error { panic("skeleton") }

// Detach ...
func (s *Stream) Detach() (c net.Conn, chunked bool, err error) { panic("skeleton") }
