//go:build linux

package eventhttp_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stentor-sse/stentor"
	"github.com/stentor-sse/stentor/eventhttp"
	"github.com/stentor-sse/stentor/sse"
)

// ways are how a compressed stream can reach its reader.
func ways() map[string]func(t *testing.T, o *stentor.Options) (*stentor.Hub, *httptest.Server) {
	serve := func(t *testing.T, o *stentor.Options, start func(*httptest.Server)) (*stentor.Hub, *httptest.Server) {
		t.Helper()
		hub, err := stentor.New(t.Context(), o)
		if err != nil {
			t.Fatal(err)
		}
		server := httptest.NewUnstartedServer(eventhttp.New(hub, &eventhttp.Options{
			Subscribe: eventhttp.QuerySubscribe, Stream: sse.AcceptOptions{Compress: &sse.Compressor{}},
		}))
		start(server)
		t.Cleanup(server.Close)
		t.Cleanup(func() { hub.Shutdown(context.WithoutCancel(t.Context())) })
		return hub, server
	}
	clear := (*httptest.Server).Start
	secure := func(s *httptest.Server) { s.Listener = sse.Listener(s.Listener); s.StartTLS() }
	http2 := func(s *httptest.Server) { s.EnableHTTP2 = true; s.StartTLS() }
	return map[string]func(*testing.T, *stentor.Options) (*stentor.Hub, *httptest.Server){
		"taken over": func(t *testing.T, o *stentor.Options) (*stentor.Hub, *httptest.Server) { return serve(t, o, clear) },
		"taken over from TLS": func(t *testing.T, o *stentor.Options) (*stentor.Hub, *httptest.Server) {
			return serve(t, o, secure)
		},
		"attached": func(t *testing.T, o *stentor.Options) (*stentor.Hub, *httptest.Server) {
			o.Attached = true
			return serve(t, o, clear)
		},
		"HTTP2": func(t *testing.T, o *stentor.Options) (*stentor.Hub, *httptest.Server) { return serve(t, o, http2) },
	}
}

