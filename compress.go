package stentor

import (
	"fmt"

	"github.com/stentor-sse/stentor/internal/deflate"
)

// sharing is a Response that may be compressed. What others get too it compresses
// once for all.
type sharing interface {
	// WriteShared is WriteFrames for what others get too.
	WriteShared(p []byte) error
	// Gzip says what the body holds so far, once it was detached, if it is compressed.
	Gzip() (sum, size uint32, ok bool)
}

// shared reports whether it goes to all on a channel. What goes to fewer must not be what
// a compressed frame refers to: its length would tell them apart.
func (it *item) shared() bool {
	if it.frame == nil {
		return false
	}
	if it.notice != nil {
		return true
	}
	t := &it.msg.Target
	return (t.All || t.Channel != "") && t.User == "" && t.UserName == "" && t.Session == "" && t.Key == "" && t.Subscription == ""
}

// body is what a response holds that was detached, nil if it is not compressed.
func body(r Response) *deflate.Stream {
	if r, ok := r.(sharing); ok {
		if sum, size, ok := r.Gzip(); ok {
			s := deflate.Resume(sum, size)
			return &s
		}
	}
	return nil
}

// flush writes frames, which others get too if they are shared.
func (w *writer) flush(b []byte, shared bool) error {
	if len(b) == 0 {
		return nil
	}
	if hook := w.s.hub.o.Hooks.Write; hook != nil {
		hook(w.s, b)
	}
	write := w.r.WriteFrames
	if r, ok := w.r.(sharing); ok && shared {
		write = r.WriteShared
	}
	if err := write(b); err != nil {
		return fmt.Errorf("%w: %w", ErrGone, err)
	}
	w.s.sent.bytes.Add(uint64(len(b)))
	w.buf = b
	if w.idle != nil && !w.s.hub.o.KeepAliveAlways {
		w.idle.Reset(jitter(w.s.in.keepAlive))
	}
	return nil
}
