package serverevents_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"
)

// strict reads a stream as the shipped clients for C# and Java do, with the faults
// that theirs have: what makes one of them hang, throw, connect again or lose
// something is a fault here. [S-09]
type strict struct {
	rest []byte // what the last read left over
	open bool   // lines of a frame have come
	skim bool   // do not look into bodies

	id   int64
	ids  int
	data string
	has  bool

	got []received
}

// received is one message as it reaches a client's handlers.
type received struct {
	id                             int64 // 0 without one
	channel, selector, css, json   string
	op, target                     string
	connect, heartbeat, membership map[string]string // of a lifecycle message
}

var (
	errSpins    = errors.New("a read ends after a line feed within a frame: it spins for ever")
	errReturn   = errors.New("a carriage return: the empty line is never found")
	errCut      = errors.New("a character is cut between two reads: it becomes U+FFFD")
	errNoColon  = errors.New("a line without a colon")
	errField    = errors.New("a comment or a field other than id and data")
	errID       = errors.New("an id that is no whole number of 64 bits")
	errTwice    = errors.New("a second id or data line")
	errNoData   = errors.New("a frame without data")
	errNoSpace  = errors.New("no space after the selector")
	errSelector = errors.New("a selector without a dot")
	errJSON     = errors.New("a body that is not JSON")
	errStrings  = errors.New("a lifecycle message that is not an object of strings")
	errMissing  = errors.New("onConnect lacks what a client needs")
)

// read takes what one read of the socket gave. After an error the client is broken.
func (c *strict) read(p []byte) error {
	if !utf8.Valid(p) {
		return errCut // each read is decoded by itself
	}
	c.rest = append(c.rest, p...)
	for {
		pos := bytes.IndexByte(c.rest, '\n')
		if pos < 0 {
			return nil
		}
		line := string(c.rest[:pos])
		c.rest = c.rest[pos+1:]
		if line == "" {
			if err := c.dispatch(); err != nil {
				return err
			}
			continue
		}
		if err := c.line(line); err != nil {
			return err
		}
		if len(c.rest) == 0 {
			return errSpins // it goes on only where more has come
		}
	}
}

func (c *strict) line(line string) error {
	c.open = true
	if strings.Contains(line, "\r") {
		return errReturn
	}
	field, value, ok := strings.Cut(line, ":")
	if !ok {
		return errNoColon
	}
	value = strings.TrimPrefix(value, " ")
	switch field {
	case "id":
		if c.ids++; c.ids > 1 {
			return errTwice
		}
		n, err := strconv.ParseInt(value, 10, 64)
		if err != nil {
			return fmt.Errorf("%w: %q", errID, value)
		}
		c.id = n
	case "data":
		if c.has {
			return errTwice
		}
		c.data, c.has = value, true
	default:
		return fmt.Errorf("%w: %q", errField, line)
	}
	return nil
}

// dispatch is what the empty line does; without a frame before it, nothing.
func (c *strict) dispatch() error {
	if !c.open {
		return nil
	}
	if !c.has {
		return errNoData
	}
	m := received{id: c.id}
	token, body, ok := strings.Cut(c.data, " ")
	if !ok {
		return errNoSpace
	}
	m.json = body
	if ch, selector, ok := strings.Cut(token, "@"); ok {
		m.channel, token = ch, selector
	}
	m.selector = token
	op, target, ok := strings.Cut(token, ".")
	if !ok {
		return fmt.Errorf("%w: %q", errSelector, token)
	}
	m.op = op
	m.target, m.css, _ = strings.Cut(strings.ReplaceAll(target, "%20", " "), "$")
	if !c.skim {
		if err := m.body(); err != nil {
			return err
		}
	}
	c.got = append(c.got, m)
	c.open, c.id, c.ids, c.data, c.has = false, 0, 0, "", false
	return nil
}

// token is the selector with its channel.
func (m *received) token() string {
	if m.channel == "" {
		return m.selector
	}
	return m.channel + "@" + m.selector
}

