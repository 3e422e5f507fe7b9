package sse

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"
)

// ErrDetached is the cause of a stream whose connection was handed over.
var ErrDetached = errors.New("sse: the connection was handed over")

// Detach hands the connection over: the stream ends with [ErrDetached], and whoever has the
// connection goes on in the framing that the response began with (chunked on HTTP/1.1, none on
// 1.0), ends it and closes it. Then the handler may return. What the reader has sent
// meanwhile is dropped: nothing follows on this connection.
//
// Over TLS the connection has to be one of a [Listener]. A body that is compressed with a
// [Compressor] goes on as one: see [Stream.Gzip].
//
// [errors.ErrUnsupported] says that it can't be, and the stream goes on as it is: over HTTP/2 and
// TLS without a Listener, for any method but GET, where something else encodes the content, or where
// the ResponseWriter hides http.Hijacker. Any other error is the stream's cause.
func (s *Stream) Detach() (c net.Conn, chunked bool, err error) {
	s.turn <- struct{}{}
	defer s.release()
	if s.cause == nil && s.ctx.Err() != nil {
		s.end(s.gone(nil))
	}
	switch {
	case s.cause != nil:
		return nil, false, s.cause
	case !s.detachable || s.foreign():
		return nil, false, errors.ErrUnsupported
	}
	if s.held { // it goes the usual way
		if err := s.write(nil); err != nil {
			return nil, false, err
		}
	}
	if s.zip != nil && !s.zip.begun { // nothing was written
		if _, err := s.w.Write(s.zip.begin()); err != nil {
			s.end(fmt.Errorf("sse: detach: %w", err))
			return nil, false, s.cause
		}
		if err := s.write(nil); err != nil {
			return nil, false, err
		}
	}
	c, _, err = s.rc.Hijack()
	if errors.Is(err, errors.ErrUnsupported) {
		return nil, false, err
	}
	if err == nil {
		err = c.SetDeadline(time.Time{})
	}
	if err != nil {
		s.end(fmt.Errorf("sse: detach: %w", err))
		return nil, false, s.cause
	}
	s.end(ErrDetached)
	return handedOver(c), s.chunked, nil
}

// detachable reports whether the connection of r may be one to hand over: whether
// there is one of its own, in clear or of a Listener.
func detachable(r *http.Request) bool {
	if r.ProtoMajor != 1 || r.Method != http.MethodGet {
		return false
	}
	switch r.Context().Value(http.LocalAddrContextKey).(type) {
	case *net.TCPAddr:
		return r.TLS == nil
	case address:
		return true
	}
	return false
}
