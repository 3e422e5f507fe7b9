package eventhttp_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
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

// hold serves handlers that accept on a new hub, with the key and channels of the
// query, and hand the handle to f. What f returns is sent to causes.
func hold(t *testing.T, p ssetest.Protocol, o sse.AcceptOptions, f func(r *http.Request, h *eventhttp.Handle) error) (
	hub *stentor.Hub, srv *ssetest.Server, causes chan error) {
	hub = newHub(t, nil)
	causes = make(chan error, 100)
	srv = ssetest.NewServer(t, p, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		so := stentor.SubscribeOptions{Key: r.FormValue("key")}
		for _, c := range r.Form["channel"] {
			so.Channels = append(so.Channels, stentor.Channel(c))
		}
		h, err := eventhttp.Accept(hub, w, r, &eventhttp.AcceptOptions{SubscribeOptions: so, Stream: o})
		if err != nil {
			causes <- err
			eventhttp.Refuse(w, err)
			return
		}
		causes <- f(r, h)
	}))
	return hub, srv, causes
}

func wait(r *http.Request, h *eventhttp.Handle) error { return h.Wait(r.Context()) }

func TestHandleIsStreamAndSubscription(t *testing.T) {
	ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
		hub, srv, _ := hold(t, p, sse.AcceptOptions{}, func(r *http.Request, h *eventhttp.Handle) error {
			if err := h.Send(r.Context(), sse.Event{Type: "greet", Data: "hello " + h.Key()}, sse.Event{Data: "two"}); err != nil {
				t.Error(err)
			}
			if _, err := h.Join(r.Context(), "news"); err != nil {
				t.Error(err)
			}
			if _, err := h.Leave(r.Context(), "home"); err != nil {
				t.Error(err)
			}
			return h.Wait(r.Context())
		})
		s := srv.Open(t, "/?key=k1&channel=home")
		id := opened(t, s) // always first
		want(t, s, sse.Event{Type: "greet", Data: "hello k1"})
		want(t, s, sse.Event{Data: "two"})
		synctest.Wait()

		// Others find it by its key and reach it with messages.
		var found []*stentor.Subscription
		for sub := range hub.Subscriptions(stentor.Target{Key: "k1"}) {
			found = append(found, sub)
		}
		if len(found) != 1 || found[0].ID() != id {
			t.Fatalf("by key: %v, want the one", found)
		}
		publish(t, hub, to("home", "left"))
		at := publish(t, hub, to("news", "joined"))
		want(t, s, sse.Event{ID: at.String(), Data: "joined"})
		at = publish(t, hub, stentor.Message{Target: stentor.Target{Key: "k1"}, Data: "for the key"})
		want(t, s, sse.Event{ID: at.String(), Data: "for the key"})
		at = publish(t, hub, stentor.Message{Target: stentor.Target{Subscription: id}, Data: "for the id"})
		want(t, s, sse.Event{ID: at.String(), Data: "for the id"})
	})
}

func TestHandleEnds(t *testing.T) {
	for name, row := range map[string]struct {
		end  func(t *testing.T, hub *stentor.Hub, srv *ssetest.Server, s *ssetest.Recorder)
		want error
	}{
		"shutdown": {func(t *testing.T, hub *stentor.Hub, _ *ssetest.Server, _ *ssetest.Recorder) {
			if err := hub.Shutdown(context.Background()); err != nil {
				t.Error(err)
			}
		}, stentor.ErrClosed},
		"replaced": {func(t *testing.T, _ *stentor.Hub, srv *ssetest.Server, _ *ssetest.Recorder) {
			srv.Open(t, "/?key=k1")
		}, stentor.ErrReplaced},
		"ended by others": {func(_ *testing.T, hub *stentor.Hub, _ *ssetest.Server, _ *ssetest.Recorder) {
			for sub := range hub.Subscriptions(stentor.Target{Key: "k1"}) {
				sub.Close(nil)
			}
		}, stentor.ErrUnregistered},
		"reader gone":                        {func(_ *testing.T, _ *stentor.Hub, _ *ssetest.Server, s *ssetest.Recorder) { s.Close() }, stentor.ErrGone},
		"reader gone, as the stream says it": {func(_ *testing.T, _ *stentor.Hub, _ *ssetest.Server, s *ssetest.Recorder) { s.Close() }, sse.ErrClientGone},
	} {
		t.Run(name, func(t *testing.T) {
			ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
				hub, srv, causes := hold(t, p, sse.AcceptOptions{}, wait)
				s := srv.Open(t, "/?key=k1")
				opened(t, s)
				row.end(t, hub, srv, s)
				if got := <-causes; !errors.Is(got, row.want) {
					t.Errorf("Wait returned %v, want %v", got, row.want)
				}
			})
		})
	}
}

