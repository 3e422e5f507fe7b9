// Package diskbroker keeps a hub's history in a directory: durable messages, positions
// that go on after a restart, exact resume.
//
//	broker, err := diskbroker.Open("/var/lib/events", nil)
//	...
//	defer broker.Close()
//	hub, err := stentor.New(ctx, &stentor.Options{Broker: broker})
//
// # Durability
//
// Publish returns when the message is on disk. All that wait at the same moment share one
// write.
package diskbroker
