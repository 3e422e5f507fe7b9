// Package chat is the Chat application: a page and its services over a hub.
//
//	mux := http.NewServeMux()
//	serverevents.New(hub, nil).Register(mux)
//	chat.New(hub, nil).Register(mux)
//	http.ListenAndServe("127.0.0.1:8080", mux)
//
// The services are those of ServiceStack's Chat, at its paths and under /api/ and
// /json/reply/: they take JSON, a form or the query, with names in any letter
// case, and answer errors with its envelope (TestServices, TestSpellings, TestBadRequests).
// The page, at /?channels=home,news, is plain HTML, CSS and JavaScript modules.
//
// # Who says what
//
// A request names its sender by the id of a live subscription, which only its own
// client knows. Name and user are what the hub has for it, whatever else the request
// says (TestNameIsTheHubs). It may post to channels that it is not on, as in
// ServiceStack's Chat (TestPostElsewhere); it clears those alone that it is on
// (TestOnlyMembersClear). Resetting the hub is off unless an option allows it
// (TestReset). An object alone may be posted without a sender, for ServiceStack's
// clients name none; nothing in it says who sent it.
//
// User text is kept, answered and published as it was written, as JSON strings
// (TestTextIsRaw); the page puts it into text nodes alone, and its content security
// policy lets nothing else be (TestPageHeaders). Selectors that only the server or a
// client's own machinery says are refused (TestForgedSelectors). The page does what a
// selector asks for only where web/remote.js lists it.
//
// What changes something takes POST alone, and not from pages of other origins
// (TestCrossSite).
//
// # Delivery and order
//
// A message to a channel goes to everyone on it, and into the history before that, so
// that a page which is connected when it reads the history misses none; each has an
// id by which both are told apart (TestHistoryAndStreamMeet).
//
// A private message goes to all windows of one user, and once to those of the sender;
// nobody else gets it and no history keeps it (TestPrivate). If the user is not
// there, the sender's copy has a note (TestPrivateToNobody).
//
// # Resuming
//
// The hub resumes streams. The history holds the newest messages of each channel, up
// to Options.History of them, 256 channels and 8 MiB in all; what was quiet for longest goes
// first (TestHistoryBounds). It lives in this process: with several nodes each has
// its own, and a restart empties it.
//
// # Concurrency
//
// A Chat may be used from any goroutine. It starts none.
package chat