// body converts what the clients convert before a handler runs.
func (m *received) body() error {
	if m.json != "" && !json.Valid([]byte(m.json)) {
		return fmt.Errorf("%w: %.80q", errJSON, m.json)
	}
	if m.op != "cmd" {
		return nil
	}
	var to *map[string]string
	switch m.target {
	case "onConnect":
		to = &m.connect
	case "onHeartbeat":
		to = &m.heartbeat
	case "onJoin", "onLeave", "onUpdate":
		to = &m.membership
	default:
		return nil
	}
	if json.Unmarshal([]byte(m.json), to) != nil || *to == nil {
		return fmt.Errorf("%w: %.80s", errStrings, m.json)
	}
	need := []string{"userId", "isAuthenticated", "displayName", "profileUrl", "channels", "createdAt"}
	if to == &m.connect {
		need = append(need, "id", "heartbeatUrl", "unRegisterUrl", "updateSubscriberUrl", "heartbeatIntervalMs", "idleTimeoutMs")
		for _, name := range []string{"createdAt", "heartbeatIntervalMs", "idleTimeoutMs"} {
			if _, err := strconv.ParseInt((*to)[name], 10, 64); err != nil {
				return fmt.Errorf("%w: %s is %q", errMissing, name, (*to)[name])
			}
		}
	}
	for _, name := range need {
		if _, ok := (*to)[name]; !ok {
			return fmt.Errorf("%w: no %s in %s", errMissing, name, m.selector)
		}
	}
	return nil
}

