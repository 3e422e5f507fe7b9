package peer_test

import (
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"testing"

	"github.com/stentor-sse/stentor/bench/peer"
)

func TestTLS(t *testing.T) {
	says := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, r.Proto) })
	for inside, want := range map[string]string{"http1": "HTTP/1.1", "http2": "HTTP/2.0"} {
		t.Run(inside, func(t *testing.T) {
			secured := 0
			s := &peer.Server{Events: says}
			if inside == "http1" { // the other has the listener of crypto/tls
				s.Secure = func(l net.Listener, c *tls.Config) net.Listener {
					secured++
					return tls.NewListener(l, c)
				}
			}
			ready, end := startInside(t, inside, s)
			defer end()
			transport := &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, ForceAttemptHTTP2: true}
			defer transport.CloseIdleConnections()
			resp, err := (&http.Client{Transport: transport}).Get("https://" + ready.Events + "/events")
			if err != nil {
				t.Fatal(err)
			}
			defer resp.Body.Close()
			if got, err := io.ReadAll(resp.Body); err != nil || string(got) != want {
				t.Errorf("spoke %s, %v; want %s", got, err, want)
			}
			if inside == "http1" && secured != 1 {
				t.Errorf("the server's own listener was made %d times", secured)
			}
		})
	}
}

func TestTLSThatIsNotThere(t *testing.T) {
	for name, s := range map[string]*peer.Server{
		"http3": {Events: http.NotFoundHandler()},
		"http1": {Serve: func(net.Listener) error { return nil }},
	} {
		if err := peer.Run(nil, io.Discard, name, func() (*peer.Server, error) { return s, nil }); err == nil {
			t.Errorf("-tls %s is taken", name)
		}
	}
}
