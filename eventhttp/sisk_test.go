package eventhttp_test

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stentor-sse/stentor"
	"github.com/stentor-sse/stentor/eventhttp"
	"github.com/stentor-sse/stentor/sse"
	"github.com/stentor-sse/stentor/ssetest"
)

// What Sisk's identified event sources and their collection do, by the numbers of
// the facts; what one response does alone is package sse's.

// sources is a handler as Sisk's users write it: it accepts, and waits.
type sources struct {
	hub     *stentor.Hub
	srv     *ssetest.Server
	handles chan *eventhttp.Handle // as they open
	causes  chan error             // as they end
}

// source serves handlers whose key is the query's. with may change what they accept with.
func source(t *testing.T, p ssetest.Protocol, ho *stentor.Options, with func(o *eventhttp.AcceptOptions)) *sources {
	s := &sources{hub: newHub(t, ho), handles: make(chan *eventhttp.Handle, 100), causes: make(chan error, 100)}
	s.srv = ssetest.NewServer(t, p, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		o := &eventhttp.AcceptOptions{SubscribeOptions: stentor.SubscribeOptions{Key: r.FormValue("key")}}
		if with != nil {
			with(o)
		}
		h, err := eventhttp.Accept(s.hub, w, r, o)
		if err != nil {
			eventhttp.Refuse(w, err)
			return
		}
		defer h.Close()
		s.handles <- h
		s.causes <- h.Wait(r.Context())
	}))
	return s
}

// open opens a stream and gives both of its ends.
func (s *sources) open(t *testing.T, path string) (*eventhttp.Handle, *ssetest.Recorder) {
	t.Helper()
	r := s.srv.Open(t, path)
	opened(t, r)
	return <-s.handles, r
}

// ended fails unless the next handler's wait gave that cause.
func (s *sources) ended(t *testing.T, want error) {
	t.Helper()
	if got := <-s.causes; !errors.Is(got, want) {
		t.Errorf("the wait gave %v, want %v", got, want)
	}
	synctest.Wait()
}

