package archtest

import "path"

// Module is the path of the root module.
const Module = "github.com/stentor-sse/stentor"

// place is where a package stands.
type place struct {
	height int  // packages import what is lower, ten to a floor
	beside bool // outside the house: no package of the house imports it
}

// floor is a place on floor n. A leaf of internal/ stands between two floors: under
// its importers and above what it imports.
func floor(n int) place { return place{height: 10 * n} }

// above is a leaf between floors n and n+1; step orders leaves that import one
// another.
func above(n, step int) place { return place{height: 10*n + step} }

// beside is outside, and imports what is under floor n.
func beside(n int) place { return place{height: 10 * n, beside: true} }

// Floors has the place of every package by its directory; a name that ends in "/"
// is for everything below it. Some are for packages that are still to come.
func Floors() map[string]place {
	return map[string]place{
		"internal/deflate": above(-1, 1), // streams and the engine compress with it

		"sse":         floor(0),
		".":           floor(1), // package stentor: the hub
		"eventsource": floor(1),

		"eventsource/internal/contractservice": above(1, 1), // lets the LaunchDarkly harness drive it

		"internal/engine": above(0, 1), // the hub writes to taken-over connections with it

		"internal/streamlog": above(1, 1), // both faces log their streams alike
		"internal/problem":   above(1, 1), // both faces answer with it
		"internal/visitor":   above(1, 1), // both faces know a browser by its cookie
		"internal/dto":       above(1, 2), // ServiceStack's requests and answers: its face and Chat
		"internal/origin":    above(1, 2), // both faces have the same policy for pages of other sites

		"eventhttp":    floor(2),
		"serverevents": floor(2),
		"client":       floor(2),
		"js":           floor(2),
		"diskbroker":   floor(2),
		"redisbroker":  floor(2),
		"natsbroker":   floor(2),
		"chat":         floor(3),
		"cmd/stentor":  floor(4),
		"examples/":    floor(4),

		"bench/load/payload": above(3, 1), // the load generator and the servers of the comparisons
		"bench/load":         above(3, 2), // the command and the comparisons
		"bench/peer":         above(3, 2),
		"bench/report":       above(3, 1),

		"ssetest":           beside(1),
		"brokertest":        beside(2),
		"internal/archtest": beside(0),
		"bench/":            beside(5),
		"e2e/":              beside(5),
	}
}

// find is the place of the package in dir: its own, or that of the nearest
// directory above that has one for everything below it.
func find(floors map[string]place, dir string) (place, bool) {
	if p, ok := floors[dir]; ok {
		return p, true
	}
	for ; dir != "."; dir = path.Dir(dir) {
		if p, ok := floors[dir+"/"]; ok {
			return p, true
		}
	}
	return place{}, false
}
