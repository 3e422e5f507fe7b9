package eventsource_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stentor-sse/stentor/eventsource"
	"github.com/stentor-sse/stentor/ssetest"
)

func TestNewSaysWhatIsWrong(t *testing.T) {
	for _, c := range []struct {
		name, address string
		o             *eventsource.Options
		want          string
	}{
		{"no URL", "http://user:secret@host:port/", nil, "is no URL"},
		{"empty", "", nil, "begins with http://"},
		{"no scheme", "host/events", nil, "begins with http://"},
		{"another scheme", "ws://user:secret@host/events", nil, "begins with http://"},
		{"no host", "http:///events", nil, "begins with http://"},
		{"method", "http://host", &eventsource.Options{Method: "GET /"}, `method "GET /"`},
		{"header", "http://host", &eventsource.Options{Header: http.Header{"Authorization": {"Bearer secret\n"}}}, `"Authorization" holds a line break`},
		{"last event id", "http://host", &eventsource.Options{LastEventID: "a\nb"}, "LastEventID"},
		{"long last event id", "http://host", &eventsource.Options{LastEventID: strings.Repeat("1", 5000)}, "LastEventID"},
	} {
		t.Run(c.name, func(t *testing.T) {
			src, err := eventsource.New(c.address, c.o)
			if src != nil || err == nil || !strings.HasPrefix(err.Error(), "eventsource: ") || !strings.Contains(err.Error(), c.want) ||
				strings.Contains(err.Error(), "secret") || len(err.Error()) > 300 {
				t.Errorf("got %v", err)
			}
		})
	}
}

// Each attempt has a request of its own, and knows how the one before it ended.
func TestPrepare(t *testing.T) {
	ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
		s := serve(t, p, stream("id: 1\ndata: a\n\n"), status(503), refused, open("data: b\n\n"))
		broken := errors.New("no token to be had")
		var after []string
		var told []error
		n := 0
		src := s.source(t, eventsource.Options{
			Header: http.Header{"X-Fixed": {"1"}},
			Prepare: func(r *http.Request, err error) error {
				n++
				after = append(after, fmt.Sprint(err))
				if n == 2 {
					return broken
				}
				r.URL.Path = fmt.Sprint("/", n)
				r.Header.Add("X-Fixed", fmt.Sprint(n))
				body := []byte(fmt.Sprint("body ", n))
				r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
				return nil
			},
			Change: func(c eventsource.Change) { told = append(told, c.Err) },
		})
		got, err := read(t, src, 2)
		if err != errEnough || !slices.Equal(data(got), []string{"a", "b"}) {
			t.Errorf("got %q, %v", data(got), err)
		}
		want := []string{
			"<nil>", "eventsource: the server ended the stream", "eventsource: prepare: no token to be had",
			"eventsource: the server answered 503 Service Unavailable", "eventsource: dial tcp: connection refused",
		}
		if !slices.Equal(after, want) || !errors.Is(told[3], broken) {
			t.Errorf("after %q; told of %v", after, told)
		}
		last := s.requests()[3]
		if last.path != "/5" || last.body != "body 5" || !slices.Equal(last.header["X-Fixed"], []string{"1", "5"}) || last.header.Get("Last-Event-ID") != "1" {
			t.Errorf("the last request was %+v", last)
		}
	})
}

// A header that net/http refuses would be refused at each attempt.
func TestPreparedHeaderThatCannotBeSent(t *testing.T) {
	ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
		s := serve(t, p, open())
		_, err := read(t, s.source(t, eventsource.Options{Prepare: func(r *http.Request, _ error) error {
			r.Header.Set("Authorization", "Bearer secret\n")
			return nil
		}}), 1)
		if err == nil || !strings.Contains(err.Error(), "trim it") || strings.Contains(err.Error(), "secret") || len(s.requests()) > 0 {
			t.Errorf("ended with %v after %d requests", err, len(s.requests()))
		}
	})
}

func TestHeaders(t *testing.T) {
	ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
		var host string
		s := serve(t, p, func(w http.ResponseWriter, r *http.Request) {
			host = r.Host
			text(w, "data: a\n\n")
		})
		header := http.Header{"Accept": {"text/event-stream, application/problem+json"}, "Cache-Control": nil, "Host": {"other.test"}}
		src := s.source(t, eventsource.Options{Header: header})
		header.Set("Accept", "changed") // what was given is ours
		if _, err := read(t, src, 1); err != errEnough {
			t.Fatal(err)
		}
		r := s.requests()[0]
		if _, ok := r.header["Cache-Control"]; ok || r.header.Get("Accept") != "text/event-stream, application/problem+json" || host != "other.test" {
			t.Errorf("the request was %+v to %q", r, host)
		}
	})
}

