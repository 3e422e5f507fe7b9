// Package diskbroker keeps a hub's history in a directory: messages that outlive the
// process, positions that go on after a restart, readers that resume where they were.
//
//	broker, err := diskbroker.Open("/var/lib/events", nil)
//	...
//	defer broker.Close()
//	hub, err := stentor.New(ctx, &stentor.Options{Broker: broker})
//
// One process at a time has a directory; whoever comes second is told which (TestLocked).
// The file is bbolt's, one record for each message under its position. An index in memory, of some
// five bytes for each message, says which are whose: so replay of a channel costs a search and
// what it gives, however large the log is and however many other channels it has.
//
// # Delivery and order
//
// It passes package brokertest (TestDiskBroker, TestDiskBrokerWithInterval), and a hub over it is
// compared with a plain list (TestWalkOnDisk). No feed is given a message before its
// durability holds.
//
// # Durability
//
// Publish returns when the message is on disk. All that wait while one write is under way
// share the next. The receipt says "disk". With Options.Interval it returns at once and says
// "disk-async"; if the process then ends without Close, the floor of the whole log rises to the time
// of the next Open, so that whoever may miss something is told (TestIntervalUncleanEnd).
// That a server that is killed again and again in a storm of publishers loses nothing that
// it acknowledged is proved with the real binary, in e2e.
//
// However the process ended, the same is kept and the same is known to be missing after a
// restart (TestRestartChangesNothing). Counters never give a number twice
// (TestCountersAfterACrash). A retry with an idempotency key is answered as the first was, after a
// restart too (TestForgetsIdempotencyKeys).
//
// # Retention
//
// By count, age and bytes, and by rules for some channels; what goes is what is oldest
// (TestBytes). A floor is exact: the newest message that is missing. Other limits hold from the next Open
// on (TestLimitsChange). What has expired leaves the disk within about a minute, also when nobody
// publishes (TestExpiredLeavesTheDisk). Whatever publishers send, memory and file stay within the limits
// (TestStaysBounded); the file doesn't shrink by itself: [Prune] gives back what it no longer needs
// (TestPrune). Ages are counted in positions, which are times: when the clock is set back, messages are kept
// for as much longer.
//
// # When the disk fails
//
// A full disk refuses messages with [ErrFull], for which a face answers 507; reading goes on, and publishing
// by itself when there is room (TestFullDisk, TestFullDiskWithInterval). Any other error of a
// write may leave unknown what is on disk: from then on everything that writes is refused with [ErrFailed],
// 503, until a new process opens the history (TestFailedDisk).
//
// A file that was cut is refused with what to do, or opened with all it had (TestCutFile). Every record has
// a checksum, and so has the state that counts them: what was overwritten never comes out as a
// message; it raises the floor of the log, which is a gap for everyone before it
// (TestOverwrittenFile, TestDamageWhileOpen). [Verify] reads everything (TestVerify). [Salvage] gives what can be read of a
// file that can't be opened (TestSalvage), and [Import] makes a history of it, in which readers go
// on where they were (TestImport).
//
// # Shutdown
//
// Close answers those who wait, writes what is held and ends every link. After it everything
// returns at once, with [stentor.ErrClosed]. A second call does nothing more (TestClose).
//
// # Concurrency
//
// All methods may be called from any goroutine. One goroutine writes; Close ends it. Feeds are called on
// it, and on those that publish ephemeral messages: so a feed must not call Publish of the
// same broker, nor Close of its own link.
//
// # Testing
//
// A history in t.TempDir() is as good as any. It works in a testing/synctest bubble.
package diskbroker
