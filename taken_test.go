//go:build linux

package stentor_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http/httputil"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stentor-sse/stentor"
)

// wire is a response over TCP, which the hub takes over.
type wire struct {
	near net.Conn
	done chan struct{}
}

func (w *wire) WriteFrames(p []byte) error { _, err := w.near.Write(p); return err }
func (w *wire) Done() <-chan struct{}      { return w.done }
func (w *wire) Detach() (net.Conn, bool, error) {
	return w.near, false, nil
}

// remote is a subscription whose stream was taken over, and the other end of it.
type remote struct {
	t     *testing.T
	sub   *stentor.Subscription
	far   net.Conn
	lines *bufio.Reader
}

// take subscribes, serves and waits until the stream was taken over.
func take(t *testing.T, h *stentor.Hub, o stentor.SubscribeOptions) *remote {
	t.Helper()
	near, far := tcp(t)
	if o.Dialect == nil {
		o.Dialect = plain{}
	}
	sub, err := h.Subscribe(t.Context(), &o)
	if err != nil {
		t.Fatal(err)
	}
	if err := sub.Serve(&wire{near: near, done: make(chan struct{})}); err != nil {
		t.Fatalf("served, not taken over: %v", err)
	}
	far.SetReadDeadline(time.Now().Add(time.Minute))
	return &remote{t: t, sub: sub, far: far, lines: bufio.NewReader(far)}
}

func tcp(t *testing.T) (near, far net.Conn) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if far, err = net.Dial("tcp", l.Addr().String()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { far.Close() })
	if near, err = l.Accept(); err != nil {
		t.Fatal(err)
	}
	return near, far
}

// expect reads lines.
func (r *remote) expect(want ...string) {
	r.t.Helper()
	for _, w := range want {
		line, err := r.lines.ReadString('\n')
		if err != nil {
			r.t.Fatalf("waiting for %q: %v", w, err)
		}
		if line != w+"\n" {
			r.t.Fatalf("got %q, want %q", line, w)
		}
	}
}

// end reads the rest.
func (r *remote) end(want string) {
	r.t.Helper()
	b, err := io.ReadAll(r.lines)
	if err != nil {
		r.t.Fatal(err)
	}
	if got := strings.TrimSuffix(string(b), "\n"); got != want {
		r.t.Errorf("the end is %q, want %q", got, want)
	}
	r.far.Close()
}

func (r *remote) gone() error {
	r.t.Helper()
	select {
	case <-r.sub.Done():
		return r.sub.Cause()
	case <-time.After(time.Minute):
		r.t.Fatal("it does not end")
		return nil
	}
}

