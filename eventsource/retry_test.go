package eventsource_test

import (
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stentor-sse/stentor/eventsource"
	"github.com/stentor-sse/stentor/ssetest"
)

func TestReconnectionTime(t *testing.T) {
	day := func(s string) http.HandlerFunc {
		return status(503, "Retry-After", s, "Date", "Fri, 31 Dec 1999 23:00:00 GMT")
	}
	for _, c := range []struct {
		name    string
		o       eventsource.Options
		answers []http.HandlerFunc
		pauses  [][2]float64
	}{
		{"default", eventsource.Options{}, []http.HandlerFunc{stream("id: 1\n\n")}, [][2]float64{{1, 1.5}}},
		{"chosen", eventsource.Options{Retry: 20 * time.Second}, []http.HandlerFunc{refused}, [][2]float64{{20, 30}}},
		{"none", eventsource.Options{Retry: -1}, []http.HandlerFunc{stream("id: 1\n\n"), stream("id: 2\n\n")}, [][2]float64{{0, 0}, {0, 0}}},
		{"none, but failing", eventsource.Options{Retry: -1}, []http.HandlerFunc{refused, refused, refused}, [][2]float64{{0, 0}, {0, .11}, {0, .21}}},
		{"the server's", eventsource.Options{}, []http.HandlerFunc{stream("retry: 4000\nid: 1\n\n"), stream("id: 2\n\n")}, [][2]float64{{4, 6}, {4, 6}}},
		{"the server's, of a block without an end", eventsource.Options{}, []http.HandlerFunc{cut("retry: 4000\n")}, [][2]float64{{4, 6}}},
		{"the server's, 0", eventsource.Options{}, []http.HandlerFunc{stream("retry: 0\nid: 1\n\n")}, [][2]float64{{.1, .15}}},
		{"the server's, 0, without limit", eventsource.Options{MinRetry: -1}, []http.HandlerFunc{stream("retry: 0\nid: 1\n\n")}, [][2]float64{{0, 0}}},
		{"the server's, years", eventsource.Options{}, []http.HandlerFunc{stream("retry: 99999999999999\nid: 1\n\n")}, [][2]float64{{600, 900}}},
		{"the server's, years, without limit", eventsource.Options{MaxRetry: -1}, []http.HandlerFunc{stream("retry: 3153600000000\n\n")}, nil},
		{"failures", eventsource.Options{}, []http.HandlerFunc{refused, status(502), cut(), mute, stream("data: a\n\n")},
			[][2]float64{{1, 1.5}, {1, 2.5}, {1, 4.5}, {31, 38.5}, {1, 16.5}}},
		{"failures, limited", eventsource.Options{MaxBackOff: 2 * time.Second}, []http.HandlerFunc{refused, refused, refused, refused},
			[][2]float64{{1, 1.5}, {1, 2.5}, {1, 2.5}, {1, 2.5}}},
		{"failures, without growth", eventsource.Options{MaxBackOff: -1}, []http.HandlerFunc{refused, refused, refused},
			[][2]float64{{1, 1.5}, {1, 1.5}, {1, 1.5}}},
		{"a new place is no failure", eventsource.Options{}, []http.HandlerFunc{refused, refused, refused, stream("id: 1\n\n")},
			[][2]float64{{1, 1.5}, {1, 2.5}, {1, 4.5}, {1, 1.5}}},
		{"a stream that lasts is no failure", eventsource.Options{}, []http.HandlerFunc{refused, refused, refused, func(w http.ResponseWriter, r *http.Request) {
			text(w, ":\n")
			time.Sleep(5 * time.Second)
		}}, [][2]float64{{1, 1.5}, {1, 2.5}, {1, 4.5}, {6, 6.5}}},
		{"Retry-After in seconds", eventsource.Options{}, []http.HandlerFunc{status(429, "Retry-After", "100"), status(503, "Retry-After", " 200 ")},
			[][2]float64{{100, 112.5}, {200, 225}}},
		{"Retry-After as a date by the server's clock", eventsource.Options{}, []http.HandlerFunc{day("Fri, 31 Dec 1999 23:01:40 GMT"), day("Friday, 31-Dec-99 23:03:20 GMT")},
			[][2]float64{{100, 112.5}, {200, 225}}},
		{"Retry-After as a date by our clock", eventsource.Options{},
			[]http.HandlerFunc{status(503, "Retry-After", "Sat, 01 Jan 2000 00:01:40 GMT", "Date", "now")}, [][2]float64{{100, 112.5}}},
		{"Retry-After of days", eventsource.Options{}, []http.HandlerFunc{status(503, "Retry-After", "999999"), day("Sat, 01 Jan 2050 00:00:00 GMT"), status(503, "Retry-After", strings.Repeat("9", 99))},
			[][2]float64{{600, 675}, {600, 675}, {600, 675}}},
		{"Retry-After that has passed", eventsource.Options{}, []http.HandlerFunc{day("Fri, 31 Dec 1999 22:00:00 GMT")}, [][2]float64{{1, 1.5}}},
		{"Retry-After is nonsense", eventsource.Options{}, []http.HandlerFunc{status(503, "Retry-After", "soon"), status(503, "Retry-After", "-5")},
			[][2]float64{{1, 1.5}, {1, 2.5}}},
		{"Retry-After is less than the reconnection time", eventsource.Options{Retry: 20 * time.Second}, []http.HandlerFunc{status(503, "Retry-After", "1")}, [][2]float64{{20, 30}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
				s := serve(t, p, append(c.answers, open("data: end\n\n"))...)
				for e, err := range s.source(t, c.o).Events(t.Context()) {
					if err != nil {
						t.Fatal(err)
					}
					if e.Data == "end" {
						break
					}
				}
				if c.pauses != nil {
					within(t, s.pauses(), c.pauses...)
				} else if d := s.pauses()[0]; d < 100*365*24*time.Hour {
					t.Errorf("it waited %v", d)
				}
			})
		})
	}
}

