package e2e_test

import (
	"bufio"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// scene is what several clients of one channel go through together, so that they wait together.
type scene struct {
	t         *testing.T
	opening   string                   // the type of the first event of each stream
	publish   func(body string)        // a message, as JSON
	interrupt func()                   // ends all streams as they should end
	of        func(text string) string // the data that a message has, as the server sends it

	guests []*guest
	said   []string // what all of them should hear
}

// guest is one client that runs somewhere.
type guest struct {
	outsider
	name    string
	through *proxy
	fault   string // why it is waited for no more

	mu    sync.Mutex // guards heard
	heard []heard
}

// heard is an event, as a client tells of it.
type heard struct{ Type, Data, ID string }

// host is where clients run.
type host interface {
	// run starts one with a URL and the types to listen to. It ends with the test.
	run(g *guest, url string, types []string)
}

func (g *guest) hear(e heard) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.heard = append(g.heard, e)
}

// all is what it has heard so far, of these types or any.
func (g *guest) all(types ...string) []heard {
	g.mu.Lock()
	defer g.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(g.heard), func(e heard) bool { return len(types) > 0 && !slices.Contains(types, e.Type) })
}

// join brings another client.
func (s *scene) join(o outsider, where string, through *proxy, h host) {
	s.t.Helper()
	g := &guest{outsider: o, name: o.name + " " + where, through: through}
	s.guests = append(s.guests, g)
	h.run(g, through.URL+"/events?channel=a", []string{"tick", "message", s.opening, "stentor.gap"})
}

// until waits for all clients, and gives up on those for whom it never happens.
func (s *scene) until(what string, is func(*guest) bool) {
	end := time.After(patience)
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	waiting := func(g *guest) bool { return g.fault == "" && !is(g) }
	for slices.ContainsFunc(s.guests, waiting) {
		select {
		case <-tick.C:
		case <-end:
			for _, g := range s.guests {
				if waiting(g) {
					g.fault = fmt.Sprintf("it never happens that %s; it has heard %q", what, g.all())
				}
			}
		}
	}
}

// say publishes a message, and forgets it not.
func (s *scene) say(typ, text string) {
	s.publish(script(s.t, `{"channel":"a","type":%s,"data":%s}`, []any{typ, text}))
	if typ == "" {
		typ = "message"
	}
	s.said = append(s.said, typ+": "+strings.ReplaceAll(s.of(text), "\r\n", "\n"))
}

// cut ends all connections in the middle, while something is said.
func (s *scene) cut(while func()) {
	for _, g := range s.guests {
		g.through.Cut()
	}
	while()
	for _, g := range s.guests {
		g.through.Mend()
	}
}

// play is the whole story, and looks at how each client took it.
func (s *scene) play() {
	s.t.Helper()
	const text = "größer als „gedacht“ 🙂\r\n second line"
	s.until("the stream opens", func(g *guest) bool { return len(g.all(s.opening)) > 0 })
	s.cut(func() {
		s.say("tick", text)
		s.say("", "without a type")
	})
	s.until("it gets what came before its first message", s.heardAll)
	s.say("tick", text)
	s.until("it gets a message", s.heardAll)
	for i := range 20 {
		s.say("tick", fmt.Sprint("before ", i))
	}
	s.cut(func() {
		for i := range 20 {
			s.say("tick", fmt.Sprint("meanwhile ", i))
		}
	})
	s.until("it goes on after a cut", s.heardAll)
	s.interrupt()
	s.say("tick", "after the end")
	s.until("it comes back after a good end", s.heardAll)
	s.say("tick", text)
	s.until("it gets the last message", s.heardAll)
	for _, g := range s.guests {
		s.t.Run(g.name, func(t *testing.T) {
			s.judgeHeard(t, g)
			s.judgeAsked(t, g)
		})
	}
}

// heardAll holds for clients that have heard as much as was said.
func (s *scene) heardAll(g *guest) bool { return len(g.messages()) >= len(s.said) }

// messages are what it heard of what was said, and of what was missing.
func (g *guest) messages() []heard {
	return slices.DeleteFunc(g.all("tick", "message", "stentor.gap"), func(e heard) bool {
		return g.empties && e.Type == "message" && e.Data == ""
	})
}

// judgeHeard says what one client missed, or heard otherwise than it was said.
func (s *scene) judgeHeard(t *testing.T, g *guest) {
	if g.fault != "" {
		t.Error(g.fault)
	}
	want := slices.Clone(s.said)
	for i, said := range want {
		if typ, data, _ := strings.Cut(said, ": "); g.lastLine {
			want[i] = typ + ": " + strings.TrimSpace(data[strings.LastIndexByte(data, '\n')+1:])
		}
	}
	var got []string
	var last int
	for _, e := range g.messages() {
		got = append(got, e.Type+": "+e.Data)
		id, err := strconv.Atoi(e.ID)
		if err != nil || id <= last {
			t.Errorf("%s %q has the id %q after %d", e.Type, e.Data, e.ID, last)
		}
		last = id
	}
	equal(t, "it heard", got, want)
}

// judgeAsked says what is wrong with its requests: each but the first has a cursor, where this client puts
// it, and the second has that of the opening, for it had heard nothing else.
func (s *scene) judgeAsked(t *testing.T, g *guest) {
	openings, asked := g.all(s.opening), g.through.streams(t)
	if len(openings) < 4 || len(asked) < len(openings) {
		t.Fatalf("it asked %d times and was let in %d times, want four at least", len(asked), len(openings))
	}
	for i, r := range asked {
		here, elsewhere := r.Header.Get("Last-Event-ID"), r.URL.Query().Get("lastEventId")
		if g.inQuery {
			here, elsewhere = elsewhere, here
		}
		if (here != "") != (i > 0) || elsewhere != "" {
			t.Errorf("request %d: ?%s, Last-Event-ID: %q", i+1, r.URL.RawQuery, r.Header.Values("Last-Event-ID"))
		}
		if i == 1 && here != openings[0].ID {
			t.Errorf("its second request has the cursor %q, want that of the opening, %q", here, openings[0].ID)
		}
	}
}

// streams are the requests for streams that came through.
func (p *proxy) streams(t *testing.T) []*http.Request {
	t.Helper()
	var all []*http.Request
	for _, part := range regexp.MustCompile(`(?s)GET /events.*?\r\n\r\n`).FindAllString(p.Asked(), -1) {
		r, err := http.ReadRequest(bufio.NewReader(strings.NewReader(part)))
		if err != nil {
			t.Fatalf("%q: %v", part, err)
		}
		if r.URL, err = url.Parse(r.RequestURI); err != nil {
			t.Fatal(err)
		}
		all = append(all, r)
	}
	return all
}

// Open is how many connections there are.
func (p *proxy) Open() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.conns) / 2
}
