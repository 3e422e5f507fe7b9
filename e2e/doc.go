// Package e2e has no code, only tests: the real binary and faces against the
// clients that people really use.
//
//   - node/: npm @servicestack/client with npm eventsource, as Node.js tests named after
//     the cases of its own suites
//   - Chromium: the Chat application, plain EventSource, @servicestack/client, ss-utils
//   - outside/: the clients that others wrote, in Node.js and Chromium, and a server of theirs
//   - goclient/: the Go client, doing what ServiceStack's for C# does, in bubbles; and two terminals beside a page
//   - curl: both faces
//   - a raw socket: the exact bytes
//   - a thousand open streams, when the server is told to end
//   - the server killed in a storm of publishers, and its disk full
//   - --engine auto and attached: the same bytes, and bad peers and limits with each
//
// It is a module of its own and never released. Before the first run, from the
// root of the repository, `make tools`; then `make e2e`. Every test starts what it
// needs on a free port of 127.0.0.1 and stops it.
package e2e
