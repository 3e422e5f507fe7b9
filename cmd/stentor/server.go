package main

import (
	"context"
	"crypto/tls"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"time"

	"github.com/stentor-sse/stentor"
	"github.com/stentor-sse/stentor/chat"
	"github.com/stentor-sse/stentor/eventhttp"
	"github.com/stentor-sse/stentor/js"
	"github.com/stentor-sse/stentor/serverevents"
	"github.com/stentor-sse/stentor/sse"
)

// headerTimeout is how long a request's header may take. A machine that is busy with a storm of
// connects may take seconds to read one, and a client that is cut off gets no answer,
// or a 400, from which an EventSource doesn't come back.
const headerTimeout = 30 * time.Second

// newServer builds the HTTP server over hub; open is the URL it can be reached at.
func newServer(s *serveSettings, hub *stentor.Hub, m *metrics, open string, log logger) *server {
	base, end := context.WithCancel(context.Background())
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	protocols.SetUnencryptedHTTP2(true) // for proxies that speak it to the server behind
	var secure *tls.Config
	if s.cert != nil {
		protocols.SetHTTP2(true)
		secure = s.cert.config()
	}
	return &server{
		hub: hub, secure: s.cert != nil, log: log, end: end, drainTimeout: s.drainTimeout, endTime: endTime,
		http: &http.Server{
			Handler:           guard(s.routes(hub, m, open, log), s.publicURL),
			ReadHeaderTimeout: headerTimeout,
			IdleTimeout:       2 * time.Minute,
			MaxHeaderBytes:    16 << 10,
			Protocols:         protocols,
			TLSConfig:         secure,
			ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelWarn),
			BaseContext:       func(net.Listener) context.Context { return base },
		},
	}
}

// routes puts both faces on one mux, and the page at its root.
func (s *serveSettings) routes(hub *stentor.Hub, m *metrics, open string, log logger) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", m.handler())
	origins := s.origins()
	plainFace := &eventhttp.Options{
		// On loopback and without keys, everyone may do everything.
		Subscribe:    eventhttp.QuerySubscribe,
		Publish:      func(*http.Request, *stentor.Message) error { return nil },
		Presence:     func(*http.Request, []stentor.Channel) error { return nil },
		PublicURL:    show(s.publicURL),
		AllowOrigins: origins,
		Stream:       sse.AcceptOptions{Compress: s.compressor()},
		Logger:       log.Logger,
	}
	serviceStack := &serverevents.Options{
		PublicURL:    show(s.publicURL),
		AllowOrigins: origins,
		Logger:       log.Logger,
	}
	if s.demo {
		application := s.chat(hub, log)
		application.Register(mux)
		plainFace.Subscribe = func(r *http.Request, o *stentor.SubscribeOptions) error {
			if err := eventhttp.QuerySubscribe(r, o); err != nil {
				return err
			}
			return application.Subscribe(r, o) // whoever has signed in is nobody else
		}
		plainFace.Prepare = application.Prepare
		serviceStack.Subscribe, serviceStack.Prepare = application.Subscribe, application.Prepare
	}
	plain := eventhttp.New(hub, plainFace)
	plain.Register(mux)
	serverevents.New(hub, serviceStack).Register(mux)
	mux.Handle("GET /stentor.js", js.Client())
	mux.Handle("GET /stentor-bindings.js", js.Bindings())
	if !s.demo {
		mux.HandleFunc("GET /{$}", index(open))
		mux.Handle("/", plain) // says what there is
	}
	return mux
}

// compressor is nil if streams are not to be compressed.
func (s *serveSettings) compressor() *sse.Compressor {
	if !s.compress {
		return nil
	}
	return &sse.Compressor{}
}

// chat is the Chat application, with all that a demonstration needs.
func (s *serveSettings) chat(hub *stentor.Hub, log logger) *chat.Chat {
	return chat.New(hub, &chat.Options{
		Channels:           s.channels,
		SignIn:             []chat.Provider{chat.ByName{}},
		LimitRemoteControl: s.remoteControl == signedIn,
		AllowReset:         true,
		PublicURL:          show(s.publicURL),
		AllowOrigins:       s.origins(),
		Logger:             log.Logger,
	})
}

// origins are those whose pages may call: the listed ones, and our own as
// browsers see it, which behind a proxy is not what requests say here.
func (s *serveSettings) origins() []string {
	origins := s.allowOrigins
	if u := s.publicURL; u != nil {
		origins = append(origins[:len(origins):len(origins)], u.Scheme+"://"+u.Host)
	}
	return origins
}

// openURL is where people reach the server.
func (s *serveSettings) openURL(addr net.Addr) string {
	if s.publicURL != nil {
		return show(s.publicURL) + "/"
	}
	if s.cert != nil {
		return "https://" + addr.String() + "/"
	}
	return "http://" + addr.String() + "/"
}

// show is the URL without credentials and trailing slash, empty when there is none.
func show(u *url.URL) string {
	if u == nil {
		return ""
	}
	c := *u
	c.User = nil
	for len(c.Path) > 0 && c.Path[len(c.Path)-1] == '/' {
		c.Path = c.Path[:len(c.Path)-1]
	}
	c.RawPath = ""
	return c.String()
}

// index is the page at the root of a server without an application: what to
// call, to paste into a shell.
func index(open string) http.HandlerFunc {
	text := fmt.Sprintf(`This is a Stentor server: it pushes events over Server-Sent Events.

Read a channel, from a shell or with new EventSource(…) in a browser:

    curl -N '%[1]sevents?channel=home'

Publish to it:

    curl -d channel=home -d data=hello '%[1]spublish'
    curl -H 'Content-Type: application/json' \
         -d '{"channel":"home","type":"greet","data":{"text":"hello"}}' '%[1]spublish'

See who is there:

    curl '%[1]spresence?channel=home'

Is it alive, and does it take new streams:

    curl '%[1]shealthz'
    curl '%[1]sreadyz'

Numbers for Prometheus:

    curl '%[1]smetrics'

Pages have a client of their own, with channels, presence and gaps:

    import { connect } from "%[1]sstentor.js";

ServiceStack clients connect to %[1]sevent-stream.
`, open)
	return func(w http.ResponseWriter, _ *http.Request) {
		h := w.Header()
		h.Set("Content-Type", "text/plain; charset=utf-8")
		h.Set("Cache-Control", "no-store")
		h.Set("X-Content-Type-Options", "nosniff")
		fmt.Fprint(w, text) // an error means that the caller is gone
	}
}
