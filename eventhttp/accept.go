package eventhttp

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync/atomic"

	"github.com/stentor-sse/stentor"
	"github.com/stentor-sse/stentor/sse"
)

// AcceptOptions configures [Accept]. The zero value accepts an anonymous receiver
// on no channel, which the handler and whoever has its id can send to.
type AcceptOptions struct {
	// SubscribeOptions says who receives and what. An empty Cursor means the one
	// that the request presents, an empty Address where it comes from. Dialect is
	// always the plain face's, and KeepAlive that of Stream.
	stentor.SubscribeOptions
	// Stream configures the response. Its KeepAlive stands in for the hub's; the
	// Event of it has no ID, and AtOnce follows the stentor.open event. Retry is
	// the hub's. IdleTimeout counts from the last Send of the handle, not from
	// what the hub delivers.
	Stream sse.AcceptOptions
}

func (o *AcceptOptions) withDefaults(r *http.Request) AcceptOptions {
	var c AcceptOptions
	if o != nil {
		c = *o
	}
	if c.Cursor == "" {
		c.Cursor = sse.LastEventID(r)
	}
	if c.Address == "" {
		c.Address = address(r)
	}
	c.Dialect, c.SubscribeOptions.KeepAlive = dialect{}, -1
	keep := c.Stream.KeepAlive
	c.Stream = streamOptions(c.Stream)
	c.Stream.KeepAlive = keep
	return c
}

// Handle is one open response that is also a subscription of a hub: the handler that
// accepted it sends to it, and whatever is published to its channels, user, session,
// key or id arrives between. Others find its subscription with hub.Holder or
// hub.Subscriptions, and reach it with hub.Publish or the subscription's own Publish.
//
// All methods may be called from any goroutine. It ends when the reader goes, the
// stream fails or idles, the hub ends the subscription (another takes its key, a drain, a
// shutdown), or with Close. Its handler must not return before Wait or Close has. A
// hook that panics does so in both.
type Handle struct {
	sub    *stentor.Subscription
	stream *sse.Stream
	ctx    context.Context // of the request
	opened chan struct{}   // closed when the open notice is written
	served chan struct{}   // closed when nothing of the hub will be written any more

	// set before served is closed
	cause    error // why
	broken   error // the stream's, if that ended first
	panicked any

	farewell atomic.Uint64 // events that Close has sent
}

// Accept subscribes and answers r with the stream. The handler sends and waits, and
// what is returned by Wait says why it ended:
//
//	h, err := eventhttp.Accept(hub, w, r, &eventhttp.AcceptOptions{…})
//	if err != nil {
//		eventhttp.Refuse(w, err)
//		return
//	}
//	defer h.Close()
//	h.Send(r.Context(), sse.Event{Type: "greet", Data: "hello"})
//	h.Wait(r.Context())
//
// Its errors are those of [stentor.Hub.Subscribe] and [sse.Accept]. After one,
// nothing has been written, and nothing is registered.
func Accept(hub *stentor.Hub, w http.ResponseWriter, r *http.Request, o *AcceptOptions) (*Handle, error) {
	c := o.withDefaults(r)
	first := c.Stream.KeepAlive
	if _, err := encode(first.Event); err != nil { // before anybody's key is taken
		return nil, fmt.Errorf("eventhttp: keepalive: %w", err)
	}
	c.Stream.KeepAlive.AtOnce = false // not before stentor.open
	sub, err := hub.Subscribe(r.Context(), &c.SubscribeOptions)
	if err != nil {
		return nil, err
	}
	stream, err := openStream(w, r, sub, &c.Stream)
	if err != nil {
		return nil, err
	}
	h := &Handle{
		sub: sub, stream: stream, ctx: r.Context(),
		opened: make(chan struct{}), served: make(chan struct{}),
	}
	go h.serve(first) // ends with the subscription; Wait and Close wait for it
	return h, nil
}

// openStream answers with a stream for sub, which it ends when that fails.
func openStream(w http.ResponseWriter, r *http.Request, sub *stentor.Subscription, o *sse.AcceptOptions) (*sse.Stream, error) {
	addStreamHeader(w.Header())
	stream, err := sse.Accept(w, r, o)
	if err != nil {
		sub.Close(err)
		return nil, fmt.Errorf("eventhttp: accept: %w", err)
	}
	return stream, nil
}

func (h *Handle) serve(first sse.KeepAlive) {
	defer close(h.served)
	defer func() { // a hook's; on this goroutine it would end the program
		if h.panicked = recover(); h.panicked != nil {
			h.cause = errPanicked
			h.sub.Close(errPanicked)
		}
	}()
	h.cause = h.sub.Serve(&handled{Stream: h.stream, opened: h.opened, first: first})
	h.broken = h.stream.Cause()
	if h.broken != nil && errors.Is(h.cause, stentor.ErrGone) && !errors.Is(h.cause, h.broken) {
		h.cause = fmt.Errorf("%w: %w", h.cause, h.broken) // gone, or idle: the stream knows
	}
}

// handled is the stream as the hub sees it. It says when the open notice is out, and
// keeps the connection: the handler writes to it too.
type handled struct {
	*sse.Stream
	opened chan struct{} // nil once closed; only Serve's goroutine looks
	first  sse.KeepAlive // to be set then, if there is one at once
}

func (s *handled) WriteFrames(p []byte) error {
	err := s.Stream.WriteFrames(p)
	if s.opened != nil {
		if err == nil && s.first.AtOnce {
			err = s.SetKeepAlive(context.Background(), s.first)
		}
		close(s.opened)
		s.opened = nil
	}
	return err
}

func (s *handled) Detach() (net.Conn, bool, error) { return nil, false, errors.ErrUnsupported }
