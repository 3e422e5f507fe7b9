// Package chat is the Chat application: a page and its services over a hub.
//
//	mux := http.NewServeMux()
//	c := chat.New(hub, &chat.Options{SignIn: []chat.Provider{chat.ByName{}}})
//	c.Register(mux)
//	eventhttp.New(hub, &eventhttp.Options{Subscribe: c.Subscribe, Prepare: c.Prepare, Presence: c.Presence}).Register(mux)
//	http.ListenAndServe("127.0.0.1:8080", mux)
//
// The page is a client of the plain face, which has to be there at its default paths. ServiceStack's
// clients are in the same room, see the same people, and say and hear the same (TestFacesTalk,
// TestFacesSeeEachOther), where their face is mounted too:
//
//	serverevents.New(hub, &serverevents.Options{Subscribe: c.Subscribe, Prepare: c.Prepare}).Register(mux)
//
// The services are those of ServiceStack's Chat, at its paths and under /api/ and
// /json/reply/: they take JSON, a form or the query, with names in any letter
// case, and answer errors with its envelope (TestServices, TestSpellings, TestBadRequests).
// The page, at /?channels=home,news, is plain HTML, CSS and JavaScript modules, with the client of
// package js, which the chat serves by itself (TestClientIsServed).
//
// # Who says what
//
// A request names its sender by the id of a live subscription, which only its own
// client knows. Name, user and picture are what the hub has for it, whatever else the request
// says (TestNameIsTheHubs). It may post to channels that it is not on, as in
// ServiceStack's Chat (TestPostElsewhere); it clears those alone that it is on
// (TestOnlyMembersClear). Resetting the hub is off unless an option allows it
// (TestReset). An object alone may be posted without a sender, for ServiceStack's
// clients name none; nothing in it says who sent it.
//
// User text is kept, answered and published as it was written, as JSON strings
// (TestTextIsRaw): there are no scripts in it for the server, and the page puts it into text
// nodes alone. The page's content security policy lets nothing else be (TestPageHeaders).
//
// What changes something takes POST alone, and not from pages of other origins
// (TestCrossSite). ServiceStack's Chat clears the history and signs out by GET, which any
// link, picture or prefetch can do for a visitor.
//
// # Signing in
//
// A [Provider] finds out who somebody is, at /auth/{name}: [ByName] with a form, for development;
// another with a redirect to where the user is known and back (TestProviderElsewhere). The
// browser then has a token of 130 random bits in a cookie that no script reads and no other
// site's page sends (TestSessionCookie); each sign-in gives a new one (TestSignInChangesTheToken).
// Sessions live in this process, 10,000 of them, each until it was not used for a day
// (TestSessionsEnd, TestSessionsAreBounded). [Chat.Subscribe] tells the faces who a
// subscriber is; a live subscription stays who it is, and pages connect anew
// (TestIdentityIsTakenAtConnect). That somebody has signed in is told to all (TestSignedInWindow).
//
// Everybody has a picture: what the provider gave, or initials that are drawn here, as a data: URL
// (TestPicturesAreTold, TestPictureContrast).
//
// # Remote control
//
// Whoever is connected may publish any selector, but those that only the server or a client's
// own machinery says (TestForgedSelectors); Options.LimitRemoteControl takes them from signed-in
// users alone (TestRemoteControlIsLimited). The page does what a selector asks for only where
// web/remote.js lists it: announcements, colours, background pictures, visibility, the TV, its
// title, an event, to stop listening. All of its looks can be undone by a click. Pictures and videos
// of other hosts load after a click, and window.location is a link: nothing that others
// write makes a page contact another host by itself, which would tell it who is here.
//
// # Delivery and order
//
// A message to a channel goes to everyone on it, and into the history before that, so
// that a page which is connected when it reads the history misses none; each has an
// id by which both are told apart (TestHistoryAndStreamMeet).
//
// A private message goes to all windows of one user, and once to those of the sender, the same to
// all; nobody else gets it and no history keeps it (TestPrivate, TestPrivateWindows). If the
// user is not there, the sender's copy has a note (TestPrivateToNobody).
//
// # Resuming
//
// The hub resumes streams. A page that is loaded anew within the linger is who it was, without a leave
// and a join, and begins with the history; one that is left for another, or stops listening, is gone at
// once. The history holds the newest messages of each channel, up
// to Options.History of them, 256 channels and 8 MiB in all; what was quiet for longest goes
// first (TestHistoryBounds). It lives in this process: with several nodes each has
// its own, and a restart empties it.
//
// # Concurrency
//
// A Chat may be used from any goroutine. It starts none.
package chat
