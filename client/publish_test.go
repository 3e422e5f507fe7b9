package client_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stentor-sse/stentor/client"
)

func TestPublish(t *testing.T) {
	each(t, func(t *testing.T, s *server) {
		c := s.client(t, client.Options{Header: http.Header{"X-A": {"b"}}})
		r, err := c.Publish(t.Context(), client.Message{Channel: "home", Type: "t", Data: map[string]int{"n": 1}, Ephemeral: true})
		if err != nil || r != (client.Receipt{ID: "7", Matched: 2}) {
			t.Errorf("publish: %+v, %v", r, err)
		}
		if got, want := s.asked()[0], `{"channel":"home","type":"t","data":{"n":1},"ephemeral":true}`; got.line != "POST /publish" || got.body != want || got.header.Get("X-A") != "b" {
			t.Errorf("asked %+v", got)
		}
		if _, err := c.Publish(t.Context(), client.Message{Data: func() {}}); err == nil || len(s.asked()) != 1 {
			t.Errorf("data that is no JSON: %v", err)
		}
		for _, a := range []struct {
			code int
			body string
			want string
		}{
			{403, s.problem("ask for it"), "403 Forbidden: ask for it"},
			{502, `<html>`, "502 Bad Gateway"},
			{307, ``, "307 Temporary Redirect"},
			{200, `<html>`, "is the URL that of a Stentor server?"},
		} {
			s.publish = func() (int, string) { return a.code, a.body }
			if _, err := c.Publish(t.Context(), client.Message{All: true}); err == nil || !strings.Contains(err.Error(), a.want) {
				t.Errorf("%d: %v", a.code, err)
			}
		}
		s.publish = func() (int, string) { time.Sleep(time.Minute); return 200, "" }
		start := time.Now()
		if _, err := c.Publish(t.Context(), client.Message{All: true}); !errors.Is(err, context.DeadlineExceeded) || time.Since(start) != 33*time.Second {
			t.Errorf("a server that doesn't answer: %v after %v", err, time.Since(start))
		}
		ctx, cancel := context.WithTimeout(t.Context(), 11*time.Second-1)
		defer cancel()
		start = time.Now()
		if _, err := c.Publish(ctx, client.Message{All: true}); err == nil || time.Since(start) >= 11*time.Second {
			t.Errorf("no patience: %v after %v", err, time.Since(start))
		}
	})
}

// What may have been published is published once more as the same message.
func TestPublishIsSafeToRepeat(t *testing.T) {
	each(t, func(t *testing.T, s *server) {
		s.publish = func() (int, string) {
			switch len(s.asked()) {
			case 1:
				panic(http.ErrAbortHandler)
			case 2:
				return 503, ""
			}
			return 200, `{"id":"7","matched":2,"repeated":true,"durability":"disk"}`
		}
		c := s.client(t, client.Options{})
		if r, err := c.Publish(t.Context(), client.Message{All: true}); err != nil || !r.Repeated || r.Durability != "disk" || r.ID != "7" {
			t.Errorf("publish: %+v, %v", r, err)
		}
		if _, err := c.Publish(t.Context(), client.Message{All: true, IdempotencyKey: "own"}); err != nil {
			t.Error(err)
		}
		key := func(n int) string { return s.asked()[n].header.Get("Idempotency-Key") }
		if len(s.asked()) != 4 || len(key(0)) < 20 || key(1) != key(0) || key(2) != key(0) || key(3) != `"own"` || strings.Contains(s.asked()[3].body, "own") {
			t.Errorf("the requests were %+v", s.asked())
		}
	})
}
