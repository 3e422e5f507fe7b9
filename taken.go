package stentor

import (
	"errors"
	"fmt"
	"maps"
	"net"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/stentor-sse/stentor/internal/deflate"
	"github.com/stentor-sse/stentor/internal/engine"
)

// writers is the engine that writes the streams which were taken over, made with the
// first of them, and who does for it what it must not wait for.
type writers struct {
	engine  atomic.Pointer[engine.Engine] // nil until there is one
	endings crew                          // with the application's hooks
	reading crew                          // of the history
	deflate deflate.Shared                // for those that the engine can't take

	mu     sync.Mutex
	closed bool
	over   bool                       // no stream outlives its subscription any more
	silent map[*Subscription]struct{} // those that do
}

// crewSize is how many hooks run at once, and how many streams read the history.
const crewSize = 4

// get is the engine.
func (w *writers) get(o *Options) (*engine.Engine, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.closed {
		return nil, ErrClosed
	}
	if e := w.engine.Load(); e != nil {
		return e, nil
	}
	e, err := engine.New(engine.Options{
		Shards: runtime.GOMAXPROCS(0), Length: o.LogLength, Bytes: o.LogBytes,
		KeepAlive: o.KeepAlive, Always: o.KeepAliveAlways, Linger: time.Second,
	})
	if err != nil {
		return nil, err
	}
	if hook := o.Hooks.Error; hook != nil {
		w.endings.failed = func(err error) { hook(nil, err) }
		w.reading.failed = w.endings.failed
	}
	w.endings.start(crewSize)
	w.reading.start(crewSize)
	w.silent = map[*Subscription]struct{}{}
	w.engine.Store(e)
	return e, nil
}

func (w *writers) delivered() uint64 {
	if e := w.engine.Load(); e != nil {
		return e.Delivered()
	}
	return 0
}

// keep lets a stream outlive its subscription; false if it is too late for that.
func (w *writers) keep(s *Subscription) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.over {
		w.silent[s] = struct{}{}
	}
	return !w.over
}

func (w *writers) forget(s *Subscription) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.silent, s)
}

// release ends the streams that outlived their subscription.
func (w *writers) release() {
	w.mu.Lock()
	w.over = true
	list := slices.Collect(maps.Keys(w.silent))
	w.mu.Unlock()
	for _, s := range list {
		s.conn.Load().End(s.frame(item{notice: farewell(s.Cause())}))
	}
}

// close ends the engine, and then what its end still has done.
func (w *writers) close() {
	w.mu.Lock()
	w.closed = true
	w.mu.Unlock()
	if e := w.engine.Load(); e != nil {
		e.Close()
		w.reading.close()
		w.endings.close()
	}
}

// owner is a subscription as the engine sees it.
type owner Subscription

// logged is an item in the engine's log.
type logged struct {
	engine.Entry
	item
	h *Hub
}

func (l *logged) AppendFrame(b []byte, form any) []byte {
	out, err := l.encode(b, form.(Dialect), nil)
	if err != nil && l.h.o.Hooks.Error != nil {
		l.h.writer.endings.do(func() { l.h.failed(nil, err) })
	}
	return out
}

// routes adds the routes of the engine for s: notices have one of their own, where those
// are who watch. Everyone needs none.
func (on *standing) routes(list []string, s *Subscription) []string {
	if on.name == everyone {
		return list
	}
	list = append(list, string(on.name))
	if s.presence {
		list = append(list, on.watched())
	}
	return list
}

func (on *standing) watched() string { return string(reserved('w', string(on.name))) }

// logOverhead is what an entry of the log costs beside its data.
const logOverhead = 192

// log appends an item for the streams that were taken over: for those on a standing, or of
// them those that watch, or for some. The caller holds index.mu.
func (h *Hub) log(it item, on *standing, watching bool, to []*engine.Conn) {
	l := &logged{h: h, item: it}
	l.Entry = engine.Entry{Position: int64(it.pos), Size: it.size() + logOverhead, Silent: it.notice != nil, Item: l}
	switch {
	case on == nil:
		l.To = to
	case on.name == everyone:
		l.All = true
	case watching:
		l.Route = on.watched()
	default:
		l.Route = string(on.name)
	}
	h.writer.engine.Load().Append(&l.Entry)
}

