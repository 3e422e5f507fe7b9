package eventhttp_test

import (
	"context"
	"errors"
	"io"
	"iter"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stentor-sse/stentor"
	"github.com/stentor-sse/stentor/eventhttp"
	"github.com/stentor-sse/stentor/sse"
	"github.com/stentor-sse/stentor/ssetest"
)

// L-11, L-12, L-18, L-20, L-22, L-23, L-24, L-56, L-57, L-60: the order of a connection's life, in full. A reconnect
// is a connect with a cursor, from the header or the query; each function runs on its connection's own
// goroutine, and is waited for.
func TestLibOrder(t *testing.T) {
	ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
		var seen notes
		ho := &stentor.Options{Linger: -1, Hooks: stentor.Hooks{
			Open:  func(s *stentor.Subscription) error { seen.add("open %q", s.Cursor()); return nil },
			Close: func(_ *stentor.Subscription, cause error) { seen.add("close %v", errors.Is(cause, stentor.ErrGone)) },
			Leave: func(s *stentor.Subscription) { seen.add("leave %s", s.Key()) },
		}}
		hub, srv := serve(t, p, ho, &eventhttp.Options{
			Subscribe: func(r *http.Request, o *stentor.SubscribeOptions) error {
				seen.add("subscribe %v", o.Session != "")
				o.Key = "k"
				return nil
			},
			Prepare: func(_ http.Header, _ *http.Request, s *stentor.Subscription) error {
				seen.add("prepare %s", s.Key())
				s.OnEnd(func(error) { seen.add("end") })
				return nil
			},
			RequireAccept: true,
		})
		resp, _ := srv.Do(t, "GET", "/events?channel=a", "")
		seen.is(t, "not acceptable", []string(nil)...)
		if resp.StatusCode != http.StatusNotAcceptable {
			t.Errorf("no Accept: %d", resp.StatusCode)
		}
		s, _ := member(t, hub, srv, "/events?channel=a")
		seen.is(t, "connect", "subscribe true", "prepare k", `open ""`)
		s.Close()
		seen.is(t, "disconnect", "close true", "end", "leave k")

		id := publish(t, hub, to("a", "x")).String()
		s, sub := member(t, hub, srv, "/events?channel=a", "Last-Event-ID: "+id)
		seen.is(t, "reconnect", "subscribe true", "prepare k", `open "`+id+`"`)
		sub.Close(errors.New("enough")) // by the server
		s.Wait(t)
		seen.is(t, "ended by the server", "close false", "end", "leave k")
		if hub.Count(stentor.Target{}) != 0 || len(hub.Channels()) != 0 {
			t.Errorf("left over: %d on %v", hub.Count(stentor.Target{}), hub.Channels())
		}
		member(t, hub, srv, "/events?channel=a&lastEventId="+id)
		seen.is(t, "cursor in the query", "subscribe true", "prepare k", `open "`+id+`"`)
	})
}

// L-15, L-16, L-17: the header goes out at once, and what would hold events back is told not to.
// Prepare adds to it, and may replace all but what makes it a stream.
func TestLibHeader(t *testing.T) {
	ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
		released := make(chan struct{})
		ho := &stentor.Options{Hooks: stentor.Hooks{Open: func(*stentor.Subscription) error { <-released; return nil }}}
		_, srv := serve(t, p, ho, &eventhttp.Options{Prepare: func(h http.Header, r *http.Request, s *stentor.Subscription) error {
			h.Set("X-Session", s.Session())
			h.Set("Cache-Control", "no-cache, no-transform")
			h.Set("Content-Encoding", "identity") // for middleware that looks at nothing else
			h.Set("Content-Type", "text/plain")
			return nil
		}})
		s := srv.Open(t, "/events?channel=a") // returns with the header
		h := s.Response.Header
		if s.Response.StatusCode != 200 || s.Raw() != "" {
			t.Errorf("%d, and %q before the hook has returned", s.Response.StatusCode, s.Raw())
		}
		for name, value := range map[string]string{
			"Content-Type": "text/event-stream", "Cache-Control": "no-cache, no-transform",
			"X-Accel-Buffering": "no", "Content-Encoding": "identity",
		} {
			if got := h.Get(name); got != value {
				t.Errorf("%s: %q, want %q", name, got, value)
			}
		}
		if !strings.HasSuffix(cookie(t, s.Response), "="+h.Get("X-Session")) {
			t.Errorf("Prepare saw session %q", h.Get("X-Session"))
		}
		close(released)
		opened(t, s)
	})
}

