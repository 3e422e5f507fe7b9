// Package eventsource reads Server-Sent Events as the HTML Standard's EventSource does
// (§9.2), over as many connections as it takes, for programs that run for years.
//
//	src, err := eventsource.New("https://example.com/events", nil)
//	if err != nil {
//		return err
//	}
//	for ev, err := range src.Events(ctx) {
//		if err != nil {
//			return err // it helps nothing to try again
//		}
//		fmt.Println(ev.Type, ev.Data, src.LastEventID())
//	}
//
// A service that answers a question with one stream, as those of language models do, is asked
// with Method, Body and [Options.Once]. A token that expires is renewed in
// [Options.Prepare]. What goes on meanwhile is told to [Options.Change].
//
// # Delivery and order
//
//   - Events are given in the order of the stream, each once for each time it was sent, and none
//     that was not whole. (TestNothingIsMissedOrGivenTwice, TestScriptedServer,
//     TestContractParsing, TestContractReconnection)
//   - An event is given as soon as its last byte is there; an event that is given has no
//     cost beside the text it holds. (TestContractParsing, TestEventsAllocateTheirTextAlone)
//   - A server can't make it keep more than MaxEventSize. (TestTooLargeIsFinalAndTyped,
//     TestResponseErrorHasTheBeginning)
//
// # Reconnecting
//
//   - Whatever ends a connection, another one follows, unless the answer or the options say
//     that it is no use. (TestScriptedServer, TestWhatIsFinal, TestOnce)
//   - The wait before it is never less than the server asks for, within limits; it is spread, and
//     grows while attempts fail. (TestReconnectionTime, TestPausesAreSpread, TestNeverSpins,
//     FuzzAnswer)
//   - A peer that is silent or does not answer is given up, and its connection is not taken again.
//     A reader that is busy with an event is no silence. (TestDeadConnectionIsGivenUp,
//     TestIdleTimeoutCountsTheServersSilence, TestClientTimeoutDoesNotCutTheStream)
//   - Each attempt has a new request, complete with its body. (TestPrepare, TestHeaders)
//   - Redirects are followed, to an end; headers that were meant for one origin don't get to
//     another. (TestRedirects, TestClientsOwnPolicy)
//   - What can't be sent at all is an error at once, and not one for ever.
//     (TestNewSaysWhatIsWrong, TestPreparedHeaderThatCannotBeSent)
//
// # Resuming
//
//   - Each request asks for what follows the event that the loop was given last, also when it was
//     left and another one is begun. (TestScriptedServer, TestLoopsGoOn)
//   - An id that no header can carry is not sent, and the one before it is: then events may come
//     twice, but none is missed. (TestIDThatFitsNoHeader)
//
// To go on in another process, keep [Source.LastEventID] after each event that was dealt with, and
// give it as [Options.LastEventID].
//
// # Shutdown
//
//   - A loop ends when it is left, when its context ends, or after Close, in whatever moment:
//     then nothing is given any more, and the connection has ended. (TestCloseFromAnyGoroutine,
//     TestContextEndsTheLoop, TestLoopsGoOn)
//   - A Source has no goroutine, and its own client leaves none. (TestOwnClientLeavesNothing, and
//     every test, for they run in bubbles)
//
// # Concurrency
//
// One loop at a time reads a Source (TestOneLoopAtATime); it does all work and calls all hooks on
// its goroutine. Close, Restart, State and LastEventID are for any goroutine, hooks and the loop's
// body included. (TestRestartFromAnyGoroutine, TestChangesAreTold)
//
// # Sleep and changing networks
//
// After a sleep, or when the network has changed, a connection may be dead without either
// end knowing. The Source's own client finds that out within a minute; a program that is told by
// its system calls [Source.Restart] and is there at once.
//
// # Testing
//
// Package ssetest has a server without a network, whose client goes into [Options.Client]. The
// LaunchDarkly contract tests can drive this package: make contract-service.
package eventsource
