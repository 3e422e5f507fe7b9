// Package eventhttp is the plain face of a hub: any EventSource, curl or HTTP
// client subscribes and publishes with it.
//
//	hub, err := stentor.New(ctx, nil)
//	...
//	face := eventhttp.New(hub, &eventhttp.Options{
//		Publish: func(r *http.Request, m *stentor.Message) error { return nil }, // everyone
//	})
//	http.ListenAndServe("127.0.0.1:8080", face)
//
// and then
//
//	curl -N '127.0.0.1:8080/events?channel=home'
//	curl -d 'channel=home&data=hello' 127.0.0.1:8080/publish
//
// The routes are
//
//	GET    /events              a stream: ?channel=a&channel=b, ?presence=true, ?named=true
//	POST   /publish             {"channel":"a","type":"t","data":…}
//	POST   /subscriptions/{id}  {"join":["b"],"leave":["a"]}
//	DELETE /subscriptions/{id}  ends it
//	GET    /presence            who is on ?channel=a
//	GET    /healthz, /readyz    200; /readyz 503 while the hub takes nobody
//
// A handler of one's own opens a stream on the hub with [Accept]; [Face.Events] serves GET
// /events under another path. A program may have several hubs, and a hub several faces with options
// of their own.
//
// # Delivery and order
//
// Each message is one event: `id:` is its position, `event:` its type, data its
// data (TestStreamBytes). An ephemeral message has no id. Who asks with ?named=true is told the
// channel that a message was published to in a line `channel:`, which the standard ignores
// (TestNamedChannels). Positions on one stream
// strictly increase, as the hub guarantees.
//
// The face's own events have types that begin with "stentor.", which publishers may
// not use (TestPublishRefuses). stentor.open is the first event of every stream and
// holds the subscription's id and a cursor; stentor.end is the last one of every stream
// that the server ends, and says why (TestEndSaysWhy); stentor.gap says that something is
// missing; stentor.state ends what is kept about the subjects of channels (TestState); stentor.join, stentor.leave and stentor.update go to those who ask for
// presence, once for each user however many tabs there are (TestPresenceEvents).
//
// # Publishing
//
// What is refused is refused with a problem document (RFC 9457) before anything is
// published (TestPublishRefuses). A batch is one JSON object a line. All its
// lines are read, approved and checked before the first is published: an answer with an error
// status means that nothing was, one with 200 has a line for each message,
// `{"id","matched"}` or what became of it instead, `{"title","status","detail"}`
// (TestBatch). With an Idempotency-Key a request is safe to repeat: the retry is answered
// as the first was, and `"repeated":true`; in a batch, line by line (TestIdempotencyKey).
//
// # Slow subscribers
//
// A reader that doesn't read costs its cursor; see package stentor. Its stream
// ends when a write takes longer than Options.Stream.WriteTimeout.
//
// # Compression and TLS
//
// With Options.Stream.Compress, streams are compressed for readers that accept gzip, and each frame once for
// all of them (TestCompressedOnce). They read what the others do, when they do, whatever channels they
// are on, whenever they come, also after they have stalled (TestCompressedStreams). Streams over TLS cost
// little more than in clear where the server's listener is one of [sse.Listener] (TestTLS).
//
// # Resuming
//
// A stream goes on after the position in the Last-Event-ID header, or else in the query
// parameter lastEventId, last_event_id or Last-Event-ID; 0 is all that is kept
// (TestResume). A cursor is never answered with an error status, from which an
// EventSource does not come back, but with stentor.gap (TestCursorIsNeverAnError). For
// the same reason a hub that is full or going away answers a stream request with
// 200, a random reconnection time and the end (TestOverloadIsSoft). One whose key was dismissed
// is answered 204, on which an EventSource stops (TestLibDismissal).
//
// # Browsers
//
// A cookie names the browser, which is its session where the application gives no other: with
// it, or with a key, it takes its place again when it comes back (TestCookie). The cookie proves
// nothing about a user. Only values of the face's own making are taken.
//
// # Live subscriptions
//
// Whoever knows the id in stentor.open and is the same user changes or ends the
// subscription; for everybody else it does not exist (TestSubscriptionIsItsOwners). Where
// nobody said who it is, the browser is known by its cookie (TestCookieOwns). A change is made whole or, with an error, not at all (TestChangeIsWhole).
//
// # Pages of other sites
//
// They read what Options.AllowOrigins lets them, and change nothing else
// (TestForeignPages).
//
// # Shutdown
//
// Hub.Shutdown ends every stream with a farewell; the face has nothing of its own to
// end (TestShutdownEndsStreams). Since http.Server.Shutdown waits for streams, let it
// start the hub's: server.RegisterOnShutdown(func() { hub.Shutdown(ctx) }).
//
// # Concurrency
//
// The functions of [Options] may do as they like: one that fails or panics ends its own
// request, and leaves nothing registered (TestHooksFailAlone).
//
// A [Face] and a [Handle] may be used from any goroutine. A Face starts none; a Handle
// has one, which Wait and Close wait for (TestHandleClose).
//
// # Testing
//
// Package ssetest serves a Face in memory, also in a testing/synctest bubble.
package eventhttp
