// Command stentor is the server and the command line of Stentor: it pushes
// events to browsers, apps and other programs over Server-Sent Events.
//
//	stentor serve       the hub, over HTTP
//	stentor demo        the same with the Chat application at /, and a sign-in by any name
//	stentor publish     sends events to a channel of a running server
//	stentor subscribe   prints what arrives on channels
//	stentor bench       loads a server and says what came of it
//	stentor history     looks after the history that serve --data keeps on disk
//	stentor version     says what this is
//
// Data goes to standard output, everything else to standard error. The exit
// code is 0 when it did what it was asked to, 1 when it failed, 2 when it was
// asked wrongly: arguments, flags, environment or configuration file.
//
// # Settings
//
// Every flag is also an environment variable and a key of the file given with
// --config; the command line beats the environment, which beats the file
// (TestSettingsPrecedence). An unknown name or a bad value is an error that
// names it and where it stands (TestSettingsErrors).
//
// # Loopback
//
// Without keys, everything is allowed to everyone who reaches the server. So it
// listens on loopback only (TestListenOffLoopback) and answers only requests
// that name a loopback host or the one of --public-url (TestHostRule): a page on
// the web can't reach it by a name that resolves to 127.0.0.1.
//
// # TLS
//
// With --tls-cert and --tls-key it speaks HTTPS, over HTTP/1.1 and 2; streams cost as little as
// in clear but for the keys (TestServeTLS). SIGHUP reads the files again, and a file that can't be
// read changes nothing (TestCertificateIsReadAgain).
//
// # History
//
// With --data the history is in a directory: messages are on disk before their publishers have
// an answer, and the server goes on after a restart where it was. One process at a time has the
// directory; others are told which. "stentor history" looks after it (TestScripts).
//
// # Delivery and order
//
// Events that are published from one standard input keep its order
// (TestPublishLinesKeepOrder). A subscriber reconnects by itself and goes on
// after the last event it printed (TestSubscribeResumes); what is lost is
// told on standard error (TestSubscribeGap).
//
// # Limits
//
// When the system gives no more descriptors, those who have a stream go on with it,
// and new connections wait until others end. A line in the log, at most one a minute,
// says so and what to do (TestListenWithoutDescriptors).
//
// # Load tests
//
// bench checks every event of every connection, and ends with 1 when one was lost, came
// twice or out of order (TestBenchFindsFaults), or when a connection could not be had or
// broke (TestBenchCountsBrokenConnections). An interrupt ends it with what was counted so far;
// what was published by then is read first (TestBenchInterrupt). It needs Linux.
//
// # Shutdown
//
// An interrupt ends the server within a second (TestInterruptEndsManyStreams),
// every open stream with its farewell as long as there is time
// (TestInterruptIsToldToEachStream). SIGTERM drains it first: its streams end one
// after the other over --drain-timeout (TestTerminateDrains), and meanwhile it is
// not ready, takes no new ones and goes on publishing (TestWhileDraining). A
// second signal stops it at once (TestSecondSignal).
package main
