// Package sse writes and reads Server-Sent Events: the wire format of the HTML
// Standard (§9.2), and one HTTP response that speaks it. It knows nothing of who
// is to be told what.
//
//	func tick(w http.ResponseWriter, r *http.Request) {
//		stream, err := sse.Accept(w, r, nil)
//		if err != nil {
//			http.Error(w, "no streams here", http.StatusNotImplemented)
//			return
//		}
//		defer stream.Close()
//		for t := range time.Tick(time.Second) {
//			if stream.Send(r.Context(), sse.Event{Data: t.String()}) != nil {
//				return
//			}
//		}
//	}
//
// The format can be used alone: [Event.AppendText] encodes, [Decoder] decodes.
//
// # The format
//
//   - What is encoded decodes to what it was, and to nothing else, whatever is in
//     it; CR and CRLF in data and comments come out as LF, for the format has no
//     other way. What could not is refused. (FuzzRoundTrip, FuzzInjection,
//     TestAttackT1ControlCharactersInIDTypeAndComment, TestAttackT2LoneCRInData,
//     TestAttackT4EmptyOrNULIDResetsTheCursor)
//   - The decoder reads any bytes as the standard says, however they are cut.
//     (FuzzDecode, TestWebPlatform, TestLaunchDarkly)
//   - It never waits for a byte that it does not need.
//     (TestCRAtTheEndOfAChunkDispatchesAtOnce, TestCommentIsToldWhenItsLineEnds)
//   - It takes no more memory than a small multiple of its limit, and time in
//     proportion to what it reads. (TestMaxEventSize,
//     TestHostileStreamIsReadWithinTheLimit, TestHostileStreamTakesLinearTime)
//
// # Delivery and order
//
//   - Events reach the reader in the order in which Send was called, whole; the
//     events of one Send have nothing between them.
//     (TestConcurrentSendsNeverInterleave,
//     TestSeveralEventsAreOneWriteAndOneFlush)
//   - A sequence is not asked for more once its reader has gone.
//     (TestBetterSSESession)
//   - When Send returns without an error, the events have left this process's
//     buffers. That the reader has them is known to the reader alone.
//     (TestSendReturnsWhenFlushed)
//   - An event that can't be sent is an error, and no event of that Send is sent.
//     (TestInvalidEventSendsNothingAndEndsNothing)
//
// # Slow subscribers
//
//   - Send waits for a reader that does not read, for WriteTimeout at most; then
//     the stream has ended. (TestStalledReaderIsCutByTheWriteDeadline,
//     TestKeepAliveFindsADeadReader)
//   - A stream may be silent for as long as it likes, whatever timeouts the server
//     has. (TestServerTimeoutsAreLifted, TestKeepAliveOnlyWhenIdle)
//   - There is one keepalive at a time. It can be started, changed and stopped while
//     the stream is open (TestSetKeepAlive), and is no event of the application: it
//     puts off no idle timeout and counts as bytes alone
//     (TestKeepAliveEventsDoNotCountForIdleTimeout, TestSent).
//
// # Resuming
//
// The application chooses ids and looks up what follows one: [LastEventID] is
// where the reader was. It is the reader's word, and may be any bytes.
// (TestLastEventID, FuzzLastEventID)
//
// # Compression
//
//   - With [AcceptOptions].Compress, readers that accept gzip get it, as weights and all say.
//     (TestCompressionIsNegotiated)
//   - Each write can be read when it has come, and a good end can be told from a cut.
//     (TestCompressed, TestCompressedEnds)
//   - What somebody else encodes is left alone. (TestEncodedBySomebodyElse)
//   - What streams are given together is compressed once; nothing refers to what one was given
//     alone.
//
// # Handing over
//
// Whoever has better means to write to many connections takes them with [Stream.Detach],
// in the middle of the response (TestDetach): over HTTP/1, and over TLS on connections of a
// [Listener] (TestDetachOverTLS). A compressed body goes on (TestDetachCompressed). A stream that can't be handed over goes on as it was
// (TestDetachIsRefused, TestDetachOverTLSIsRefused).
//
// # Shutdown
//
//   - A stream ends once, with one cause, that all its methods give from then on.
//     (TestFirstWriteErrorIsTheCause, TestClientGone, TestCloseSaysFarewell,
//     TestIdleTimeoutCountsFromTheLastSend)
//   - After Close or Wait nothing is written, whoever tries.
//     (TestCloseFromManyGoroutines, TestHandlerThatForgetsToClose)
//   - The end of the response reaches the reader, however long the stream was
//     silent, and can't hold the server. (TestCleanEndLongAfterTheLastDeadline,
//     TestStalledReaderDoesNotHoldTheEnd)
//
// [http.Server.Shutdown] waits for open streams without telling them: close them,
// or end the server's base context.
//
// # Concurrency
//
// A [Stream] is safe for any goroutine and has none of its own between writes. A
// [Decoder] is for one at a time. An [Event] is a value.
//
// # Testing
//
// Package ssetest has a server and a recording reader for the tests of handlers.
package sse