// compressedStream asks for a compressed stream, and reads it when it may.
func compressedStream(t *testing.T, server *httptest.Server, query string, wait <-chan struct{}) (body io.Reader, end func()) {
	t.Helper()
	r, err := http.NewRequest(http.MethodGet, server.URL+"/events?"+query, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Accept-Encoding", "gzip") // so that the client leaves it as it is
	resp, err := server.Client().Do(r)
	if err != nil {
		t.Fatal(err)
	}
	if resp.Header.Get("Content-Encoding") != "gzip" || resp.Header.Get("Vary") != "Accept-Encoding" {
		t.Errorf("the header is %v", resp.Header)
	}
	zipped, err := gzip.NewReader(&trickle{resp.Body, wait, 1 << 16})
	if err != nil {
		t.Fatal(err)
	}
	return zipped, func() { resp.Body.Close() }
}

// Readers that come when they like, on channels of their own, that stall, resume and are told things
// alone, read what those get whose streams are not compressed: each message as it was
// published, once, in order, to a good end.
func TestCompressedStreams(t *testing.T) {
	for name, way := range ways() {
		t.Run(name, func(t *testing.T) {
			hub, server := way(t, &stentor.Options{LogLength: 64, QueueLength: 64, KeepAlive: 300 * time.Millisecond})
			rnd := rand.New(rand.NewPCG(7, 7))
			now, later := make(chan struct{}), make(chan struct{})
			close(now)
			var readers, reading sync.WaitGroup
			var mu sync.Mutex
			said := map[string][]string{} // what was published on a channel, to compare

			join := func(n int) {
				channels := []string{"a", "b", "c"}[:rnd.IntN(3)+1]
				wait := (<-chan struct{})(now)
				if n%4 == 3 {
					wait = later
				}
				mu.Lock()
				from := map[string]int{}
				for channel, list := range said {
					from[channel] = len(list)
				}
				mu.Unlock()
				query := fmt.Sprintf("user=u%d&channel=all&channel=%s", n, strings.Join(channels, "&channel="))
				opened := make(chan struct{})
				close(opened)
				body, end := compressedStream(t, server, query, opened)
				reading.Add(1)
				readers.Go(func() {
					defer end()
					done := sync.OnceFunc(reading.Done)
					defer done()
					defer time.AfterFunc(time.Minute, end).Stop() // what is garbled may have no end
					got := map[string][]string{}
					private := 0
					first := true
					for e, err := range sse.NewDecoder(body, nil).Events() {
						if err != nil {
							t.Errorf("reader %d: %v", n, err)
							return
						}
						if first {
							<-wait
							first = false
						}
						if e.Type == "stentor.end" {
							break
						}
						channel, text, _ := strings.Cut(e.Data, ": ")
						switch {
						case e.Type != "":
							continue
						case channel == "private":
							private++
						case text == "the last":
							done()
						default:
							got[channel] = append(got[channel], text)
						}
					}
					if rest, err := io.ReadAll(body); err != nil || len(rest) > 0 {
						t.Errorf("reader %d: after the end %q, %v", n, rest, err)
					}
					mu.Lock()
					defer mu.Unlock()
					for _, channel := range append(channels, "all") {
						want := said[channel][from[channel]:]
						if strings.Join(got[channel], "\n") != strings.Join(want, "\n") {
							t.Errorf("reader %d has %d messages of %s, want %d", n, len(got[channel]), channel, len(want))
						}
					}
					if private == 0 && n < 10 {
						t.Errorf("reader %d was told nothing alone", n)
					}
				})
			}
			say := func(target stentor.Target, text string) {
				t.Helper()
				if _, err := hub.Publish(t.Context(), stentor.Message{Target: target, Data: text}); err != nil {
					t.Fatal(err)
				}
			}
			for n := range 400 {
				if n%20 == 0 {
					join(n / 20)
				}
				channel := []string{"all", "all", "a", "b", "c"}[rnd.IntN(5)]
				text := fmt.Sprint("message ", n, " ", strings.Repeat("abc ", rnd.IntN(200)), rnd.Uint64())
				mu.Lock()
				said[channel] = append(said[channel], text)
				mu.Unlock()
				say(stentor.Target{Channel: stentor.Channel(channel)}, channel+": "+text)
				if n%7 == 0 {
					say(stentor.Target{User: fmt.Sprint("u", rnd.IntN(n/20+1))}, "private: x")
				}
				if n%100 == 99 {
					time.Sleep(400 * time.Millisecond) // keepalives come between
				}
			}
			for n := range 20 {
				say(stentor.Target{User: fmt.Sprint("u", n)}, "private: x")
			}
			close(later)
			say(stentor.Target{Channel: "all"}, "all: the last")
			reading.Wait()
			if err := hub.Shutdown(t.Context()); err != nil {
				t.Error(err)
			}
			readers.Wait()
		})
	}
}

// What many get is the same bytes for all of them, compressed once; it is much smaller; and each
// event is there when it was published.
func TestCompressedOnce(t *testing.T) {
	for name, way := range ways() {
		if name == "taken over from TLS" || name == "HTTP2" { // whose bytes can't be seen
			continue
		}
		t.Run(name, func(t *testing.T) {
			hub, server := way(t, &stentor.Options{KeepAlive: -1})
			hub.SetRetry(0)
			type stream struct {
				wire *bytes.Buffer
				body *gzip.Reader
			}
			var streams []stream
			for range 4 {
				r, _ := http.NewRequest(http.MethodGet, server.URL+"/events?channel=home", nil)
				r.Header.Set("Accept-Encoding", "gzip")
				resp, err := server.Client().Do(r)
				if err != nil {
					t.Fatal(err)
				}
				defer resp.Body.Close()
				s := stream{wire: &bytes.Buffer{}}
				if s.body, err = gzip.NewReader(io.TeeReader(resp.Body, s.wire)); err != nil {
					t.Fatal(err)
				}
				streams = append(streams, s)
			}
			plain := 0
			var last []byte
			for n := range 60 {
				text := fmt.Sprint("the text of message ", n, ", as such texts are, with what follows: ", n*7919)
				if _, err := hub.Publish(t.Context(), stentor.Message{Target: stentor.Target{Channel: "home"}, Data: text}); err != nil {
					t.Fatal(err)
				}
				for i, s := range streams {
					var got strings.Builder
					b := make([]byte, 1)
					for !strings.HasSuffix(got.String(), text+"\n\n") {
						if _, err := io.ReadFull(s.body, b); err != nil {
							t.Fatalf("stream %d: %v before message %d", i, err, n)
						}
						got.Write(b)
					}
					if n > 30 {
						plain += got.Len()
					}
				}
				if n == 30 {
					for _, s := range streams {
						s.wire.Reset()
					}
				}
			}
			last = streams[0].wire.Bytes()
			for i, s := range streams {
				if !bytes.Equal(s.wire.Bytes(), last) {
					t.Errorf("stream %d has other bytes", i)
				}
			}
			if len(last)*4*2 > plain {
				t.Errorf("%d bytes became %d", plain/4, len(last))
			}
		})
	}
}