// A client's timeout is for what ends.
func TestClientTimeoutDoesNotCutTheStream(t *testing.T) {
	ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
		s := serve(t, p, func(w http.ResponseWriter, r *http.Request) {
			text(w, "data: a\n\n")
			time.Sleep(time.Minute)
			text(w, "data: b\n\n")
		})
		s.Client.Timeout = 10 * time.Second
		got, err := read(t, s.source(t, eventsource.Options{}), 2)
		if err != errEnough || len(s.requests()) != 1 || s.Client.Timeout != 10*time.Second {
			t.Errorf("got %q, %v after %d requests", data(got), err, len(s.requests()))
		}
	})
}

func TestRedirects(t *testing.T) {
	to := func(code int, place string) http.HandlerFunc { return status(code, "Location", place) }
	end := open("data: a\n\n")
	chain := func(n int, last http.HandlerFunc) (all []http.HandlerFunc) {
		for i := range n {
			all = append(all, to([]int{301, 302, 303, 307, 308}[i%5], fmt.Sprint("/", i)))
		}
		return append(all, last)
	}
	for _, c := range []struct {
		name    string
		answers []http.HandlerFunc
		want    string // of the last request: method, body, what it kept
		err     string
	}{
		{"a chain", chain(20, end), "GET  authorization cookie last-event-id x-key", ""},
		{"too long a chain", chain(21, end), "", "more than 20 redirects"},
		{"a loop", []http.HandlerFunc{to(302, "/")}, "", "more than 20 redirects"},
		{"302", []http.HandlerFunc{to(302, "/x"), end}, "GET  authorization cookie last-event-id x-key", ""},
		{"303", []http.HandlerFunc{to(303, "http://stentor.test/x"), end}, "GET  authorization cookie last-event-id x-key", ""},
		{"307", []http.HandlerFunc{to(307, "x"), end}, "POST body authorization cookie last-event-id x-key", ""},
		{"308", []http.HandlerFunc{to(308, "/x"), end}, "POST body authorization cookie last-event-id x-key", ""},
		{"another host", []http.HandlerFunc{to(307, "http://other.test/x"), end}, "POST body last-event-id", ""},
		{"a host below", []http.HandlerFunc{to(307, "http://sub.stentor.test/x"), end}, "POST body last-event-id", ""},
		{"another port", []http.HandlerFunc{to(307, "http://stentor.test:81/x"), end}, "POST body last-event-id", ""},
		{"away and on", []http.HandlerFunc{to(307, "http://other.test/x"), to(307, "/y"), end}, "POST body last-event-id", ""},
		{"away and back", []http.HandlerFunc{to(307, "http://other.test/x"), to(307, "http://stentor.test/"), end}, "POST body last-event-id", ""},
		{"no server, but another one the next time", []http.HandlerFunc{to(307, "ftp://stentor.test/"), end}, "POST body authorization cookie last-event-id x-key", ""},
		{"no URL, but another one the next time", []http.HandlerFunc{to(307, "http://%zz/"), end}, "POST body authorization cookie last-event-id x-key", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
				s := serve(t, p, c.answers...)
				_, err := read(t, s.source(t, eventsource.Options{
					Method: "POST", Body: []byte("body"), LastEventID: "7",
					Header: http.Header{"Authorization": {"secret"}, "Cookie": {"a=b"}, "X-Key": {"secret"}},
				}), 1)
				if c.err != "" {
					if err == nil || !strings.Contains(err.Error(), c.err) || len(s.requests()) != 21 {
						t.Errorf("ended with %v after %d requests", err, len(s.requests()))
					}
					return
				}
				all := s.requests()
				last := all[len(all)-1]
				got := last.method + " " + last.body
				for _, name := range []string{"Authorization", "Cookie", "Last-Event-Id", "X-Key"} {
					if last.header.Get(name) != "" {
						got += " " + strings.ToLower(name)
					}
				}
				if err != errEnough || len(all) != len(c.answers) || got != c.want || last.header.Get("Accept") != "text/event-stream" {
					t.Errorf("got %q after %d requests, %v; want %q", got, len(all), err, c.want)
				}
				if away := strings.Contains(c.name, "a host") || strings.Contains(c.name, "away"); away && last.header.Get("Referer") != "" {
					t.Errorf("it told where it came from: %q", last.header.Get("Referer"))
				}
			})
		})
	}
}

// The policy of a client for redirects is kept, and so are its cookies.
func TestClientsOwnPolicy(t *testing.T) {
	ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
		s := serve(t, p, status(302, "Location", "http://other.test/", "Set-Cookie", "a=b"), open("data: a\n\n"))
		s.Client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
		s.Client.Jar, _ = cookiejar.New(nil)
		src := s.source(t, eventsource.Options{})
		e, ok := errors.AsType[*eventsource.ResponseError](func() error { _, err := read(t, src, 1); return err }())
		if !ok || e.Status != 302 || e.Header.Get("Location") != "http://other.test/" || string(e.Body) != "no stream" {
			t.Errorf("got %+v", e)
		}
		if _, err := read(t, src, 1); err != errEnough || s.requests()[1].header.Get("Cookie") != "a=b" {
			t.Errorf("then %v, %+v", err, s.requests())
		}
	})
}
