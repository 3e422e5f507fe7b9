// Package peer makes a program of an event server, for the comparisons: it serves
// GET /events?channel=X, and on a second address what the comparison tells it to do:
//
//	POST /publish?channels=10&first=1&last=500&size=100&rate=5000&window=0
//	POST /gc
//	POST /profile?file=cpu.prof, and without a name to end it
//	GET  /debug/pprof/
//
// Publishing is done inside the program, so what is measured is the delivery
// alone: the events with the numbers first to last go to each of the channels c0, c1 and so
// on in turn, rate messages a second in all, or as fast as it goes (TestPublish).
//
// The first line on standard output is a [Ready]. The program ends when its standard
// input does, so it never outlives whoever started it (TestEndsWithItsInput).
package peer