// handOver gives a stream that has everything to the engine, if that can be.
func (w *writer) handOver() error {
	s, h := w.s, w.s.hub
	if w.stays = w.stays || h.o.Attached || !engine.Supported || h.o.Hooks.Write != nil ||
		s.in.keepAlive > 0 && s.in.keepAlive != h.o.KeepAlive; w.stays || !s.live() {
		return nil
	}
	nc, chunked, err := w.r.Detach()
	switch {
	case errors.Is(err, errors.ErrUnsupported):
		w.stays = true
		return nil
	case err != nil:
		return fmt.Errorf("%w: %w", ErrGone, err)
	}
	o := &engine.AttachOptions{Form: s.dialect, Chunked: chunked, Gzip: body(w.r)}
	if s.in.keepAlive > 0 {
		o.KeepAlive = s.dialect.AppendKeepAlive(nil)
	}
	var c *engine.Conn
	e, err := h.writer.get(&h.o)
	if err == nil {
		c, err = w.attach(e, nc, o)
	}
	if err != nil { // no descriptor, or none left: the connection is here, and is written to here
		w.stays, w.r = true, newBare(nc, o, &h.writer.deflate)
		return nil
	}
	w.taken = true
	if w.beat {
		s.answer(c)
	}
	if cause := s.Cause(); cause != nil { // it ended while nobody wrote
		s.part(c, cause)
	}
	return nil
}

// attach moves s from its queue to the engine, between two messages.
func (w *writer) attach(e *engine.Engine, nc net.Conn, o *engine.AttachOptions) (c *engine.Conn, err error) {
	s, x := w.s, &w.s.hub.index
	x.mu.Lock()
	defer x.mu.Unlock()
	for _, p := range s.places {
		o.Routes = p.on.routes(o.Routes, s)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	q := &s.in.queue
	cursor, items := w.rd.cursor, make([]item, 0, len(q.items))
	for _, it := range q.items {
		if it.pos == 0 || it.pos > cursor {
			cursor = max(cursor, it.pos)
			items = append(items, it)
			o.First, err = it.encode(o.First, s.dialect, err)
		}
	}
	o.Position, o.Behind, o.Lost = int64(cursor), q.full, q.lost
	if c, err = e.Attach(nc, (*owner)(s), o); err != nil {
		return nil, err
	}
	count(items, &s.hub.count.delivered, &s.sent.messages)
	w.beat, s.in = s.in.beat, nil
	s.conn.Store(c)
	if !s.indexed {
		c.Mute() // it has ended
	}
	if s.owes() {
		c.Pause()
	}
	for i := range s.places {
		p := &s.places[i]
		p.on.stop(p)
		p.on.count(s, 1)
	}
	return c, nil
}

// answer tells the client that its heartbeat was heard.
func (s *Subscription) answer(c *engine.Conn) {
	m := s.Member()
	s.write(c, item{notice: &Notice{Kind: NoticeHeartbeat, Subscription: s, Member: &m}})
}

// write gives the engine something that is for s alone.
func (s *Subscription) write(c *engine.Conn, it item) {
	if c.Write(s.frame(it)); it.msg != nil {
		count([]item{it}, &s.hub.count.delivered, &s.sent.messages)
	}
}

// frame encodes an item; none if the dialect can't.
func (s *Subscription) frame(it item) []byte {
	b, _ := it.encode(nil, s.dialect, nil)
	return b
}

// part ends the stream of a subscription that has ended. After a reset the stream of a client
// that sends heartbeats stays open and silent, until it goes or the hub shuts
// down.
func (s *Subscription) part(c *engine.Conn, cause error) {
	if cause == ErrReset && s.heartbeats && s.hub.writer.keep(s) {
		return
	}
	c.End(s.frame(item{notice: farewell(cause)}))
}

// Gone ends the subscription of a connection that was closed.
func (o *owner) Gone(_ *engine.Conn, err error) {
	s := (*Subscription)(o)
	w := &s.hub.writer
	w.endings.do(func() {
		defer s.finish()
		w.forget(s)
		cause := ErrGone
		if err != nil {
			cause = fmt.Errorf("%w: %w", ErrGone, err)
		}
		s.end(cause, stageLingering)
	})
}
