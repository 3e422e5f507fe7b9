package eventhttp

import (
	"context"
	"errors"
	"fmt"
	"iter"
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
// shutdown), or with Close. Its handler must not return before Wait or Close has.
type Handle struct {
	sub    *stentor.Subscription
	stream *sse.Stream
	ctx    context.Context // of the request
	opened chan struct{}   // closed when the open notice is written
	served chan struct{}   // closed when nothing of the hub will be written any more
	cause  error           // why; set before served is closed

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
	if err := withoutID(c.Stream.KeepAlive.Event); err != nil {
		return nil, err
	}
	first := c.Stream.KeepAlive
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
	h.cause = h.sub.Serve(&handled{Stream: h.stream, opened: h.opened, first: first})
	if ended := h.stream.Cause(); ended != nil && errors.Is(h.cause, stentor.ErrGone) && !errors.Is(h.cause, ended) {
		h.cause = fmt.Errorf("%w: %w", h.cause, ended) // gone, or idle: the stream knows
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

// Subscription is the hub's side: identity, meta, channels.
func (h *Handle) Subscription() *stentor.Subscription { return h.sub }

// ID names the subscription; see [stentor.Subscription.ID].
func (h *Handle) ID() string { return h.sub.ID() }

// Key is the key it was subscribed with, "" without one.
func (h *Handle) Key() string { return h.sub.Key() }

// LastEventID is what the client presented; see [sse.LastEventID].
func (h *Handle) LastEventID() string { return h.stream.LastEventID() }

// Send writes events to this reader alone, past the hub and its history, and
// returns when they are flushed. They come after the stentor.open event. Their ID must be
// empty, because here it is the reader's place in the hub's log.
// After the end it returns the cause.
func (h *Handle) Send(ctx context.Context, events ...sse.Event) error {
	if err := withoutID(events...); err != nil {
		return err
	}
	if err := h.open(ctx); err != nil {
		return err
	}
	return h.stream.Send(ctx, events...)
}

// SendAll sends each event of a sequence as it comes; see [sse.Stream.SendAll] and
// [Handle.Send].
func (h *Handle) SendAll(ctx context.Context, events iter.Seq2[sse.Event, error]) error {
	if err := h.open(ctx); err != nil {
		return err
	}
	return h.stream.SendAll(ctx, func(yield func(sse.Event, error) bool) {
		for e, err := range events {
			if err == nil {
				err = withoutID(e)
			}
			if !yield(e, err) {
				return
			}
		}
	})
}

// SetKeepAlive starts, changes or stops the keepalive; see [sse.Stream.SetKeepAlive].
// The first one follows the stentor.open event. Its Event has no ID, for the same
// reason as in Send.
func (h *Handle) SetKeepAlive(ctx context.Context, k sse.KeepAlive) error {
	if err := withoutID(k.Event); err != nil {
		return err
	}
	if err := h.open(ctx); err != nil {
		return err
	}
	return h.stream.SetKeepAlive(ctx, k)
}

// Sent is what this reader has been sent: as Events those of Send and Close and the
// messages from the hub, as Bytes all there was, notices and keepalives included.
func (h *Handle) Sent() sse.Sent {
	sent := h.stream.Sent()
	sent.Events += h.sub.Sent().Messages + h.farewell.Load()
	return sent
}

// open waits for the open notice to be out.
func (h *Handle) open(ctx context.Context) error {
	select {
	case <-h.opened:
		return nil
	case <-h.served:
		return h.cause
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// withoutID refuses ids: the reader would come back with one as its cursor.
func withoutID(events ...sse.Event) error {
	for i := range events {
		if id := events[i].ID; id != "" {
			return fmt.Errorf("%w event: ID %.64q; leave it empty, ids of this stream are positions in the hub's log",
				stentor.ErrInvalid, id)
		}
	}
	return nil
}

// Join adds channels; see [stentor.Subscription.Join].
func (h *Handle) Join(ctx context.Context, channels ...stentor.Channel) (stentor.Changed, error) {
	return h.sub.Join(ctx, channels...)
}

// Leave drops channels; see [stentor.Subscription.Leave].
func (h *Handle) Leave(ctx context.Context, channels ...stentor.Channel) (stentor.Changed, error) {
	return h.sub.Leave(ctx, channels...)
}

// Done is closed when the hub has stopped writing; Wait then returns at once.
func (h *Handle) Done() <-chan struct{} { return h.served }

// Wait returns the cause when the handle has ended: never nil. If ctx ends first, Wait
// ends the handle with its cause. When Wait returns, nothing is written any
// more: the handler may return.
func (h *Handle) Wait(ctx context.Context) error {
	select {
	case <-h.served:
	case <-ctx.Done():
		if h.ctx.Err() == nil {
			h.sub.Close(context.Cause(ctx))
		}
		// Else the reader has gone, which the stream notices too: it is not
		// the handler's end, and the subscription may linger.
		<-h.served
	}
	h.stream.Close() // an error only says that the reader has gone before
	return h.cause
}

// Close ends the handle with [stentor.ErrUnregistered], unless it has ended, and
// returns when nothing is written any more. The farewell, which is as for Send,
// comes after what the hub had to deliver and before stentor.end. An error says why
// it was not written; without one, a second call is harmless.
func (h *Handle) Close(farewell ...sse.Event) error {
	last, err := newLastWords(farewell)
	select {
	case <-h.served:
	case <-h.stream.Done(): // a reader that has gone by itself may linger
	default:
		h.sub.Close(last)
	}
	<-h.served
	broken := h.stream.Cause()
	h.stream.Close()
	switch {
	case err != nil || len(farewell) == 0:
		return err
	case h.cause != last: // it had ended before
		return h.cause
	case broken == nil:
		h.farewell.Store(uint64(len(farewell)))
	}
	return broken
}

// lastWords is the cause of a handle that its handler closed, with what is to be
// written before the end.
type lastWords struct{ frames []byte }

// newLastWords encodes events. Those that can't be sent are an error, beside the
// cause of an end without words.
func newLastWords(events []sse.Event) (*lastWords, error) {
	if err := withoutID(events...); err != nil {
		return &lastWords{}, err
	}
	last := &lastWords{}
	for _, e := range events {
		b, err := e.AppendText(last.frames)
		if err != nil {
			return &lastWords{}, fmt.Errorf("eventhttp: farewell: %w", err)
		}
		last.frames = b
	}
	return last, nil
}

func (*lastWords) Error() string { return stentor.ErrUnregistered.Error() }
func (*lastWords) Unwrap() error { return stentor.ErrUnregistered }
