// Package stentor is a hub that pushes messages to subscriptions: by channel, user,
// session, key or to everyone, with a history that a reader resumes from and
// with presence. It knows nothing of HTTP: faces (packages eventhttp and
// serverevents) serve its subscriptions as Server-Sent Events, and a program may
// read one directly with Messages.
//
//	hub, err := stentor.New(ctx, nil)
//	...
//	sub, err := hub.Subscribe(ctx, &stentor.SubscribeOptions{Channels: []stentor.Channel{"home"}})
//	...
//	go hub.Publish(ctx, stentor.Message{Target: stentor.Target{Channel: "home"}, Data: "hello"})
//	for m, err := range sub.Messages(ctx) {
//		...
//	}
//
// # Delivery and order
//
// Every message has a position, one integer, increasing over all channels of a
// broker. Each subscription is given positions strictly increasing
// (TestOrderUnderConcurrentPublishers), no position twice
// (TestNothingTwiceAcrossTheSeam), and every one of its channels after its cursor,
// or a gap before anything newer (TestResume, TestGap). What a broker can't restore is a
// gap for everyone who was live (TestBreakIsTold).
//
// A message reaches the subscriptions that every condition of its [Target]
// covers (TestTargets). Publishing to one costs what the matching subscriptions cost,
// however many others there are. PublishFunc asks a function instead, of one hub's
// subscriptions and for nobody who comes later (TestPublishFunc).
//
// # Slow subscribers
//
// No publisher and no other subscription waits for a slow reader
// (TestStalledReaderDelaysNobody, TestTakenOverSlowReaders). What waits for one reader is bounded
// ([Options].QueueLength, QueueBytes); beyond it the reader is behind: it costs its
// cursor, and reads on from the history when it can. What has fallen out of
// the history by then is a gap with reason "slow" (TestSlowReaderFallsBack). With
// [Options].Slow it skips to the present, with such a gap, or is ended (TestSlowPolicyOfTheQueue,
// TestSlowPolicyOfTheLog); newcomers that read their history are spared (TestSlowPolicySparesNewcomers). Lost
// notices and ephemeral messages are one with reason "ephemeral"
// (TestLostEphemeralIsTold).
//
// # Resuming
//
// A subscription with a cursor is registered first and its live messages are held;
// then the kept ones after the cursor are replayed, in pages; then what was held is
// released, but for what the replay covered (TestNothingTwiceAcrossTheSeam). A
// cursor is never refused: one that is too old, beyond the head, or not a number is
// answered with a gap (TestGap). A subscription whose reader vanished lingers: one
// of the same user with the same key or session takes its place without a leave or a
// join (TestLingerTakenOver); another user takes over nothing
// (TestKeyTakenByAnotherUser). An application may replay from a store of its own, and
// nothing falls between that and what is live (TestOwnReplay).
//
// # State
//
// A message with a [Message].Subject takes the place of the one that was kept about the same subject.
// What is kept about all of them is the channel's state. A subscription without a cursor, or with
// one that says nothing, gets it first (TestStateIsToldToNewcomers, TestStateAfterAnUnknownCursor), one that joins gets it then
// (TestStateIsToldToWhoJoins, TestStateOfATakenStream), one that comes back gets of each subject that changed the newest
// message (TestStateIsResumed). Nobody hears an old word after a newer one (TestStateNeverGoesBack,
// TestStateOfTakenStreamsNeverGoesBack), and who loses the stream before all was told is told again
// (TestStateThatWasCutIsToldAgain). No age ends a word; limits of size do (TestStateStays).
//
// # Keys
//
// One key has one holder, the newest, unless a newcomer says otherwise
// (TestKeyRules). A dismissed key is refused until its time has run out (TestDismiss).
//
// # Presence
//
// Joins, leaves and updates go to the subscriptions that ask for them, never into
// the history (TestPresenceNotices). A member is never shown with its
// subscription id (TestMembersHoldNoID). What the server keeps with a subscription
// for itself is a [Property] (TestProperty).
//
// # Shutdown
//
// Shutdown ends everything the hub started; afterwards every method returns at
// once, with [ErrClosed] where it returns an error. A second call is harmless
// (TestShutdown). Drain ends subscriptions at an even rate before that (TestDrain). Reset
// forgets all subscriptions of a hub that goes on (TestReset).
//
// # Connections
//
// A stream over HTTP/1 is taken over from its handler on Linux, over TLS too where its
// response lets it: then it costs no goroutine and no buffer, and what is ready goes out with one write. Order, ends and
// hooks are the same on both paths (TestTakenOver, TestTakenOverEnds).
//
// # Concurrency
//
// All methods of all types may be called from any goroutine, unless they say
// otherwise. No lock is held while a hook, a broker or a response is called. A hook that
// panics on a goroutine that recovers leaves no subscription behind (TestPanicInAHook).
//
// # Testing
//
// The hub can be driven in a plain test or in a testing/synctest bubble. Package
// brokertest holds what a [Broker] must do.
package stentor
