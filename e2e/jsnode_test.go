package e2e_test

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"encoding/json"
	"io"
	"math/rand/v2"
	"net/http"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stentor-sse/stentor/sse"
)

// The client for browsers in Node.js, against the binary.
func TestJSClientInNode(t *testing.T) {
	t.Parallel()
	node(t, "node/js/*.test.mjs", func(t *testing.T) []string { return reach(t, start(t, "serve")) })
}

// The binary serves the client's files.
func TestBinaryServesJSClient(t *testing.T) {
	t.Parallel()
	for _, command := range []string{"serve", "demo"} {
		server := start(t, command)
		for _, file := range []string{"/stentor.js", "/stentor-bindings.js"} {
			answer, err := http.Get(server.URL + file)
			if err != nil {
				t.Fatal(err)
			}
			body, err := io.ReadAll(answer.Body)
			answer.Body.Close()
			if err != nil || answer.StatusCode != http.StatusOK || !strings.Contains(string(body), "export{") {
				t.Errorf("%s %s: %s, %v\n%.500s", command, file, answer.Status, err, body)
			}
		}
	}
}

// What the client's parser makes of a stream is what the decoder of package sse makes of it, whatever
// the stream is.
func TestStreamsAreReadAlikeAtRandom(t *testing.T) {
	t.Parallel()
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	pieces := []string{
		"data", "event", "channel", "id", "retry", "other", "Data", ":", ":", ": ", " ", "\n", "\n", "\r", "\r\n", "\n\n", "x", "7", "12", "\x00",
		"\uFEFF", "€", "\U0001F600", "\xe2\x82", "\xff", "\xef\xbb", "\u2028", "data: y\n", "id: 5\n", "\t",
	}
	var streams [][]byte
	for range 3000 {
		var b []byte
		for range random.IntN(30) {
			b = append(b, pieces[random.IntN(len(pieces))]...)
		}
		streams = append(streams, b)
	}
	var in bytes.Buffer
	for _, b := range streams {
		in.WriteString(base64.StdEncoding.EncodeToString(b) + "\n")
	}
	cmd := exec.CommandContext(t.Context(), "node", "node/js/alike.mjs")
	cmd.Stdin = &in
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(bytes.NewReader(out))
	lines.Buffer(nil, 1<<20)
	n := 0
	for ; lines.Scan() && !t.Failed(); n++ {
		var theirs parsed
		if err := json.Unmarshal(lines.Bytes(), &theirs); err != nil {
			t.Fatal(err)
		}
		ours := parse(t, streams[n])
		if !slices.Equal(ours.Events, theirs.Events) || !slices.Equal(ours.Comments, theirs.Comments) ||
			ours.LastEventID != theirs.LastEventID || ours.Retry != theirs.Retry {
			t.Errorf("%q:\nGo %+v\nJS %+v", streams[n], ours, theirs)
		}
	}
	if n != len(streams) && !t.Failed() {
		t.Errorf("%d answers for %d streams", n, len(streams))
	}
}

// parsed is what a reader sees of a stream.
type parsed struct {
	Events      []struct{ ID, Type, Channel, Data string }
	Comments    []string
	LastEventID string
	Retry       int // in ms; -1: none
}

func parse(t *testing.T, stream []byte) parsed {
	got := parsed{Retry: -1}
	d := sse.NewDecoder(bytes.NewReader(stream), &sse.DecoderOptions{Comment: func(text string) { got.Comments = append(got.Comments, text) }})
	for e, err := range d.Events() {
		if err != nil {
			t.Fatal(err)
		}
		got.Events = append(got.Events, struct{ ID, Type, Channel, Data string }{e.ID, e.Type, e.Channel, e.Data})
	}
	if retry, ok := d.Retry(); ok {
		got.Retry = int(retry / time.Millisecond)
	}
	got.LastEventID = d.LastEventID()
	return got
}
