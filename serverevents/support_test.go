package serverevents_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stentor-sse/stentor"
	"github.com/stentor-sse/stentor/serverevents"
	"github.com/stentor-sse/stentor/ssetest"
)

// site is a hub with its ServiceStack face on a server.
type site struct {
	t    *testing.T
	hub  *stentor.Hub
	face *serverevents.Face
	srv  *ssetest.Server
}

// newSite starts one for the length of a test.
func newSite(t *testing.T, p ssetest.Protocol, ho *stentor.Options, fo *serverevents.Options) *site {
	t.Helper()
	s := &site{t: t, hub: newHub(t, ho)}
	s.face = serverevents.New(s.hub, fo)
	s.srv = ssetest.NewServer(t, p, s.face)
	return s
}

// newHub makes a hub that is shut down with the test.
func newHub(t testing.TB, o *stentor.Options) *stentor.Hub {
	t.Helper()
	hub, err := stentor.New(context.Background(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := hub.Shutdown(context.Background()); err != nil {
			t.Errorf("shutdown: %v", err)
		}
	})
	return hub
}

// do sends a request and settles. A header is "Name: value".
func (s *site) do(method, url, body string, header ...string) (status int, text string, h http.Header) {
	s.t.Helper()
	resp, err := s.srv.Client.Do(s.request(s.t.Context(), method, url, body, header...))
	if err != nil {
		s.t.Fatalf("%s %s: %v", method, url, err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		s.t.Fatalf("%s %s: %v", method, url, err)
	}
	synctest.Wait()
	return resp.StatusCode, string(b), resp.Header
}

// want sends a request and compares its answer.
func (s *site) want(status int, text, method, url, body string, header ...string) {
	s.t.Helper()
	gotStatus, gotText, _ := s.do(method, url, body, header...)
	if gotStatus != status || gotText != text {
		s.t.Errorf("%s %s %s: %d %s, want %d %s", method, url, body, gotStatus, gotText, status, text)
	}
}

func (s *site) request(ctx context.Context, method, url, body string, header ...string) *http.Request {
	s.t.Helper()
	if strings.HasPrefix(url, "/") {
		url = s.srv.URL + url
	}
	req, err := http.NewRequestWithContext(ctx, method, url, strings.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	for _, h := range header {
		name, value, _ := strings.Cut(h, ": ")
		req.Header.Add(name, value)
	}
	return req
}

// send publishes.
func (s *site) send(target stentor.Target, typ, data string) stentor.Position {
	s.t.Helper()
	return s.publish(stentor.Message{Target: target, Type: typ, Data: data})
}

func (s *site) publish(m stentor.Message) stentor.Position {
	s.t.Helper()
	receipt, err := s.hub.Publish(s.t.Context(), m)
	if err != nil {
		s.t.Fatal(err)
	}
	synctest.Wait()
	return receipt.Position
}

func on(ch stentor.Channel) stentor.Target { return stentor.Target{Channel: ch} }

// stream is a client of the protocol: it reads as strictly as the shipped ones do.
type stream struct {
	t        *testing.T
	response *http.Response
	hangUp   func() // the client goes away, and it is noticed
	done     chan struct{}

	mu  sync.Mutex
	raw bytes.Buffer
}

// open opens a stream that must be answered with 200.
func (s *site) open(path string, header ...string) *stream {
	s.t.Helper()
	st, err := s.tryOpen(path, header...)
	if err != nil {
		s.t.Fatalf("GET %s: %v", path, err)
	}
	if st.response.StatusCode != http.StatusOK {
		s.t.Fatalf("GET %s: %s", path, st.response.Status)
	}
	return st
}

// tryOpen opens a stream, whatever comes.
func (s *site) tryOpen(path string, header ...string) (*stream, error) {
	ctx, cancel := context.WithCancel(context.Background())
	resp, err := s.srv.Client.Do(s.request(ctx, http.MethodGet, path, "", header...))
	if err != nil {
		cancel()
		synctest.Wait()
		return nil, err
	}
	st := &stream{t: s.t, response: resp, done: make(chan struct{})}
	go st.read()
	st.hangUp = func() {
		cancel()
		<-st.done
		synctest.Wait()
	}
	s.t.Cleanup(st.hangUp)
	synctest.Wait()
	return st, nil
}

// read collects the body. It ends with the response, and hangUp waits for it.
func (st *stream) read() {
	defer close(st.done)
	defer st.response.Body.Close()
	b := make([]byte, 4096)
	for {
		n, err := st.response.Body.Read(b)
		st.mu.Lock()
		st.raw.Write(b[:n])
		st.mu.Unlock()
		if err != nil {
			return
		}
	}
}

// bytes is all that has come.
func (st *stream) bytes() string {
	st.mu.Lock()
	defer st.mu.Unlock()
	return st.raw.String()
}

// ended reports whether the server has ended the stream.
func (st *stream) ended() bool {
	synctest.Wait()
	select {
	case <-st.done:
		return true
	default:
		return false
	}
}

// frame is one frame as a client takes it apart.
type frame struct {
	id, channel, selector, json string
}

// String is the frame without its id, short enough to compare; the members of
// lifecycle messages are cut to the display name and channels.
func (f frame) String() string {
	token := f.selector
	if f.channel != "" {
		token = f.channel + "@" + f.selector
	}
	var m map[string]string
	if strings.HasPrefix(f.selector, "cmd.on") && json.Unmarshal([]byte(f.json), &m) == nil && m["displayName"] != "" {
		return fmt.Sprintf("%s %s on %s", token, m["displayName"], m["channels"])
	}
	return token + " " + f.json
}

// fields is the body as the object of strings that lifecycle messages have.
func (f frame) fields(t *testing.T) map[string]string {
	t.Helper()
	var m map[string]string
	if err := json.Unmarshal([]byte(f.json), &m); err != nil {
		t.Fatalf("%s: %v in %s", f.selector, err, f.json)
	}
	return m
}

// grammar is the strictest that a shipped parser asks for.
func grammar() *regexp.Regexp {
	return regexp.MustCompile(`^(?:id: ([0-9]{1,16})\n)?data: (?:([^ @\r\n]+)@)?([^ .@\r\n]+\.[^ @\r\n]+) ([^\r\n]*)\n\n`)
}

// frames are all that have come. Anything that is no frame fails the test.
func (st *stream) frames() []frame {
	st.t.Helper()
	synctest.Wait()
	g := grammar()
	var out []frame
	for rest := st.bytes(); rest != ""; {
		if strings.HasPrefix(rest, "\n") { // a keepalive
			rest = rest[1:]
			continue
		}
		m := g.FindStringSubmatch(rest)
		if m == nil {
			st.t.Fatalf("no frame: %q", rest)
		}
		out = append(out, frame{id: m[1], channel: m[2], selector: m[3], json: m[4]})
		rest = rest[len(m[0]):]
	}
	return out
}

// texts are the frames after the first n, as strings.
func (st *stream) texts(n int) []string {
	st.t.Helper()
	var out []string
	for _, f := range st.frames()[n:] {
		out = append(out, f.String())
	}
	return out
}

// expect compares what has come after the first n frames.
func (st *stream) expect(n int, want ...string) {
	st.t.Helper()
	if got := st.texts(n); !slices.Equal(got, want) {
		st.t.Errorf("got\n\t%s\nwant\n\t%s", strings.Join(got, "\n\t"), strings.Join(want, "\n\t"))
	}
}

// connect is the payload of onConnect, which must be the first frame.
func (st *stream) connect() map[string]string {
	st.t.Helper()
	f := st.frames()
	if len(f) == 0 || f[0].selector != "cmd.onConnect" || f[0].channel != "" || f[0].id == "" {
		st.t.Fatalf("the first frame is not cmd.onConnect with an id: %q", st.bytes())
	}
	return f[0].fields(st.t)
}

func (st *stream) id() string { return st.connect()["id"] }

// pass lets virtual time pass.
func pass(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

// envelope is the error answer of the protocol.
func envelope(code, message string) string {
	b, err := json.Marshal(message)
	if err != nil {
		panic(err)
	}
	return `{"responseStatus":{"errorCode":"` + code + `","message":` + string(b) + `,"errors":[]}}`
}