// Those who lost one server don't come back to it together, and come back ever more rarely.
func TestPausesAreSpread(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := serve(t, ssetest.HTTP1, refused)
		src := s.source(t, eventsource.Options{MaxFailures: 40})
		if _, err := read(t, src, 1); err == nil || errors.Is(err, errHour) {
			t.Errorf("ended with %v", err)
		}
		late := s.pauses()[8:]
		if d := slices.Max(late); d < 10*time.Second || d > 31*time.Second {
			t.Errorf("the longest pause was %v", d)
		}
		if slices.Sort(late); len(slices.Compact(late)) < 25 {
			t.Errorf("the pauses were %v", late)
		}
	})
}

func TestWhatIsFinal(t *testing.T) {
	page := func(kind string) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			w.Header()["Content-Type"] = []string{kind}
			text(w, "data: a\n\n")
		}
	}
	prepare := func(*http.Request, error) error { return nil }
	ends := func(e error, again bool) bool { return again && !errors.Is(e, eventsource.ErrEnded) }
	always := func(error, bool) bool { return true }
	for _, c := range []struct {
		name   string
		o      eventsource.Options
		answer http.HandlerFunc
		want   string // empty: it tries again
	}{
		{"204", eventsource.Options{}, status(204), "not to come back (204)"},
		{"205", eventsource.Options{}, status(205), "205 Reset Content"},
		{"210", eventsource.Options{}, status(210), "answered 210"},
		{"299", eventsource.Options{}, status(299), "answered 299"},
		{"304", eventsource.Options{}, status(304), "answered 304 Not Modified, which leads nowhere"},
		{"400", eventsource.Options{}, status(400), "400 Bad Request"},
		{"401", eventsource.Options{}, status(401), "401 Unauthorized"},
		{"401 twice in spite of a Prepare", eventsource.Options{Prepare: prepare}, status(401), "401 Unauthorized"},
		{"404", eventsource.Options{}, status(404), "404 Not Found"},
		{"408", eventsource.Options{}, status(408), ""},
		{"410", eventsource.Options{}, status(410), "410 Gone"},
		{"429", eventsource.Options{}, status(429), ""},
		{"500", eventsource.Options{}, status(500), ""},
		{"503", eventsource.Options{}, status(503), ""},
		{"599", eventsource.Options{}, status(599), ""},
		{"refused", eventsource.Options{}, refused, ""},
		{"strict, 408", eventsource.Options{Strict: true}, status(408), "408"},
		{"strict, 429", eventsource.Options{Strict: true}, status(429), "429"},
		{"strict, 503", eventsource.Options{Strict: true}, status(503), "503"},
		{"strict, 401 with a Prepare", eventsource.Options{Strict: true, Prepare: prepare}, status(401), "401"},
		{"strict, refused", eventsource.Options{Strict: true}, refused, ""},
		{"strict, a clean end", eventsource.Options{Strict: true}, stream(), ""},
		{"strict, a broken end", eventsource.Options{Strict: true}, cut(), ""},
		{"again says no", eventsource.Options{Again: ends}, stream(), "the server ended the stream"},
		{"again says no more than needed", eventsource.Options{Again: ends}, cut(), ""},
		{"again says yes", eventsource.Options{Again: always}, status(404), ""},
		{"again says yes to 204", eventsource.Options{Again: always}, status(204), ""},
		{"enough failures", eventsource.Options{MaxFailures: 2, Again: always}, status(503), "503 Service Unavailable"},
		{"one failure is enough", eventsource.Options{MaxFailures: 1}, refused, "connection refused"},
		{"wrong type", eventsource.Options{}, page("text/html"), `the answer is "text/html" and no event stream`},
		{"bogus type", eventsource.Options{}, page("x bogus"), `"x bogus"`},
		{"no type", eventsource.Options{}, page(""), `the answer is "" and no event stream`},
		{"another type that begins like it", eventsource.Options{}, page("text/event-streams"), "no event stream"},
		{"type with a trailing semicolon", eventsource.Options{}, page("text/event-stream;"), ""},
		{"type with another charset", eventsource.Options{}, page("Text/Event-Stream ; charset=windows-1252"), ""},
		{"type with bogus parameters", eventsource.Options{}, page("text/event-stream;x bogus"), ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
				s := serve(t, p, c.answer, c.answer, open("data: a\n\ndata: b\n\n"))
				got, err := read(t, s.source(t, c.o), 2)
				if c.want == "" && err != errEnough || c.want != "" && (len(got) > 0 || !strings.Contains(err.Error(), c.want)) {
					t.Errorf("got %q, %v after %d requests", data(got), err, len(s.requests()))
				}
				if n := len(s.requests()); c.want != "" && n > 1 && c.o.Prepare == nil && c.o.MaxFailures < 2 || n > 3 {
					t.Errorf("%d requests", n)
				}
			})
		})
	}
}

