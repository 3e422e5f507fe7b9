// Package ssetest serves and records event streams in memory, over HTTP/1.1 and
// HTTP/2, for the tests of a server that sends them.
//
//	func TestGreeting(t *testing.T) {
//		ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
//			srv := ssetest.NewServer(t, p, handler)
//			got := srv.Open(t, "/events", "Last-Event-ID: 7")
//			if e := got.Next(t); e.Data != "hello" {
//				t.Errorf("data %q, want hello", e.Data)
//			}
//			time.Sleep(15 * time.Second) // takes no time
//			synctest.Wait()
//			if n := len(got.Comments()); n != 1 {
//				t.Errorf("after 15s idle: %d keepalives, want 1", n)
//			}
//		})
//	}
//
// The server is a real http.Server and the client a real http.Client; only the
// connections between them are made of memory, with 64 KiB for each direction. So
// everything works in a [testing/synctest] bubble, where time stands still while
// anything can run, and no test needs a port or has to sleep.
//
// # Slow subscribers
//
// [Server.OpenStalled] reads the headers and then nothing until
// [Recorder.Resume]; [Server.Dial] gives the bare connection.
// (TestStalledReaderHoldsTheWriter)
//
// # Shutdown
//
// Nothing has to be closed: the end of the test ends the streams, the connections
// and the server, and waits for every handler and goroutine.
// (TestServerLeavesNothing)
//
// # Concurrency
//
// All methods are safe for any goroutine, except that those that take a test may
// end it, which only the test's own goroutine may do.
package ssetest
