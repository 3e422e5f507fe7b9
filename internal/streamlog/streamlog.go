// Package streamlog writes what the faces log of each stream: a line when it opens and one
// when it ends, with its cause, also of a stream whose connection outlives its handler.
package streamlog

import (
	"context"
	"log/slog"
	"time"

	"github.com/stentor-sse/stentor"
)

// Open writes the first line now and sees to the second. Where nobody would read
// them nothing is kept for them.
func Open(ctx context.Context, l *slog.Logger, sub *stentor.Subscription) {
	if !l.Enabled(ctx, slog.LevelDebug) {
		return
	}
	l = l.With("user", sub.Member().User, "address", sub.Address())
	begun := time.Now()
	l.Debug("stream opened")
	sub.OnEnd(func(cause error) {
		l.Debug("stream ended", "duration", time.Since(begun), "bytes", sub.Sent().Bytes, "cause", cause)
	})
}
