package stentor

import "errors"

var (
	// ErrClosed is returned by a hub after Shutdown, by a link after Close, and
	// is the cause of subscriptions that a shutdown ended.
	ErrClosed = errors.New("stentor: closed")
	// ErrDraining refuses new subscriptions while the hub drains, and is the
	// cause of those that the drain ended.
	ErrDraining = errors.New("stentor: draining")
	// ErrFull refuses a subscription over Options.MaxSubscriptions.
	ErrFull = errors.New("stentor: too many subscriptions")
	// ErrReplaced is the cause of a subscription whose key was taken by a newer one.
	ErrReplaced = errors.New("stentor: replaced by a newer subscription with the same key")
	// ErrKeyTaken refuses a subscription whose key somebody holds, where its rule
	// is [KeyRefuse].
	ErrKeyTaken = errors.New("stentor: somebody holds this key")
	// ErrDismissed is the cause of a subscription that was ended for good, and
	// refuses its key until the dismissal has run out.
	ErrDismissed = errors.New("stentor: dismissed")
	// ErrGone is the cause of a subscription whose reader went away.
	ErrGone = errors.New("stentor: reader gone")
	// ErrExpired is the cause of a subscription whose lease ran out.
	ErrExpired = errors.New("stentor: no heartbeat within the lease")
	// ErrSlow is the cause of a subscription that could not keep up, where that ends it
	// (see [SlowEnd]).
	ErrSlow = errors.New("stentor: reader too slow")
	// ErrReset is the cause of a subscription that [Hub.Reset] forgot.
	ErrReset = errors.New("stentor: the hub was reset")
	// ErrUnregistered is the cause of a subscription that was ended on request.
	ErrUnregistered = errors.New("stentor: unregistered")
	// ErrUnknown is wrapped by errors about a subscription that does not exist.
	ErrUnknown = errors.New("stentor: unknown")
	// ErrInvalid is wrapped by every error about a bad argument: a channel
	// name, a target, a type, data. Its text says what to change.
	ErrInvalid = errors.New("stentor: invalid")
	// ErrTooLarge is wrapped by errors about an argument over a limit.
	ErrTooLarge = errors.New("stentor: too large")
)

// Refusal is an error that a face answers with a status and a text: return one
// from the functions in a face's options that look at a request.
type Refusal struct {
	// Status is an HTTP status from 400 to 599.
	Status int
	// Detail tells the caller what to change.
	Detail string
}

func (r *Refusal) Error() string { return "stentor: refused: " + r.Detail }
