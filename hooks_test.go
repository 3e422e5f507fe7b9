package stentor_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stentor-sse/stentor"
)

// diary is what hooks note, from any goroutine.
type diary struct {
	mu    sync.Mutex
	lines []string
}

func (d *diary) note(format string, args ...any) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.lines = append(d.lines, fmt.Sprintf(format, args...))
}

func (d *diary) String() string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return strings.Join(d.lines, "\n")
}

// S-20, S-22: Write sees what goes out, OnEnd comes between Close and Leave.
func TestHooksOfOneLife(t *testing.T) {
	bubble(t, func(t *testing.T) {
		var d diary
		h := newHub(t, &stentor.Options{Linger: -1, Hooks: stentor.Hooks{
			Open: func(s *stentor.Subscription) error {
				d.note("open %d", len(s.Cursor()))
				s.OnEnd(func(cause error) { d.note("on end %v", cause) })
				return nil
			},
			Write: func(s *stentor.Subscription, frames []byte) { d.note("write %q", frames) },
			Close: func(s *stentor.Subscription, cause error) { d.note("close %v", cause) },
			Leave: func(s *stentor.Subscription) {
				d.note("leave")
				s.OnEnd(func(error) { d.note("at once") })
			},
			Error: func(s *stentor.Subscription, err error) { d.note("error %v %v", s != nil, err) },
		}})
		r := serve(t, h, on("home"))
		say(t, h, "home", "x")
		settle()
		r.fail(errors.New("broken pipe"))
		say(t, h, "home", "y")
		<-r.cause
		want(t, "diary", d.String(), `open 0
write "open\n"
write "m=x\n"
write "m=y\n"
error true stentor: reader gone: broken pipe
close stentor: reader gone: broken pipe
on end stentor: reader gone: broken pipe
leave
at once`)
	})
}

func (r *response) fail(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.err = err
}

// mute can't encode what is called "bad".
type mute struct{ plain }

func (m mute) AppendMessage(b []byte, msg *stentor.Message) ([]byte, error) {
	if msg.Data == "bad" {
		return append(b, "half a fr"...), errors.New("no words")
	}
	return m.plain.AppendMessage(b, msg)
}

func TestFrameThatFailsIsNotShown(t *testing.T) {
	bubble(t, func(t *testing.T) {
		var d diary
		h := newHub(t, &stentor.Options{Hooks: stentor.Hooks{
			Error: func(s *stentor.Subscription, err error) { d.note("%v %v", s != nil, err) },
		}})
		o := on("home")
		o.Dialect = mute{}
		r, other := serve(t, h, o), serve(t, h, on("home"))
		for _, text := range []string{"a", "bad", "b"} {
			say(t, h, "home", text)
		}
		settle()
		want(t, "its stream", r.got(), "open\nm=a\nm=b\n")
		want(t, "the other's", other.got(), "open\nm=a\nm=bad\nm=b\n")
		want(t, "hook", d.String(), "false stentor: encode: no words")
	})
}

// L-24: a collaborator that panics leaves nothing behind that somebody would have to end.
func TestPanicInAHook(t *testing.T) {
	for _, where := range []string{"open", "close", "leave", "replay", "close of a replaced one"} {
		t.Run(where, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				armed := true
				trip := func(here string) {
					if here == where && armed {
						armed = false
						panic("hook: " + here)
					}
				}
				h := newHub(t, &stentor.Options{Linger: -1, Hooks: stentor.Hooks{
					Open:  func(*stentor.Subscription) error { trip("open"); return nil },
					Close: func(*stentor.Subscription, error) { trip("close") },
					Leave: func(*stentor.Subscription) { trip("leave") },
				}})
				o := watching("home")
				o.Dialect, o.Cursor = plain{}, "1"
				o.Replay = func(context.Context, *stentor.Subscription) iter.Seq2[stentor.Message, error] {
					return func(func(stentor.Message, error) bool) { trip("replay") }
				}
				panicked := make(chan any, 1)
				if where == "close of a replaced one" {
					where = "close"
					old := serve(t, h, keyed(stentor.KeyNewest))
					o = keyed(stentor.KeyNewest)
					func() {
						defer func() { panicked <- recover() }()
						h.Subscribe(t.Context(), &o)
					}()
					if p := <-panicked; p == nil || old.sub.Cause() == nil {
						t.Errorf("panicked with %v, the old one ended with %v", p, old.sub.Cause())
					}
					settle()
					if s := h.Stats(); s.Subscriptions != 0 || s.Channels != 0 {
						t.Errorf("left behind: %+v", s)
					}
					return
				}
				sub, err := h.Subscribe(t.Context(), &o)
				if err != nil {
					t.Fatal(err)
				}
				r := newResponse()
				go func() {
					defer func() { panicked <- recover() }() // as net/http does
					sub.Serve(r)
				}()
				settle()
				r.hangUp()
				if p := <-panicked; p == nil {
					t.Error("nothing panicked")
				}
				settle()
				if s := h.Stats(); s.Subscriptions != 0 || s.Channels != 0 || len(h.Members()) != 0 {
					t.Errorf("left behind: %+v, %d members", s, len(h.Members()))
				}
				if sub.Cause() == nil {
					t.Error("it has not ended")
				}
			})
		})
	}
}

func watching(channels ...stentor.Channel) stentor.SubscribeOptions {
	o := on(channels...)
	o.Presence = true
	return o
}

// L-61, L-63, K-48: by the clock, whatever else is written.
func TestKeepAliveAlways(t *testing.T) {
	bubble(t, func(t *testing.T) {
		h := newHub(t, &stentor.Options{KeepAliveAlways: true})
		busy := serve(t, h, on("busy"))
		o := on("busy")
		o.KeepAlive = -1
		never := serve(t, h, o)
		o.KeepAlive = 5 * time.Second
		often := serve(t, h, o)
		for range 60 {
			after(time.Second)
			say(t, h, "busy", "x")
		}
		settle()
		for _, c := range []struct {
			name      string
			r         *reader
			low, high int
		}{{"the hub's", busy, 3, 4}, {"off", never, 0, 0}, {"its own", often, 11, 13}} {
			if n := strings.Count(c.r.got(), "keepalive\n"); n < c.low || n > c.high {
				t.Errorf("%s: %d in a minute, want %d to %d", c.name, n, c.low, c.high)
			}
		}
	})
}
