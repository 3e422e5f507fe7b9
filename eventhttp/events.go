package eventhttp

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/stentor-sse/stentor"
	"github.com/stentor-sse/stentor/internal/problem"
	"github.com/stentor-sse/stentor/internal/streamlog"
	"github.com/stentor-sse/stentor/internal/visitor"
	"github.com/stentor-sse/stentor/sse"
)

// events opens a stream. Everything that can be refused is refused before a byte
// is written; a cursor never is.
func (f *Face) events(w http.ResponseWriter, r *http.Request) {
	if err := f.acceptable(r); err != nil {
		f.refuse(w, r, err)
		return
	}
	who := f.browser(r)
	so, err := f.subscribeOptions(r, who)
	if err != nil {
		f.turnAway(w, r, err)
		return
	}
	if r.Method == http.MethodHead {
		streamHeader(w.Header())
		return // nobody to stream to: nothing is registered
	}
	sub, err := f.hub.Subscribe(r.Context(), so)
	if err != nil {
		f.turnAway(w, r, limited(err))
		return
	}
	streamlog.Open(r.Context(), f.o.Logger, sub)
	cause := errPanicked
	defer func() {
		if cause == errPanicked { // one of the application's functions: net/http logs it
			sub.Close(cause)
		}
	}()
	cause = f.serve(w, r, sub, who)
}

// errPanicked is the cause of a subscription whose handler panicked.
var errPanicked = errors.New("eventhttp: panicked")

// serve answers with the stream of sub, and returns why it ended.
func (f *Face) serve(w http.ResponseWriter, r *http.Request, sub *stentor.Subscription, who visitor.Name) error {
	if f.o.Prepare != nil {
		if err := f.o.Prepare(w.Header(), r, sub); err != nil {
			sub.Close(err)
			f.turnAway(w, r, err)
			return err
		}
	}
	f.remember(w.Header(), r, sub, who)
	o := f.o.Stream
	o.HoldHeader = true // the hub has the open notice ready
	stream, err := openStream(w, r, sub, &o)
	if err != nil {
		f.refuse(w, r, err)
		return err
	}
	cause := sub.Serve(stream)
	stream.Close() // an error only says that the reader has gone before
	return cause
}

// acceptable refuses who could not read a stream.
func (f *Face) acceptable(r *http.Request) error {
	if ok, given := sse.Acceptable(r); ok && (given || !f.o.RequireAccept) {
		return nil
	}
	return &stentor.Refusal{Status: http.StatusNotAcceptable, Detail: "this is an event stream; send Accept: text/event-stream"}
}

// turnAway refuses a stream request.
func (f *Face) turnAway(w http.ResponseWriter, r *http.Request, err error) {
	if !overloaded(err) && !errors.Is(err, stentor.ErrDismissed) {
		f.refuse(w, r, err)
		return
	}
	f.o.Logger.Debug("stream turned away", "err", err)
	Refuse(w, err)
}

// Refuse answers a stream request with an error of [Accept] or [stentor.Hub.Subscribe] as
// the face does: a problem document, with two exceptions that an EventSource asks
// for. It gives up for good on a 429 or 503, so a hub that is full or going away answers with a
// stream that ends at once and says when to come back. On a 204 it stops without a
// word, which is what somebody who was dismissed is to do. Nothing may have
// been written to w.
func Refuse(w http.ResponseWriter, err error) {
	switch {
	case overloaded(err):
		softly(w, err)
	case errors.Is(err, stentor.ErrDismissed):
		w.Header().Set("Cache-Control", "no-store")
		w.WriteHeader(http.StatusNoContent)
	default:
		problem.Error(w, err)
	}
}

func overloaded(err error) bool {
	return errors.Is(err, stentor.ErrFull) || errors.Is(err, stentor.ErrDraining) || errors.Is(err, stentor.ErrClosed)
}

func softly(w http.ResponseWriter, err error) {
	body, encErr := appendEnd(nil, err, 2*time.Second+rand.N(28*time.Second))
	if encErr != nil { // fixed texts and a number: can't be
		problem.Error(w, err)
		return
	}
	streamHeader(w.Header())
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.Write(body) // an error means that the reader is gone: nobody to tell
}

// streamHeader is what a stream's answer says of itself where no stream writes it.
func streamHeader(h http.Header) {
	h.Set("Content-Type", "text/event-stream")
	h.Set("Cache-Control", "no-store, no-transform")
	h.Set("X-Accel-Buffering", "no")
	addStreamHeader(h)
}

