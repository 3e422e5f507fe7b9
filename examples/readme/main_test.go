package main

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/stentor-sse/stentor/ssetest"
)

func TestOrderReachesThePage(t *testing.T) {
	ssetest.Each(t, func(t *testing.T, p ssetest.Protocol) {
		hub, mux, err := routes(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		srv := ssetest.NewServer(t, p, mux)
		defer hub.Shutdown(t.Context())
		page := srv.Open(t, "/events?channel=shop")
		if e := page.Next(t); e.Type != "stentor.open" {
			t.Fatalf("first event %q, want stentor.open", e.Type)
		}
		body := strings.NewReader(url.Values{"what": {"tea"}}.Encode())
		answer, err := srv.Client.Post(srv.URL+"/orders", "application/x-www-form-urlencoded", body)
		if err != nil {
			t.Fatal(err)
		}
		answer.Body.Close()
		if answer.StatusCode != http.StatusOK {
			t.Errorf("status %d", answer.StatusCode)
		}
		if e := page.Next(t); e.Type != "order" || e.Data != "tea" {
			t.Errorf("got %q %q, want order tea", e.Type, e.Data)
		}
	})
}
