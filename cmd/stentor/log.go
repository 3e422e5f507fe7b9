package main

import (
	"context"
	"io"
	"log/slog"
	"time"
)

// Bounds of what one value and one message take in the log, in bytes. What is
// logged came from outside more often than not; messages hold our own text and
// the stacks of panics.
const (
	maxLogValue   = 256
	maxLogMessage = 8 << 10
)

// logger writes one line for each thing, escaped by slog.
type logger struct{ *slog.Logger }

func newLogger(w io.Writer, level slog.Level, format string) logger {
	o := &slog.HandlerOptions{Level: level, ReplaceAttr: shorten}
	if format == "json" {
		return logger{slog.New(slog.NewJSONHandler(w, o))}
	}
	return logger{slog.New(slog.NewTextHandler(w, o))}
}

// shorten cuts long texts.
func shorten(groups []string, a slog.Attr) slog.Attr {
	limit := maxLogValue
	if len(groups) == 0 && a.Key == slog.MessageKey {
		limit = maxLogMessage
	}
	switch v := a.Value.Any().(type) {
	case string:
		a.Value = slog.StringValue(cut(v, limit))
	case error:
		a.Value = slog.StringValue(cut(v.Error(), limit))
	}
	return a
}

// always logs whatever the level: scripts wait for these lines.
func (l logger) always(msg string, args ...any) {
	r := slog.NewRecord(time.Now(), slog.LevelInfo, msg, 0)
	r.Add(args...)
	// Nobody to tell that standard error is gone.
	_ = l.Handler().Handle(context.Background(), r)
}