// Prepare may refuse, and then nothing is registered any more.
func TestPrepareRefuses(t *testing.T) {
	for name, row := range map[string]struct {
		err    error
		status int
		detail string
	}{
		"refusal": {&stentor.Refusal{Status: 402, Detail: "pay first"}, 402, "pay first"},
		"failure": {io.ErrUnexpectedEOF, 500, "the server failed"},
	} {
		t.Run(name, func(t *testing.T) {
			ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
				var seen notes
				ho := &stentor.Options{Hooks: stentor.Hooks{Open: func(*stentor.Subscription) error { seen.add("open"); return nil }}}
				hub, srv := serve(t, p, ho, &eventhttp.Options{Prepare: func(http.Header, *http.Request, *stentor.Subscription) error { return row.err }})
				resp, body := srv.Do(t, "GET", "/events?channel=a", "")
				refused(t, resp, body, row.status, row.detail)
				if st := hub.Stats(); st.Subscriptions != 0 || st.Channels != 0 || resp.Header.Get("Set-Cookie") != "" {
					t.Errorf("left over: %+v, %v", st, resp.Header)
				}
				seen.is(t, "hooks")
			})
		})
	}
}

// L-24, and §17 (6): a function of the application that fails or panics ends its own request; what it
// had registered is gone, its end is told, and nobody else notices.
func TestHooksFailAlone(t *testing.T) {
	boom := errors.New("boom")
	fail := func(how string) error {
		if how == "panics" {
			panic(boom)
		}
		return boom
	}
	bad := stentor.NewProperty[string]("what it does")
	isBad := func(s *stentor.Subscription) (how string, ok bool) { return bad.Get(s) }
	for _, where := range []string{"subscribe", "prepare", "open"} {
		for _, how := range []string{"fails", "panics"} {
			t.Run(where+" "+how, func(t *testing.T) {
				ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
					var closed notes
					hub := newHub(t, &stentor.Options{Hooks: stentor.Hooks{
						Open: func(s *stentor.Subscription) error {
							if how, ok := isBad(s); ok && where == "open" {
								return fail(how)
							}
							return nil
						},
						Close: func(s *stentor.Subscription, cause error) { closed.add("%s", s.Key()) },
					}})
					face := eventhttp.New(hub, &eventhttp.Options{
						Subscribe: func(r *http.Request, o *stentor.SubscribeOptions) error {
							o.Key = r.URL.Query().Get("key")
							if o.Key != "bad" {
								return nil
							}
							if where == "subscribe" {
								return fail(how)
							}
							bad.Preset(o, how)
							return nil
						},
						Prepare: func(_ http.Header, _ *http.Request, s *stentor.Subscription) error {
							if how, ok := isBad(s); ok && where == "prepare" {
								return fail(how)
							}
							return nil
						},
					})
					srv := ssetest.NewServer(t, p, abort(face))
					good, _ := member(t, hub, srv, "/events?channel=a&key=good")
					r, _ := http.NewRequest("GET", srv.URL+"/events?channel=a&channel=b&key=bad", nil)
					if resp, err := srv.Client.Do(r); err == nil {
						body, _ := io.ReadAll(resp.Body)
						resp.Body.Close()
						if strings.Contains(string(body), "boom") || strings.Contains(string(body), "stentor.open") {
							t.Errorf("answered %d %q", resp.StatusCode, body)
						}
					}
					synctest.Wait()
					if st := hub.Stats(); st.Subscriptions != 1 || st.Channels != 1 {
						t.Errorf("left over: %+v", st)
					}
					closed.is(t, "close hooks of what was never announced")
					at := publish(t, hub, to("a", "still here"))
					want(t, good, sse.Event{ID: at.String(), Data: "still here"})
				})
			})
		}
	}
}

