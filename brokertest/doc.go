// Package brokertest holds what every [stentor.Broker] must do, as a test suite
// for whoever writes one.
//
//	func TestBroker(t *testing.T) {
//		brokertest.Run(t, brokertest.Harness{
//			New: func(t testing.TB, l brokertest.Limits) stentor.Broker {
//				return open(t, l) // empty; closed in t.Cleanup
//			},
//		})
//	}
//
// It asks only what the [stentor.Broker], [stentor.Link] and [stentor.Feed]
// contracts promise: not when a message arrives, but that it does, once and in order; not how
// much is kept, but that whatever is missing can be told from the window. So
// the same cases hold for a log in memory and for one behind a network.
//
// # Delivery and order
//
// Positions increase over all channels and publishers; every feed sees that
// order; after Want nothing above its position is missed (cases order/… and want/…).
//
// # Resuming
//
// Replay is merged, ordered, bounded and free of repeats, also while messages
// are published and trimmed; a floor is never too low, nor, unless
// [Harness].RoundsUp says so, too high (cases replay/… and window/…).
//
// # Shutdown
//
// Close ends a feed for good and may be called twice (cases link/…).
//
// # Concurrency
//
// The feed of the suite reports calls that overlap, positions that do not
// increase and calls after Close as failures of the case. Run it with the race detector.
//
// # A plain list
//
// [Walk] takes random steps on a hub over the broker (publishing, readers that come, go,
// stall and resume, messages that expire, restarts) and compares what readers get with a
// plain list of what was published (TestWalkInMemory, TestWalkBites).
//
// # Testing
//
// The suite itself is tested with brokers that break one promise each
// (TestSuiteBites).
package brokertest
