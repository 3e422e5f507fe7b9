package brokertest

import (
	"testing"

	"github.com/stentor-sse/stentor"
)

// Harness makes the brokers that [Run] asks.
type Harness struct {
	// New opens an empty broker within the limits and ends it in t.Cleanup. It
	// is called once or more for each case. Required.
	New func(t testing.TB, l Limits) stentor.Broker
	// Peer opens the same log once more, as another node would, and ends it in
	// t.Cleanup. Nil means that the log lives in one process: then several
	// links of one broker are used.
	Peer func(t testing.TB, b stentor.Broker) stentor.Broker
	// Reopen ends b, as its process ending would, and opens what is stored
	// again. Nil means that nothing outlives the process.
	Reopen func(t testing.TB, b stentor.Broker) stentor.Broker
	// RoundsUp says that the broker can't give exact floors and gives higher
	// ones: a gap too many is allowed then, one too few never is.
	RoundsUp bool
	// Durability is what the receipts of kept messages must say. Empty means
	// anything but "none".
	Durability string
}

// Limits are what a case needs trimmed. Zero fields are the broker's defaults,
// which must hold a thousand messages on a hundred channels for a minute.
type Limits struct {
	// Size is how many messages are kept per channel, at most. A broker that
	// trims later is fine as long as its windows agree. Negative means none,
	// or as few as the broker can.
	Size int
	// Channels is how many channels are remembered. A broker without such a
	// limit ignores it.
	Channels int
}

// Run runs every case as a subtest of t.
func Run(t *testing.T, h Harness) {
	for _, c := range cases(h) {
		t.Run(c.name, func(t *testing.T) { c.run(newRig(t, h)) })
	}
}

// testCase is one promise. It may open as many brokers as it likes.
type testCase struct {
	name string
	run  func(r *rig)
}

func cases(h Harness) []testCase {
	list := []testCase{
		{"order/positions increase over channels", positionsIncrease},
		{"order/concurrent publishers", concurrentPublishers},
		{"order/links see the same", linksSeeTheSame},
		{"order/ephemeral is neither kept nor positioned", ephemeralIsPassing},
		{"order/a retry is one message", retryIsOne},
		{"want/complete while publishers run", wantIsComplete},
		{"want/nothing else arrives", wantIsExact},
		{"want/dropped and added again", wantDropped},
		{"want/every route is carried", routesAreCarried},
		{"want/contents survive", contentsSurvive},
		{"replay/merged, ordered and bounded", replayIsMerged},
		{"replay/stops when told", replayStops},
		{"replay/a page is kept", pageIsKept},
		{"replay/no lock while page runs", pageHoldsNoLock},
		{"replay/beside publishing and trimming", replayBesideTrimming},
		{"state/the newest about each subject", stateIsNewest},
		{"state/of its channel alone", stateOfItsChannel},
		{"state/what was superseded is no gap", supersededIsNoGap},
		{"state/within the limits", stateIsTrimmed},
		{"state/pages", stateInPages},
		{"window/of a new log", windowOfNewLog},
		{"window/nothing trimmed is no gap", windowUntrimmed},
		{"window/trimmed per channel", windowTrimmed},
		{"window/forgotten channel", windowForgotten},
		{"window/nothing kept", windowNothingKept},
		{"window/prev walks back", prevWalksBack},
		{"link/next is never the same twice", nextIsUnique},
		{"link/close ends the feed", closeEndsTheFeed},
		{"link/closed", closedLink},
		{"link/alone", alone},
		{"link/ended context", endedContext},
	}
	if h.Reopen != nil {
		list = append(list, testCase{"link/reopened", reopened}, testCase{"state/reopened", stateReopened})
	}
	return list
}