// L-13, L-24: a close hook that panics takes neither the end nor the newcomer with it.
func TestCloseHookPanicsAlone(t *testing.T) {
	ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
		var left notes
		hub := newHub(t, &stentor.Options{Linger: -1, Hooks: stentor.Hooks{
			Close: func(s *stentor.Subscription, _ error) {
				if s.Key() == "bad" {
					panic("boom")
				}
			},
			Leave: func(s *stentor.Subscription) { left.add("%s", s.Key()) },
		}})
		srv := ssetest.NewServer(t, p, abort(eventhttp.New(hub, open())))
		good, _ := member(t, hub, srv, "/events?channel=a&key=good")
		bad, _ := member(t, hub, srv, "/events?channel=a&key=bad")
		bad.Close()
		left.is(t, "leaves", "bad")
		at := publish(t, hub, to("a", "still here"))
		want(t, good, sse.Event{ID: at.String(), Data: "still here"})
		if st := hub.Stats(); st.Subscriptions != 1 {
			t.Errorf("left over: %+v", st)
		}
	})
}

// L-19, L-21, L-58, L-59: the application replays from a store of its own, in the hook's place; what is
// published meanwhile follows, nothing is missed and nothing comes twice. The subscription can be found and
// sent to from the open hook on.
func TestLibReplayOfOnesOwn(t *testing.T) {
	ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
		var hub *stentor.Hub
		asked := 0
		replay := func(_ context.Context, s *stentor.Subscription) iter.Seq2[stentor.Message, error] {
			asked++
			return func(yield func(stentor.Message, error) bool) {
				for _, text := range []string{"after " + s.Cursor(), "more"} {
					publish(t, hub, to("a", "live during "+text)) // by others, while the store is read
					if !yield(stentor.Message{Type: "old", Data: text}, nil) {
						return
					}
				}
			}
		}
		hub, srv := serve2(t, p, &hub, &stentor.Options{Hooks: stentor.Hooks{Open: func(s *stentor.Subscription) error {
			if hub.Subscription(s.ID()) != s {
				t.Error("the open hook's subscription can't be found")
			}
			_, err := s.Publish(context.Background(), stentor.Message{Data: "from the hook", Ephemeral: true})
			return err
		}}}, &eventhttp.Options{Subscribe: func(_ *http.Request, o *stentor.SubscribeOptions) error {
			o.Replay = replay
			return nil
		}})
		first := srv.Open(t, "/events?channel=a")
		opened(t, first)
		if got := data(first); asked != 0 || !slices.Equal(got, []string{"from the hook"}) {
			t.Errorf("a first connect: asked %d times, got %q", asked, got)
		}
		s := srv.Open(t, "/events?channel=a", "Last-Event-ID: order-17") // any id at all: it is the application's
		opened(t, s)
		hub.SetRetry(7 * time.Second)
		publish(t, hub, to("a", "live"))
		if got := data(s); !slices.Equal(got, []string{
			"after order-17", "more", "from the hook", "live during after order-17", "live during more", "live",
		}) {
			t.Errorf("got %q", got)
		}
		if r := s.Retry(); asked != 1 || r < 4*time.Second || r > 10*time.Second {
			t.Errorf("asked %d times, retry %v", asked, r)
		}
	})
}

// serve2 is serve for hooks that need the hub.
func serve2(t testing.TB, p ssetest.Protocol, at **stentor.Hub, ho *stentor.Options, o *eventhttp.Options) (*stentor.Hub, *ssetest.Server) {
	t.Helper()
	hub, srv := serve(t, p, ho, o)
	*at = hub
	return hub, srv
}
