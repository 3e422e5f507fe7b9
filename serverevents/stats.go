package serverevents

import (
	"errors"
	"sync/atomic"

	"github.com/stentor-sse/stentor/internal/dto"
)

// Stats counts what the face answered since New. What became of subscriptions and
// messages is counted by their hub: see [stentor.Stats].
type Stats struct {
	Unauthenticated  uint64 // stream requests answered with 401 for LimitToAuthenticatedUsers
	SubscribeRefused uint64 // stream requests that Options.Subscribe had an error for
	PrepareRefused   uint64 // stream requests that Options.Prepare had an error for
	TurnedAway       uint64 // stream requests whose connection was closed unanswered

	Heartbeats        uint64 // heartbeats answered with 200
	HeartbeatRefused  uint64 // that Options.Heartbeat had an error for
	HeartbeatUnknown  uint64 // for no subscription: answered with 404
	HeartbeatForeign  uint64 // from another address: answered with 403
	Unregistered      uint64 // subscriptions that their clients ended
	UnregisterUnknown uint64
	UnregisterForeign uint64
	Updated           uint64 // changes of channels
	UpdateUnknown     uint64
	UpdateForeign     uint64
}

type counters struct {
	unauthenticated, subscribeRefused, prepareRefused, turnedAway, heartbeatRefused atomic.Uint64

	heartbeats, unregisters, updates tally
}

// tally counts what became of requests that name a subscription.
type tally struct{ done, unknown, foreign atomic.Uint64 }

// add counts one that ended with err.
func (t *tally) add(err error) {
	_, unknown := errors.AsType[dto.Unknown](err)
	_, foreign := errors.AsType[dto.Foreign](err)
	switch {
	case err == nil:
		t.done.Add(1)
	case unknown:
		t.unknown.Add(1)
	case foreign:
		t.foreign.Add(1)
	}
}

// Stats counts what the face answered since New.
func (f *Face) Stats() Stats {
	c := &f.count
	return Stats{
		Unauthenticated: c.unauthenticated.Load(), SubscribeRefused: c.subscribeRefused.Load(),
		PrepareRefused: c.prepareRefused.Load(), TurnedAway: c.turnedAway.Load(),
		Heartbeats: c.heartbeats.done.Load(), HeartbeatRefused: c.heartbeatRefused.Load(),
		HeartbeatUnknown: c.heartbeats.unknown.Load(), HeartbeatForeign: c.heartbeats.foreign.Load(),
		Unregistered: c.unregisters.done.Load(), UnregisterUnknown: c.unregisters.unknown.Load(),
		UnregisterForeign: c.unregisters.foreign.Load(),
		Updated:           c.updates.done.Load(), UpdateUnknown: c.updates.unknown.Load(), UpdateForeign: c.updates.foreign.Load(),
	}
}
