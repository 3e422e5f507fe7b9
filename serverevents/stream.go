package serverevents

import (
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/stentor-sse/stentor"
	"github.com/stentor-sse/stentor/internal/dto"
	"github.com/stentor-sse/stentor/internal/streamlog"
	"github.com/stentor-sse/stentor/internal/visitor"
	"github.com/stentor-sse/stentor/sse"
)

const (
	// unnamed is the channel of those who name none. It is a channel like any other:
	// what is sent to others does not reach it.
	unnamed = "*"
	idPart  = "{id}"
)

// stream opens a stream. What is refused is refused before a byte is written; what
// may be better in a moment is turned away without an answer.
func (f *Face) stream(w http.ResponseWriter, r *http.Request) {
	browser := sessionOf(r)
	o, err := f.subscribeOptions(r, &browser)
	if err != nil {
		f.turnAway(w, r, err)
		return
	}
	if r.Method == http.MethodHead {
		streamHeader(w.Header())
		w.Header().Set("Content-Type", "text/event-stream")
		return // nobody to stream to: nothing is registered
	}
	sub, err := f.hub.Subscribe(r.Context(), o)
	if err != nil {
		f.turnAway(w, r, err)
		return
	}
	streamHeader(w.Header())
	if err := f.prepare(w.Header(), r, sub); err != nil {
		f.count.prepareRefused.Add(1)
		f.turnAway(w, r, err)
		return
	}
	if o.Session == browser.name() {
		browser.set(w, visitor.Secure(r, f.o.PublicURL))
	}
	stream, err := sse.Accept(w, r, &sse.AcceptOptions{
		KeepAlive: sse.KeepAlive{Interval: -1}, HoldHeader: true, // keepalives are the hub's, and it has the first frame ready
		Compress: f.o.Compress,
	})
	if err != nil {
		sub.Close(err)
		f.unaccepted(w, r, err)
		return
	}
	streamlog.Open(r.Context(), f.o.Logger, sub)
	sub.Serve(stream) // its cause is told there
	stream.Close()    // an error only says that the reader has gone before
}

func streamHeader(h http.Header) {
	h.Set("Cache-Control", "no-cache")
	h.Set("X-Accel-Buffering", "no")
	h.Set("X-Content-Type-Options", "nosniff")
}

// subscribeOptions reads what a stream request asks for and has it approved.
func (f *Face) subscribeOptions(r *http.Request, browser *session) (*stentor.SubscribeOptions, error) {
	query := dto.Query(r)
	o := &stentor.SubscribeOptions{Session: browser.name(), Address: f.o.Address(r)}
	from := o.Address
	names, err := query.Split(channelsParam, channelParam)
	if err == nil {
		o.Channels, err = channels(names)
	}
	if err != nil {
		return nil, err
	}
	if len(o.Channels) == 0 {
		o.Channels = []stentor.Channel{unnamed}
	}
	if err := f.approve(r, o); err != nil {
		f.count.subscribeRefused.Add(1)
		return nil, err
	}
	if err := f.authenticated(o); err != nil {
		f.count.unauthenticated.Add(1)
		return nil, err
	}
	o.Dialect, o.Presence, o.Heartbeats = dialect{}, !f.o.OmitPresence, f.o.HeartbeatPath != off
	o.Address = from // where it does come from: see ValidateUserAddress
	// Clients that reconnect by themselves have no way to say where they were:
	// their session stands in.
	o.Cursor, o.Resume = cursor(r, query), true
	return o, nil
}

// cursor is where the client says it was. The parameter is for pages that open a
// new EventSource, which takes no headers.
func cursor(r *http.Request, query dto.Args) string {
	if c := r.Header.Get("Last-Event-ID"); c != "" {
		return c
	}
	c, _, _ := query.Text(cursorParam) // any text will do: what is no position is a gap
	return c
}

// Names of parameters, in lower case.
const (
	channelParam     = "channel"
	channelsParam    = "channels"
	subscribeParam   = "subscribechannels"
	unsubscribeParam = "unsubscribechannels"
	cursorParam      = "lasteventid"
)

// listed are the channels that parameters name.
func listed(a dto.Args, names ...string) ([]stentor.Channel, error) {
	list, err := a.List(names...)
	if err != nil {
		return nil, err
	}
	return channels(list)
}

// channels checks names from outside, without blanks and repeats.
func channels(names []string) ([]stentor.Channel, error) {
	out := make([]stentor.Channel, 0, len(names))
	seen := make(map[string]struct{}, len(names))
	for _, name := range names {
		if name = strings.Trim(name, " "); name == "" {
			continue
		}
		if _, ok := seen[name]; ok {
			continue
		}
		seen[name] = struct{}{}
		ch := stentor.Channel(name)
		if err := ch.Validate(); err != nil {
			return nil, err
		}
		out = append(out, ch)
	}
	return out, nil
}

// errPanicked is the cause of a subscription whose Prepare panicked.
var errPanicked = errors.New("serverevents: panicked")

// prepare has the subscription say all it will, and the application look at it. After an
// error, and after a panic, which net/http recovers, the subscription has ended.
func (f *Face) prepare(h http.Header, r *http.Request, sub *stentor.Subscription) (err error) {
	f.setPrivate(r, sub)
	if f.o.Prepare == nil {
		return nil
	}
	err = errPanicked
	defer func() {
		if err != nil {
			sub.Close(err)
		}
	}()
	err = f.o.Prepare(h, r, sub)
	return err
}

// setPrivate tells the subscriber where to send its heartbeats and the rest.
func (f *Face) setPrivate(r *http.Request, sub *stentor.Subscription) {
	base := f.base(r)
	for _, u := range [...]struct{ name, path string }{
		{heartbeatName, f.o.HeartbeatPath},
		{unRegisterName, f.o.UnRegisterPath},
		{updateName, f.o.UpdateSubscribersPath},
	} {
		switch {
		case u.path == off:
			sub.SetPrivate(u.name, "") // whatever the application gave
		case strings.Contains(u.path, idPart):
			sub.SetPrivate(u.name, base+strings.Replace(u.path, idPart, url.PathEscape(sub.ID()), 1))
		default:
			sub.SetPrivate(u.name, base+u.path+"?id="+url.QueryEscape(sub.ID()))
		}
	}
	sub.SetPrivate(intervalName, millis(f.o.HeartbeatInterval))
	sub.SetPrivate(idleTimeoutName, millis(f.o.told()))
}

func millis(d time.Duration) string { return strconv.FormatInt(d.Milliseconds(), 10) }

// base is where the caller finds this server. Only the caller is told, so that a
// forged Host harms nobody else.
func (f *Face) base(r *http.Request) string {
	if f.o.PublicURL != "" {
		return f.o.PublicURL
	}
	scheme := "http://"
	if r.TLS != nil {
		scheme = "https://"
	}
	return scheme + r.Host
}
