// Package load is a load generator for event streams: many connections on one
// thread, without a goroutine or a buffer for each. It checks every event of every
// connection: what is missing, what comes twice or out of order (TestFaultsAreFound), and
// how long it took. It reads streams with and without chunks, in whatever pieces they
// come (TestCutAnywhere). Several publishers may number the events of one channel, each its
// own (TestLanes), and connections that can't be had are counted by how they failed
// (TestPartialOpeningCountsHowTheOthersFailed).
//
//	l, err := load.New(&load.Options{Address: "127.0.0.1:8080", Connections: 10_000})
//	...
//	defer l.Close()
//	err = l.Open(ctx)
//	l.Expect(1, 500)
//	go publish()
//	err = l.Run(ctx, l.Complete)
//	fmt.Println(l.Report())
//
// The events must hold the data of package payload, which has the sequence number and the
// time of publishing; what else a server sends is counted apart. Latency is measured
// with the clock of the machine, so both ends have to be on it.
//
// It speaks HTTP/1.1 without TLS. It runs on Linux, elsewhere there is only what reads a stream.
// It runs where it is called: Open and Run poll, and between the calls
// nobody reads. A Load is for one goroutine.
package load
