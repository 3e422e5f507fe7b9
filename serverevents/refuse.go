package serverevents

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"

	"github.com/stentor-sse/stentor"
	"github.com/stentor-sse/stentor/internal/dto"
)

// refuse answers with the envelope that err asks for and logs it once: what the
// caller can mend at debug, what only the operator can at error. The query stays out
// of the log: it holds ids, which are capabilities.
func (f *Face) refuse(w http.ResponseWriter, r *http.Request, err error) {
	status, message := dto.Explain(err)
	level := slog.LevelDebug
	if status == http.StatusInternalServerError && r.Context().Err() == nil {
		level = slog.LevelError
	}
	f.log(r, level, "request refused", status, err)
	dto.Error(w, status, message)
}

// log says what became of a request that was not served.
func (f *Face) log(r *http.Request, level slog.Level, text string, status int, err error) {
	f.o.Logger.Log(r.Context(), level, text,
		"method", r.Method, "pattern", r.Pattern, "status", status, "err", dto.Clip(err.Error(), 256))
}

// unaccepted answers where no stream could begin, if there is anybody to answer.
func (f *Face) unaccepted(w http.ResponseWriter, r *http.Request, err error) {
	err = fmt.Errorf("serverevents: accept: %w", err)
	if errors.Is(err, errors.ErrUnsupported) { // a wrapped writer: nothing mends itself
		f.refuse(w, r, err)
		return
	}
	f.log(r, slog.LevelDebug, "reader gone before its stream", 0, err)
}

// turnAway refuses a stream request. An EventSource gives up for good on any status
// but 200, so only what the request or the application decides is answered with
// one; anything else closes the connection, and the client comes back.
//
// Behind a proxy that would make a 502 of a closed connection, the answer would be
// 200, silence for 2 to 10 s and an end. That needs to be told that there is
// one, and comes with the option that names trusted proxies.
//
// Who was dismissed is told to stay away in the way that the standard has for it.
func (f *Face) turnAway(w http.ResponseWriter, r *http.Request, err error) {
	switch {
	case errors.Is(err, stentor.ErrDismissed):
		f.log(r, slog.LevelDebug, "stream refused", http.StatusNoContent, err)
		w.Header().Set("Cache-Control", "no-store")
		w.WriteHeader(http.StatusNoContent)
		return
	case decided(err):
		f.refuse(w, r, err)
		return
	}
	f.count.turnedAway.Add(1)
	level := slog.LevelError
	if overloaded(err) || r.Context().Err() != nil {
		level = slog.LevelDebug
	}
	f.log(r, level, "stream turned away", 0, err)
	drop(w)
}

func decided(err error) bool {
	_, refused := errors.AsType[*stentor.Refusal](err)
	return refused || errors.Is(err, stentor.ErrInvalid) || errors.Is(err, stentor.ErrTooLarge) ||
		errors.Is(err, stentor.ErrKeyTaken)
}

func overloaded(err error) bool {
	return errors.Is(err, stentor.ErrFull) || errors.Is(err, stentor.ErrDraining) || errors.Is(err, stentor.ErrClosed)
}

// drop ends the connection, or on HTTP/2 the stream, without an answer.
func drop(w http.ResponseWriter) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		panic(http.ErrAbortHandler) // the server's own way to say it
	}
	conn.Close() // an error means that it is closed
}
