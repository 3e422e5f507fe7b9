// Package js has the client for browsers and Node.js, stentor-client, as the files that a
// server gives to pages:
//
//	mux.Handle("GET /stentor.js", js.Client())
//	mux.Handle("GET /stentor-bindings.js", js.Bindings())
//
// and then, in a page:
//
//	import { connect } from "/stentor.js";
//	const c = connect("/events", { channels: ["home"] });
//	c.on("greet", (data, event) => …);
//	c.on("gap", () => location.reload());
//
// The sources are in src, and `make js` builds dist from them, which is committed so that Go programs
// need no Node.js. What the client promises is in docs/javascript.md.
//
// # The format
//
// The client's parser and the decoder of package sse read the same bytes alike, whatever they are
// (TestStreamsAreReadAlike has the cases of both, and e2e has random ones).
//
// # Concurrency
//
// The handlers keep nothing, and are for any goroutine. A browser that has the file is answered 304
// (TestFilesAreServed).
package js
