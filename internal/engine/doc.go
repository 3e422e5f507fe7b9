// Package engine writes one log to many connections: the part of the hub that a
// hundred thousand connections cost something in.
//
// Connections belong to shards, one for each processor. What is appended to the log
// wakes the shards that have a connection on its route. A shard reads the log in
// order, gathers for each connection what it is to get, and gives it to the kernel with one
// call: so what came meanwhile goes together, and nothing waits when there is nothing else.
//
// A connection is live (it was given all that its shard has read) or behind (it was given
// all up to a place of its own, and the rest of one frame waits). One that is
// behind reads the log by itself when it can be written to; when the log has gone on too
// far, its owner feeds it from elsewhere and says where to go on. The log is bounded and waits for
// nobody: a shard that it has overtaken turns its connections behind.
//
// A connection costs no goroutine, timer, buffer or queue while it is live. Linux only:
// elsewhere [New] gives [errors.ErrUnsupported].
package engine
