package stentor_test

import (
	"context"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stentor-sse/stentor"
)

// breaking is a broker whose feed can be broken, as one that lost its connection.
type breaking struct {
	*stentor.MemoryBroker
	feed stentor.Feed
}

func (b *breaking) Attach(ctx context.Context, f stentor.Feed) (stentor.Link, error) {
	b.feed = f
	return b.MemoryBroker.Attach(ctx, f)
}

// What a broker can't restore is told to every live subscription, also to one that
// is behind just then.
func TestBreakIsTold(t *testing.T) {
	bubble(t, func(t *testing.T) {
		broker := &breaking{MemoryBroker: stentor.NewMemoryBroker(nil)}
		h := newHub(t, &stentor.Options{Broker: broker, QueueLength: 2, KeepAlive: -1})
		live, stalled := serve(t, h, on("a")), serve(t, h, on("a"))
		release := stalled.block()
		var last stentor.Position
		for i := 1; i <= 5; i++ {
			last = say(t, h, "a", strconv.Itoa(i))
			settle()
		}
		broker.feed.Break(last, last+10, stentor.GapCorrupt)
		broker.feed.Break(last+20, last+30, stentor.GapCorrupt)
		settle()
		after(time.Second)            // what comes now is above the breaks
		exact := serve(t, h, on("b")) // its queue is full to the last place when the feed breaks
		hold := exact.block()
		for i := range 3 { // one is being written
			last = say(t, h, "b", strconv.Itoa(i))
			settle()
		}
		broker.feed.Break(last, last+10, stentor.GapCorrupt)
		hold()
		settle()
		want(t, "full to the last place", exact.got(), "open\nm=0\nm=1\nm=2\ngap corrupt\n")
		want(t, "live", live.got(), "open\nm=1\nm=2\nm=3\nm=4\nm=5\ngap corrupt\ngap corrupt\ngap corrupt\n")
		release()
		settle()
		after(time.Second)
		say(t, h, "a", "6")
		settle()
		if got := stalled.got(); strings.Count(got, "gap corrupt\n") != 1 || strings.Index(got, "gap") > strings.Index(got, "m=6") {
			t.Errorf("the one that was behind got %q", got)
		}
		if got := numbers(t, "stalled", stalled.lines(), 0); got != 6 {
			t.Errorf("it got up to %d of 6", got)
		}
	})
}