func TestTakenOver(t *testing.T) {
	h := newHub(t, &stentor.Options{KeepAlive: -1})
	o := watching("home")
	o.User, o.UserName, o.Authenticated, o.Session, o.Key = "1", "ann", true, "s", "k"
	a := take(t, h, o)
	a.expect("open", "join home 1 true")
	b := take(t, h, on("home", "news"))
	a.expect("join home -1 true")

	for i, target := range []stentor.Target{
		{Channel: "home"}, {User: "1"}, {UserName: "ann"}, {Session: "s"}, {Key: "k"}, {All: true},
		{Subscription: a.sub.ID()}, {Channel: "home", User: "1"}, {All: true, Channel: "home"},
	} {
		publish(t, h, stentor.Message{Target: target, Type: "m", Data: fmt.Sprint(i)})
		publish(t, h, stentor.Message{Target: stentor.Target{Channel: "news", User: "1"}, Type: "m", Data: "for nobody"})
		a.expect(fmt.Sprint("m=", i))
	}
	b.expect("open", "m=0", "m=5", "m=8")

	c, err := a.sub.Join(t.Context(), "news")
	if err != nil || len(c.Opened) != 0 {
		t.Errorf("join: %v, %v", c, err)
	}
	a.expect("update home 1 false false", "update news 1 true false")
	say(t, h, "news", "x")
	a.expect("m=x")
	say(t, h, "news", "y") // before the leave: it arrives
	if _, err := a.sub.Leave(t.Context(), "news"); err != nil {
		t.Fatal(err)
	}
	a.expect("m=y", "update home 1 false false")
	say(t, h, "news", "z")
	b.expect("m=x", "m=y", "m=z")

	if _, err := a.sub.Publish(t.Context(), stentor.Message{Type: "m", Data: "mine", Ephemeral: true}); err != nil {
		t.Fatal(err)
	}
	a.expect("m=mine")
	if _, err := h.PublishFunc(t.Context(), stentor.Message{Type: "m", Data: "picked"},
		func(s *stentor.Subscription) bool { return s == a.sub }); err != nil {
		t.Fatal(err)
	}
	a.expect("m=picked")
	h.SetRetry(time.Second)
	a.expect("retry true")
	if !a.sub.Heartbeat(time.Minute) {
		t.Error("no heartbeat")
	}
	a.expect("beat")
	if s := a.sub.Sent(); s.Messages != 13 || s.Bytes == 0 {
		t.Errorf("sent %+v", s)
	}

	// What was published before the end comes before the farewell.
	say(t, h, "home", "last")
	a.sub.Close(nil)
	a.end("m=last\nbye stentor: unregistered")
	b.expect("retry true", "m=last")
	b.far.Close()
	if err := b.gone(); !errors.Is(err, stentor.ErrGone) {
		t.Errorf("b ended with %v", err)
	}
	if h.Count(stentor.Target{}) != 0 {
		t.Error("somebody is left")
	}
}

// Readers that stall while others publish at full speed get everything, in order, once:
// from the log, or from the history where that has gone on.
func TestTakenOverSlowReaders(t *testing.T) {
	for _, length := range []int{4, 1 << 14} {
		t.Run(fmt.Sprint("log of ", length), func(t *testing.T) {
			h := newHub(t, &stentor.Options{LogLength: length})
			const last = 3000
			pad := strings.Repeat("x", 2000)
			var readers sync.WaitGroup
			start := make(chan struct{})
			for i := range 8 {
				r := take(t, h, on("home"))
				readers.Go(func() {
					if i%2 == 0 {
						<-start
					}
					r.expect("open")
					for n := range last {
						line, err := r.lines.ReadString('\n')
						if err != nil {
							t.Errorf("%d: waiting for %d: %v", i, n+1, err)
							return
						}
						if got, _, _ := strings.Cut(strings.TrimPrefix(line, "m="), " "); got != fmt.Sprint(n+1) {
							t.Errorf("%d: %.20q in place of %d", i, line, n+1)
							return
						}
					}
				})
			}
			for n := range last {
				say(t, h, "home", fmt.Sprint(n+1, " ", pad))
			}
			close(start)
			readers.Wait()
			if s := h.Stats(); length == 4 && s.Behind == 0 || s.Gaps != 0 {
				t.Errorf("nothing was tried, or told wrongly: %+v", s)
			}
		})
	}
}

// What has fallen out of the log and of the history is a gap.
func TestTakenOverGap(t *testing.T) {
	h := newHub(t, &stentor.Options{
		Broker: stentor.NewMemoryBroker(&stentor.MemoryOptions{Size: 10}), LogLength: 4,
	})
	r := take(t, h, on("home"))
	for n := range 3000 {
		say(t, h, "home", fmt.Sprint(n+1, " ", strings.Repeat("x", 2000)))
	}
	r.expect("open")
	next, gaps := 1, 0
	for next <= 3000 {
		line, err := r.lines.ReadString('\n')
		if err != nil {
			t.Fatal(err)
		}
		if line == "gap slow\n" {
			gaps++
			next = 0
			continue
		}
		var got int
		fmt.Sscanf(line, "m=%d ", &got)
		if got != next && next != 0 || got == 0 {
			t.Fatalf("%.20q in place of %d", line, next)
		}
		next = got + 1
	}
	if gaps == 0 {
		t.Error("nothing was lost: nothing was tried")
	}
}