// S-09: the table of what the shipped clients make of bytes, each row a read. What breaks
// one of them is a fault; that also a comment within a frame is one, which they
// take, is stricter than they are.
func TestStrictReader(t *testing.T) {
	const ok = "id: 7\ndata: A@cmd.t \"x\"\n\n"
	for _, row := range []struct {
		name  string
		reads []string
		fault error
		want  int // messages
	}{
		{"S-01 a normal frame", []string{ok}, nil, 1},
		{"two frames in one write", []string{ok + ok}, nil, 2},
		{"a bare line feed", []string{"\n", ok, "\n", "\n\n"}, nil, 1},
		{"no id line", []string{"data: cmd.t {}\n\n"}, nil, 1},
		{"null body with its space", []string{"data: cmd.toggle$#x \n\n"}, nil, 1},
		{"cut elsewhere", []string{"id", ": 7\nda", "ta: A@cm", "d.t \"x\"\n\n"}, nil, 1},
		{"a colon in the body", []string{"data: cmd.t {\"a\":\"b:c\"}\n\n"}, nil, 1},
		{"the largest id", []string{"id: 9223372036854775807\ndata: cmd.t \n\n"}, nil, 1},

		{"a comment of its own", []string{": ping\n\n"}, errField, 0},
		{"an empty comment", []string{":\n\n"}, errField, 0},
		{"a comment within a frame", []string{": ping\n" + ok}, errField, 0},
		{"retry alone", []string{"retry: 3000\n\n"}, errField, 0},
		{"retry within a frame", []string{"retry: 3000\n" + ok}, errField, 0},
		{"an event field", []string{"event: ping\n" + ok}, errField, 0},
		{"an id alone", []string{"id: 7\n\n"}, errNoData, 0},
		{"an id that is no number", []string{"id: 7-1\ndata: cmd.t \n\n"}, errID, 0},
		{"an empty id", []string{"id: \ndata: cmd.t \n\n"}, errID, 0},
		{"an id over 64 bits", []string{"id: 9223372036854775808\ndata: cmd.t \n\n"}, errID, 0},
		{"two ids", []string{"id: 7\nid: 8\ndata: cmd.t \n\n"}, errTwice, 0},
		{"CRLF", []string{strings.ReplaceAll(ok, "\n", "\r\n")}, errReturn, 0},
		{"two data lines", []string{"data: cmd.t {\ndata: }\n\n"}, errTwice, 0},
		{"null body without its space", []string{"data: cmd.toggle$#x\n\n"}, errNoSpace, 0},
		{"a selector without a dot", []string{"data: A@chat {}\n\n"}, errSelector, 0},
		{"a channel with a space", []string{"data: a b@cmd.t {}\n\n"}, errSelector, 0},
		{"no colon", []string{"data\n\n"}, errNoColon, 0},
		{"cut after the id line", []string{"id: 7\n", "data: cmd.t \n\n"}, errSpins, 0},
		{"cut after the data line", []string{"data: cmd.t \n", "\n"}, errSpins, 0},
		{"a character cut", []string{"data: cmd.t \"\xc3", "\xa9\"\n\n"}, errCut, 0},
		{"not JSON", []string{"data: cmd.t {\n\n"}, errJSON, 0},
		{"onConnect with a number", []string{`data: cmd.onConnect {"id":"x","idleTimeoutMs":30000}` + "\n\n"}, errStrings, 0},
		{"onConnect with a list of channels", []string{`data: cmd.onConnect {"channels":["A"]}` + "\n\n"}, errStrings, 0},
		{"onConnect without channels", []string{`data: cmd.onConnect {"createdAt":"1","heartbeatIntervalMs":"1","idleTimeoutMs":"1"}` + "\n\n"}, errMissing, 0},
		{"onConnect with an interval that is none", []string{`data: cmd.onConnect {"createdAt":"1","heartbeatIntervalMs":"","idleTimeoutMs":"1"}` + "\n\n"}, errMissing, 0},
		{"onHeartbeat of null", []string{"data: cmd.onHeartbeat \n\n"}, errStrings, 0},
		{"onJoin without a member", []string{"data: A@cmd.onJoin {}\n\n"}, errMissing, 0},
	} {
		t.Run(row.name, func(t *testing.T) {
			var c strict
			var err error
			for _, p := range row.reads {
				if err = c.read([]byte(p)); err != nil {
					break
				}
			}
			if !errors.Is(err, row.fault) || len(c.got) != row.want {
				t.Errorf("%q: %v and %d messages, want %v and %d", row.reads, err, len(c.got), row.fault, row.want)
			}
		})
	}
	var c strict
	if err := c.read([]byte("id: 7\ndata: A@css.color$div%20.im \"#fff\"\n\n")); err != nil {
		t.Fatal(err)
	}
	want := received{id: 7, channel: "A", selector: "css.color$div%20.im", op: "css", target: "color", css: "div .im", json: `"#fff"`}
	if got := c.got[0]; fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

// strictly reads a stream in one piece, byte by byte, and each frame cut in two at every
// byte, but never right after a line feed within a frame, where those clients hang
// whatever a server does. It gives the messages.
func strictly(t *testing.T, raw string) []received {
	t.Helper()
	var whole strict
	if err := whole.read([]byte(raw)); err != nil {
		t.Fatalf("after %d messages: %v before %.300q", len(whole.got), err, whole.rest)
	}
	if whole.open || len(whole.rest) > 0 {
		t.Errorf("the stream ends within a frame: %q", whole.rest)
	}
	bytewise := strict{skim: true}
	begin := 0 // of the read
	for end := 1; end <= len(raw); end++ {
		if inner(raw, end) {
			continue
		}
		if err := bytewise.read([]byte(raw[begin:end])); err != nil {
			t.Fatalf("byte by byte, at %d: %v after %q", begin, err, raw[max(0, begin-60):end])
		}
		begin = end
	}
	if !slices.EqualFunc(bytewise.got, whole.got, func(a, b received) bool { return a.json == b.json && a.token() == b.token() }) {
		t.Errorf("byte by byte: %d messages, want the same %d", len(bytewise.got), len(whole.got))
	}
	for frame := range strings.SplitAfterSeq(raw, "\n\n") {
		if strings.Trim(frame, "\n") == "" || len(frame) > 4096 { // for long ones, byte by byte is enough
			continue
		}
		for cut := 1; cut < len(frame); cut++ {
			c := strict{skim: true}
			if inner(frame, cut) {
				continue
			}
			if err := errors.Join(c.read([]byte(frame[:cut])), c.read([]byte(frame[cut:]))); err != nil || len(c.got) != 1 {
				t.Fatalf("cut after %q: %v, %d messages", frame[:cut], err, len(c.got))
			}
		}
	}
	return whole.got
}

// inner reports whether a cut at i comes right after a line feed within a frame, which is
// one that ends a line.
func inner(raw string, i int) bool { return i >= 2 && raw[i-1] == '\n' && raw[i-2] != '\n' }