func TestSiskIdentifiers(t *testing.T) {
	for name, f := range map[string]func(t *testing.T, p ssetest.Protocol){
		"K-05 the stream can be sent to when the hook runs": func(t *testing.T, p ssetest.Protocol) {
			o := &stentor.Options{Hooks: stentor.Hooks{Open: func(s *stentor.Subscription) error {
				_, err := s.Publish(context.Background(), stentor.Message{Data: "welcome " + s.Key(), Ephemeral: true})
				return err
			}}}
			_, r := source(t, p, o, nil).open(t, "/?key=a")
			want(t, r, sse.Event{Data: "welcome a"})
			if ct := r.Response.Header.Get("Content-Type"); ct != "text/event-stream" {
				t.Errorf("Content-Type %q", ct)
			}
		},
		"K-06 keys are compared byte by byte, and an empty one is none": func(t *testing.T, p ssetest.Protocol) {
			s := source(t, p, nil, nil)
			for _, path := range []string{"/?key=a", "/?key=A", "/?key=%C3%A4", "/?key=a%CC%88", "/", "/?key="} {
				s.open(t, path)
			}
			if n := s.hub.Count(stentor.Target{}); n != 6 {
				t.Errorf("%d live, want all six", n)
			}
			if s.hub.Holder("") != nil {
				t.Error("somebody holds the empty key")
			}
		},
		"K-07 the newest wins, and the one before is really ended": func(t *testing.T, p ssetest.Protocol) {
			s := source(t, p, nil, nil)
			_, before := s.open(t, "/?key=a")
			newest, r := s.open(t, "/?key=a")
			s.ended(t, stentor.ErrReplaced)
			if err := before.Wait(t); err != nil {
				t.Errorf("it ended with %v", err)
			}
			if s.hub.Holder("a") != newest.Subscription() || s.hub.Count(stentor.Target{}) != 1 {
				t.Error("the newest does not hold the key alone")
			}
			publish(t, s.hub, stentor.Message{Target: stentor.Target{Key: "a"}, Data: "x"})
			if e := r.Next(t); e.Data != "x" || strings.Contains(before.Raw(), "data: x") {
				t.Errorf("got %+v", e)
			}
		},
		"K-07 two pages don't evict each other for ever": func(t *testing.T, p ssetest.Protocol) {
			s := source(t, p, nil, nil)
			_, before := s.open(t, "/?key=a")
			_, r := s.open(t, "/?key=a")
			want(t, before, sse.Event{Type: "stentor.end", Data: `{"reason":"replaced"}`})
			before.Wait(t)
			if retry := before.Retry(); retry < 24*time.Hour { // what an EventSource goes by
				t.Errorf("it comes back in %v", retry)
			}
			if retry := r.Retry(); retry > 4*time.Second {
				t.Errorf("the one that stays would come back in %v", retry)
			}
		},
		"K-07 or the newcomer is refused": func(t *testing.T, p ssetest.Protocol) {
			s := source(t, p, nil, func(o *eventhttp.AcceptOptions) { o.KeyRule = stentor.KeyRefuse })
			h, _ := s.open(t, "/?key=a")
			resp, body := s.srv.Do(t, "GET", "/?key=a", "")
			refused(t, resp, body, http.StatusConflict, "")
			if s.hub.Holder("a") != h.Subscription() || len(s.causes) > 0 {
				t.Error("the holder was disturbed")
			}
			h.Close()
			s.ended(t, stentor.ErrUnregistered)
			s.open(t, "/?key=a")
		},
		"K-07 or both stay": func(t *testing.T, p ssetest.Protocol) {
			s := source(t, p, nil, func(o *eventhttp.AcceptOptions) { o.KeyRule = stentor.KeyAllow })
			_, one := s.open(t, "/?key=a")
			h, two := s.open(t, "/?key=a")
			if s.hub.Holder("a") != h.Subscription() || s.hub.Count(stentor.Target{Key: "a"}) != 2 {
				t.Error("not both hold the key, the newest in front")
			}
			at := publish(t, s.hub, stentor.Message{Target: stentor.Target{Key: "a"}, Data: "x"})
			want(t, one, sse.Event{ID: at.String(), Data: "x"})
			want(t, two, sse.Event{ID: at.String(), Data: "x"})
		},
		"K-08 what has ended is never found, and hides nothing": func(t *testing.T, p ssetest.Protocol) {
			s := source(t, p, nil, nil)
			_, gone := s.open(t, "/?key=a")
			gone.Close()
			s.ended(t, stentor.ErrGone) // its presence lingers
			if s.hub.Holder("a") != nil || s.hub.Count(stentor.Target{Key: "a"}) != 0 {
				t.Error("one that has ended is found")
			}
			h, _ := s.open(t, "/?key=a")
			if s.hub.Holder("a") != h.Subscription() {
				t.Error("one that has ended hides the one that lives")
			}
		},
		"K-09 the end of the old comes before the new": func(t *testing.T, p ssetest.Protocol) {
			var n notes
			s := source(t, p, told(&n), nil)
			s.open(t, "/?key=a")
			s.open(t, "/?key=a")
			n.is(t, "hooks", "open a", "close a "+stentor.ErrReplaced.Error(), "open a")
		},
	} {
		t.Run(name, func(t *testing.T) { ssetest.Each(t, f) })
	}
}

// told are hooks that note whom they are about.
func told(n *notes) *stentor.Options {
	return &stentor.Options{Hooks: stentor.Hooks{
		Open:  func(s *stentor.Subscription) error { n.add("open %s", s.Key()); return nil },
		Close: func(s *stentor.Subscription, cause error) { n.add("close %s %v", s.Key(), cause) },
	}}
}