func TestTakenOverEnds(t *testing.T) {
	t.Run("shutdown", func(t *testing.T) {
		h := newHub(t, nil)
		r := take(t, h, on("home"))
		done := make(chan error)
		go func() { done <- h.Shutdown(context.Background()) }()
		r.expect("open")
		r.end("bye stentor: closed")
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	t.Run("drain", func(t *testing.T) {
		h := newHub(t, nil)
		r := take(t, h, on("home"))
		if err := h.Drain(t.Context(), 0); err != nil {
			t.Fatal(err)
		}
		r.expect("open")
		r.end("bye stentor: draining")
	})
	t.Run("reset, with a client that sends heartbeats", func(t *testing.T) {
		h := newHub(t, nil)
		o := on("home")
		o.Heartbeats = true
		r := take(t, h, o)
		h.Reset()
		say(t, h, "home", "for nobody")
		if r.sub.Heartbeat(0) {
			t.Error("it is known still")
		}
		done := make(chan error)
		go func() { done <- h.Shutdown(context.Background()) }()
		r.expect("open")
		r.end("bye stentor: the hub was reset")
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	t.Run("expiry", func(t *testing.T) {
		h := newHub(t, nil)
		r := take(t, h, on("home"))
		r.sub.Heartbeat(time.Millisecond)
		if err := r.gone(); err != stentor.ErrExpired {
			t.Errorf("ended with %v", err)
		}
	})
	t.Run("replaced, by the reader that comes back", func(t *testing.T) {
		h := newHub(t, nil)
		o := watching("home")
		o.User, o.Key = "1", "k"
		old := take(t, h, o)
		watcher := take(t, h, watching("home"))
		back := take(t, h, o)
		old.expect("open", "join home 1 true", "join home -1 true")
		old.end("bye stentor: replaced by a newer subscription with the same key")
		back.expect("open", "join home 1 false")
		back.sub.Close(nil)
		watcher.expect("open", "join home -1 true", "leave home 1 true")
	})
	t.Run("hooks run, and may be slow", func(t *testing.T) {
		told := make(chan error, 1)
		h := newHub(t, &stentor.Options{Linger: -1, Hooks: stentor.Hooks{
			Close: func(s *stentor.Subscription, cause error) {
				s.Close(nil) // as good as nothing
				told <- cause
			},
		}})
		r := take(t, h, on("home"))
		r.far.Close()
		if err := <-told; !errors.Is(err, stentor.ErrGone) {
			t.Errorf("told %v", err)
		}
	})
}

// Those that choose to, or have to, stay with their handler.
func TestStaysAttached(t *testing.T) {
	for name, o := range map[string]*stentor.Options{
		"told to":          {Attached: true},
		"with Hooks.Write": {Hooks: stentor.Hooks{Write: func(*stentor.Subscription, []byte) {}}},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHub(t, o)
			near, far := tcp(t)
			sub, err := h.Subscribe(t.Context(), &stentor.SubscribeOptions{Dialect: plain{}, Channels: []stentor.Channel{"home"}})
			if err != nil {
				t.Fatal(err)
			}
			cause := make(chan error)
			go func() { cause <- sub.Serve(&wire{near: near, done: make(chan struct{})}) }()
			line, err := bufio.NewReader(far).ReadString('\n')
			if err != nil || line != "open\n" {
				t.Errorf("got %q, %v", line, err)
			}
			sub.Close(nil)
			if err := <-cause; err != stentor.ErrUnregistered {
				t.Errorf("ended with %v", err)
			}
		})
	}
}

// piped is a response whose connection has no descriptor.
type piped struct {
	wire
	detached chan struct{}
}

func newPiped(near net.Conn) *piped {
	return &piped{wire{near: near, done: make(chan struct{})}, make(chan struct{})}
}

func (p *piped) Detach() (net.Conn, bool, error) {
	close(p.detached)
	return p.near, true, nil
}

// A connection that was let go of and can't be taken is written to all the same.
func TestBareConnection(t *testing.T) {
	h := newHub(t, nil)
	near, far := net.Pipe()
	sub, err := h.Subscribe(t.Context(), &stentor.SubscribeOptions{Dialect: plain{}, Channels: []stentor.Channel{"home"}})
	if err != nil {
		t.Fatal(err)
	}
	cause := make(chan error, 1)
	p := newPiped(near)
	go func() { cause <- sub.Serve(p) }()
	lines := bufio.NewReader(far)
	if line, err := lines.ReadString('\n'); err != nil || line != "open\n" {
		t.Fatalf("got %q, %v", line, err)
	}
	<-p.detached
	say(t, h, "home", "x")
	body := httputil.NewChunkedReader(lines)
	b := make([]byte, len("m=x\n"))
	if _, err := io.ReadFull(body, b); err != nil || string(b) != "m=x\n" {
		t.Errorf("got %q, %v", b, err)
	}
	sub.Close(nil)
	rest, err := io.ReadAll(body)
	if err != nil || string(rest) != "bye stentor: unregistered\n" {
		t.Errorf("the end is %q, %v", rest, err)
	}
	io.Copy(io.Discard, lines) // what follows the last chunk
	if err := <-cause; err != stentor.ErrUnregistered {
		t.Errorf("ended with %v", err)
	}

	// And its reader's going is noticed.
	near, far = net.Pipe()
	if sub, err = h.Subscribe(t.Context(), &stentor.SubscribeOptions{Dialect: plain{}}); err != nil {
		t.Fatal(err)
	}
	p = newPiped(near)
	go func() { cause <- sub.Serve(p) }()
	if _, err := bufio.NewReader(far).ReadString('\n'); err != nil {
		t.Fatal(err)
	}
	<-p.detached
	far.Close()
	if err := <-cause; !errors.Is(err, stentor.ErrGone) {
		t.Errorf("ended with %v", err)
	}
}

// A hook that panics where nobody recovers ends its own stream, and not the program.
func TestTakenOverHookPanics(t *testing.T) {
	told := make(chan error, 1)
	h := newHub(t, &stentor.Options{Linger: -1, Hooks: stentor.Hooks{
		Close: func(*stentor.Subscription, error) { panic("hook") },
		Error: func(_ *stentor.Subscription, err error) { told <- err },
	}})
	r := take(t, h, on("home"))
	r.far.Close()
	if err := <-told; !strings.Contains(err.Error(), "a hook panicked: hook") {
		t.Errorf("told %v", err)
	}
	r.gone()
	if s := h.Stats(); s.Channels != 0 {
		t.Errorf("left behind: %+v", s)
	}
}

// Streams that come and go while everybody is told something.
func TestTakenOverChurn(t *testing.T) {
	h := newHub(t, &stentor.Options{Linger: -1})
	var wg sync.WaitGroup
	stop := make(chan struct{})
	for range 4 {
		wg.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
					say(t, h, "home", "x")
					time.Sleep(time.Millisecond)
				}
			}
		})
	}
	var churn sync.WaitGroup
	for i := range 8 {
		churn.Go(func() {
			for n := range 25 {
				r := take(t, h, watching("home", stentor.Channel(fmt.Sprint("own-", i))))
				r.expect("open")
				if n%2 == 0 {
					r.sub.Join(context.Background(), "extra")
					r.sub.Close(nil)
				}
				r.far.Close()
				<-r.sub.Done()
				r.sub.Close(nil) // waits until that end is through
			}
		})
	}
	churn.Wait()
	close(stop)
	wg.Wait()
	if s := h.Stats(); s.Subscriptions != 0 || s.Channels != 0 {
		t.Errorf("left behind: %+v", s)
	}
	if got := h.Members(); len(got) != 0 {
		t.Errorf("%d members are left", len(got))
	}
}
