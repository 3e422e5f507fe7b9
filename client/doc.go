// Package client subscribes to a hub: channels that come and go while the stream is open, handlers
// by type, lists of who is there, publishing. It speaks with the plain face or the ServiceStack
// face, and is the same for both.
//
//	c, err := client.New("https://example.com", &client.Options{
//		Channels: []string{"orders"},
//		Token:    func(ctx context.Context, renew bool) (string, error) { return tokens.Get(ctx, renew) },
//	})
//	if err != nil {
//		return err
//	}
//	client.On(c, "placed", func(o Order, e sse.Event) { fmt.Println(o.Customer, e.Channel, e.ID) })
//	client.On(c, "stentor.gap", func(g client.Gap, e sse.Event) { reloadOrders() })
//	return c.Run(ctx)
//
// For streams of other servers, and for what this one says byte by byte, there is package
// eventsource, on which it stands: what that promises of reconnecting is promised here too.
//
// # Faces
//
//   - With Options.Face [ServiceStack] it does what ServiceStack's own clients do, with a Stentor server or one of
//     ServiceStack's: selectors become types, cmd.chat is "chat" and tv.watch "tv.watch"; JSON strings become text; what
//     the server says of itself has the names of the plain face. (TestSelectors, TestHandlersByType, TestRequest,
//     TestServerUnderAPath)
//   - It sends the heartbeats that the server asks for, to that server alone. When one fails, or nothing
//     came on the stream for a lease, it connects anew, in its place. (TestHeartbeats, TestHeartbeatsToNowhere,
//     TestRefusedHeartbeatReconnects, TestSilentStreamIsGivenUp, TestRareHeartbeats, TestHeartbeatsEndWithTheStream)
//   - What only the server may say, no message can, and no server has it ask another one. (TestServersWordsAreNotForged,
//     TestMalformedWords, FuzzServiceStackFrames, TestServersOfServiceStack)
//
// # Delivery and order
//
//   - Handlers are called one after the other, in the order of the stream, and know the channel of a
//     message that was published to one; data that is not what a handler takes is told to Options.Error, and what
//     follows goes on. (TestHandlersByType, TestSeveralHandlersOfOneType, TestReceivers,
//     TestReceiverThatReceivesNothing, TestHandlerAddedWhileOthersRun)
//   - Messages that are missing are told of with stentor.gap, in their place. (TestHandlersByType)
//   - A message is published when the server says so, and once, even if it takes several
//     attempts. (TestPublish, TestPublishIsSafeToRepeat)
//
// # Channels
//
//   - They are changed while the stream is open, without another one, and are the same after
//     it was connected anew, whenever the change was made. (TestChannelsAreChangedLiveAndKept,
//     TestChangeBetweenStreams, TestLeftBetweenStreams, TestJoinWhileItWaits, TestChangeOfAStreamThatTheServerDoesNotKnow)
//   - A change is made whole or, with an error, not at all; changes from many goroutines are made
//     one after the other. (TestChangeFailsWhole, TestChangesFromAnyGoroutine, TestChannelNames)
//
// On the plain face a stream takes a channel, a User, a Session or a Key: else nothing would ever arrive, and the server
// refuses it. On the ServiceStack face one without channels is on "*". (TestNoChannels)
//
// # Presence
//
//   - With Options.Presence, Members is loaded with each stream, each join and each gap, and
//     kept up to date in between. (TestMembersAreKeptUpToDate, TestMemberIsAsTold,
//     TestNoticeWhileAListIsOnItsWay, TestListsThatCannotBeHad, TestListAfterAFailure)
//   - A list has MaxMembers at most. (TestMembersAreKeptUpToDate)
//   - Without it nobody's joins and leaves are told. (TestNoPresence)
//
// The plain face tells of users, the ServiceStack face of each of their subscriptions: there joins and leaves
// come for each tab, and the list is asked for again, once a second at most, because nobody says if a user has
// others. Members is the same.
// (TestUserWithSeveralSubscriptions)
//
// # Resuming
//
// Each stream goes on after the last event that was handled; a token that was refused is renewed, and
// the place is kept. (TestTokenIsRenewed, TestTokenThatCannotBeHad, TestRequest,
// TestCookieIsKept, TestCookiesAreBounded, TestCallAsTheSameVisitor) Servers of ServiceStack's keep no history.
//
// # Shutdown
//
// Run ends with its context, after Close, or when the server refuses for good, and leaves
// nothing behind. After Close it tells the server, for two seconds at most. (TestHowItEnds, TestCloseSaysGoodbye,
// TestCloseWaitsForNobody, TestRunWaitsForWhatItBegan, TestNewSaysWhatIsWrong)
//
// # Concurrency
//
// Run and its handlers are one goroutine; heartbeats and lists that are asked for again have others, which Run
// waits for. Everything else is for any goroutine, handlers included (TestChangesFromAnyGoroutine, TestOneRunAtATime). Join and Leave in a
// handler wait for the server's answer, and what follows waits too.
//
// # Testing
//
// Package ssetest serves a face in memory; its client goes into Options.HTTP, with CheckRedirect
// as you like it.
package client
