// Package eventsource reads Server-Sent Events over any number of connections.
package eventsource