// addStreamHeader is what the face adds to a stream's own header.
func addStreamHeader(h http.Header) {
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
}

// subscribeOptions reads what a stream request asks for and has it approved.
func (f *Face) subscribeOptions(r *http.Request, who visitor.Name) (*stentor.SubscribeOptions, error) {
	query, err := parseQuery(r.URL.RawQuery)
	if err != nil {
		return nil, err
	}
	so := &stentor.SubscribeOptions{Cursor: cursor(r, query), Session: who.String(), Address: f.o.Address(r)}
	if so.Channels, err = channels(query["channel"]); err != nil {
		return nil, err
	}
	if so.Presence, err = wish(query, "presence"); err != nil {
		return nil, err
	}
	named, err := wish(query, "named")
	if err != nil {
		return nil, err
	}
	if err := f.approve(r, so); err != nil {
		return nil, err
	}
	if named {
		so.Dialect = f.named
	}
	f.greet(so, who)
	someone := so.User != "" || so.UserName != "" || so.Key != "" || so.Session != who.String()
	if len(so.Channels) == 0 && !someone {
		return nil, fmt.Errorf("%w subscription: nothing would ever arrive; name a channel, as in ?channel=home", stentor.ErrInvalid)
	}
	return so, nil
}

// wish reads what a stream request asks for with true or false; without it, false.
func wish(query url.Values, name string) (bool, error) {
	v := query.Get(name)
	if v == "" {
		return false, nil
	}
	yes, err := strconv.ParseBool(v)
	if err != nil {
		return false, fmt.Errorf("%w %s: %.64q; write true or false", stentor.ErrInvalid, name, v)
	}
	return yes, nil
}

// approve asks the application, and sees to what is not the application's to set.
func (f *Face) approve(r *http.Request, so *stentor.SubscribeOptions) error {
	if f.o.Subscribe != nil {
		if err := f.o.Subscribe(r, so); err != nil {
			return err
		}
	}
	so.Dialect = f.dialect
	return nil
}

// channels checks names from outside.
func channels(names []string) ([]stentor.Channel, error) {
	out := make([]stentor.Channel, 0, len(names))
	for _, name := range names {
		c := stentor.Channel(name)
		if err := c.Validate(); err != nil {
			return nil, err
		}
		if !slices.Contains(out, c) {
			out = append(out, c)
		}
	}
	return out, nil
}

// cursorNames are the query parameters that stand in for Last-Event-ID where a
// reader can't set a header, in the order in which they are believed.
func cursorNames() []string {
	return []string{"lastEventId", "last_event_id", "evs_last_event_id", "Last-Event-ID"}
}

// cursor is what the client presents as its position. The header wins: a reader that
// reconnects by itself repeats the query of its first request.
func cursor(r *http.Request, query url.Values) string {
	if c := r.Header.Get("Last-Event-ID"); c != "" {
		return c
	}
	for _, name := range cursorNames() {
		if c := query.Get(name); c != "" {
			return c
		}
	}
	return ""
}

// parseQuery is [url.ParseQuery], except that a cursor with a broken escape is taken as
// it stands: like any other that is not a position, it is answered with a gap.
func parseQuery(raw string) (url.Values, error) {
	query, err := url.ParseQuery(raw)
	if err == nil {
		return query, nil
	}
	query = url.Values{}
	for pair := range strings.SplitSeq(raw, "&") {
		name, value, _ := strings.Cut(pair, "=")
		one, err := url.ParseQuery(pair)
		switch {
		case err == nil:
			for name, values := range one {
				query[name] = append(query[name], values...)
			}
		case slices.Contains(cursorNames(), name):
			query.Add(name, value)
		default:
			return nil, fmt.Errorf("%w query: %w", stentor.ErrInvalid, err)
		}
	}
	return query, nil
}

// address is where the request comes from, without its port.
func address(r *http.Request) string {
	if host, _, err := net.SplitHostPort(r.RemoteAddr); err == nil {
		return host
	}
	return r.RemoteAddr
}

// QuerySubscribe is a Subscribe function for development: it believes the query
// parameters user, session and key, so that whoever can reach the server can be
// anyone. A session in the query goes before the cookie's. A user is displayed by its id,
// and is not authenticated.
func QuerySubscribe(r *http.Request, o *stentor.SubscribeOptions) error {
	query := r.URL.Query()
	o.User, o.Key = query.Get("user"), query.Get("key")
	if session := query.Get("session"); session != "" {
		o.Session = session
	}
	if o.DisplayName == "" {
		o.DisplayName = o.User
	}
	return nil
}
