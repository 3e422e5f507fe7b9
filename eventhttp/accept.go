package eventhttp

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"

	"github.com/stentor-sse/stentor"
	"github.com/stentor-sse/stentor/sse"
)

// AcceptOptions configures [Accept]. The zero value accepts an anonymous receiver
// on no channel, which the handler and whoever has its id can send to.
type AcceptOptions struct {
	// SubscribeOptions says who receives and what. An empty Cursor means the one
	// that the request presents, an empty Address where it comes from; Dialect is
	// always the plain face's.
	stentor.SubscribeOptions
	// Stream configures the response. KeepAlive and Retry are the hub's and the
	// face's; IdleTimeout counts from the last Send of the handle, not from what
	// the hub delivers.
	Stream sse.AcceptOptions
}

func (o *AcceptOptions) withDefaults(r *http.Request) AcceptOptions {
	var c AcceptOptions
	if o != nil {
		c = *o
	}
	if c.Cursor == "" {
		query, _ := parseQuery(r.URL.RawQuery) // the rest of the query is the handler's
		c.Cursor = cursor(r, query)
	}
	if c.Address == "" {
		c.Address = address(r)
	}
	c.Dialect = dialect{}
	c.Stream = streamOptions(c.Stream)
	return c
}

// Handle is one open response that is also a subscription of a hub: the handler that
// accepted it sends to it, and whatever is published to its channels, user, session,
// key or id arrives between. Others find it with
// hub.Subscriptions(stentor.Target{Key: …}) and reach it with hub.Publish.
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
	go h.serve() // ends with the subscription; Wait and Close wait for it
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

func (h *Handle) serve() {
	defer close(h.served)
	h.cause = h.sub.Serve(&handled{Stream: h.stream, opened: h.opened})
	if ended := h.stream.Cause(); ended != nil && errors.Is(h.cause, stentor.ErrGone) && !errors.Is(h.cause, ended) {
		h.cause = fmt.Errorf("%w: %w", h.cause, ended) // gone, or idle: the stream knows
	}
}

// handled is the stream as the hub sees it. It says when the open notice is out, and
// keeps the connection: the handler writes to it too.
type handled struct {
	*sse.Stream
	opened chan struct{} // nil once closed; only Serve's goroutine looks
}

func (s *handled) WriteFrames(p []byte) error {
	err := s.Stream.WriteFrames(p)
	if s.opened != nil {
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

// LastEventID is what the client presented in the header of that name.
func (h *Handle) LastEventID() string { return h.stream.LastEventID() }

// Send writes events to this reader alone, past the hub and its history, and
// returns when they are flushed. They come after the stentor.open event. Their ID must be
// empty, because here it is the reader's place in the hub's log.
// After the end it returns the cause.
func (h *Handle) Send(ctx context.Context, events ...sse.Event) error {
	if err := withoutID(events); err != nil {
		return err
	}
	select {
	case <-h.opened:
	case <-h.served:
		return h.cause
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	return h.stream.Send(ctx, events...)
}

// withoutID refuses ids: the reader would come back with one as its cursor.
func withoutID(events []sse.Event) error {
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

// Close ends the handle with [stentor.ErrUnregistered] after the farewell events,
// unless it has ended, and returns when nothing is written any more. An error says
// why the farewell, which is as for Send, was not written; without one, a second call is
// harmless.
func (h *Handle) Close(farewell ...sse.Event) error {
	select {
	case <-h.served: // a reader that has gone by itself may linger
	default:
		h.sub.Close(nil)
		<-h.served
	}
	if err := withoutID(farewell); err != nil {
		h.stream.Close()
		return err
	}
	return h.stream.Close(farewell...)
}
