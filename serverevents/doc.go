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
// selector, channel@cmd.t (TestChannelPrefix).
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
// one of onConnect, onJoin, onLeave, onUpdate, onHeartbeat or onGap is not shown on
// this face (TestLifecycleIsNotForged).
//
// # Slow subscribers
//
// They are the hub's: a slow reader falls back on its cursor and the history. What it
// missed for good is told as cmd.onGap with {"reason","after","oldest"}, and clients
// without a handler of that name pass over it (TestGap).
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
// # Concurrency
//
// A Face may be used from any goroutine. It starts none.
//
// # Testing
//
// Every test here runs over HTTP/1.1 and HTTP/2 in a testing/synctest bubble; package
// ssetest does the same for anyone's.
package serverevents
