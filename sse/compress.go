package sse

import (
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/stentor-sse/stentor/internal/deflate"
)

// Compressor compresses for any number of streams; give it to all that are told the same,
// in [AcceptOptions]. A stream costs it nothing: there is no compressor for each. What several
// streams are given with [Stream.WriteShared] is compressed once, with reference to what they
// were given before; whatever else is written is compressed by itself. The zero value is ready
// to use. It is safe for any goroutine and takes some 3 MB while it has something to do.
type Compressor struct{ shared deflate.Shared }

// zipped is the body of a stream that is compressed. Whoever has the stream's turn has
// it.
type zipped struct {
	deflate.Stream
	by    *deflate.Shared
	begun bool // the header has been written
	buf   []byte
}

// zip begins a compressed body for r, if that is what its reader and the options want and
// nobody else encodes it.
func (o *AcceptOptions) zip(h http.Header, r *http.Request) *zipped {
	if o.Compress == nil || h.Get("Content-Encoding") != "" || !acceptsGzip(r.Header) {
		return nil
	}
	return &zipped{by: &o.Compress.shared}
}

// append gives p as it goes out. It is valid until the next call.
func (z *zipped) append(p []byte, shared bool) []byte {
	if len(p) == 0 {
		return nil
	}
	b := z.begin()
	if shared {
		b = z.by.Append(b, &z.Stream, p)
	} else {
		b = z.by.AppendAlone(b, &z.Stream, p)
	}
	if z.buf = b; cap(b) > keepFrame {
		z.buf = nil
	}
	return b
}

// begin gives the header, if that is due.
func (z *zipped) begin() []byte {
	if z.begun {
		return z.buf[:0]
	}
	z.begun = true
	return deflate.AppendHeader(z.buf[:0])
}

// end gives what completes the body.
func (z *zipped) end() []byte { return z.AppendTrailer(z.begin()) }

// Gzip says of a stream that is compressed with a [Compressor] the checksum (CRC-32) and length
// of what was written so far. Who has its connection (see [Stream.Detach]) goes on with
// blocks of the same gzip member, from the next byte on, and ends that.
func (s *Stream) Gzip() (sum, size uint32, ok bool) {
	s.turn <- struct{}{}
	defer s.release()
	if s.zip == nil {
		return 0, 0, false
	}
	sum, size = s.zip.Sum()
	return sum, size, true
}

// describe says in the header how the body is encoded, and that this depends on the
// request.
func (s *Stream) describe(h http.Header) {
	if s.o.Compress == nil {
		return
	}
	if vary := strings.ToLower(strings.Join(h.Values("Vary"), ",")); !strings.Contains(vary, "accept-encoding") && vary != "*" {
		h.Add("Vary", "Accept-Encoding")
	}
	if s.zip != nil {
		h.Set("Content-Encoding", "gzip")
	}
}

// foreign reports whether somebody else encodes the body.
func (s *Stream) foreign() bool {
	encoded := s.w.Header().Values("Content-Encoding")
	if s.zip == nil {
		return len(encoded) > 0
	}
	return !slices.Equal(encoded, []string{"gzip"})
}

// acceptsGzip reads Accept-Encoding as RFC 9110 §12.5.3 says. A weight of 0 refuses; one that is
// lower than that of the body as it is prefers that.
func acceptsGzip(h http.Header) bool {
	gzip, anything, identity := -1.0, -1.0, -1.0
	for _, line := range h.Values("Accept-Encoding") {
		for line != "" {
			var element string
			element, line = nextElement(line)
			name, weight, ok := coding(element)
			if !ok {
				continue
			}
			switch name {
			case "gzip", "x-gzip":
				gzip = max(gzip, weight)
			case "*":
				anything = max(anything, weight)
			case "identity":
				identity = max(identity, weight)
			}
		}
	}
	if gzip < 0 {
		gzip = anything
	}
	return gzip > 0 && gzip >= identity
}

// coding reads an element like gzip;q=0.5.
func coding(element string) (name string, weight float64, ok bool) {
	name, param, weighted := strings.Cut(element, ";")
	name = strings.ToLower(strings.Trim(name, " \t"))
	if !weighted {
		return name, 1, name != ""
	}
	q, value, _ := strings.Cut(param, "=")
	weight, err := strconv.ParseFloat(strings.Trim(value, " \t"), 64)
	ok = name != "" && strings.EqualFold(strings.Trim(q, " \t"), "q") && err == nil && weight >= 0 && weight <= 1
	return name, weight, ok
}