// A service that answers a question with a stream is asked until it answers, and never again.
func TestOnce(t *testing.T) {
	o := eventsource.Options{Once: true, Method: "POST", Body: []byte("question")}
	for name, c := range map[string]struct {
		answers []http.HandlerFunc
		want    []string
		err     string
	}{
		"answered":       {[]http.HandlerFunc{stream("data: a\n\ndata: b\n\n")}, []string{"a", "b"}, ""},
		"answered late":  {[]http.HandlerFunc{refused, status(429, "Retry-After", "5"), stream("data: a\n\n")}, []string{"a"}, ""},
		"empty answer":   {[]http.HandlerFunc{stream()}, nil, ""},
		"broken answer":  {[]http.HandlerFunc{cut("data: a\n\ndata: b")}, []string{"a"}, "the connection was lost"},
		"stalled answer": {[]http.HandlerFunc{open("data: a\n\n")}, []string{"a"}, "silent for too long"},
		"no answer":      {[]http.HandlerFunc{status(400)}, nil, "400"},
	} {
		t.Run(name, func(t *testing.T) {
			ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
				s := serve(t, p, append(c.answers, open("data: again\n\n"))...)
				got, err := read(t, s.source(t, o), 9)
				if !slices.Equal(data(got), c.want) || (err == nil) != (c.err == "") || err != nil && !strings.Contains(err.Error(), c.err) {
					t.Errorf("got %q, %v", data(got), err)
				}
				if r := s.requests(); len(r) != len(c.answers) || r[len(r)-1].body != "question" {
					t.Errorf("the requests were %+v", r)
				}
			})
		})
	}
}
