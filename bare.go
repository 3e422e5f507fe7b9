package stentor

import (
	"errors"
	"fmt"
	"io"
	"net"
	"time"

	"github.com/stentor-sse/stentor/internal/deflate"
	"github.com/stentor-sse/stentor/internal/engine"
)

// bareTimeout is how long a write to a bare connection may take.
const bareTimeout = 10 * time.Second

// bare is a response whose connection was let go of, but that the engine can't take:
// one without a descriptor, as a listener makes that wraps its connections, or one for
// which no second descriptor is left.
type bare struct {
	c       net.Conn
	chunked bool
	zip     *deflate.Stream // nil: not compressed
	by      *deflate.Shared
	buf     []byte
	zipped  []byte
	done    chan struct{} // closed when nothing can be read any more
}

func newBare(c net.Conn, o *engine.AttachOptions, by *deflate.Shared) *bare {
	b := &bare{c: c, chunked: o.Chunked, zip: o.Gzip, by: by, done: make(chan struct{})}
	go func() { // ends with the connection, and close waits for it
		defer close(b.done)
		io.Copy(io.Discard, c)
	}()
	return b
}

// WriteFrames implements Response.
func (b *bare) WriteFrames(p []byte) error {
	if b.zip != nil {
		b.zipped = b.by.AppendAlone(b.zipped[:0], b.zip, p)
		p = b.zipped
	}
	return b.frame(p)
}

func (b *bare) frame(p []byte) error {
	b.buf = b.buf[:0]
	if b.chunked {
		b.buf = fmt.Appendf(b.buf, "%x\r\n", len(p))
	}
	b.buf = append(b.buf, p...)
	if b.chunked {
		b.buf = append(b.buf, "\r\n"...)
	}
	return b.write(b.buf)
}

func (b *bare) write(p []byte) error {
	if err := b.c.SetWriteDeadline(time.Now().Add(bareTimeout)); err != nil {
		return err
	}
	_, err := b.c.Write(p)
	return err
}

// Done implements Response.
func (b *bare) Done() <-chan struct{} { return b.done }

// Detach implements Response.
func (b *bare) Detach() (net.Conn, bool, error) { return nil, false, errors.ErrUnsupported }

// close ends the body, lets the reader finish and closes the connection.
func (b *bare) close() {
	if b.zip != nil { // an error says that nobody is there
		b.frame(b.zip.AppendTrailer(nil))
	}
	if b.chunked {
		b.write([]byte("0\r\n\r\n"))
	}
	if half, ok := b.c.(interface{ CloseWrite() error }); ok && half.CloseWrite() == nil {
		b.c.SetReadDeadline(time.Now().Add(time.Second))
		<-b.done
	}
	b.c.Close()
	<-b.done
}
