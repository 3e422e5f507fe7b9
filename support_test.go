package stentor_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stentor-sse/stentor"
)

// newHub makes a hub that is shut down with the test. Whatever it leaves
// behind keeps the bubble from ending.
func newHub(t *testing.T, o *stentor.Options) *stentor.Hub {
	t.Helper()
	h, err := stentor.New(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := h.Shutdown(context.Background()); err != nil {
			t.Errorf("shutdown: %v", err)
		}
	})
	return h
}

// plain is a dialect of one line a frame, easy to compare.
type plain struct{}

func (plain) AppendMessage(b []byte, m *stentor.Message) ([]byte, error) {
	return fmt.Appendf(b, "%s=%s\n", m.Type, m.Data), nil
}

func (plain) AppendNotice(b []byte, n *stentor.Notice) ([]byte, error) {
	switch n.Kind {
	case stentor.NoticeOpen:
		if n.StateFirst {
			return fmt.Appendf(b, "open, state first\n"), nil
		}
		return fmt.Appendf(b, "open\n"), nil
	case stentor.NoticeState:
		return fmt.Appendf(b, "state of %s, on from the cursor %v\n", n.Channels, n.Cursor > 0), nil
	case stentor.NoticeGap:
		return fmt.Appendf(b, "gap %s\n", n.Gap.Reason), nil
	case stentor.NoticeJoin:
		return fmt.Appendf(b, "join %s %s %v\n", n.Channel, n.Member.User, n.First), nil
	case stentor.NoticeLeave:
		return fmt.Appendf(b, "leave %s %s %v\n", n.Channel, n.Member.User, n.First), nil
	case stentor.NoticeUpdate:
		return fmt.Appendf(b, "update %s %s %v %v\n", n.Channel, n.Member.User, n.Joined, n.Left), nil
	case stentor.NoticeHeartbeat:
		return fmt.Appendf(b, "beat\n"), nil
	case stentor.NoticeRetry:
		return fmt.Appendf(b, "retry %v\n", n.Retry > 0), nil
	case stentor.NoticeFarewell:
		return fmt.Appendf(b, "bye %v\n", n.Cause), nil
	}
	return b, errors.New("what notice is this")
}

func (plain) AppendKeepAlive(b []byte) []byte { return append(b, "keepalive\n"...) }

// response records frames. While stalled it blocks in WriteFrames, as a
// connection does whose reader never reads.
type response struct {
	done chan struct{}
	end  sync.Once

	mu     sync.Mutex
	text   strings.Builder
	writes int
	stall  chan struct{}
	err    error
}

func newResponse() *response { return &response{done: make(chan struct{})} }

func (r *response) WriteFrames(p []byte) error {
	r.mu.Lock()
	stall := r.stall
	r.mu.Unlock()
	if stall != nil {
		select {
		case <-stall:
		case <-r.done:
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.text.Write(p)
	r.writes++
	return r.err
}

func (r *response) Done() <-chan struct{}           { return r.done }
func (r *response) Detach() (net.Conn, bool, error) { return nil, false, errors.ErrUnsupported }
func (r *response) hangUp()                         { r.end.Do(func() { close(r.done) }) }

// block makes writes wait until the returned function is called.
func (r *response) block() (release func()) {
	stall := make(chan struct{})
	r.mu.Lock()
	r.stall = stall
	r.mu.Unlock()
	return func() {
		r.mu.Lock()
		r.stall = nil
		r.mu.Unlock()
		close(stall)
	}
}

func (r *response) lines() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Collect(strings.Lines(strings.TrimSuffix(r.text.String(), "\n")))
}

func (r *response) got() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.text.String()
}

// reader is a served subscription.
type reader struct {
	*response
	sub   *stentor.Subscription
	cause chan error // what Serve returned
}

// serve subscribes and serves in the bubble; both end with the hub.
func serve(t *testing.T, h *stentor.Hub, o stentor.SubscribeOptions) *reader {
	t.Helper()
	if o.Dialect == nil {
		o.Dialect = plain{}
	}
	sub, err := h.Subscribe(t.Context(), &o)
	if err != nil {
		t.Fatal(err)
	}
	r := &reader{response: newResponse(), sub: sub, cause: make(chan error, 1)}
	go func() { r.cause <- sub.Serve(r) }()
	synctest.Wait()
	return r
}

func on(channels ...stentor.Channel) stentor.SubscribeOptions {
	return stentor.SubscribeOptions{Channels: channels}
}

// say publishes text to a channel.
func say(t testing.TB, h *stentor.Hub, ch stentor.Channel, text string) stentor.Position {
	t.Helper()
	return publish(t, h, stentor.Message{Target: stentor.Target{Channel: ch}, Type: "m", Data: text})
}

func publish(t testing.TB, h *stentor.Hub, m stentor.Message) stentor.Position {
	t.Helper()
	r, err := h.Publish(context.Background(), m)
	if err != nil {
		t.Fatal(err)
	}
	return r.Position
}

func want(t *testing.T, what, got, want string) {
	t.Helper()
	if got != want {
		t.Errorf("%s:\ngot\n%s\nwant\n%s", what, got, want)
	}
}

// bubble runs f in a bubble: time is virtual, and a goroutine left behind fails it.
func bubble(t *testing.T, f func(t *testing.T)) {
	t.Helper()
	synctest.Test(t, f)
}

// settle lets everything run until it waits for time or for the test.
func settle() { synctest.Wait() }

// after lets virtual time pass.
func after(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}