// The reader's going is not the handler's end: the subscription lingers, although
// the handler closes what it deferred.
func TestHandleLingersWhenTheReaderVanishes(t *testing.T) {
	ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
		hub, srv, causes := hold(t, p, sse.AcceptOptions{}, func(r *http.Request, h *eventhttp.Handle) error {
			defer h.Close()
			return h.Wait(r.Context())
		})
		s := srv.Open(t, "/?channel=a")
		opened(t, s)
		s.Close()
		<-causes
		if st := hub.Stats(); st.Lingering != 1 {
			t.Errorf("stats %+v, want one that lingers", st)
		}
		sleep(11)
		if st := hub.Stats(); st.Subscriptions != 0 {
			t.Errorf("stats %+v after the linger", st)
		}
	})
}

// Nor is it when the handler is the first to see it, and closes.
func TestHandleLingersWhenAWriteFails(t *testing.T) {
	ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
		hub, srv, causes := hold(t, p, sse.AcceptOptions{WriteTimeout: time.Second}, func(r *http.Request, h *eventhttp.Handle) error {
			var err error
			for err == nil {
				err = h.Send(r.Context(), sse.Event{Data: strings.Repeat("x", 1<<20)})
			}
			return errors.Join(err, h.Close(sse.Event{Data: "bye"}))
		})
		srv.OpenStalled(t, "/?channel=a")
		if err := <-causes; !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("got %v", err)
		}
		synctest.Wait()
		if st := hub.Stats(); st.Lingering != 1 {
			t.Errorf("stats %+v, want one that lingers", st)
		}
	})
}

func TestHandleIdleTimeout(t *testing.T) {
	ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
		_, srv, causes := hold(t, p, sse.AcceptOptions{IdleTimeout: time.Minute}, wait)
		s := srv.Open(t, "/?channel=a")
		opened(t, s)
		if got := <-causes; !errors.Is(got, sse.ErrIdle) {
			t.Errorf("Wait returned %v, want %v", got, sse.ErrIdle)
		}
		if err := s.Wait(t); err != nil {
			t.Errorf("the stream ended with %v, want a clean end", err)
		}
	})
}

func TestHandleWaitWithItsOwnContext(t *testing.T) {
	ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
		enough := errors.New("enough")
		hub, srv, causes := hold(t, p, sse.AcceptOptions{}, func(r *http.Request, h *eventhttp.Handle) error {
			ctx, cancel := context.WithTimeoutCause(r.Context(), time.Minute, enough)
			defer cancel()
			return h.Wait(ctx) // and no Close
		})
		s := srv.Open(t, "/?channel=a")
		opened(t, s)
		if got := <-causes; !errors.Is(got, enough) {
			t.Errorf("Wait returned %v, want the context's cause", got)
		}
		if err := s.Wait(t); err != nil {
			t.Errorf("the stream ended with %v, want a clean end", err)
		}
		if n := hub.Stats().Subscriptions; n != 0 {
			t.Errorf("%d subscriptions left", n)
		}
	})
}

// When Close has returned nothing is written, whoever publishes meanwhile.
func TestHandleClose(t *testing.T) {
	ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
		stop := make(chan struct{})
		hub, srv, causes := hold(t, p, sse.AcceptOptions{}, func(r *http.Request, h *eventhttp.Handle) error {
			if err := h.Send(r.Context(), sse.Event{Data: "hello"}); err != nil {
				t.Error(err)
			}
			time.Sleep(time.Second)
			if err := h.Close(sse.Event{Type: "bye", Data: "see you"}); err != nil {
				t.Error(err)
			}
			if err := h.Close(); err != nil {
				t.Error("a second Close:", err)
			}
			if err := h.Close(sse.Event{Type: "bye", Data: "late"}); err == nil {
				t.Error("a farewell after Close: no error")
			}
			if err := h.Send(r.Context(), sse.Event{Data: "late"}); err == nil {
				t.Error("Send after Close: no error")
			}
			<-h.Done()
			return h.Wait(r.Context())
		})
		go func() {
			for {
				select {
				case <-stop:
					return
				case <-time.After(time.Millisecond):
					hub.Publish(context.Background(), to("a", "noise"))
				}
			}
		}()
		s := srv.Open(t, "/?channel=a")
		if err := s.Wait(t); err != nil {
			t.Errorf("the stream ended with %v, want a clean end", err)
		}
		close(stop)
		if !strings.HasSuffix(s.Raw(), "event: bye\ndata: see you\n\nevent: stentor.end\ndata: {\"reason\":\"unregistered\"}\n\n") || strings.Contains(s.Raw(), "late") {
			t.Errorf("the stream ends with %q, want the farewell", s.Raw()[max(0, len(s.Raw())-200):])
		}
		if got := <-causes; !errors.Is(got, stentor.ErrUnregistered) {
			t.Errorf("Wait returned %v", got)
		}
		if n := hub.Stats().Subscriptions; n != 0 {
			t.Errorf("%d subscriptions left", n)
		}
	})
}

