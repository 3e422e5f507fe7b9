package eventhttp

import (
	"context"
	"fmt"
	"iter"

	"github.com/stentor-sse/stentor"
	"github.com/stentor-sse/stentor/sse"
)

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

// encode gives the frames of events that a handle may write.
func encode(events ...sse.Event) (frames []byte, err error) {
	if err := withoutID(events...); err != nil {
		return nil, err
	}
	for i := range events {
		if frames, err = events[i].AppendText(frames); err != nil {
			return nil, err
		}
	}
	return frames, nil
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
	h.finish()
	return h.cause
}

// Close ends the handle with [stentor.ErrUnregistered], unless it has ended, and
// returns when nothing is written any more. The farewell, which is as for Send,
// comes after what the hub had to deliver and before stentor.end. An error says why
// it was not written; without one, a second call is harmless.
func (h *Handle) Close(farewell ...sse.Event) error {
	frames, err := encode(farewell...)
	last := &lastWords{frames}
	select {
	case <-h.served:
	case <-h.stream.Done(): // a reader that has gone by itself may linger
	default:
		h.sub.Close(last)
	}
	<-h.served
	h.finish()
	switch {
	case err != nil || len(farewell) == 0:
		return err
	case h.cause != last: // it had ended before
		return h.cause
	case h.broken == nil:
		h.farewell.Store(uint64(len(farewell)))
	}
	return h.broken
}

// finish lets go of the response.
func (h *Handle) finish() {
	h.stream.Close() // an error only says that the reader has gone before
	if h.panicked != nil {
		panic(h.panicked)
	}
}

// lastWords is the cause of a handle that its handler closed, with what is to be
// written before the end.
type lastWords struct{ frames []byte }

func (*lastWords) Error() string { return stentor.ErrUnregistered.Error() }
func (*lastWords) Unwrap() error { return stentor.ErrUnregistered }
