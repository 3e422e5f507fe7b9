// Package serverevents is the ServiceStack face of a hub: clients of ServiceStack
// Server Events (npm @servicestack/client, ss-utils, C#, Java) connect to it as
// they are.
//
//	face := serverevents.New(hub, nil)
//	face.Register(mux) // /event-stream, /event-heartbeat, /event-subscribers, …
//	...
//	hub.Publish(ctx, stentor.Message{
//		Target: stentor.Target{Channel: "home"},
//		Type:   "chat", // the clients' handler "chat", by the selector cmd.chat
//		Data:   "hello",
//	})
//
// A message of type t without a dot has the selector cmd.t, a dotted type is the
// selector itself, a message without a type has cmd.message ([Selector], [Type];
// TestSelectors). Text is sent as a JSON string, JSON as it is, and null as no body
// (TestFrames). A message that was sent to a channel alone names it before the
// selector, channel@cmd.t (TestChannelPrefix). Each Notify of ServiceStack's is a
// [stentor.Target] (TestNotify); where it would name the selector after a type,
// [stentor.Typed] makes the message (TestNotifyTyped).
//
// # Hooks
//
// On the way in, a stream request passes [Options].Subscribe, which says who it is; then
// Prepare, with the subscription at hand and before the headers have gone; then the hub's
// Hooks.Open, before anything is written. Every write passes Hooks.Write. A
// heartbeat passes [Options].Heartbeat; a change of channels Subscribe again, with the new ones,
// and Hooks.Change before it is told. At the end come Hooks.Close, those of OnEnd and
// Hooks.Leave, and then onLeave (TestHooksInOrder). What Prepare refuses was never there
// (TestPrepareRefuses).
//
// # Delivery and order
//
// cmd.onConnect is the first frame of every stream, whatever is published
// meanwhile (TestConnectIsFirst). Then come what the client missed, the onJoin of its own
// channels in the order they were asked for, and what is new; onLeave and
// onUpdate as in the protocol (TestChecklist). Frames are written whole; a write may
// hold several (TestFramesAreWhole).
//
// The id of a frame is the position of its message. Frames without one (joins,
// leaves, updates, heartbeats, ephemeral messages) have no id line, so that a client's
// last id is always where it is.
//
// No string forges a frame, a selector or a lifecycle message: bodies are ASCII on
// one line (TestInjection), and a message whose type would pass for
// one of onConnect, onJoin, onLeave, onUpdate, onHeartbeat, onGap, onState or onEnd is not
// shown on this face (TestLifecycleIsNotForged).
//
// A client with the faults of those for C# and Java reads all that the face ever says,
// in reads of any size that do not end right after a line feed within a frame, where they
// hang whatever a server does (TestStrictClientHearsEverything). Names of channels
// and types are sent as they are: such a client may see one that is not ASCII
// damaged where a read cuts it.
//
// # Slow subscribers
//
// They are the hub's: a slow reader falls back on its cursor and the history. What it
// missed for good is told as cmd.onGap with {"reason","after","oldest"}, and clients
// without a handler of that name pass over it (TestGap). So it is with cmd.onState, {"channels"}, after the
// state of channels was told: cmd.onConnect has no id then, and cmd.onState has it (TestState).
//
// # Resuming
//
// A client that presents Last-Event-ID goes on from there (TestResumeByCursor), with the
// channels that it had joined live. One that reconnects without a cursor goes on from where
// its session was at its last heartbeat, if its cookies come with it and its place still
// lingers (TestResumeBySession). The cookies prove no user; only values of this server's
// making are taken (TestSessionCookies).
//
// # Shutdown
//
// A full, draining or closed hub never answers a stream request with an
// error status, for which clients would give up for good: the connection is
// closed unanswered, and they come back (TestTurnedAwayUnanswered). A drained subscription's
// next heartbeat is a 404, and the client connects elsewhere (TestDrainedHeartbeat).
//
// An end after which a client should stay away is told as the last frame:
// cmd.onEnd with {"reason":"replaced"} when another subscription has taken its key, or
// "dismissed". A page that stops its client then does not push the other one out
// again; clients without a handler of that name pass over it. Who was dismissed is
// answered with 204 when it comes back (TestFinalEnds).
//
// # Who sees what
//
// The id of a subscription is a capability and told to its own client alone; listings and
// notices hold public values only (TestListingsLeakNothing). Lists of subscribers can be
// limited to members (TestSubscribersForMembers), and what acts for a subscription to
// the address that it came from (TestUserAddress).
//
// # Concurrency
//
// A Face may be used from any goroutine. It starts none.
//
// # Testing
//
// Every test here runs over HTTP/1.1 and HTTP/2 in a testing/synctest bubble; package
// ssetest does the same for anyone's.
package serverevents