// An id of the handler's own would become the cursor that the reader comes back with.
func TestHandleSendRefusesIDs(t *testing.T) {
	ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
		_, srv, causes := hold(t, p, sse.AcceptOptions{}, func(r *http.Request, h *eventhttp.Handle) error {
			return errors.Join(h.Send(r.Context(), sse.Event{Data: "fine"}, sse.Event{ID: "7", Data: "x"}),
				h.Close(sse.Event{ID: "8", Data: "fine"}))
		})
		s := srv.Open(t, "/?channel=a")
		if err := <-causes; strings.Count(err.Error(), "leave it empty") != 2 {
			t.Errorf("got %v, want both to be refused", err)
		}
		s.Wait(t)
		if strings.Contains(s.Raw(), "fine") {
			t.Error("half of what was refused was sent")
		}
	})
}

func TestAcceptResumes(t *testing.T) {
	ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
		presented := make(chan string, 2)
		hub, srv, _ := hold(t, p, sse.AcceptOptions{}, func(r *http.Request, h *eventhttp.Handle) error {
			presented <- h.LastEventID()
			return h.Wait(r.Context())
		})
		one := publish(t, hub, to("a", "one"))
		two := publish(t, hub, to("a", "two"))
		s := srv.Open(t, "/?channel=a", "Last-Event-ID: "+one.String())
		opened(t, s)
		want(t, s, sse.Event{ID: two.String(), Data: "two"})
		if got := <-presented; got != one.String() {
			t.Errorf("LastEventID %q, want %s", got, one)
		}
		s = srv.Open(t, "/?channel=a&lastEventId="+one.String())
		opened(t, s)
		want(t, s, sse.Event{ID: two.String(), Data: "two"})
	})
}

// Accept fails before any byte, and leaves nothing behind.
func TestAcceptFails(t *testing.T) {
	ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
		hub, srv, causes := hold(t, p, sse.AcceptOptions{}, wait)
		resp, body := srv.Do(t, "GET", "/?channel=a,b", "")
		refused(t, resp, body, 400, "leave out")
		if err := <-causes; !errors.Is(err, stentor.ErrInvalid) {
			t.Errorf("got %v", err)
		}
		if n := hub.Stats().Subscribed; n != 0 {
			t.Errorf("%d subscribed", n)
		}
		if err := hub.Shutdown(context.Background()); err != nil {
			t.Fatal(err)
		}
		resp, body = srv.Do(t, "GET", "/?channel=a", "")
		if resp.StatusCode != 200 || !strings.Contains(body, "retry: ") {
			t.Errorf("a closed hub: %d %q, want a soft refusal", resp.StatusCode, body)
		}
		if err := <-causes; !errors.Is(err, stentor.ErrClosed) {
			t.Errorf("got %v", err)
		}
	})
}

func TestAcceptOnAWriterThatCannotFlush(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hub := newHub(t, nil)
		w := httptest.NewRecorder()
		_, err := eventhttp.Accept(hub, struct{ http.ResponseWriter }{w}, httptest.NewRequest("GET", "/", nil), nil)
		if !errors.Is(err, errors.ErrUnsupported) {
			t.Errorf("got %v, want errors.ErrUnsupported", err)
		}
		if st := hub.Stats(); st.Subscriptions != 0 || w.Body.Len() != 0 {
			t.Errorf("%d subscriptions, %d bytes left behind", st.Subscriptions, w.Body.Len())
		}
	})
}

// A panic in a hook is the handler's, which net/http lets no program end by.
func TestHandleHookPanics(t *testing.T) {
	ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
		hub := newHub(t, &stentor.Options{Hooks: stentor.Hooks{Open: func(*stentor.Subscription) error { panic("hook") }}})
		caught := make(chan any, 2)
		srv := ssetest.NewServer(t, p, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			catch := func(f func()) {
				defer func() { caught <- recover() }()
				f()
			}
			h, err := eventhttp.Accept(hub, w, r, nil)
			if err != nil {
				t.Error(err)
				return
			}
			catch(func() { h.Wait(r.Context()) })
			catch(func() { h.Close() })
		}))
		srv.Open(t, "/").Wait(t)
		for range cap(caught) {
			if got := <-caught; got != "hook" {
				t.Errorf("caught %v", got)
			}
		}
		if n := hub.Stats().Subscriptions; n != 0 {
			t.Errorf("%d subscriptions left", n)
		}
	})
}
