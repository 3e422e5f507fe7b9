//go:build linux

package stentor_test

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"io"
	"net"
	"net/http/httputil"
	"strings"
	"testing"

	"github.com/stentor-sse/stentor"
)

// zipped is a response whose body is compressed, and whose connection has no descriptor.
type zipped struct{ *piped }

func (zipped) WriteShared([]byte) error          { return nil }
func (zipped) Gzip() (sum, size uint32, ok bool) { return 0, 0, true }

// A compressed body that nobody can take over goes on all the same, to its trailer.
func TestBareConnectionCompressed(t *testing.T) {
	h := newHub(t, nil)
	near, far := net.Pipe()
	sub, err := h.Subscribe(t.Context(), &stentor.SubscribeOptions{Dialect: plain{}, Channels: []stentor.Channel{"home"}})
	if err != nil {
		t.Fatal(err)
	}
	cause := make(chan error, 1)
	p := newPiped(near)
	go func() { cause <- sub.Serve(zipped{p}) }()
	lines := bufio.NewReader(far)
	if line, err := lines.ReadString('\n'); err != nil || line != "open\n" {
		t.Fatalf("got %q, %v", line, err)
	}
	<-p.detached
	body := io.MultiReader(bytes.NewReader([]byte{0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255}), httputil.NewChunkedReader(lines))
	read, err := gzip.NewReader(body)
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{"x", strings.Repeat("y", 5000)} {
		say(t, h, "home", text)
		got := make([]byte, len("m="+text+"\n"))
		if _, err := io.ReadFull(read, got); err != nil || string(got) != "m="+text+"\n" {
			t.Fatalf("got %.80q, %v", got, err)
		}
	}
	sub.Close(nil)
	rest, err := io.ReadAll(read)
	if err != nil || string(rest) != "bye stentor: unregistered\n" {
		t.Errorf("the end is %q, %v", rest, err)
	}
	io.Copy(io.Discard, lines)
	if err := <-cause; err != stentor.ErrUnregistered {
		t.Errorf("ended with %v", err)
	}
}
