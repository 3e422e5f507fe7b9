// Package client subscribes to a Stentor hub over its plain face: channels that come and go
// while the stream is open, handlers by type, lists of who is there, publishing.
//
//	c, err := client.New("https://example.com", &client.Options{
//		Channels: []string{"orders"},
//		Token:    func(ctx context.Context, renew bool) (string, error) { return tokens.Get(ctx, renew) },
//	})
//	if err != nil {
//		return err
//	}
//	client.On(c, "placed", func(o Order, e sse.Event) { fmt.Println(o.Customer, e.ID) })
//	client.On(c, "stentor.gap", func(g client.Gap, e sse.Event) { reloadOrders() })
//	return c.Run(ctx)
//
// For streams of other servers, and for what this one says byte by byte, there is package
// eventsource, on which it stands: what that promises of reconnecting is promised here too.
//
// # Delivery and order
//
//   - Handlers are called one after the other, in the order of the stream; data that is not what
//     a handler takes is told to Options.Error, and what follows goes on. (TestHandlersByType)
//   - Messages that are missing are told of with stentor.gap, in their place. (TestHandlersByType)
//   - A message is published when the server says so, and once, even if it takes several
//     attempts. (TestPublish, TestPublishIsSafeToRepeat)
//
// # Channels
//
//   - They are changed while the stream is open, without another one, and are the same after
//     it was connected anew, whenever the change was made. (TestChannelsAreChangedLiveAndKept,
//     TestChangeBetweenStreams, TestJoinWhileItWaits)
//   - A change is made whole or, with an error, not at all; changes from many goroutines are made
//     one after the other. (TestChangeFailsWhole, TestChangesFromAnyGoroutine)
//
// A stream takes a channel, a User, a Session or a Key: else nothing would ever arrive, and the server
// refuses it.
//
// # Presence
//
//   - With Options.Presence, Members is loaded with each stream, each join and each gap, and
//     kept up to date in between. (TestMembersAreKeptUpToDate,
//     TestNoticeWhileAListIsOnItsWay, TestListsThatCannotBeHad)
//   - A list has MaxMembers at most. (TestMembersAreKeptUpToDate)
//
// # Resuming
//
// Each stream goes on after the last event that was handled; a token that was refused is renewed, and
// the place is kept. (TestTokenIsRenewed, TestTokenThatCannotBeHad, TestRequest,
// TestCookieIsKept, TestCookiesAreBounded)
//
// # Shutdown
//
// Run ends with its context, after Close, or when the server refuses for good, and leaves
// nothing behind. (TestHowItEnds, TestNewSaysWhatIsWrong)
//
// # Concurrency
//
// Run and its handlers are one goroutine; everything else is for any, handlers included
// (TestChangesFromAnyGoroutine). Join and Leave in a handler wait for the server's answer, and what follows
// waits too.
//
// # Testing
//
// Package ssetest serves a face in memory; its client goes into Options.HTTP, with CheckRedirect
// as you like it.
package client