// K-41: whatever ends a source, it is inactive, off the list and let go of at once, and
// its hook is told why.
func TestSiskEnds(t *testing.T) {
	enough := errors.New("enough")
	for name, row := range map[string]struct {
		end  func(s *sources, h *eventhttp.Handle, r *ssetest.Recorder)
		want error // of the wait
		told error // of the hook; nil: the same
	}{
		"K-34 closed": {func(_ *sources, h *eventhttp.Handle, _ *ssetest.Recorder) { h.Close(sse.Event{Data: "bye"}) }, stentor.ErrUnregistered, nil},
		"K-36 closed by others, with a cause of theirs": {func(s *sources, _ *eventhttp.Handle, _ *ssetest.Recorder) {
			s.hub.Holder("a").Close(enough)
		}, enough, nil},
		"K-20 K-39 a write failed": {func(_ *sources, h *eventhttp.Handle, r *ssetest.Recorder) {
			r.Close()
			h.Send(context.Background(), sse.Event{Data: strings.Repeat("x", 1<<20)})
		}, sse.ErrClientGone, stentor.ErrGone},
		"K-43 the reader went":          {func(_ *sources, _ *eventhttp.Handle, r *ssetest.Recorder) { r.Close() }, sse.ErrClientGone, stentor.ErrGone},
		"K-42 the server was stopped":   {func(s *sources, _ *eventhttp.Handle, _ *ssetest.Recorder) { s.hub.Shutdown(context.Background()) }, stentor.ErrClosed, nil},
		"K-59 all were dropped":         {func(s *sources, _ *eventhttp.Handle, _ *ssetest.Recorder) { s.hub.Drop(stentor.Target{}, nil) }, stentor.ErrUnregistered, nil},
		"K-28 idle for too long":        {func(*sources, *eventhttp.Handle, *ssetest.Recorder) { time.Sleep(time.Hour) }, sse.ErrIdle, stentor.ErrGone},
		"K-38 dismissed, not to return": {func(s *sources, _ *eventhttp.Handle, _ *ssetest.Recorder) { s.hub.Dismiss("a", 0) }, stentor.ErrDismissed, nil},
	} {
		t.Run(name, func(t *testing.T) {
			ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
				told := make(chan error, 2)
				o := &stentor.Options{Hooks: stentor.Hooks{Close: func(_ *stentor.Subscription, cause error) { told <- cause }}}
				s := source(t, p, o, func(o *eventhttp.AcceptOptions) { o.Stream.IdleTimeout = time.Hour })
				h, r := s.open(t, "/?key=a")
				row.end(s, h, r)
				s.ended(t, row.want)
				if len(told) != 1 {
					t.Errorf("the hook was told %d times", len(told))
				} else if cause := <-told; !errors.Is(cause, cmp.Or(row.told, row.want)) {
					t.Errorf("the hook was told %v", cause)
				}
				if s.hub.Holder("a") != nil || s.hub.Count(stentor.Target{}) != 0 {
					t.Error("it is listed still")
				}
				if err := h.Send(context.Background(), sse.Event{Data: "late"}); err == nil {
					t.Error("it can be sent to")
				}
				if h.Subscription().Cause() == nil {
					t.Error("it has no cause")
				}
				r.Wait(t)
				if strings.Contains(r.Raw(), "late") {
					t.Error("something came after the end")
				}
				if row.want == stentor.ErrDismissed {
					if resp, _ := s.srv.Do(t, "GET", "/?key=a", ""); resp.StatusCode != http.StatusNoContent {
						t.Errorf("it came back and got a %d", resp.StatusCode)
					}
				}
			})
		})
	}
	t.Run("K-39 a reader that does not read", func(t *testing.T) {
		ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
			s := source(t, p, nil, nil)
			s.srv.OpenStalled(t, "/?key=a")
			h := <-s.handles
			if err := h.Send(context.Background(), sse.Event{Data: strings.Repeat("x", 1<<20)}); !errors.Is(err, os.ErrDeadlineExceeded) {
				t.Errorf("send: %v", err)
			}
			s.ended(t, os.ErrDeadlineExceeded)
			if s.hub.Holder("a") != nil {
				t.Error("it is listed still")
			}
		})
	})
	t.Run("K-40 a handler that returns without a word, or panics", func(t *testing.T) {
		ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
			hub := newHub(t, nil)
			srv := ssetest.NewServer(t, p, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				h, err := eventhttp.Accept(hub, w, r, &eventhttp.AcceptOptions{SubscribeOptions: stentor.SubscribeOptions{Key: "a"}})
				if err == nil {
					err = h.Send(r.Context(), sse.Event{Data: "x"}) // the open notice is out
				}
				if err != nil {
					t.Error(err)
				}
				synctest.Wait()
				if r.URL.Path == "/panics" {
					panic(http.ErrAbortHandler)
				}
			}))
			for _, path := range []string{"/returns", "/panics"} {
				srv.Open(t, path).Wait(t)
				synctest.Wait()
				if hub.Holder("a") != nil {
					t.Errorf("%s: it is listed still", path)
				}
			}
			sleep(11)
			if n := hub.Stats().Subscriptions; n != 0 {
				t.Errorf("%d are left for ever", n)
			}
		})
	})
}
